// What the table of types reads: sources, and the values of options.
import { KNOWN_TYPES, grammarOf, readOption, readSource, typeRule, writeOption, writeSource } from '@mountkeeper/types'
import fc from 'fast-check'
import { require, same } from './expect.mjs'

/** The types of the table, and one that is not in it. */
export const TYPES = [...Object.keys(KNOWN_TYPES), 'fuse.mine']

const SOURCES = {
  tmpfs: ['scratch', 'vol-1'],
  bind: ['/srv/exports/a', '/srv/exports/a b/c'],
  overlay: ['overlay'],
  ext4: ['/srv/images/a.img'],
  xfs: ['/srv/images/a.img'],
  btrfs: ['/srv/images/a.img'],
  squashfs: ['/srv/images/a.img'],
  nfs: ['nas.corp.example:/export/a', '[fd00::2]:/export/a', 'a.corp.example,b.corp.example:/export/a', '10.0.0.1:/x'],
  nfs4: ['nas.corp.example:/export/a', '[fd00::2]:/'],
  cifs: ['//nas.corp.example/share1', '//10.0.0.1/share1/a b', '//fd00::2/share1'],
  ceph: [
    'mon1.corp.example:6789,mon2.corp.example:/volumes/a',
    'app@0d1e2f30-0000-4000-8000-000000000000.cephfs=/volumes/a',
  ],
  glusterfs: ['gluster.corp.example:/vol1', 'a.corp.example,b.corp.example:vol1', '/srv/vol1.vol'],
  sshfs: ['me@host:/export/a', 'host:', 'me@[fd00::2]:/export/a'],
  'fuse.sshfs': ['me@host:/export/a', '[fd00::2]:/export/a'],
  'fuse.bindfs': ['/srv/exports/a'],
  'fuse.mine': ['a.corp.example:/data/x', 'https://nas.corp.example/x', 'mine'],
}

/** A source of a type, as callers write it. */
export const anySource = (type) => fc.constantFrom(...(SOURCES[type] ?? SOURCES['fuse.mine']))

const VALUES = {
  Flag: () => [undefined],
  Number: ({ least, most, reader }) => [least, most].map((value) => value.toString(reader === 'octal' ? 8 : 10)),
  Size: ({ least, most }) => [`${least}`, `${most}`, '64k', '1m', '1M', '1g'],
  Word: ({ words, bare }) => [...words, ...(bare ? [undefined] : [])],
  Name: () => ['a', 'name-1', 'x.y_z'],
  InnerPath: () => ['a/b', '/sub/volume', '@home'],
  Path: ({ list }) => ['/srv/layers/a', ...(list ? ['/srv/layers/a:/srv/layers/b'] : [])],
  Host: ({ list }) => ['a.corp.example', ...(list ? ['a.corp.example:b.corp.example'] : [])],
  Secret: () => ['/etc/passwd', 'hunter2'],
  Text: () => ['any'],
}

const PATTERNS = { overlay: ['overlay', '/srv/layers/'] }
const ruleOf = (type) => typeRule(type, PATTERNS[type] ?? ['*'])
const RULES = new Map(TYPES.map((type) => [type, ruleOf(type)]))

const textsOf = (type) => {
  const options = Object.entries(
    KNOWN_TYPES[type]?.options ?? { level: { grammar: { _tag: 'Number', least: 0, most: 9 } } },
  )
  const own = options.flatMap(([name, { grammar }]) =>
    VALUES[grammar._tag](grammar).map((value) => (value === undefined ? name : `${name}=${value}`)),
  )
  return ['ro', 'nosuid', 'relatime', 'x-mine=1', ...own]
}
const TEXTS = new Map(TYPES.map((type) => [type, textsOf(type)]))

/** An option of a type as callers write it; most fit its grammar. */
export const anyOptionText = (type) => fc.constantFrom(...TEXTS.get(type))

const WORDS = [
  ':',
  ',',
  '/',
  '//',
  '[',
  ']',
  '@',
  '=',
  '\\',
  '::1',
  '..',
  '-',
  '-o',
  '%',
  '*',
  ' ',
  '#',
  '.corp.example',
  '127.0.0.1',
]
const format = { keeps: /^[^\n]*\n/, tokens: /[\p{L}\p{N}]+|[^]/gu, words: WORDS, brackets: [['[', ']']] }
const typed = (text) => {
  const end = text.indexOf('\n')
  return end < 0 ? ['fuse.mine', text] : [text.slice(0, end), text.slice(end + 1)]
}
const withType = (anyOf) => fc.constantFrom(...TYPES).chain((type) => anyOf(type).map((text) => `${type}\n${text}`))

const sources = {
  name: 'sources',
  valid: withType(anySource),
  format,
  parse: (text) => {
    const [type, source] = typed(text)
    const rule = RULES.get(type) ?? RULES.get('fuse.mine')
    return { rule, source, parsed: readSource(rule, source) }
  },
  check: ({ rule, source, parsed }) => {
    if (parsed._tag === 'Wrong') {
      require(parsed.why !== '', 'a source is refused without a reason')
      return false
    }
    const written = writeSource(parsed)
    same(written, source, 'a source that was read, written')
    same(readSource(rule, written), parsed, 'a source written and read')
    return true
  },
}

/** Each of these would begin another option, or end its text. */
const CUTS = /[,"\\\0-\x1f\x7f]/

const options = {
  name: 'options',
  valid: withType(anyOptionText),
  format: {
    ...format,
    keeps: /^[^\n]*\n(?:[^=]*=)?/,
    words: [...WORDS, 'size', 'k', 'm', 'g', '%', '0x', '08', '1e3', '18446744073709551616', '\u0661'],
  },
  parse: (text) => {
    const [type, option] = typed(text)
    const rule = RULES.get(type) ?? RULES.get('fuse.mine')
    const equals = option.indexOf('=')
    const name = equals < 0 ? option : option.slice(0, equals)
    const grammar = grammarOf(type, rule, name)
    const value = equals < 0 ? undefined : option.slice(equals + 1)
    return { rule, name, grammar, parsed: grammar && readOption(rule, grammar, value) }
  },
  check: ({ rule, name, grammar, parsed }) => {
    if (parsed === undefined) return false
    if (parsed._tag === 'Wrong') {
      require(parsed.why !== '', 'a value is refused without a reason')
      return false
    }
    const written = writeOption(name, parsed)
    require(!CUTS.test(written), `an option that was read would be cut: ${JSON.stringify(written)}`)
    const value = written === name ? undefined : written.slice(name.length + 1)
    same(readOption(rule, grammar, value), parsed, 'a value written and read')
    return true
  },
}

export const parsers = [sources, options]
