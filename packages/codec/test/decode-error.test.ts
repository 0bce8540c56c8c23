import { describe, expect, test } from 'vitest'
import { decodeErrorText, decodeErrorsText } from '../src/index.js'
import { grouped, shownText, shownValue } from '../src/rendering.js'
import { nearest } from '../src/suggestion.js'

describe('what is shown of a value', () => {
  test.each<readonly [unknown, string]>([
    ['a', '"a"'],
    ['', '""'],
    ['x'.repeat(60), `"${'x'.repeat(60)}"`],
    ['x'.repeat(61), `"${'x'.repeat(60)}…"`],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\u001b[2J\n\u0000\u007f\u0085', '"\\u001b[2J\\n\\u0000\\u007f\\u0085"'],
    ['\u202eabc\u2066\u200b\ufeff', '"\\u202eabc\\u2066\\u200b\\ufeff"'],
    ['\ud800', '"\\ud800"'],
    ['\u{e0041}', '"\\udb40\\udc41"'],
    ['héllo 你好 🙂', '"héllo 你好 🙂"'],
    ['\n'.repeat(100), `"${'\\n'.repeat(30)}…"`],
    [1e21, '1e+21'],
    [-0.5, '-0.5'],
    [null, 'null'],
    [false, 'false'],
    [[], 'an empty list'],
    [['secret'], 'a list of 1'],
    [{ password: 'secret' }, 'an object'],
    [() => 1, 'function'],
  ])('%j', (value, shown) => {
    expect(shownValue(value)).toBe(shown)
  })

  test('is never longer than its limit by more than the mark that says so', () => {
    expect(shownText('\u202e'.repeat(1000)).length).toBe(61)
  })

  test('numbers have their thousands apart', () => {
    expect([0, 999, 1000, 65_536, 86_400_000].map(grouped)).toEqual(['0', '999', '1,000', '65,536', '86,400,000'])
  })
})

describe('what was meant', () => {
  test.each([
    ['optoins', 'options'],
    ['OPTIONS', 'options'],
    ['option', 'options'],
    ['mountpont', 'mountpoint'],
    ['moutnpoint', 'mountpoint'],
    ['mountPoint', 'mountpoint'],
    ['', undefined],
    ['x', undefined],
    ['consumer', undefined],
    ['o'.repeat(60_000), undefined],
  ])('%.20s', (name, meant) => {
    expect(nearest(name, ['mountpoint', 'options', 'op'])).toBe(meant)
  })
})

test('an error is one line, and of many the first and how many more', () => {
  const unfit = { _tag: 'Unfit', path: 'filesystem.options[2]', expected: 'a string', got: '3' } as const
  const missing = { _tag: 'Missing', path: 'mountpoint', expected: 'a string' } as const
  expect(decodeErrorText(unfit)).toBe('filesystem.options[2]: expected a string, got 3')
  expect(decodeErrorText({ ...missing, path: '' })).toBe('missing; expected a string')
  expect(decodeErrorsText([missing])).toBe('mountpoint: missing; expected a string')
  expect(decodeErrorsText([missing, unfit, unfit])).toBe('mountpoint: missing; expected a string (and 2 more)')
})
