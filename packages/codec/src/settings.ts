// Core's settings as JSON, complete and without defaults, for traces: a trace means the same under any configuration. What
// people write is the configuration (configuration.ts).

import type { LadderPolicy, Policies, RootSettings, SecretSettings, Settings } from '@mountkeeper/core'
import type { Appearance, Grammar, MemoryUse, ServerOf, SourceForm, TypeRule } from '@mountkeeper/types'
import { SOURCE_FORMS } from '@mountkeeper/types'
import type { Codec } from './decode-error.js'
import { serverNameCodec } from './form.js'
import { grammarCodec } from './option-grammar.js'
import { dictionary, list, oneOf, optional, reading, record, tagged, text, truth, wholeNumber } from './shape.js'

/** What may follow an unmount that failed. */
export const ladderCodec: Codec<LadderPolicy> = oneOf({ off: true, force: true, lazy: true })

/** How the server of a source is found. */
export const serverOfCodec: Codec<ServerOf> = oneOf({
  'host-colon': true,
  ceph: true,
  unc: true,
  source: true,
  none: true,
})

const appearance: Codec<Appearance> = tagged('_tag', 'an appearance', {
  Source: { fstypes: list(text) },
  RootAndDevice: {},
  Device: { fstypes: list(text) },
  Growth: {},
})

const sourceForm: Codec<SourceForm> = oneOf(SOURCE_FORMS)

/** Options of versions that had no grammars were a list of names, each with any value. */
const options: Codec<TypeRule['options']> = reading(
  dictionary(text, grammarCodec),
  list(text),
  (value) => Array.isArray(value),
  (names) => Object.fromEntries(names.map((name): [string, Grammar] => [name, { _tag: 'Text' }])),
)

const typeRule: Codec<TypeRule> = record('the rule of a type', {
  sources: list(text),
  options,
  insignificant: list(text),
  appears: appearance,
  mayHang: truth,
  server: serverOfCodec,
  sourceIsPath: truth,
  pathOptions: list(text),
  form: optional(sourceForm),
  memory: optional(
    record<MemoryUse>('an object with bytes and bytesPerInode', { bytes: wholeNumber, bytesPerInode: wholeNumber }),
  ),
})

/** The policies, each by its name. */
export const policyCodecs: { readonly [K in keyof Policies]: Codec<Policies[K]> } = {
  foreign: oneOf({ refuse: true, adopt: true }),
  keepMountedMs: wholeNumber,
  lost: oneOf({ report: true, remount: true }),
  broken: oneOf({ refuse: true, remount: true }),
  detachWhileDown: oneOf({ refuse: true, record: true }),
  afterReboot: oneOf({ keep: true, remount: true, drop: true }),
  holders: oneOf({ union: true, inventory: true }),
  suid: oneOf({ refuse: true, allow: true }),
  dev: oneOf({ refuse: true, allow: true }),
}

type PerType = Settings['deadlinesMs']['perType'][string]

/** Core's settings, all of them. */
export const settingsCodec: Codec<Settings> = record('settings', {
  roots: list(record<RootSettings>('a root', { path: text, ladder: ladderCodec })),
  types: dictionary(text, typeRule),
  aliases: optional(dictionary(serverNameCodec, serverNameCodec)),
  secrets: optional(record<SecretSettings>('secrets', { directories: list(text), environment: list(text) })),
  policies: record<Policies>('policies', policyCodecs),
  limits: record<Settings['limits']>('limits', {
    waitingPerMountpoint: wholeNumber,
    waitingPerHost: wholeNumber,
    waitingPerStream: optional(wholeNumber),
    holdersPerMountpoint: wholeNumber,
    options: wholeNumber,
    memoryBytes: optional(wholeNumber),
    mountpointsPerHost: optional(wholeNumber),
    holdersPerConsumer: optional(wholeNumber),
    bytesPerRecord: optional(wholeNumber),
  }),
  slots: record<Settings['slots']>('slots', {
    hanging: wholeNumber,
    perServer: wholeNumber,
    perStream: optional(wholeNumber),
    local: wholeNumber,
  }),
  deadlinesMs: record<Settings['deadlinesMs']>('deadlines', {
    request: wholeNumber,
    look: wholeNumber,
    directory: wholeNumber,
    mount: wholeNumber,
    unmount: wholeNumber,
    probe: wholeNumber,
    discover: wholeNumber,
    perType: dictionary(
      text,
      record<PerType>('deadlines', {
        look: optional(wholeNumber),
        mount: optional(wholeNumber),
        unmount: optional(wholeNumber),
        probe: optional(wholeNumber),
      }),
    ),
  }),
  delaysMs: record<Settings['delaysMs']>('delays', {
    settle: wholeNumber,
    unmountRetry: list(wholeNumber),
    backOffFirst: wholeNumber,
    backOffCeiling: wholeNumber,
    discoveryRetry: wholeNumber,
  }),
})
