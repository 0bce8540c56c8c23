// What is allowed of one type: the patterns of its sources, and the grammar of each option. Made from the table and from what an
// administrator adds to it.

import type { Appearance, MemoryUse, ServerOf, TypeEntry } from './entry.js'
import type { Grammar, ParsedValue, Wrong } from './grammar.js'
import { expectedBy, optionPathFault, parseValue, wrong } from './grammar.js'
import { isSecretName } from './password.js'
import { hostAllowed, pathAllowed, patternFault as faultOfForm, sourceMatches } from './pattern.js'
import type { ParsedSource, SourceForm } from './source.js'
import { parseSource } from './source.js'
import { canonicalName, entryOf, meaningsOf, neverReason, optionEntry } from './table.js'
import { GENERAL_FLAGS } from './table/general.js'

/** What is allowed and known about one filesystem type. */
export interface TypeRule {
  /** Allowed sources: a lone `*` is any source; in a longer pattern `*` is one or more of `[A-Za-z0-9.-]` of a host, elsewhere any run without `/`; a pattern ending in `/` allows the directory and all below it. */
  readonly sources: readonly string[]
  /** Allowed options with their grammars, besides the flags that every type has. */
  readonly options: Readonly<Record<string, Grammar>>
  /** Options in which two requests may differ and still share, besides the general ones. */
  readonly insignificant: readonly string[]
  readonly appears: Appearance
  readonly mayHang: boolean
  readonly server: ServerOf
  /** The source is a path on this host: it has to be canonical and absolute. */
  readonly sourceIsPath: boolean
  /** Options whose value is a path or a `:` list of paths, which follow the patterns of `sources` (overlay). */
  readonly pathOptions: readonly string[]
  /** Who takes the source apart; where it is absent, the server says so. */
  readonly form?: SourceForm
  /** Only of a type that takes memory of this host. */
  readonly memory?: MemoryUse
}

/** Options by name, each with its grammar. */
export type Grammars = Readonly<Record<string, Grammar>>

/** The options of a type that are allowed where nothing is configured. */
export const defaultOptions = (type: string): Grammars =>
  Object.fromEntries(
    Object.entries(entryOf(type).options).flatMap(([name, { grammar, isDefault }]) =>
      isDefault ? [[name, grammar] as const] : [],
    ),
  )

/** Options of the table by any of their names, also those that are not allowed by default; names it does not know are left out. */
export const namedOptions = (type: string, names: readonly string[]): Grammars =>
  Object.fromEntries(
    names.flatMap((name) => {
      const known = optionEntry(type, name)
      return known === undefined ? [] : [[canonicalName(meaningsOf(type), name), known.grammar] as const]
    }),
  )

const followsSources = (grammar: Grammar): boolean => grammar._tag === 'Path' && grammar.below === 'sources'

/** What a rule has from the table, and from what it allows. */
export const ruleWith = (known: TypeEntry, sources: readonly string[], options: Grammars): TypeRule => ({
  sources,
  options,
  insignificant: [],
  appears: known.appears,
  mayHang: known.mayHang,
  server: known.server,
  sourceIsPath: known.form === 'path' || known.form === 'fuse-path',
  pathOptions: Object.entries(options).flatMap(([name, grammar]) => (followsSources(grammar) ? [name] : [])),
  ...(known.form === 'opaque' ? {} : { form: known.form }),
  ...(known.memory === undefined ? {} : { memory: known.memory }),
})

/** The rule of a type that is allowed from `sources`: the options of the table, and `more`. */
export const typeRule = (type: string, sources: readonly string[], more: Grammars = {}): TypeRule =>
  ruleWith(entryOf(type), sources, { ...defaultOptions(type), ...more })

/** The types that are allowed when nothing is configured: tmpfs from any source (R10.3). */
export const DEFAULT_TYPES: Readonly<Record<string, TypeRule>> = { tmpfs: typeRule('tmpfs', ['*']) }

const FORM_OF_SERVER: Readonly<Record<ServerOf, SourceForm>> = {
  'host-colon': 'nfs',
  unc: 'unc',
  ceph: 'ceph',
  source: 'opaque',
  none: 'label',
}

type Formed = Pick<TypeRule, 'sourceIsPath' | 'server' | 'form'>

/** Who takes the sources of a type apart. */
export const formOf = ({ form, sourceIsPath, server }: Formed): SourceForm =>
  form ?? (sourceIsPath ? 'path' : FORM_OF_SERVER[server])

/** Takes a source apart, or says why its readers would not agree on its parts. */
export const readSource = (rule: Formed, source: string): ParsedSource | Wrong => parseSource(formOf(rule), source)

/** Whether a rule allows a source. A path has to be canonical before; an adapter asks again for the real path. */
export const sourceAllowed = (rule: TypeRule, source: string): boolean => {
  const parsed = readSource(rule, source)
  return parsed._tag !== 'Wrong' && sourceMatches(formOf(rule), rule.sources, parsed)
}

/** What would be right instead of a pattern that no source of this type can match; `undefined` if one can. */
export const patternFault = (rule: Formed, pattern: string): string | undefined => faultOfForm(formOf(rule), pattern)

/** The grammar of an option, by any of its names; `undefined` if it is not allowed. */
export const grammarOf = (type: string, rule: TypeRule, name: string): Grammar | undefined => {
  if (Object.hasOwn(rule.options, name)) return rule.options[name]
  const canonical = canonicalName(meaningsOf(type), name)
  return Object.hasOwn(rule.options, canonical) ? rule.options[canonical] : undefined
}

const isBelow = (path: string, directory: string): boolean =>
  path.startsWith(directory.endsWith('/') ? directory : `${directory}/`)

/** Why a parsed value is not allowed where it leads: paths and hosts. */
const placeFault = (rule: TypeRule, grammar: Grammar, value: ParsedValue): string | undefined => {
  if (value._tag === 'Hosts') {
    const host = value.hosts.find((each) => !hostAllowed(formOf(rule), rule.sources, each))
    return host && `${host} is not an allowed host; allowed: ${rule.sources.join(', ')}`
  }
  if (value._tag !== 'Paths' || grammar._tag !== 'Path') return undefined
  const directories = grammar.below === 'sources' ? rule.sources : grammar.below
  const outside = value.paths.find((path) => !pathMayBe(rule, grammar, path))
  return outside && `${outside} is not an allowed path; allowed: ${directories.join(', ')}`
}

/** Whether a path is one that an option's grammar allows. An adapter asks again for the real path. */
export const pathMayBe = (rule: TypeRule, grammar: Grammar, path: string): boolean => {
  if (grammar._tag !== 'Path') return false
  if (grammar.below === 'sources') return pathAllowed(rule.sources, path)
  return grammar.below.some((directory) => isBelow(path, directory))
}

/** An option's value, read by its grammar and allowed where it leads; or what is wrong with it. */
export const readOption = (rule: TypeRule, grammar: Grammar, value: string | undefined): ParsedValue | Wrong => {
  const parsed = parseValue(grammar, value)
  if (parsed._tag === 'Wrong') return parsed
  const fault = placeFault(rule, grammar, parsed)
  return fault === undefined ? parsed : wrong(fault)
}

/** A variable that acts on the shell or the linker, or that every command has, would be more than a secret. */
const isVariable = (name: string): boolean =>
  /^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(name) &&
  !/^(?:LD_.*|LC_.*|LANG.*|PATH|IFS|ENV|BASH.*|SHELLOPTS|GCONV_PATH)$/.test(name)

/** Why an administrator cannot add an option with this grammar; `undefined` if it can be added. */
export const addedFault = (type: string, name: string, grammar: Grammar): string | undefined => {
  const never = neverReason(type, name)
  if (never !== undefined) return `${name} cannot be allowed (${never})`
  if (Object.hasOwn(GENERAL_FLAGS, name)) return `${name} is a flag of every type`
  if (isSecretName(name) && grammar._tag !== 'Secret') return `${name} is a secret: allow it as { "secret": … }`
  if (grammar._tag === 'Secret' && grammar.by === 'environment' && !isVariable(name))
    return `${name} is not a variable name that a secret may have`
  if (grammar._tag === 'Text') return `${name} needs a grammar of its value`
  if (grammar._tag === 'Number' || grammar._tag === 'Size') {
    const isOrdered = grammar.least >= 0 && grammar.least <= grammar.most && Number.isSafeInteger(grammar.most)
    return isOrdered ? undefined : `${name} has no value ${expectedBy(grammar)}`
  }
  if (grammar._tag !== 'Path' || grammar.below === 'sources') return undefined
  const bad = grammar.below.find((path) => optionPathFault(path) !== undefined)
  return bad === undefined ? undefined : `a directory of ${name} ${optionPathFault(bad) ?? ''}`
}
