// What other programs and the disk give: the journal, the kernel's mount table, virsh and its XML.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeFact } from '@mountkeeper/codec'
import { createSalvage, createScan, encodeHead, encodeWrite, scanBytes } from '@mountkeeper/journal'
import fc from 'fast-check'
import { anyFact } from '../../packages/codec/node_modules/.tsbuild/test/arbitrary.js'
import { createFactReader, readFact } from '../../packages/journal/dist/fact-reader.js'
import { frame } from '../../packages/journal/dist/frame.js'
import { filesOfDomain, placeOfPool } from '../../packages/libvirt/dist/domain.js'
import { answerOf, createCutter } from '../../packages/libvirt/dist/framing.js'
import { identityOf, parseMountInfo, propagationOf } from '../../packages/linux/dist/mountinfo.js'
import { top } from '../prepare.mjs'
import { randomOf } from './damage.mjs'
import { harmless, require, same } from './expect.mjs'

const latin = (text) => Buffer.from(text, 'utf8').toString('latin1')
const bytesOf = (text) => Buffer.from(text, 'latin1')

/** Pieces of a text or of bytes, of lengths that follow from what it begins with. */
const piecesOf = (whole) => {
  const random = randomOf(whole.length)
  const pieces = []
  for (let from = 0; from < whole.length;) {
    const to = from + 1 + Math.floor(random() ** 4 * whole.length)
    pieces.push(whole.slice(from, to))
    from = to
  }
  return pieces
}

const pair = { volume: 'vol-1', consumer: 'vm-1' }
const there = { at: 1_700_000_000_000, mountpoint: '/srv/mounts/a' }
const identity = {
  mountId: 36,
  device: '0:41',
  fstype: 'tmpfs',
  source: 's',
  root: '/',
  flags: ['rw'],
  superblock: 'rw',
}
const usual = fc.constantFrom(
  { _tag: 'Held', ...there, ...pair, since: 5, knowledge: 'request' },
  { _tag: 'Left', ...there, ...pair },
  { _tag: 'DirectoryMade', ...there },
  { _tag: 'Mounted', ...there, identity },
  { _tag: 'Mounted', ...there, identity, source: { _tag: 'At', root: '/a', device: '8:1', inode: '7' } },
  { _tag: 'Unmounting', ...there, identity },
  { _tag: 'Unmounted', ...there, by: 'us' },
  { _tag: 'ClaimEnded', ...there, ...pair, intent: 'open' },
  {
    ...{ _tag: 'Claimed', ...there, filesystem: { type: 'tmpfs', source: 's', options: ['ro'] }, ...pair },
    ...{ found: { _tag: 'Directory' }, layersBefore: [] },
  },
)
const fact = fc.oneof({ weight: 3, arbitrary: usual }, { weight: 1, arbitrary: anyFact })

const FAULTS = new Set(['Torn', 'Damaged', 'Newer'])

/** All that reads a journal, on its bytes. */
const scanned = (bytes) => {
  const salvage = createSalvage()
  salvage.push(bytes)
  return { bytes, whole: scanBytes(bytes), saved: salvage.end() }
}

const checkScanned = ({ bytes, whole, saved }) => {
  const read = []
  const scan = createScan((each) => read.push(each))
  piecesOf(bytes).forEach(scan.push)
  same({ ...scan.end(), read }, whole, 'a journal read in pieces')
  require(saved.facts.length >= whole.facts, 'fewer facts are saved than were read')
  saved.lost.slice(0, 20).forEach(({ why }) => harmless(why))
  return whole
}

const journal = {
  name: 'journal',
  valid: fc
    .tuple(fc.nat(2), fc.array(fc.array(fact, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 5 }))
    .map(([snapshot, writes]) => {
      const first = writes.slice(0, snapshot).map(([one]) => encodeWrite([one]))
      return latin([encodeHead(first.length), ...first, ...writes.slice(snapshot).map(encodeWrite)].join(''))
    }),
  format: {
    tokens: /\n|[0-9a-f]{8} |"(?:[^"\\\n]|\\.)*"?|[^\n"]/g,
    words: ['\n', '00000000 ', '{', '}', '"part":[1,2],', '"part":[2,2],', '"_tag"', 'x'.repeat(40), '\0'.repeat(40)],
    isBytes: true,
  },
  parse: (text) => scanned(bytesOf(text)),
  check: (seen, text) => {
    const { fault, read, wholeBytes } = checkScanned(seen)
    if (fault !== undefined) {
      require(FAULTS.has(fault._tag) && fault.line >= 1, 'a fault of no known kind')
      harmless(fault.why)
      if (fault._tag !== 'Torn') return false
    }
    // What is whole is a journal of its own, with the same facts.
    const kept = scanBytes(bytesOf(text.slice(0, wholeBytes)))
    same([kept.fault, kept.read], [undefined, read], 'a journal without its torn end')
    const anew = scanBytes(Buffer.from(encodeHead(0) + read.map((each) => encodeWrite([each])).join('')))
    same([anew.fault, anew.read], [undefined, read], 'facts written and read')
    return fault === undefined
  },
}

/** Lines whose checksum is right and whose content is not: what the quick reader accepts as a fact, the codec has to accept as well. */
const facts = {
  name: 'facts',
  valid: fact.map(encodeFact),
  format: {
    isJson: true,
    tokens: /"(?:[^"\\]|\\.)*"?|[{}[\]:,]|\s+|[^\s"{}[\]:,]+/g,
    words: [
      'null',
      '1e3',
      '-0',
      '00',
      '"_tag"',
      '"Held"',
      '"Mounted"',
      ' ',
      '[]',
      '{}',
      '"part":[1,1],',
      '"\\u0061"',
      '"a":1,',
    ],
    brackets: [
      ['[', ']'],
      ['{"a":', '}'],
    ],
  },
  parse: (text) => {
    const json = Buffer.from(text, 'utf8').toString('utf8')
    const quick = createFactReader()(json)
    return { json, quick, slow: readFact(json) }
  },
  check: ({ json, quick, slow }) => {
    same(quick, slow, 'a fact by the quick reader')
    const { fault, read } = checkScanned(scanned(Buffer.from(encodeHead(0) + frame(json))))
    if (quick._tag === 'Left') {
      harmless(quick.left)
      return false
    }
    if (fault === undefined && !json.startsWith('{"part"')) same(read, [quick.right], 'a fact out of a journal')
    same(readFact(encodeFact(quick.right)), quick, 'a fact written and read')
    return true
  },
}

const escaped = (text, special) =>
  text.replace(special, (each) => `\\${each.charCodeAt(0).toString(8).padStart(3, '0')}`)

/** Text of the parser back to bytes as latin1: lone low surrogates stand for bytes that are no UTF-8. */
const rawOf = (text) =>
  Array.from(text, (each) => {
    const code = each.codePointAt(0)
    return code >= 0xdc80 && code <= 0xdcff ? String.fromCharCode(code - 0xdc00) : latin(each)
  }).join('')
const SPECIAL = /[ \t\n\\]/g
const tableText = ({ mountId, parentId, device, root, target, flags, tags, fstype, source, superOptions }) =>
  [
    ...[
      mountId,
      parentId,
      device,
      escaped(rawOf(root), SPECIAL),
      escaped(rawOf(target), SPECIAL),
      flags.join(','),
      ...tags,
    ],
    ...[
      '-',
      escaped(rawOf(fstype), SPECIAL),
      escaped(rawOf(source), /[ \t\n\\#]/g),
      escaped(rawOf(superOptions), SPECIAL),
    ],
  ].join(' ')

const mounts = fc.record({
  mountId: fc.nat(9_999),
  parentId: fc.nat(9_999),
  device: fc.constantFrom('0:41', '8:1', '259:1048575'),
  root: fc.constantFrom('/', '/a b', 'net:[4026531840]', '/\u00e9'),
  target: fc.constantFrom('/', '/srv/mounts/a', '/srv/mounts/a b', '/\udc9b\udcff', '/x\\040y', '/\n'),
  flags: fc.constantFrom(['rw'], ['ro', 'nosuid', 'nodev']),
  tags: fc.constantFrom([], ['shared:1'], ['master:2', 'propagate_from:1'], ['unbindable']),
  fstype: fc.constantFrom('tmpfs', 'fuse.sshfs'),
  source: fc.constantFrom('', 'tmpfs', 'host:/a b', '#x', '\u{1f600}'),
  superOptions: fc.constantFrom('rw', 'rw,size=1024k', 'ro,lowerdir=/a\\:b'),
})

const mountinfo = {
  name: 'mountinfo',
  valid: fc
    .array(mounts, { minLength: 1, maxLength: 5 })
    .map((all) => all.map((one) => `${tableText(one)}\n`).join('')),
  format: {
    tokens: /[ \n]|\\[0-7]{3}|[^ \n\\]+|\\/g,
    words: [
      ' ',
      '\n',
      '-',
      ' - ',
      '\\040',
      '\\777',
      '\\04',
      '\\000',
      '0:1',
      '/',
      '1e3',
      '99999999999999999999',
      'shared:1',
    ],
    isBytes: true,
  },
  parse: (text) => parseMountInfo(bytesOf(text)),
  check: ({ lines, malformed }, text) => {
    const given = text.split('\n')
    require(lines.length + malformed.length === given.length - (given.at(-1) === '' ? 1 : 0), 'a line went missing')
    for (const bad of malformed) same(bad.text, given[bad.line - 1], 'a malformed line')
    const written = lines.map((each) => `${tableText(each)}\n`).join('')
    same(parseMountInfo(bytesOf(written)), { lines, malformed: [] }, 'a table written and read')
    for (const line of lines) {
      require(line.target.startsWith('/'), 'a target is no path')
      identityOf(line)
      propagationOf(line)
    }
    return malformed.length === 0
  },
}

const WORD = '0123456789abcdef'
const COMMAND = 'dumpxml a'
const echo = (number) => `echo '01234567''89abcdef-${number};'\n`
const written = (answer, number) => `virsh > ${COMMAND}\n${answer}virsh > ${echo(number)}`
const answers = fc.array(
  fc.oneof(
    fc.constantFrom('', 'x\ny\n', '<domain/>\n', 'virsh > \n', "error: it's not there\n", '01234567', 'dumpxml a\n'),
    fc.string({ unit: 'binary', maxLength: 12 }),
  ),
  { minLength: 1, maxLength: 4 },
)

const virsh = {
  name: 'virsh',
  valid: answers.map((all) => all.map((answer, index) => `${written(answer, index)}${WORD}-${index};`).join('')),
  format: {
    tokens: /virsh [>#] |\n|[0-9a-f]{16}-\d+;|echo|[^\n]/g,
    words: ['virsh > ', 'virsh # ', '\n', `${WORD}-0;`, `${WORD}-1;`, `${WORD}-`, WORD, echo(0), `${COMMAND}\n`, "''"],
  },
  parse: (text) => {
    const cut = createCutter(WORD, 0)
    const between = cut.push(text)
    return { cut, between, read: between.map((each, index) => answerOf(each, WORD, index, COMMAND)) }
  },
  check: ({ cut, between, read }, text) => {
    const slow = createCutter(WORD, 0)
    same(piecesOf(text).flatMap(slow.push), between, 'a stream cut in pieces')
    same(slow.waiting(), cut.waiting(), 'what is left of a stream')
    let areAll = between.length > 0 && cut.waiting() === 0
    read.forEach((answer, index) => {
      if (answer._tag === 'Left') {
        harmless(answer.left)
        areAll = false
      } else same(answerOf(written(answer.right, index), WORD, index, COMMAND), answer, 'an answer written and read')
    })
    return areAll
  },
}

const UUID = '11111111-1111-4111-8111-111111111111'
const fixture = (name) => readFileSync(join(top, 'test-fixtures/libvirt', name), 'utf8')
const xmlText = (text) => Array.from(text, (each) => `&#${each.codePointAt(0)};`).join('')
const names = fc.constantFrom('/srv/mounts/a b/x.img', '/m/\u00e9', '/m/&', 'x', '/a\tb')
const sourceXml = fc.oneof(
  names.map((name) => ["type='file'", `<source file='${xmlText(name)}'/>`]),
  names.map((name) => ["type='volume'", `<source pool='default' volume="${xmlText(name)}"/>`]),
  fc.constant(["type='file' device='cdrom'", '']),
  fc.constant(["type='block'", "<source dev='/dev/x'/>"]),
)
const disk = fc
  .tuple(
    sourceXml,
    names,
    fc.nat(3),
    fc.constantFrom('', '<serial>s 1</serial>', '<!-- a --><serial><![CDATA[s]]></serial>'),
  )
  .map(([[attributes, source], base, deep, serial]) => {
    const chain = `<backingStore type='file'><source file='${xmlText(base)}'/>`
    return `<disk ${attributes}>${source}${chain.repeat(deep)}${'</backingStore>'.repeat(deep)}${serial}</disk>`
  })
const domains = fc.array(disk, { maxLength: 3 }).map((disks) => {
  const head = `<?xml version='1.0'?>\n<domain type='qemu'><name>q0</name><uuid>${UUID}</uuid>`
  return `${head}<devices>${disks.join('\n')}</devices></domain>`
})

const again = (files) => {
  const disks = files.map(
    ({ path, volume }) =>
      `<disk type='file'><source file='${xmlText(path)}'/><serial>${xmlText(volume)}</serial></disk>`,
  )
  return `<domain><uuid>${UUID}</uuid><devices>${disks.join('')}</devices></domain>`
}

const domain = {
  name: 'domain-xml',
  valid: fc.oneof(
    { weight: 8, arbitrary: domains },
    { weight: 1, arbitrary: fc.constantFrom(...['running.xml', 'stopped.xml'].map(fixture)) },
    { weight: 1, arbitrary: fc.constant(fixture('pool-dir.xml')) },
  ),
  format: {
    tokens: /<\/?[A-Za-z]*|\/?>|&[#\w]*;?|"[^"]*"?|'[^']*'?|\s+|=|[^<>&"'=\s]+/g,
    words: [
      ...[
        '<',
        '>',
        '&',
        '"',
        "'",
        ']]>',
        '<![CDATA[',
        '<!--',
        '-->',
        '<?x ?>',
        '&#0;',
        '&#x10ffff;',
        '&#55296;',
        '&lt;',
        '&a;',
      ],
      ...[
        '<!DOCTYPE a [<!ENTITY b "c">]>',
        '<source',
        '<disk',
        '<disk/>',
        '<devices/>',
        ` file='/x'`,
        ` type='tape'`,
        'xmlns:a="b"',
      ],
    ],
    brackets: [
      ['<a>', '</a>'],
      ['<backingStore>', '</backingStore>'],
      ['<disk>', '</disk>'],
    ],
  },
  parse: (text) => ({ place: placeOfPool(text, 'default'), files: filesOfDomain(text, UUID) }),
  check: ({ place, files }) => {
    if (place._tag === 'Left') harmless(place.left)
    else require(place.right === undefined || typeof place.right === 'string', 'the place of a pool is no path')
    if (files._tag === 'Left') {
      harmless(files.left)
      return place._tag === 'Right'
    }
    const paths = files.right.filter(({ _tag, path }) => _tag === 'Path' && path !== '')
    same(filesOfDomain(again(paths), UUID), { _tag: 'Right', right: paths }, 'files written and read')
    return true
  },
}

export const parsers = [journal, facts, mountinfo, virsh, domain]
