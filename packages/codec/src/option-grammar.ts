// Grammars of options: in traces as they are, and in the configuration as an administrator writes them.

import * as t from 'io-ts'
import type { Grammar, Grammars, ValueReader } from '@mountkeeper/types'
import {
  GRAMMAR_KIND,
  LARGEST,
  addedFault,
  canonicalName,
  defaultOptions,
  isSecretBy,
  meaningsOf,
  namedOptions,
  neverReason,
  optionEntry,
  readGrammar,
  readValue,
} from '@mountkeeper/types'
import type { Codec } from './decode-error.js'
import { plain } from './shape.js'

/** A grammar, complete, for traces. */
export const grammarCodec: Codec<Grammar> = new t.Type<Grammar>(
  GRAMMAR_KIND,
  (value): value is Grammar => readGrammar(value) !== undefined,
  (value, context) => {
    const read = readGrammar(value)
    return read === undefined ? t.failure(value, context) : t.success(read)
  },
  t.identity,
)

/** What the value of an option may be, as an administrator writes it. */
export type OptionSetting =
  /** `true`: as the table of types says. `false`: not at all. */
  | boolean
  | 'flag'
  | 'name'
  | 'inner-path'
  | 'host'
  | 'hosts'
  | { readonly number: { readonly min?: number; readonly max: number } }
  | { readonly size: { readonly min?: number | string; readonly max: number | string } }
  | { readonly words: readonly string[] }
  | { readonly path: { readonly below: readonly string[]; readonly list?: boolean } }
  | { readonly secret: string }

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown, ...known: readonly string[]): value is Fields =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).every((key) => known.includes(key))

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string' && each !== '')

const bytesOf = (value: unknown): number | undefined => {
  const read = typeof value === 'string' ? readValue('decimal-size', value) : undefined
  const bytes = typeof value === 'string' ? Number(read ?? 'unknown') : value
  return Number.isSafeInteger(bytes) && Number(bytes) >= 0 ? Number(bytes) : undefined
}

const SIMPLE: Readonly<Record<string, Grammar>> = {
  flag: { _tag: 'Flag' },
  name: { _tag: 'Name' },
  'inner-path': { _tag: 'InnerPath' },
  host: { _tag: 'Host', list: false },
  hosts: { _tag: 'Host', list: true },
}

/** The reader that the table has for an option, so that one that is widened is still read as its helper does. */
const readerOf = (known: Grammar | undefined, otherwise: ValueReader): ValueReader =>
  known?._tag === 'Number' || known?._tag === 'Size' ? known.reader : otherwise

const bounded = (tag: 'Number' | 'Size', given: unknown, known: Grammar | undefined): Grammar | undefined => {
  if (!isFields(given, 'min', 'max')) return undefined
  // A 0 means no limit to many a reader: it is allowed where the table allows it, or an administrator says so.
  const smallest = known?._tag === tag ? known.least : 0
  const [least, most] = [bytesOf(given['min'] ?? smallest), bytesOf(given['max'])]
  const isNumber = (value: unknown): boolean => value === undefined || typeof value === 'number'
  if (least === undefined || most === undefined || least > most || most > LARGEST) return undefined
  if (tag === 'Number' && !(isNumber(given['min']) && isNumber(given['max']))) return undefined
  return { _tag: tag, reader: readerOf(known, tag === 'Number' ? 'number' : 'decimal-size'), least, most }
}

const pathGrammar = (given: unknown): Grammar | undefined => {
  if (!isFields(given, 'below', 'list') || !isTexts(given['below'])) return undefined
  const { list = false } = given
  return typeof list === 'boolean' ? { _tag: 'Path', below: given['below'], list } : undefined
}

/** The grammar that an administrator has written; `undefined` for what is none. */
const grammarOf = (given: unknown, known: Grammar | undefined): Grammar | undefined => {
  if (typeof given === 'string') return Object.hasOwn(SIMPLE, given) ? SIMPLE[given] : undefined
  if (!isFields(given, 'number', 'size', 'words', 'path', 'secret') || Object.keys(given).length !== 1) return undefined
  const { number, size, words, path, secret } = given
  if (number !== undefined) return bounded('Number', number, known)
  if (size !== undefined) return bounded('Size', size, known)
  if (words !== undefined) return isTexts(words) ? { _tag: 'Word', words, bare: false } : undefined
  return path === undefined ? (isSecretBy(secret) ? { _tag: 'Secret', by: secret } : undefined) : pathGrammar(path)
}

const isSetting = (value: unknown): value is OptionSetting =>
  typeof value === 'boolean' || grammarOf(value, undefined) !== undefined

/** What the value of an option may be. */
export const optionSettingCodec: Codec<OptionSetting> = plain(
  'true, false, "flag", "name", "host", { "number": { "max": … } }, { "size": { "max": … } }, { "words": […] }, { "path": { "below": […] } } or { "secret": … }',
  isSetting,
)

/** The options of a type as an administrator writes them: names that narrow the table, or grammars that are added to it. */
export type WrittenOptions = readonly string[] | Readonly<Record<string, OptionSetting>>

const isList = (written: WrittenOptions): written is readonly string[] => Array.isArray(written)

const tableGrammar = (type: string, name: string): Grammar | undefined => optionEntry(type, name)?.grammar

/** The options that are allowed of a type. */
export const optionsOf = (type: string, written: WrittenOptions | undefined): Grammars => {
  if (written === undefined) return defaultOptions(type)
  if (isList(written)) return namedOptions(type, written)
  const known = meaningsOf(type)
  const refused = Object.entries(written).flatMap(([name, each]) =>
    each === false ? [canonicalName(known, name)] : [],
  )
  const added = Object.entries(written).flatMap(([name, each]): readonly [string, Grammar][] => {
    const grammar = each === true ? tableGrammar(type, name) : grammarOf(each, tableGrammar(type, name))
    return grammar === undefined ? [] : [[canonicalName(known, name), grammar]]
  })
  const all = { ...defaultOptions(type), ...Object.fromEntries(added) }
  return Object.fromEntries(Object.entries(all).filter(([name]) => !refused.includes(name)))
}

/** An option that cannot be allowed as it is written. */
export interface OptionFault {
  /** Its place in the list, or its name. */
  readonly at: number | string
  readonly expected: string
  readonly got: unknown
}

const NAMED = 'the name of an option in the table of types, or an object with a grammar for each option'

const faultOf = (type: string, name: string, each: OptionSetting): string | undefined => {
  if (each === false) return undefined
  if (each === true)
    return tableGrammar(type, name) === undefined ? 'a grammar: the table of types has none' : undefined
  const grammar = grammarOf(each, undefined)
  const why = grammar && addedFault(type, name, grammar)
  return why && `another option: ${why}`
}

/** What of a type's options cannot be allowed as it is written. */
export const optionFaults = (type: string, written: WrittenOptions = []): readonly OptionFault[] => {
  if (!isList(written)) {
    return Object.entries(written).flatMap(([at, each]) => {
      const expected = faultOf(type, at, each)
      return expected === undefined ? [] : [{ at, expected, got: each }]
    })
  }
  return written.flatMap((name, at) => {
    if (tableGrammar(type, name) !== undefined) return []
    const never = neverReason(type, name)
    return [
      { at, expected: never === undefined ? NAMED : `another option: ${name} cannot be allowed (${never})`, got: name },
    ]
  })
}
