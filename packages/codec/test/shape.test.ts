// The pieces that codecs are made of, where they end: bounds, what may be left out, and what is neither of two.

import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import type { Codec } from '../src/index.js'
import { decode, decodeErrorsText } from '../src/index.js'
import { between, either, list, literal, maybe, record, text, wholeNumber } from '../src/shape.js'

const said = <A>(codec: Codec<A>, value: unknown): string => {
  const read = decode(codec, value)
  return E.isRight(read) ? `read ${JSON.stringify(read.right)}` : decodeErrorsText(read.left)
}

test.each([
  [-1, 'expected a whole number, got -1'],
  [0, 'read 0'],
  [Number.MAX_SAFE_INTEGER, `read ${Number.MAX_SAFE_INTEGER}`],
  [Number.MAX_SAFE_INTEGER + 1, `expected a whole number, got ${Number.MAX_SAFE_INTEGER + 1}`],
  [1.5, 'expected a whole number, got 1.5'],
  ['1', 'expected a whole number, got "1"'],
])('%s as a whole number: %s', (value, text) => expect(said(wholeNumber, value)).toBe(text))

test.each([2, 5])('%i is within the bounds from 2 to 5', (value) =>
  expect(said(between(2, 5), value)).toBe(`read ${value}`),
)
test.each([1, 6, 2.5])('%d is not within the bounds from 2 to 5', (value) =>
  expect(said(between(2, 5, ' of ms'), value)).toBe(`expected a whole number of ms from 2 to 5, got ${value}`),
)

test('what may be undefined is read where JSON has left it out, and written so', () => {
  const codec = record<{ readonly pid: number | undefined }>('a process', { pid: maybe(wholeNumber) })
  expect(decode(codec, {})).toEqual(E.right({ pid: undefined }))
  expect(codec.encode({ pid: undefined })).toEqual({})
  expect(said(codec, { pid: null })).toBe('pid: expected a whole number, got null')
})

describe('one of two kinds', () => {
  const codec = either<string, readonly string[]>('a name, or a list of names', text, list(text), (value) => {
    if (typeof value === 'string') return 'first'
    return Array.isArray(value) ? 'second' : 'neither'
  })

  test('is read as the kind that it is meant to be, and its faults are those of that kind', () => {
    expect([said(codec, 'a'), said(codec, ['a'])]).toEqual(['read "a"', 'read ["a"]'])
    expect(said(codec, [1])).toBe('[0]: expected a string, got 1')
    expect([codec.encode('a'), codec.encode(['a'])]).toEqual(['a', ['a']])
  })

  test('is refused as neither of the two', () => {
    expect(said(codec, 7)).toBe('expected a name, or a list of names, got 7')
  })
})

test('one value, and no other', () => {
  expect([said(literal('a'), 'a'), said(literal('a'), 'b')]).toEqual(['read "a"', 'expected "a", got "b"'])
  expect(said(literal(null, 'nothing'), 0)).toBe('expected nothing, got 0')
})
