// Settings of any shape, as an embedder may give them: a plain copy that is complete, or the first field that is wrong.

import type { Invalid, Policies, RootSettings, SecretSettings, Settings } from '@mountkeeper/core'
import { canonicalServer, checkPath } from '@mountkeeper/core'
import type { Appearance, Grammar, MemoryUse, SourceForm, TypeRule } from '@mountkeeper/types'
import { GRAMMAR_KIND, SOURCE_FORMS, addedFault, patternFault, readGrammar } from '@mountkeeper/types'
import type { Reader } from './reader.js'
import {
  dictionary,
  isWrong,
  list,
  oneOf,
  optional,
  positive,
  readWith,
  record,
  tagged,
  text,
  truth,
  wholeNumber,
} from './reader.js'

const appearance: Reader<Appearance> = tagged('_tag', 'an appearance', {
  Source: { fstypes: list(text) },
  RootAndDevice: {},
  Device: { fstypes: list(text) },
  Growth: {},
})

const grammar: Reader<Grammar> = {
  kind: GRAMMAR_KIND,
  read: (value) => {
    const read = readGrammar(value)
    return read === undefined ? { wrong: { at: '', why: `expected ${GRAMMAR_KIND}` } } : { value: read }
  },
}

const sourceForm: Reader<SourceForm> = oneOf(SOURCE_FORMS)

const typeRule: Reader<TypeRule> = record<TypeRule>('the rule of a type', {
  sources: list(text),
  options: dictionary(grammar),
  insignificant: list(text),
  appears: appearance,
  mayHang: truth,
  server: oneOf({ 'host-colon': true, ceph: true, unc: true, source: true, none: true }),
  sourceIsPath: truth,
  pathOptions: list(text),
  form: optional(sourceForm),
  memory: optional(record<MemoryUse>('{ bytes, bytesPerInode }', { bytes: positive, bytesPerInode: positive })),
})

const policies: Reader<Policies> = record<Policies>('policies', {
  foreign: oneOf({ refuse: true, adopt: true }),
  keepMountedMs: wholeNumber,
  lost: oneOf({ report: true, remount: true }),
  broken: oneOf({ refuse: true, remount: true }),
  detachWhileDown: oneOf({ refuse: true, record: true }),
  afterReboot: oneOf({ keep: true, remount: true, drop: true }),
  holders: oneOf({ union: true, inventory: true }),
  suid: oneOf({ refuse: true, allow: true }),
  dev: oneOf({ refuse: true, allow: true }),
})

type PerType = Settings['deadlinesMs']['perType'][string]

const settings: Reader<Settings> = record<Settings>('settings', {
  roots: list(
    record<RootSettings>('a root: { path, ladder }', {
      path: text,
      ladder: oneOf({ off: true, force: true, lazy: true }),
    }),
  ),
  types: dictionary(typeRule),
  aliases: optional(dictionary(text)),
  secrets: optional(record<SecretSettings>('secrets', { directories: list(text), environment: list(text) })),
  policies,
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
    hanging: positive,
    perServer: positive,
    perStream: optional(positive),
    local: positive,
  }),
  deadlinesMs: record<Settings['deadlinesMs']>('deadlines', {
    request: positive,
    look: positive,
    directory: positive,
    mount: positive,
    unmount: positive,
    probe: positive,
    discover: positive,
    perType: dictionary(
      record<PerType>('deadlines', {
        look: optional(positive),
        mount: optional(positive),
        unmount: optional(positive),
        probe: optional(positive),
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

const wrongRoot = ({ roots }: Settings): Invalid | undefined => {
  for (const [index, { path }] of roots.entries()) {
    const bad = checkPath(`settings.roots[${index}].path`, path)
    if (bad !== undefined) return bad
  }
  return undefined
}

const wrongPattern = ({ types }: Settings): Invalid | undefined => {
  for (const [name, rule] of Object.entries(types)) {
    for (const [index, pattern] of rule.sources.entries()) {
      const right = patternFault(rule, pattern)
      if (right === undefined) continue
      const why = `${pattern} can match no source; expected ${right}`
      return { _tag: 'Invalid', field: `settings.types.${name}.sources[${index}]`, why }
    }
  }
  return undefined
}

// What no configuration can allow, and what is no grammar of a value.
const wrongOption = ({ types }: Settings): Invalid | undefined => {
  for (const [type, { options }] of Object.entries(types)) {
    for (const [name, each] of Object.entries(options)) {
      const why = addedFault(type, name, each)
      if (why !== undefined) return { _tag: 'Invalid', field: `settings.types.${type}.options.${name}`, why }
    }
  }
  return undefined
}

// Another spelling would match no server, and look as if it named one.
const wrongAlias = ({ aliases = {} }: Settings): Invalid | undefined => {
  for (const [other, name] of Object.entries(aliases)) {
    const wrong = [other, name].find((each) => each === '' || canonicalServer({}, each) !== each)
    if (wrong === undefined) continue
    const why = wrong === '' ? 'has an empty name' : `${wrong} is not canonical; write ${canonicalServer({}, wrong)}`
    return { _tag: 'Invalid', field: `settings.aliases.${other}`, why }
  }
  return undefined
}

const wrongSecretDirectory = ({ secrets }: Settings): Invalid | undefined => {
  for (const [index, directory] of (secrets?.directories ?? []).entries()) {
    const bad = checkPath(`settings.secrets.directories[${index}]`, directory)
    if (bad !== undefined) return bad
  }
  return undefined
}

/** Reads settings from any value: a plain copy, or the first field that is wrong, its name begun with `settings`. Never throws. */
export const readSettings = (value: unknown): Settings | Invalid => {
  const read = readWith(settings, value)
  if (isWrong(read)) return { _tag: 'Invalid', field: `settings${read.wrong.at}`, why: read.wrong.why }
  const { value: copy } = read
  const wrong = wrongRoot(copy) ?? wrongPattern(copy) ?? wrongOption(copy) ?? wrongAlias(copy)
  return wrong ?? wrongSecretDirectory(copy) ?? copy
}
