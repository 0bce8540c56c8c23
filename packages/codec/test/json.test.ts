import { requestId } from '@mountkeeper/core'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeAnswer, encodeUnreadable, jsonFault, parseJson, shownJson } from '../src/index.js'
import { isLongerThan } from '../src/json.js'

const accepted = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const ours = /is here a second time|nested more than/

const agrees = (text: string): void => {
  const fault = jsonFault(text)
  if (fault !== undefined && ours.test(fault.why)) return
  expect({ text, accepted: fault === undefined }).toEqual({ text, accepted: accepted(text) })
}

test('reads what JSON.parse reads and refuses what it refuses', () => {
  const piece = fc.constantFrom(
    ...'{}[]",:\\/bfnrtu0123456789aeE+-. \t\n\r'.split(''),
    ...['true', 'false', 'null', 'nul', '"a"', '"b":', '\\u00e9', '\u0001', '\u2028', '\uFEFF', '1.5e+3', '-0', '01'],
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => agrees(pieces.join(''))),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(fc.json(), (text) => agrees(text)))
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 2 }), (text, at, other) => {
      const cut = at % (text.length + 1)
      agrees(text.slice(0, cut) + other + text.slice(cut + 1))
    }),
  )
})

test.each([
  ['', 0, 'expected a value, got the end'],
  ['  ', 2, 'expected a value, got the end'],
  ['{"a":1', 6, 'expected "," or "}", got the end'],
  ['{"a":1,}', 7, 'expected a key in quotes, got "}"'],
  ['{a:1}', 1, 'expected a key in quotes, got "a"'],
  ['{"a" 1}', 5, 'expected ":", got "1"'],
  ['[1 2]', 3, 'expected "," or "]", got "2"'],
  ['[1,]', 3, 'expected a value, got "]"'],
  ['"abc', 4, 'expected the end of a string, got the end'],
  ['"a\\x"', 3, 'expected an escape, got "x"'],
  ['"a\nb"', 2, 'expected an escape instead of a control character, got "\\n"'],
  ['{} // more', 3, 'expected nothing more, got "/"'],
  ['01', 1, 'expected nothing more, got "1"'],
  ['NaN', 0, 'expected a value, got "N"'],
  ['{"a":1,"a":2}', 7, 'the key "a" is here a second time'],
  ['{"a":1,"\\u0061":2}', 7, 'the key "a" is here a second time'],
  [`${'['.repeat(65)}${']'.repeat(65)}`, 64, 'nested more than 64 deep'],
])('%s', (text, position, why) => {
  expect(parseJson(text)).toEqual(E.left({ position, why }))
})

test('the same key may stand in two objects, and nesting goes to its limit', () => {
  expect(parseJson('[{"a":1},{"a":{"a":2}}]')).toEqual(E.right([{ a: 1 }, { a: { a: 2 } }]))
  expect(E.isRight(parseJson(`${'['.repeat(64)}${']'.repeat(64)}`))).toBe(true)
})

test('lengths are counted in bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 40 }), (text, bytesMax) => {
      expect(isLongerThan(text, bytesMax)).toBe(Buffer.byteLength(text) > bytesMax)
    }),
  )
})

test('what is shown is the same value, without a character that a terminal acts on or that is invisible', () => {
  const rare = fc.constantFrom(
    '\u007f',
    '\u009b31m',
    '\u202e',
    '\u2066',
    '\ufeff',
    '\u2028',
    '\u{e0041}',
    '"',
    '\\',
    'é',
    '😀',
  )
  const text = fc.array(fc.oneof(rare, fc.string({ maxLength: 3 })), { maxLength: 5 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text))), (value) => {
      const shown = shownJson(value)
      expect(JSON.parse(shown)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(shown).not.toMatch(
        /[\p{Cc}\p{Zl}\p{Zp}\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e0fff}]/u,
      )
    }),
    { numRuns: 2_000 },
  )
  expect(shownJson('é\u009b\u202e\u{e0041}')).toBe('"é\\u009b\\u202e\\udb40\\udc41"')
})

test('answers are shown so', () => {
  const error = { _tag: 'Invalid', field: 'a', why: '\u009b\u202e\u007f' } as const
  expect(encodeAnswer({ request: requestId(1), id: 'x', op: 'attach', ok: false, error })).toContain(
    '\\u009b\\u202e\\u007f',
  )
  const unreadable = encodeUnreadable(1, { _tag: 'NotJson', position: 0, why: '\u009b' })
  expect(unreadable).toContain('\\u009b')
})
