// Texts and numbers at the edges of what is accepted: the last that is, beside the first that is not.

import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { checkDeadline, checkName, checkPath, sourceAllowed, typeRule, utf8Length } from '../src/index.js'

const CHARACTERS = [
  '\u007f',
  '\u0080',
  '\u07ff',
  '\u0800',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{10ffff}',
  '😀',
]

describe('bytes', () => {
  test.each([
    '',
    'a',
    ...CHARACTERS,
    `a${CHARACTERS.join('b')}c`,
    '\ud800',
    '\udbffa',
    '\udc00',
    'a\udfff',
    '\ud800\ud800\udc00',
    'é\udfff',
    'ࠀ\udfff',
    '\ue000\udc00',
    '\udc00\udc00',
  ])('of %j are as many as UTF-8 has', (text) => {
    expect(utf8Length(text)).toBe(Buffer.byteLength(text))
  })
})

describe('a name', () => {
  test.each([
    ['x'.repeat(255)],
    ['é'.repeat(127) + 'x'],
    ['ࠀ'.repeat(85)],
    ['😀'.repeat(63) + 'xyz'],
    [' '],
    ['é b'],
    ['~'],
    ['\u00a0'],
    ['\ud7ff\ue000'],
    ['\u{10000}\u{10ffff}'],
  ])('%j is accepted', (name) => {
    expect(checkName('volume', name)).toBe(undefined)
  })

  test.each([
    ['x'.repeat(256), 'is longer than 255 bytes'],
    ['é'.repeat(128), 'is longer than 255 bytes'],
    ['ࠀ'.repeat(86), 'is longer than 255 bytes'],
    ['\u001f', 'has a control character at position 0'],
    ['é\u007f', 'has a control character at position 1'],
    ['\u009f', 'has a control character at position 0'],
    ['\ud800\ue000', 'is not valid Unicode'],
    ['\ud800\ud800\udc00', 'is not valid Unicode'],
    ['\udfff', 'is not valid Unicode'],
    ['\udbff', 'is not valid Unicode'],
  ])('%j is refused', (name, why) => {
    expect(checkName('volume', name)).toEqual({ _tag: 'Invalid', field: 'volume', why })
  })
})

describe('a path', () => {
  const deep = (length: number): string => `/${'x/'.repeat(2_047)}x`.slice(0, length)
  test.each([
    ['/'],
    [`/${'x'.repeat(255)}`],
    [`/a/${'é'.repeat(127)}x`],
    [`/${'😀'.repeat(63)}xyz/b`],
    [deep(4_094).replace(/\/$/, 'y')],
  ])('%j is accepted', (path) => {
    expect(checkPath('mountpoint', path)).toBe(undefined)
  })

  test.each([
    [`/a/${'x'.repeat(256)}/b`, 'has a component of more than 255 bytes'],
    [`/a/${'é'.repeat(128)}`, 'has a component of more than 255 bytes'],
    ['/a/', 'ends with /'],
    ['//a', 'has // in it'],
    ['a', 'is not absolute: it has to begin with /'],
    ['/./a', 'has . in it'],
    ['/..', 'has .. in it'],
  ])('%j is refused', (path, why) => {
    expect(checkPath('mountpoint', path)).toEqual({ _tag: 'Invalid', field: 'mountpoint', why })
  })
})

test.each([
  [1, true],
  [86_400_000, true],
  [0, false],
  [86_400_001, false],
  [0.5, false],
])('a deadline of %d ms: %j', (deadlineMs, accepted) => {
  expect(checkDeadline(deadlineMs) === undefined).toBe(accepted)
})

test.each([
  ['/exports/', '/exports', true],
  ['/exports/', '/exports/a/b', true],
  ['/exports/', '/exportsx', false],
  ['/exports/', '/export', false],
  ['*', 'anything', true],
  ['*', 'any/thing', true],
  ['any*', 'any/thing', false],
  ['a*b*c', 'abc', true],
  ['a*b*c', 'axxbyyc', true],
  ['a*b*c', 'axbxbxc', true],
  ['a*b*c', 'ab', false],
  ['a*b*c', 'xabc', false],
  ['a*b*c', 'abcx', false],
  ['a*b*c', 'ax/bc', false],
  ['a*b*c', 'abx/c', false],
  ['aa*aa', 'aaa', false],
  ['aa*aa', 'aaaa', true],
  ['*aa*aa*', 'aaa', false],
  ['*aa*aa*', 'aaaa', true],
  ['one', 'one', true],
  ['one', 'ones', false],
  ['*.example:/home', 'x.example:/home', true],
  ['*.example:/home', 'x.example:/home/me', false],
])('the pattern %j and the source %j: %j', (pattern, source, allowed) => {
  expect(sourceAllowed(typeRule('tmpfs', [pattern]), source)).toBe(allowed)
})
