// JSON, read more strictly than `JSON.parse` does: a key that stands twice in one object is refused, because the first of
// the two is silently lost, and nesting has a limit. Faults have a position and the same words under every engine.

import * as E from 'fp-ts/lib/Either.js'
import { INVISIBLE, utf8Length } from '@mountkeeper/core'
import { quoted } from './rendering.js'

/** The deepest nesting of lists and objects. */
export const NESTING_MAX = 64

/** Text that is not JSON. */
export interface JsonFault {
  /** Where it was noticed, in characters from the beginning, which is 0. */
  readonly position: number
  /** What is wrong there: `expected a value, got "x"`. */
  readonly why: string
}

interface Cursor {
  readonly text: string
  at: number
}

const SPACE = new Set([' ', '\t', '\n', '\r'])
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const WORD = /true|false|null/y

const fault = (cursor: Cursor, expected: string): JsonFault => {
  const next = cursor.text.codePointAt(cursor.at)
  const got = next === undefined ? 'the end' : quoted(String.fromCodePoint(next))
  return { position: cursor.at, why: `expected ${expected}, got ${got}` }
}

const skipSpace = (cursor: Cursor): void => {
  while (SPACE.has(cursor.text.charAt(cursor.at))) cursor.at += 1
}

const skipPattern = (cursor: Cursor, pattern: RegExp): boolean => {
  pattern.lastIndex = cursor.at
  const matched = pattern.exec(cursor.text)
  cursor.at += matched?.[0].length ?? 0
  return matched !== null
}

const skipString = (cursor: Cursor): JsonFault | undefined => {
  cursor.at += 1
  for (;;) {
    const character = cursor.text.charAt(cursor.at)
    if (character === '"') break
    if (character === '\\') {
      if (!skipPattern(cursor, ESCAPE)) return fault({ text: cursor.text, at: cursor.at + 1 }, 'an escape')
    } else if (character < ' ') {
      // The end, which is the empty string, too.
      return fault(cursor, character === '' ? 'the end of a string' : 'an escape instead of a control character')
    } else cursor.at += 1
  }
  cursor.at += 1
  return undefined
}

const skipMember = (cursor: Cursor, keys: Set<string>, depth: number): JsonFault | undefined => {
  const begin = cursor.at
  if (cursor.text.charAt(begin) !== '"') return fault(cursor, 'a key in quotes')
  const broken = skipString(cursor)
  if (broken !== undefined) return broken
  const written = cursor.text.slice(begin, cursor.at)
  const key = written.includes('\\') ? String(JSON.parse(written)) : written.slice(1, -1)
  if (keys.has(key)) return { position: begin, why: `the key ${quoted(key)} is here a second time` }
  keys.add(key)
  skipSpace(cursor)
  if (cursor.text.charAt(cursor.at) !== ':') return fault(cursor, '":"')
  cursor.at += 1
  return skipValue(cursor, depth)
}

const skipAll = (
  cursor: Cursor,
  closing: '}' | ']',
  skipOne: (cursor: Cursor) => JsonFault | undefined,
): JsonFault | undefined => {
  cursor.at += 1
  skipSpace(cursor)
  if (cursor.text.charAt(cursor.at) === closing) {
    cursor.at += 1
    return undefined
  }
  for (;;) {
    skipSpace(cursor)
    const broken = skipOne(cursor)
    if (broken !== undefined) return broken
    skipSpace(cursor)
    const next = cursor.text.charAt(cursor.at)
    if (next !== closing && next !== ',') return fault(cursor, `"," or "${closing}"`)
    cursor.at += 1
    if (next === closing) return undefined
  }
}

const skipValue = (cursor: Cursor, depth: number): JsonFault | undefined => {
  skipSpace(cursor)
  const first = cursor.text.charAt(cursor.at)
  if (first === '"') return skipString(cursor)
  if (first !== '{' && first !== '[') {
    return skipPattern(cursor, WORD) || skipPattern(cursor, NUMBER) ? undefined : fault(cursor, 'a value')
  }
  if (depth === NESTING_MAX) return { position: cursor.at, why: `nested more than ${NESTING_MAX} deep` }
  if (first === '[') return skipAll(cursor, ']', (inner) => skipValue(inner, depth + 1))
  const keys = new Set<string>()
  return skipAll(cursor, '}', (inner) => skipMember(inner, keys, depth + 1))
}

/** The first thing that is wrong with a text as JSON. */
export const jsonFault = (text: string): JsonFault | undefined => {
  const cursor: Cursor = { text, at: 0 }
  const broken = skipValue(cursor, 0)
  if (broken !== undefined) return broken
  skipSpace(cursor)
  return cursor.at < text.length ? fault(cursor, 'nothing more') : undefined
}

/** The value of a JSON text. */
export const parseJson = (text: string): E.Either<JsonFault, unknown> => {
  const broken = jsonFault(text)
  return broken === undefined ? E.right(JSON.parse(text) as unknown) : E.left(broken)
}

/** A byte order mark is no part of a text, wherever an editor has put one. */
export const withoutMark = (text: string): string => (text.startsWith('\uFEFF') ? text.slice(1) : text)

/** Whether a text is longer than so many bytes of UTF-8. A short one is not counted. */
export const isLongerThan = (text: string, bytesMax: number): boolean =>
  text.length > bytesMax || (text.length * 3 > bytesMax && utf8Length(text) > bytesMax)

/** DEL and C1, which a terminal acts on, and what is invisible or changes the direction of what is beside it. */
const UNSHOWN = new RegExp(`[\\u007f-\\u009f]|${INVISIBLE.source}`, 'gu')

const escaped = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')

/** JSON for people and their terminals: the same value, with every character escaped that does more than show itself. */
export const shownJson = (value: unknown): string => JSON.stringify(value).replace(UNSHOWN, escaped)
