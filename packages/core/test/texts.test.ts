// Texts and numbers at the edges of what is accepted: the last that is, beside the first that is not.

import { Buffer } from 'node:buffer'
import { defaultSettings } from '@mountkeeper/border'
import { sourceAllowed, typeRule } from '@mountkeeper/types'
import { describe, expect, test } from 'vitest'
import { checkDeadline } from '../src/check-text.js'
import type { Request } from '../src/index.js'
import {
  INVISIBLE,
  checkMountpointPath,
  checkName,
  checkPath,
  decide,
  requestId,
  restore,
  utf8Length,
} from '../src/index.js'

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

describe('what people could not see', () => {
  const refused = [
    0xad, 0x34f, 0x61c, 0x115f, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2060,
    0x2066, 0x2069, 0x206f, 0x3164, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0x1d173, 0xe0041, 0xe0100,
  ]

  test.each(refused.map((code) => [code.toString(16).toUpperCase().padStart(4, '0'), String.fromCodePoint(code)]))(
    'U+%s is refused in names and mountpoints',
    (code, character) => {
      const why = `has the invisible or bidirectional character U+${code} at position `
      expect(checkName('consumer', `é${character}`)).toEqual({ _tag: 'Invalid', field: 'consumer', why: `${why}1` })
      expect(checkName('id', character)).toEqual({ _tag: 'Invalid', field: 'id', why: `${why}0` })
      const field = 'mountpoint'
      expect(checkMountpointPath(`/m/a${character}b`)).toEqual({ _tag: 'Invalid', field, why: `${why}4` })
    },
  )

  test('each character of the general category Cf, Zl and Zp, and each that is ignored when shown, is in the list', () => {
    const known = /[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
    // Marks of numbers and of verses, which are seen.
    const seen = new Set([
      0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6dd, 0x70f, 0x890, 0x891, 0x8e2, 0x110bd, 0x110cd,
    ])
    const missing: string[] = []
    for (let code = 0; code < 0xe1000; code += 1) {
      const isHieroglyph = code >= 0x13430 && code <= 0x1343f
      if ((code >= 0xd800 && code < 0xe000) || seen.has(code) || isHieroglyph) continue
      const character = String.fromCodePoint(code)
      if (known.test(character) && !INVISIBLE.test(character)) missing.push(code.toString(16))
    }
    expect(missing).toEqual([])
  })

  const restored = (consumer: string) =>
    restore(defaultSettings('/m'), [
      { _tag: 'HostCameUp', at: 1, generation: 1, boot: 'b', mountNamespace: '1' },
      { _tag: 'Held', at: 1, mountpoint: '/m/a', volume: 'v', consumer, since: 1, knowledge: 'inventory' },
    ])

  test.each<readonly [string, Request]>([
    ['detach', { op: 'detach', mountpoint: '/m/a', volume: 'v', consumer: 'vm\u202e' }],
    ['detach of another volume', { op: 'detach', mountpoint: '/m/a', volume: 'w', consumer: 'vm\u202e' }],
    ['release', { op: 'release', consumer: 'vm\u202e' }],
  ])('who holds by such a name may leave, and no other consumer is known by one: %s', (_, body) => {
    const tagOf = (consumer: string): string | undefined => {
      const { answers } = decide(restored(consumer), { _tag: 'Requested', at: 2, request: requestId(1), body }).then
      const [answer] = answers
      return answer === undefined || answer.ok ? undefined : answer.error._tag
    }
    // The host is down, which is said of what could be served otherwise.
    expect(tagOf('vm\u202e')).toBe('HostDown')
    expect(tagOf('vm')).toBe('Invalid')
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
    ['/a/', 'must not end with /'],
    ['//a', 'must not contain //'],
    ['a', 'is not absolute: it must begin with /'],
    ['/./a', 'must not contain the component .'],
    ['/..', 'must not contain the component ..'],
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
