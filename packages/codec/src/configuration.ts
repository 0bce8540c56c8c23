// The configuration: one JSON file, everything in it optional, every unknown key refused. What comes out has passed all
// checks that need no look at the host.

import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { LadderPolicy, RootSettings, Settings } from '@mountkeeper/core'
import type { ServerOf, TypeRule } from '@mountkeeper/types'
import { DEFAULT_TYPES, entryOf, ruleWith } from '@mountkeeper/types'
import type { Aliases } from './aliases.js'
import { aliasesCodec, aliasesOf } from './aliases.js'
import type { DeadlineSection, DelaySection } from './configuration-section.js'
import {
  DEADLINE_SETTINGS,
  DELAY_SETTINGS,
  LIBVIRT_SETTINGS,
  LIMIT_SETTINGS,
  POLICY_SETTINGS,
  SLOT_SETTINGS,
  JOURNAL_BYTES_MAX,
  JOURNAL_FACTS_MAX,
  WATCH_INTERVAL,
  deadlinesOf,
  delaysOf,
} from './configuration-section.js'
import type { Codec, DecodeError, DecodeErrors } from './decode-error.js'
import { decode, decodeErrorText } from './decode-error.js'
import type { AdapterSettings, Configuration, LibvirtSettings } from './configured.js'
import { configurationFaults } from './configured.js'
import type { JsonFault } from './json.js'
import { parseJson, withoutMark } from './json.js'
import type { WrittenOptions } from './option-grammar.js'
import { optionFaults, optionSettingCodec, optionsOf } from './option-grammar.js'
import { indexStep, keyStep, pathOf, shownValue } from './rendering.js'
import { sectionCodec, withDefaults } from './section.js'
import { ladderCodec, serverOfCodec } from './settings.js'
import type { SocketEntry } from './sockets.js'
import { socketCodec, socketOf } from './sockets.js'
import { dictionary, either, list, literal, optional, record, truth } from './shape.js'
import {
  argumentCodec,
  optionNameCodec,
  ownersCodec,
  pathCodec,
  patternCodec,
  typeNameCodec,
  variableCodec,
} from './form.js'

/** A filesystem type as the file describes it; what it leaves out is in the table of types. */
export interface TypeEntry {
  readonly sources: readonly string[]
  /** A list of names narrows the table to them; an object adds to it. */
  readonly options?: WrittenOptions
  readonly insignificant?: readonly string[]
  readonly mayHang?: boolean
  readonly server?: ServerOf
}

interface RootEntry {
  readonly path: string
  readonly ladder?: LadderPolicy
  readonly trustedOwners?: readonly number[]
}

type InventoryEntry = null | { readonly libvirt: Partial<LibvirtSettings> }

/** The configuration file. */
export interface ConfigurationFile {
  readonly roots?: readonly (string | RootEntry)[]
  readonly stateDirectory?: string
  readonly types?: Readonly<Record<string, TypeEntry>>
  readonly aliases?: Aliases
  readonly secretDirectories?: readonly string[]
  readonly secretEnvironment?: readonly string[]
  readonly policies?: Partial<Settings['policies']>
  readonly limits?: Partial<Required<Settings['limits']>>
  readonly slots?: Partial<Settings['slots']>
  readonly deadlines?: Partial<DeadlineSection>
  readonly delays?: Partial<DelaySection>
  readonly journalFactsMax?: number
  readonly journalBytesMax?: number
  readonly watchIntervalMs?: number
  readonly prefix?: readonly string[]
  readonly exec?: readonly string[]
  readonly inventory?: InventoryEntry
  readonly sockets?: readonly SocketEntry[]
}

const rootEntry: Codec<string | RootEntry> = either(
  'a path, or { path, ladder, trustedOwners }',
  pathCodec,
  record<RootEntry>('an object with path', {
    path: pathCodec,
    ladder: optional(ladderCodec),
    trustedOwners: optional(ownersCodec),
  }),
  (value) => {
    if (typeof value === 'string') return 'first'
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? 'second' : 'neither'
  },
)

const writtenOptions: Codec<WrittenOptions> = either(
  'a list of names of options, or an object with a grammar for each',
  list(optionNameCodec, 'a list of names of options'),
  dictionary(optionNameCodec, optionSettingCodec),
  (value) => {
    if (Array.isArray(value)) return 'first'
    return typeof value === 'object' && value !== null ? 'second' : 'neither'
  },
)

const typeEntry: Codec<TypeEntry> = record('an object with sources', {
  sources: list(patternCodec, 'a list of patterns'),
  options: optional(writtenOptions),
  insignificant: optional(list(optionNameCodec, 'a list of names of options')),
  mayHang: optional(truth),
  server: optional(serverOfCodec),
})

const inventoryEntry: Codec<InventoryEntry> = either(
  'null, or an object with libvirt',
  literal(null),
  record<{ readonly libvirt: Partial<LibvirtSettings> }>('an object with libvirt', {
    libvirt: sectionCodec(LIBVIRT_SETTINGS),
  }),
  (value) => {
    if (value === null) return 'first'
    return typeof value === 'object' && !Array.isArray(value) ? 'second' : 'neither'
  },
)

/** The configuration file. */
export const configurationFileCodec: Codec<ConfigurationFile> = record('an object', {
  roots: optional(list(rootEntry)),
  stateDirectory: optional(pathCodec),
  types: optional(dictionary(typeNameCodec, typeEntry)),
  aliases: optional(aliasesCodec),
  secretDirectories: optional(list(pathCodec, 'a list of paths')),
  secretEnvironment: optional(list(variableCodec, 'a list of names of variables')),
  policies: optional(sectionCodec(POLICY_SETTINGS)),
  limits: optional(sectionCodec(LIMIT_SETTINGS)),
  slots: optional(sectionCodec(SLOT_SETTINGS)),
  deadlines: optional(sectionCodec(DEADLINE_SETTINGS)),
  delays: optional(sectionCodec(DELAY_SETTINGS)),
  journalFactsMax: optional(JOURNAL_FACTS_MAX.codec),
  journalBytesMax: optional(JOURNAL_BYTES_MAX.codec),
  watchIntervalMs: optional(WATCH_INTERVAL.codec),
  prefix: optional(list(argumentCodec, 'a list of words')),
  exec: optional(list(argumentCodec, 'a list of words')),
  inventory: optional(inventoryEntry),
  sockets: optional(list(socketCodec, 'a list of objects with path')),
})

/** The rule of a type, from what is written of it and what the table knows. */
export const typeRuleOf = (name: string, { options, ...written }: TypeEntry): TypeRule => ({
  ...ruleWith(entryOf(name), written.sources, optionsOf(name, options)),
  ...written,
})

const optionErrors = ({ types = {} }: ConfigurationFile): readonly DecodeError[] =>
  Object.entries(types).flatMap(([type, { options }]) =>
    optionFaults(type, options).map(({ at, expected, got }): DecodeError => {
      const step = typeof at === 'number' ? indexStep(at) : keyStep(at)
      return {
        _tag: 'Unfit',
        path: pathOf(['.types', keyStep(type), '.options', step]),
        expected,
        got: shownValue(got),
      }
    }),
  )

const rootOf = (entry: string | RootEntry): RootSettings =>
  typeof entry === 'string' ? { path: entry, ladder: 'off' } : { path: entry.path, ladder: entry.ladder ?? 'off' }

const trustedOwnersOf = (entries: readonly (string | RootEntry)[]): AdapterSettings['trustedOwners'] =>
  Object.fromEntries(
    entries.flatMap((entry) =>
      typeof entry === 'string' || entry.trustedOwners === undefined ? [] : [[entry.path, entry.trustedOwners]],
    ),
  )

const configurationOf = (file: ConfigurationFile): Configuration => ({
  settings: {
    roots: (file.roots ?? []).map(rootOf),
    types: {
      ...DEFAULT_TYPES,
      ...Object.fromEntries(
        Object.entries(file.types ?? {}).map(([name, written]) => [name, typeRuleOf(name, written)]),
      ),
    },
    aliases: aliasesOf(file.aliases ?? {}),
    secrets: { directories: file.secretDirectories ?? [], environment: file.secretEnvironment ?? [] },
    policies: withDefaults(POLICY_SETTINGS, file.policies),
    limits: withDefaults<Required<Settings['limits']>>(LIMIT_SETTINGS, file.limits),
    slots: withDefaults<Required<Settings['slots']>>(SLOT_SETTINGS, file.slots),
    deadlinesMs: deadlinesOf(withDefaults(DEADLINE_SETTINGS, file.deadlines)),
    delaysMs: delaysOf(withDefaults(DELAY_SETTINGS, file.delays)),
  },
  adapter: {
    ...(file.stateDirectory === undefined ? {} : { stateDirectory: file.stateDirectory }),
    journalFactsMax: file.journalFactsMax ?? JOURNAL_FACTS_MAX.default,
    journalBytesMax: file.journalBytesMax ?? JOURNAL_BYTES_MAX.default,
    watchIntervalMs: file.watchIntervalMs ?? WATCH_INTERVAL.default,
    trustedOwners: trustedOwnersOf(file.roots ?? []),
    prefix: file.prefix ?? [],
    exec: file.exec ?? [],
    inventory: file.inventory ? { libvirt: withDefaults(LIBVIRT_SETTINGS, file.inventory.libvirt) } : null,
    sockets: (file.sockets ?? []).map(socketOf),
  },
})

/** What holds where nothing is configured: no root, so that nothing can be attached, and tmpfs allowed. */
export const defaultConfiguration: Configuration = configurationOf({})

const withoutFaults = (
  configuration: Configuration,
  [first, ...others]: readonly DecodeError[],
): E.Either<DecodeErrors, Configuration> => (first === undefined ? E.right(configuration) : E.left([first, ...others]))

/** A configuration, if what has to hold of it as a whole does. */
export const checkedConfiguration = (configuration: Configuration): E.Either<DecodeErrors, Configuration> =>
  withoutFaults(configuration, configurationFaults(configuration))

/** The value of a configuration file, with defaults for all that it leaves out. */
export const decodeConfiguration = (value: unknown): E.Either<DecodeErrors, Configuration> =>
  pipe(
    decode(configurationFileCodec, value),
    E.chain((file) => {
      const configuration = configurationOf(file)
      return withoutFaults(configuration, [...optionErrors(file), ...configurationFaults(configuration)])
    }),
  )

/** Why a configuration file could not be used. */
export type ConfigurationError =
  | ({ readonly _tag: 'NotJson'; readonly line: number; readonly column: number } & JsonFault)
  | { readonly _tag: 'Undecodable'; readonly errors: DecodeErrors }

const notJson =
  (text: string) =>
  (fault: JsonFault): ConfigurationError => {
    const before = text.slice(0, fault.position).split('\n')
    return { _tag: 'NotJson', ...fault, line: before.length, column: (before.at(-1) ?? '').length + 1 }
  }

/** The text of a configuration file, with defaults for all that it leaves out. */
export const decodeConfigurationText = (text: string): E.Either<ConfigurationError, Configuration> => {
  const json = withoutMark(text)
  return pipe(
    parseJson(json),
    E.mapLeft(notJson(json)),
    E.chain((value) =>
      pipe(
        decodeConfiguration(value),
        E.mapLeft((errors): ConfigurationError => ({ _tag: 'Undecodable', errors })),
      ),
    ),
  )
}

/** What is wrong with a configuration file, a line for each thing. */
export const configurationErrorLines = (error: ConfigurationError): readonly string[] =>
  error._tag === 'NotJson'
    ? [`not JSON at line ${error.line}, column ${error.column}: ${error.why}`]
    : error.errors.map(decodeErrorText)
