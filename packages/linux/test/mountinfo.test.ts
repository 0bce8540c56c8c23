import { readFileSync, readdirSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TableLine } from '../src/mountinfo.js'
import { identityOf, parseMountInfo, parseTableLine, propagationOf } from '../src/mountinfo.js'

const FIXTURES = new URL('../../../test-fixtures/mountinfo/', import.meta.url)

describe('captures of the kernel', () => {
  const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.txt'))
  test('there are some', () => {
    expect(names.length).toBeGreaterThan(8)
  })
  test.each(names)('%s', (name) => {
    const expected = JSON.parse(readFileSync(new URL(name.replace('.txt', '.json'), FIXTURES), 'utf8')) as unknown
    const { lines, malformed } = parseMountInfo(readFileSync(new URL(name, FIXTURES)))
    expect(malformed).toEqual([])
    expect(lines).toEqual(expected)
  })
  test('this machine', () => {
    const { lines, malformed } = parseMountInfo(readFileSync('/proc/self/mountinfo'))
    expect(malformed).toEqual([])
    expect(lines.length).toBeGreaterThan(0)
  })
})

// The encoder, written from seq_file.c and proc_namespace.c: bytes in, bytes out.
const escape = (bytes: Uint8Array, special: string): Buffer =>
  Buffer.concat(
    [...bytes].map((byte) =>
      special.includes(String.fromCharCode(byte))
        ? Buffer.from(`\\${byte.toString(8).padStart(3, '0')}`)
        : Buffer.from([byte]),
    ),
  )

/** Text back to bytes: what the parser must have kept. */
const bytesOf = (text: string): Buffer =>
  Buffer.concat(
    Array.from(text, (character) => {
      const code = character.codePointAt(0)!
      return code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character, 'utf8')
    }),
  )

const anyBytes = fc.oneof(
  fc.uint8Array({ min: 1, maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => new Uint8Array(Buffer.from(text.replaceAll('\0', '')))),
  fc
    .constantFrom(' ', '\n', '\\', '\\040', '- ', ' - tmpfs s rw', '#', '')
    .map((text) => new Uint8Array(Buffer.from(text))),
)
const word = fc.stringMatching(/^[a-z][a-z0-9.=]{0,8}$/)
const tag = fc.oneof(
  fc.nat(999).map((n) => `shared:${n}`),
  fc.nat(999).map((n) => `master:${n}`),
  fc.nat(999).map((n) => `propagate_from:${n}`),
  fc.constant('unbindable'),
  fc.constant('later:1'),
)
const mount = fc.record({
  mountId: fc.nat(),
  parentId: fc.nat(),
  device: fc.tuple(fc.nat(4095), fc.nat(1_048_575)).map(([major, minor]) => `${major}:${minor}`),
  root: anyBytes,
  target: anyBytes,
  flags: fc.array(word, { minLength: 1, maxLength: 3 }),
  tags: fc.array(tag, { maxLength: 3 }),
  fstype: word,
  source: anyBytes,
  superOptions: fc.array(word, { minLength: 1, maxLength: 3 }),
})

const SLASH = Buffer.from('/')
const encode = (one: typeof mount extends fc.Arbitrary<infer M> ? M : never): Buffer =>
  Buffer.concat([
    Buffer.from(`${one.mountId} ${one.parentId} ${one.device} /`),
    escape(one.root, ' \t\n\\'),
    Buffer.from(' /'),
    escape(one.target, ' \t\n\\'),
    Buffer.from(` ${[one.flags.join(','), ...one.tags, '-', one.fstype].join(' ')} `),
    escape(one.source, ' \t\n\\#'),
    Buffer.from(` ${one.superOptions.join(',')}\n`),
  ])

describe('L18', () => {
  test('what the kernel writes is read back, byte for byte', () => {
    fc.assert(
      fc.property(fc.array(mount, { maxLength: 4 }), (mounts) => {
        const { lines, malformed } = parseMountInfo(Buffer.concat(mounts.map(encode)))
        expect(malformed).toEqual([])
        expect(lines.length).toBe(mounts.length)
        lines.forEach((line, index) => {
          const asked = mounts[index]!
          expect(bytesOf(line.root)).toEqual(Buffer.concat([SLASH, asked.root]))
          expect(bytesOf(line.target)).toEqual(Buffer.concat([SLASH, asked.target]))
          expect(bytesOf(line.source)).toEqual(Buffer.from(asked.source))
          const { mountId, parentId, device, flags, tags, fstype } = asked
          expect(line).toMatchObject({ mountId, parentId, device, flags, tags, fstype })
          expect(line.superOptions).toBe(asked.superOptions.join(','))
        })
      }),
    )
  })

  test('valid UTF-8 is the same text as everywhere else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), mount, (text, one) => {
        const target = new Uint8Array(Buffer.from(text))
        const [line] = parseMountInfo(encode({ ...one, target })).lines
        expect(line?.target).toBe(`/${text}`)
      }),
    )
  })

  test('bytes that are no UTF-8 stand alone among text that is', () => {
    const text = (bytes: readonly (string | number)[]): string | undefined => {
      const target = Buffer.concat(
        bytes.map((one) => (typeof one === 'string' ? Buffer.from(one) : Buffer.from([one]))),
      )
      return parseMountInfo(Buffer.concat([Buffer.from('25 24 0:42 / '), target, Buffer.from(' rw - t s rw\n')]))
        .lines[0]?.target
    }
    // The first and the last character of each length.
    const characters = ['\u0080', '\u07ff', '\u0800', '\uffff', '\u{10000}', '\u{10ffff}']
    for (const character of characters) {
      expect(text(['/', 0xff, character, 'a', 0x80, character])).toBe(`/\udcff${character}a\udc80${character}`)
      const bytes = [...Buffer.from(character)]
      const lone = bytes.map((byte) => String.fromCharCode(0xdc00 + byte)).slice(0, -1)
      // Cut in the middle, before a letter and at the end.
      expect(text(['/', ...bytes.slice(0, -1), 'a'])).toBe(`/${lone.join('')}a`)
      expect(text(['/', ...bytes.slice(0, -1)])).toBe(`/${lone.join('')}`)
    }
    // A surrogate, one byte too many for what it says, and what begins nothing.
    expect(text(['/', 0xed, 0xa0, 0x80])).toBe('/\udced\udca0\udc80')
    expect(text(['/', 0xc1, 0x81, 0xf5, 0x80, 0x80, 0x80])).toBe('/\udcc1\udc81\udcf5\udc80\udc80\udc80')
  })

  test('garbage is reported line by line and never throws', () => {
    const field = fc.oneof(
      fc.nat().map(String),
      fc.constantFrom('-', '', '0:1', '/', 'x', '\\777', '\\04', '1e3', '-1'),
      word,
    )
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10))),
      fc.array(field, { maxLength: 12 }).map((fields) => Buffer.from(fields.join(' '))),
    )
    fc.assert(
      fc.property(fc.array(line), fc.array(mount, { maxLength: 2 }), (garbage, mounts) => {
        const text = [...garbage.map((one) => Buffer.concat([one, Buffer.from('\n')])), ...mounts.map(encode)]
        const { lines, malformed } = parseMountInfo(Buffer.concat(text))
        expect(lines.length + malformed.length).toBe(garbage.length + mounts.length)
        expect(lines.length).toBeGreaterThanOrEqual(mounts.length)
        for (const bad of malformed) expect(bad._tag).toBe('MalformedLine')
        for (const bad of malformed) expect(bad.text).toBe(garbage[bad.line - 1]!.toString('latin1'))
      }),
    )
  })
})

test('bytes that are no UTF-8 take no longer than others: the user that names a directory chooses them', () => {
  const least = (name: Buffer): number => {
    const table = Buffer.concat([Buffer.from('25 24 0:42 / /'), name, Buffer.from(' rw - tmpfs s rw\n')])
    const times = Array.from({ length: 5 }, () => {
      const began = performance.now()
      expect(parseMountInfo(table).lines).toHaveLength(1)
      return performance.now() - began
    })
    return Math.min(...times)
  }
  // An exception for each byte took more than a second.
  expect(least(Buffer.alloc(200_000, 0xff))).toBeLessThan(250)
  expect(least(Buffer.from('\u00e9\xff'.repeat(50_000), 'latin1'))).toBeLessThan(250)
})

test.each([
  ['c080', '\udcc0\udc80'],
  ['e08080', '\udce0\udc80\udc80'],
  ['eda080', '\udced\udca0\udc80'],
  ['f0808080', '\udcf0\udc80\udc80\udc80'],
  ['f4908080', '\udcf4\udc90\udc80\udc80'],
  ['f5808080', '\udcf5\udc80\udc80\udc80'],
  ['ffe282ac', '\udcff\u20ac'],
  ['fff09f9880', '\udcff\u{1f600}'],
  ['ffed9fbf', '\udcff\ud7ff'],
  ['f48fbfbfff', '\u{10ffff}\udcff'],
  ['e282ffe282ac', '\udce2\udc82\udcff\u20ac'],
])('the bytes %s are read as text where they are UTF-8, and one by one where not', (hex, text) => {
  const table = Buffer.concat([
    Buffer.from('25 24 0:42 / /'),
    Buffer.from(hex, 'hex'),
    Buffer.from(' rw - tmpfs s rw\n'),
  ])
  expect(parseMountInfo(table).lines[0]?.target).toBe(`/${text}`)
})

describe('malformed lines', () => {
  const good = '25 24 0:42 / /srv/mounts/a rw,relatime - tmpfs s rw'
  test('the good one is good', () => {
    expect(parseTableLine(good)._tag).toBe('Right')
  })
  test.each([
    ['', 'TooFewFields'],
    ['25 24 0:42 / /srv/mounts/a rw', 'TooFewFields'],
    ['25 24 0:42 / /srv/mounts/a rw - tmpfs s', 'TooFewFields'],
    ['25 24 0:42 / /srv/mounts/a rw shared:1 tmpfs s rw', 'NoSeparator'],
    ['x 24 0:42 / /a rw - tmpfs s rw', 'MountId'],
    ['25 -1 0:42 / /a rw - tmpfs s rw', 'ParentId'],
    ['25 99999999999999999999 0:42 / /a rw - tmpfs s rw', 'ParentId'],
    ['25 24 42 / /a rw - tmpfs s rw', 'Device'],
    ['25 24 0:42 / a rw - tmpfs s rw', 'Target'],
  ])('%j', (text, why) => {
    expect(parseTableLine(text)).toEqual({ _tag: 'Left', left: why })
  })
  test('a last line without newline is torn, though it looks whole', () => {
    expect(parseMountInfo(Buffer.from(`${good}\n${good}`)).malformed).toEqual([
      { _tag: 'MalformedLine', line: 2, why: 'Torn', text: good },
    ])
  })
})

test.each([
  ['ro', 'ro'],
  ['ro,size=4k', 'ro'],
  ['rw,errors=remount-ro', 'rw'],
  ['rw,ro', 'rw'],
  ['room=1', 'rw'],
  ['rw', 'rw'],
  ['', 'rw'],
])('a superblock with %j is %s', (options, superblock) => {
  const [line] = parseMountInfo(Buffer.from(`25 24 0:42 /r /a rw,nodev - tmpfs s ${options}\n`)).lines
  const identity = { mountId: 25, device: '0:42', fstype: 'tmpfs', source: 's', root: '/r', flags: ['rw', 'nodev'] }
  expect(identityOf(line!)).toEqual({ ...identity, superblock })
})

describe('propagation', () => {
  const [line] = parseMountInfo(Buffer.from('25 24 0:42 / /a rw - tmpfs s rw\n')).lines
  const tagged = (...tags: readonly string[]): TableLine => ({ ...line!, tags })
  test.each([
    [[], 'private'],
    [['shared:1'], 'shared'],
    [['master:1'], 'slave'],
    [['master:1', 'propagate_from:2'], 'slave'],
    [['shared:2', 'master:1'], 'shared'],
    [['unbindable'], 'unbindable'],
    [['later:1'], 'private'],
  ])('%j is %s', (tags, expected) => {
    expect(propagationOf(tagged(...tags))).toBe(expected)
  })
})
