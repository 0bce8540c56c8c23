// What an administrator may write of options, at its bounds, and what is said of the rest.

import * as E from 'fp-ts/lib/Either.js'
import { LARGEST, neverReason, optionEntry } from '@mountkeeper/types'
import { describe, expect, test } from 'vitest'
import { decode } from '../src/index.js'
import type { OptionSetting } from '../src/option-grammar.js'
import { grammarCodec, optionFaults, optionSettingCodec, optionsOf } from '../src/option-grammar.js'

const isSetting = (value: unknown): boolean => E.isRight(decode(optionSettingCodec, value))

describe('the setting of an option', () => {
  test.each<OptionSetting>([
    true,
    false,
    'hosts',
    { number: { max: LARGEST } },
    { number: { min: 2, max: 2 } },
    { size: { max: LARGEST } },
    { size: { min: '1k', max: 1_024 } },
    { size: { min: 0, max: 0 } },
    { words: ['a', 'b'] },
  ])('may be %j', (setting) => expect(isSetting(setting)).toBe(true))

  test.each([
    7,
    'toString',
    { number: { max: LARGEST + 1 } },
    { number: { max: 9, more: 1 } },
    { number: { min: '1', max: 9 } },
    { number: { min: -1, max: 9 } },
    { number: { min: 0.5, max: 9 } },
    { number: 9 },
    { size: { max: LARGEST * 2 } },
    { size: { min: -1, max: 9 } },
    { size: { min: 0.5, max: 9 } },
    { size: { min: '1x', max: 9 } },
    { size: { min: '2k', max: '1k' } },
    { size: { max: '9', unit: 'k' } },
    { words: ['a', 7] },
    { words: ['a', ''] },
    { words: 'a' },
    { path: { below: ['/a'], list: false, more: 1 } },
    { path: { below: ['/a', ''] } },
  ])('may not be %j, and what it may be is named', (setting) => {
    const read = decode(optionSettingCodec, setting)
    expect(read).toMatchObject({ left: [{ expected: expect.stringMatching(/^true, false, "flag", /) as string }] })
  })
})

describe('the options of a type', () => {
  test('have no option that the table does not know where none is written for it', () => {
    expect(optionsOf('tmpfs', { nonsense: true })).toStrictEqual(optionsOf('tmpfs', undefined))
    expect(optionsOf('tmpfs', { size: false })).not.toHaveProperty('size')
  })

  test('are read by the reader of the table where an administrator sets other bounds', () => {
    const known = optionEntry('tmpfs', 'nr_inodes')?.grammar
    const { nr_inodes: own } = optionsOf('tmpfs', { nr_inodes: { size: { min: 1, max: 7 } } })
    expect(known && 'reader' in known ? known.reader : '').not.toBe('')
    expect(own).toEqual({ _tag: 'Size', reader: known && 'reader' in known ? known.reader : '', least: 1, most: 7 })
  })
})

describe('what cannot be allowed', () => {
  const NAMED = 'the name of an option in the table of types, or an object with a grammar for each option'
  const never = ['loop', 'exec', 'suid', 'dev', 'user', 'x-mount.mkdir'].find((name) => neverReason('tmpfs', name))

  test('of a list are the names that the table does not have, with the reason of those that are refused for ever', () => {
    expect(never).toBeDefined()
    expect(optionFaults('tmpfs', ['size', 'nonsense', never!])).toEqual([
      { at: 1, expected: NAMED, got: 'nonsense' },
      {
        at: 2,
        expected: `another option: ${never} cannot be allowed (${neverReason('tmpfs', never!)})`,
        got: never,
      },
    ])
    expect(optionFaults('tmpfs')).toEqual([])
  })

  test('of an object is the table, where it has nothing, and what is refused for ever', () => {
    expect(optionFaults('tmpfs', { size: true, nonsense: true, other: false, own: 'flag' })).toEqual([
      { at: 'nonsense', expected: 'a grammar: the table of types has none', got: true },
    ])
    expect(optionFaults('tmpfs', { [never!]: 'flag' })).toEqual([
      { at: never, expected: expect.stringMatching(/^another option: ./) as string, got: 'flag' },
    ])
  })
})

test('a grammar of a trace is recognised by its form', () => {
  expect([grammarCodec.is({ _tag: 'Flag' }), grammarCodec.is({ _tag: 'Nonsense' })]).toEqual([true, false])
})
