// The grammar of an option's value, as data, and the one reader of it. What passes is a parsed value; what a command gets is
// rewritten from that (R10.3), so that no text of a caller reaches a helper as it stands.

import type { ValueReader } from './size.js'
import { sizeUnit, readValue } from './size.js'

/** How a helper receives a secret. */
export type SecretBy =
  /** A file in the form of mount.cifs (`username=`, `password=`), named by the option. */
  | 'credentials-file'
  /** A file that holds the secret and nothing else, named by the option. */
  | 'secret-file'
  /** The standard input of the helper, which the option `passing` of the type asks to be read. */
  | 'stdin'
  /** A variable of the helper, which has the name of the option; the option itself is not passed. */
  | 'environment'

/** What the value of an option may be. */
export type Grammar =
  /** No value at all. */
  | { readonly _tag: 'Flag' }
  /** A whole number in the spelling of its reader, within bounds. */
  | { readonly _tag: 'Number'; readonly reader: ValueReader; readonly least: number; readonly most: number }
  /** A number with a unit, within bounds after the unit is applied. Per cent of the memory is no size. */
  | { readonly _tag: 'Size'; readonly reader: ValueReader; readonly least: number; readonly most: number }
  /** One word of a list. `bare`: or no value. */
  | { readonly _tag: 'Word'; readonly words: readonly string[]; readonly bare: boolean }
  /** A name without a meaning on this host: letters, digits, `.`, `_`, `-`; at most 64, not beginning with `-` or `.`. */
  | { readonly _tag: 'Name' }
  /** A path inside the filesystem that is mounted, such as a subvolume. */
  | { readonly _tag: 'InnerPath' }
  /** Paths of this host, below what the patterns of `sources` allow, or below these directories. `list`: several, with `:`. */
  | { readonly _tag: 'Path'; readonly below: 'sources' | readonly string[]; readonly list: boolean }
  /** Hosts that the patterns of `sources` allow, with `:` between them. */
  | { readonly _tag: 'Host'; readonly list: boolean }
  /** Never text: a reference to a secret, handed on in this way. */
  | { readonly _tag: 'Secret'; readonly by: SecretBy }
  /** Any text. Only in traces of versions that had no grammars; no configuration may say so. */
  | { readonly _tag: 'Text' }

/** A value that fits its grammar. */
export type ParsedValue =
  | { readonly _tag: 'None' }
  | { readonly _tag: 'Text'; readonly text: string }
  | { readonly _tag: 'Number'; readonly value: bigint }
  | { readonly _tag: 'Octal'; readonly value: bigint }
  | { readonly _tag: 'Size'; readonly count: bigint; readonly unit: string; readonly bytes: bigint }
  | { readonly _tag: 'Paths'; readonly paths: readonly string[] }
  | { readonly _tag: 'Hosts'; readonly hosts: readonly string[] }

/** What is wrong with a text, as a sentence without its subject. */
export interface Wrong {
  readonly _tag: 'Wrong'
  readonly why: string
}

/** A value that does not fit, and why. */
export const wrong = (why: string): Wrong => ({ _tag: 'Wrong', why })

/** The largest number that a value can be and still be compared without loss. */
export const LARGEST: number = Number.MAX_SAFE_INTEGER

/** An option without a value. */
export const FLAG: Grammar = { _tag: 'Flag' }
/** A plain name: letters, digits, `.`, `_` and `-`. */
export const NAME: Grammar = { _tag: 'Name' }
/** A whole number from `least` to `most`. */
export const number = (least: number, most: number, reader: ValueReader = 'number'): Grammar => ({
  ...{ _tag: 'Number', reader, least, most },
})
/** A size in bytes, with the units that `reader` knows. */
export const size = (reader: ValueReader, least: number, most: number): Grammar => ({
  ...{ _tag: 'Size', reader, least, most },
})
/** One of these words. */
export const words = (...list: readonly string[]): Grammar => ({ _tag: 'Word', words: list, bare: false })
/** One of these words, or no value. */
export const wordsOrFlag = (...list: readonly string[]): Grammar => ({ _tag: 'Word', words: list, bare: true })
/** A value that stands nowhere but in a secret. */
export const secret = (by: SecretBy): Grammar => ({ _tag: 'Secret', by })

const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/

const grouped = (value: number): string => value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',')

const between = (least: number, most: number): string => `from ${grouped(least)} to ${grouped(most)}`

/** What a grammar wants, so that it reads well after `expected`. */
export const expectedBy = (grammar: Grammar): string => {
  switch (grammar._tag) {
    case 'Flag':
      return 'no value'
    case 'Number':
      return `${grammar.reader === 'octal' ? 'an octal number' : 'a whole number'} ${bounds(grammar)}`
    case 'Size':
      return `a size ${bounds(grammar)} (k, m and g are powers of 1,024; no %)`
    case 'Word':
      return `${grammar.bare ? 'no value or ' : ''}one of ${grammar.words.join(', ')}`
    case 'Name':
      return 'a name of letters, digits, ".", "_" and "-"'
    case 'InnerPath':
      return 'a path inside the filesystem, without "..", backslash, comma and quote'
    case 'Path':
      return `${grammar.list ? 'paths with ":" between them' : 'a path'} ${below(grammar.below)}`
    case 'Host':
      return `${grammar.list ? 'hosts with ":" between them' : 'a host'} that the sources allow`
    case 'Secret':
      return 'a reference to a secret'
    case 'Text':
      return 'any text'
  }
}

const bounds = ({ reader, least, most }: { reader: ValueReader; least: number; most: number }): string =>
  reader === 'octal' ? `from ${least.toString(8)} to ${most.toString(8)}` : between(least, most)

const below = (where: 'sources' | readonly string[]): string =>
  where === 'sources' ? 'that the sources allow' : `below ${where.join(' or ')}`

const unfit = (grammar: Grammar, value: string | undefined): Wrong =>
  wrong(value === undefined ? `has no value; expected ${expectedBy(grammar)}` : `expected ${expectedBy(grammar)}`)

const isWithin = (value: bigint, { least, most }: { readonly least: number; readonly most: number }): boolean =>
  value >= BigInt(least) && value <= BigInt(most)

type OfTag<Tag extends Grammar['_tag']> = Extract<Grammar, { readonly _tag: Tag }>

const parseNumber = (grammar: OfTag<'Number'>, value: string): ParsedValue | Wrong => {
  const read = readValue(grammar.reader, value)
  if (read === undefined || !/^[0-9]+$/.test(read)) return unfit(grammar, value)
  const octal = grammar.reader === 'octal'
  const parsed = BigInt(octal ? `0o${read}` : read)
  if (!isWithin(parsed, grammar)) return unfit(grammar, value)
  return { _tag: octal ? 'Octal' : 'Number', value: parsed }
}

const parseSize = (grammar: OfTag<'Size'>, value: string): ParsedValue | Wrong => {
  const read = readValue(grammar.reader, value)
  if (read === undefined || !/^[0-9]+$/.test(read)) return unfit(grammar, value)
  const bytes = BigInt(read)
  if (!isWithin(bytes, grammar)) return unfit(grammar, value)
  const { unit, factor } = sizeUnit(value)
  return { _tag: 'Size', count: bytes / factor, unit, bytes }
}

/** What no part of a path may have in it: some helper would read it as something else. */
const AMBIGUOUS = /[\\,:"'`$\p{Cc}]/u

/** What is wrong with one path in the value of an option; its form alone, not where it is. */
export const optionPathFault = (path: string): string | undefined => {
  if (path === '') return 'is empty'
  if (path.includes('\\')) return 'must not contain a backslash (the kernel would drop it)'
  if (!path.startsWith('/')) return 'is not absolute: it must begin with /'
  if (AMBIGUOUS.test(path)) return 'has a comma, a colon, a quote, a backtick or a $ in a path; rename the directory'
  if (path !== '/' && path.endsWith('/')) return 'must not end with /'
  if (path.includes('//')) return 'must not contain //'
  const dots = path.split('/').find((component) => component === '.' || component === '..')
  return dots === undefined ? undefined : `must not contain the component ${dots}`
}

const parsePaths = (grammar: OfTag<'Path'>, value: string): ParsedValue | Wrong => {
  // A backslash before the colon would make one path of two, for the kernel alone.
  const paths = grammar.list && !value.includes('\\') ? value.split(':') : [value]
  for (const path of paths) {
    const fault = optionPathFault(path)
    if (fault !== undefined) return wrong(fault)
  }
  return { _tag: 'Paths', paths }
}

const HOST = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/

const parseHosts = (grammar: OfTag<'Host'>, value: string): ParsedValue | Wrong => {
  const hosts = grammar.list ? value.split(':') : [value]
  return hosts.every((host) => HOST.test(host)) ? { _tag: 'Hosts', hosts } : unfit(grammar, value)
}

const parseInnerPath = (grammar: Grammar, value: string): ParsedValue | Wrong => {
  const path = readValue('inner-path', value) ?? ''
  const isPlain = !AMBIGUOUS.test(path) && !path.split('/').some((part) => part === '..' || part === '.')
  return isPlain && !path.includes('//') ? { _tag: 'Text', text: path } : unfit(grammar, value)
}

/** Reads the value of an option; `undefined` is no `=` at all. Where paths are and whose hosts they are is asked separately. */
export const parseValue = (grammar: Grammar, value: string | undefined): ParsedValue | Wrong => {
  if (grammar._tag === 'Flag') return value === undefined ? { _tag: 'None' } : wrong('takes no value')
  if (grammar._tag === 'Text') return value === undefined ? { _tag: 'None' } : { _tag: 'Text', text: value }
  if (grammar._tag === 'Secret') return wrong('is a secret: give it as { name, secretFile }, never as text')
  if (value === undefined) return grammar._tag === 'Word' && grammar.bare ? { _tag: 'None' } : unfit(grammar, value)
  switch (grammar._tag) {
    case 'Number':
      return parseNumber(grammar, value)
    case 'Size':
      return parseSize(grammar, value)
    case 'Word':
      return grammar.words.includes(value) ? { _tag: 'Text', text: value } : unfit(grammar, value)
    case 'Name':
      return PLAIN_NAME.test(value) ? { _tag: 'Text', text: value } : unfit(grammar, value)
    case 'InnerPath':
      return parseInnerPath(grammar, value)
    case 'Path':
      return parsePaths(grammar, value)
    case 'Host':
      return parseHosts(grammar, value)
  }
}

/** The value as a helper gets it; `undefined` for none. */
export const writeValue = (value: ParsedValue): string | undefined => {
  switch (value._tag) {
    case 'None':
      return undefined
    case 'Text':
      return value.text
    case 'Number':
      return value.value.toString()
    case 'Octal':
      return value.value.toString(8)
    case 'Size':
      return `${value.count}${value.unit}`
    case 'Paths':
      return value.paths.join(':')
    case 'Hosts':
      return value.hosts.join(':')
  }
}

/** An option as a helper gets it. */
export const writeOption = (name: string, value: ParsedValue): string => {
  const text = writeValue(value)
  return text === undefined ? name : `${name}=${text}`
}
