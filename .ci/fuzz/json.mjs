// What is read as JSON: requests, the configuration, traces, and what mountkeeper-exec is sent and configured with.
import { closeSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readRequest } from '@mountkeeper/border'
import {
  configurationErrorLines,
  decode,
  decodeConfigurationText,
  decodeRequestLine,
  decodeTrace,
  encodeRequest,
  encodeTraceHeader,
  encodeTraceLine,
  invalidOf,
  lineErrorText,
  settingsCodec,
  traceErrorText,
} from '@mountkeeper/codec'
import { apply, decide, effectId, emptyHost, requestId } from '@mountkeeper/core'
import { typeRule } from '@mountkeeper/types'
import fc from 'fast-check'
import {
  anyAnswer,
  anyEffect,
  anyFact,
  anyInput,
  anyPlan,
  anyRequest,
  anySettings,
} from '../../packages/codec/node_modules/.tsbuild/test/arbitrary.js'
import { prepare } from '../../packages/exec/dist/grammar.js'
import { parseLists } from '../../packages/exec/dist/lists.js'
import { Refused } from '../../packages/exec/dist/places.js'
import { readLine } from '../../packages/exec/dist/protocol.js'
import { top } from '../prepare.mjs'
import { harmless, require, same } from './expect.mjs'
import { TYPES, anyOptionText, anySource } from './values.mjs'

const TOKENS = /"(?:[^"\\]|\\.)*"?|[{}[\]:,]|\s+|[^\s"{}[\]:,]+/g
const BRACKETS = [
  ['[', ']'],
  ['{"a":', '}'],
]
const WORDS = [
  'null',
  'true',
  '-1',
  '1e999',
  '0',
  '""',
  '[]',
  '{}',
  '"a":1,',
  ',',
  ':',
  '{',
  '}',
  '[',
  ']',
  '"',
  '"\\ud800"',
]
const jsonWith = (...words) => ({ isJson: true, tokens: TOKENS, brackets: BRACKETS, words: [...WORDS, ...words] })
const json = (value) => value.map((each) => JSON.stringify(each))
const left = (read) => read._tag === 'Left'

const configurationText = readFileSync(join(top, 'test-fixtures/hostile/configuration.json'), 'utf8')
const { settings } = decodeConfigurationText(configurationText).right

/** A host that is up and has nothing; decisions about it leave it as it is. */
const host = emptyHost(settings)
const feed = (input) => apply(host, decide(host, input))
feed({ _tag: 'Requested', at: 0, request: requestId(1), body: { op: 'host-up' } })
const roots = settings.roots.map(({ path }) => ({ path, mountId: 1, directory: '8:1:2', propagation: 'shared' }))
const up = { _tag: 'Discovered', boot: 'b', mountNamespace: 'm', roots, mountpoints: [] }
feed({ _tag: 'Outcome', at: 0, effect: effectId(1), mountpoint: undefined, found: up })

const mountpoint = fc.constantFrom('/srv/mounts/a', '/srv/mounts/b/c', '/srv/mounts/\u00e9', '/srv/mounts')
const secret = fc.constantFrom(
  { name: 'credentials', secretFile: '/etc/mountkeeper/secrets/a' },
  { name: 'password_stdin', secretFile: '/etc/mountkeeper/secrets/a/b' },
  { name: 'credentials', secretEnvironment: 'TOKEN' },
)
const attach = fc.constantFrom(...TYPES).chain((type) =>
  fc.record({
    op: fc.constant('attach'),
    mountpoint,
    filesystem: fc.record({
      type: fc.constant(type),
      source: anySource(type),
      options: fc.array(fc.oneof({ weight: 6, arbitrary: anyOptionText(type) }, { weight: 1, arbitrary: secret }), {
        maxLength: 4,
      }),
    }),
    volume: fc.constantFrom('vol-1', 'v'),
    consumer: fc.constantFrom('vm-1', 'c'),
  }),
)

const requests = {
  name: 'requests',
  valid: fc.oneof(json(attach), fc.oneof(anyRequest, anyPlan).map(encodeRequest)),
  // Longer than a line may be.
  format: {
    ...jsonWith('"op"', '"attach"', '"plan"', '"requests"', '"server"', '"password=x"', '"secretFile"', '"../a"'),
    most: 70_000,
  },
  parse: decodeRequestLine,
  check: (read) => {
    if (left(read)) {
      harmless(lineErrorText(read.left))
      const { _tag, field, why } = invalidOf(read.left)
      require(_tag === 'Invalid', 'a line that cannot be read is not Invalid')
      harmless(`${field}: ${why}`)
      return false
    }
    const again = decodeRequestLine(encodeRequest(read.right))
    // Lone halves of surrogate pairs take more room where they are escaped.
    if (!left(again)) same(again.right, read.right, 'a request written and read')
    else require(again.left._tag === 'TooLong', `a request that was read is refused: ${lineErrorText(again.left)}`)
    if (read.right.op === 'plan') return true
    const body = readRequest(read.right)
    if (!body.ok) {
      require(body.error._tag === 'Invalid', 'the refusal of a request is not Invalid')
      return true
    }
    const { append: facts, then } = decide(host, {
      _tag: 'Requested',
      at: 0,
      request: requestId(2),
      body: body.request,
    })
    const traced = { n: 1, input: { _tag: 'Requested', at: 0, request: requestId(2), body: body.request } }
    const text = `${header}\n${encodeTraceLine({ ...traced, decision: { facts, ...then } })}`
    const replayed = decodeTrace(text)
    require(!left(replayed), left(replayed) ? `its decision cannot be recorded: ${traceErrorText(replayed.left)}` : '')
    return true
  },
}

const few = (item) => fc.array(item, { maxLength: 2 })
const header = encodeTraceHeader({ format: 1, settings: { ...settings, types: {} }, facts: [] })

const trace = {
  name: 'trace',
  valid: fc
    .tuple(
      fc.oneof(
        { weight: 9, arbitrary: fc.constant({ ...settings, types: {} }) },
        { weight: 1, arbitrary: anySettings },
      ),
      few(anyFact),
      few(fc.record({ input: anyInput, facts: few(anyFact), effects: few(anyEffect), answers: few(anyAnswer) })),
    )
    .map(([own, facts, all]) =>
      [
        encodeTraceHeader({ format: 1, settings: own, facts }),
        ...all.map(({ input, ...decision }, index) => encodeTraceLine({ n: index + 1, input, decision })),
      ].join('\n'),
    ),
  format: jsonWith('"_tag"', '"Mount"', '"Mounted"', '"n":2', '\n', '"format":2', '"Outcome"'),
  parse: decodeTrace,
  check: (read) => {
    if (left(read)) {
      harmless(traceErrorText(read.left))
      return false
    }
    const { header: first, lines } = read.right
    const written = [encodeTraceHeader(first), ...lines.map(encodeTraceLine)].join('\n')
    same(decodeTrace(written), read, 'a trace written and read')
    return true
  },
}

const path = fc.constantFrom('/srv/mounts', '/var/lib/a', '/a b/\u00e9', '/srv')
const grammar = fc.constantFrom(
  ...[true, false, 'flag', 'name', 'innerPath', { number: { max: 9 } }, { size: { max: '1g' } }, { words: ['a', 'b'] }],
  ...[{ path: { below: ['/srv'] } }, { host: {} }, { secret: 'stdin' }],
)
const optional = (fields) => fc.record(fields, { requiredKeys: [], noNullPrototype: true })
const configurations = fc.oneof(
  fc.constant(JSON.parse(configurationText)),
  optional({
    roots: fc.array(fc.oneof(path, fc.record({ path, ladder: fc.constantFrom('off', 'force', 'lazy') })), {
      maxLength: 2,
    }),
    stateDirectory: fc.constant('/var/lib/mountkeeper'),
    types: fc
      .array(
        fc.constantFrom(...TYPES).chain((type) =>
          fc.tuple(
            fc.constant(type),
            fc.record(
              {
                sources: fc.array(anySource(type), { minLength: 1, maxLength: 2 }),
                options: fc.oneof(
                  fc.constant(['ro']),
                  fc.dictionary(fc.constantFrom('level', 'port', 'size', 'uid'), grammar, { maxKeys: 2 }),
                ),
                mayHang: fc.boolean(),
                server: fc.constantFrom('host-colon', 'unc', 'ceph', 'source', 'none'),
              },
              { requiredKeys: ['sources'] },
            ),
          ),
        ),
        { maxLength: 3 },
      )
      .map((entries) => Object.fromEntries(entries)),
    aliases: fc.constant({ 'nas.corp.example': ['10.0.0.1', 'fd00::1'] }),
    secretDirectories: fc.constant(['/etc/mountkeeper/secrets']),
    secretEnvironment: fc.constant(['TOKEN']),
    policies: optional({ foreign: fc.constantFrom('refuse', 'adopt'), keepMountedMs: fc.nat(1_000) }),
    limits: optional({ options: fc.integer({ min: 1, max: 64 }), memoryBytes: fc.constantFrom(1_073_741_824, '1g') }),
    slots: optional({ hanging: fc.integer({ min: 1, max: 64 }) }),
    deadlines: optional({
      mountMs: fc.integer({ min: 1_000, max: 9_000 }),
      perType: fc.constant({ nfs: { mountMs: 5_000 } }),
    }),
    delays: optional({ settleMs: fc.nat(5_000), unmountRetryMs: fc.array(fc.nat(5_000), { maxLength: 3 }) }),
    prefix: fc.constant(['sudo', '-n', '--']),
    inventory: fc.constantFrom(null, { libvirt: {} }, { libvirt: { uri: 'qemu:///system' } }),
  }),
)

const configuration = {
  name: 'configuration',
  valid: fc.tuple(configurations, fc.constantFrom(0, 2)).map(([value, indent]) => JSON.stringify(value, null, indent)),
  format: jsonWith('"types"', '"sources"', '"options"', '"*"', '"roots"', '"secret"', '"number"', '"max"', '"nfs"'),
  parse: decodeConfigurationText,
  check: (read) => {
    if (left(read)) {
      const lines = configurationErrorLines(read.left)
      require(lines.length > 0, 'a configuration is refused without a reason')
      lines.slice(0, 20).forEach(harmless)
      return false
    }
    const own = read.right.settings
    const written = JSON.parse(JSON.stringify(settingsCodec.encode(own)))
    const again = decode(settingsCodec, written)
    require(!left(again), 'settings that were read cannot be recorded')
    same(again.right, own, 'settings written and read')
    emptyHost(own)
    return true
  },
}

const rules = Object.fromEntries(
  [
    ['tmpfs', '*'],
    ['bind', '/srv/exports/'],
    ['nfs', '*.corp.example:/export/*'],
    ['cifs', '//*.corp.example/share*'],
    ['fuse.sshfs', '*:/export/*'],
    ['ext4', '/srv/images/'],
    ['ceph', 'mon1.corp.example:/volumes/'],
  ].map(([type, source]) => [type, typeRule(type, [source])]),
)
const lists = { format: 1, roots: ['/srv/mounts'], suid: false, dev: false, types: rules }
const place = fc.constant('/srv/mounts/a')
const id = fc.nat()
const LINES = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(...Object.keys(rules)).chain((type) =>
      fc.record({
        ...{ do: fc.constant('mount'), id, mountpoint: place, type: fc.constant(type), source: anySource(type) },
        options: fc.array(anyOptionText(type), { maxLength: 4 }).map((all) => ['size=1m', 'nr_inodes=9', ...all]),
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ do: fc.constant('mount'), id, mountpoint: place, type: fc.constant('cifs') },
      ...{ source: anySource('cifs'), options: fc.constant([]) },
      secret: fc.constant({ name: 'credentials', value: 'YQ==' }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('make-directory'), id, mountpoint: place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unmount'), id, mountpoint: place, how: fc.constant('lazy') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end'), id, of: fc.nat() }) },
)

/** What only `Refused` may leave; nothing else is a refusal. */
const refusedOr = (work) => {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    require(error.message !== '', 'a refusal without a reason')
    return undefined
  }
}

const close = ({ hold, given }) => {
  const { stdin } = given
  for (const fd of new Set([...hold, ...(stdin === undefined ? [] : [stdin])])) closeSync(fd)
}

const execLines = {
  name: 'exec-lines',
  valid: json(LINES),
  format: jsonWith(
    '"do"',
    '"mount"',
    '"unmount"',
    '"secret"',
    '"value"',
    '"options"',
    '"id":1',
    '"__proto__"',
    '"bind"',
  ),
  parse: readLine,
  check: (line) => {
    if ('why' in line) {
      harmless(line.why)
      require(line.id === null || Number.isSafeInteger(line.id), 'a refusal has no id')
      return false
    }
    same(readLine(JSON.stringify(line)), line, 'a line written and read')
    if (line.do !== 'mount') return true
    const prepared = refusedOr(() => prepare(lists, line))
    if (prepared === undefined) return true
    close(prepared)
    const [, , flag, options] = prepared.vector
    const isFit = prepared.vector.every((word) => !/[\0-\x1f\x7f]/.test(word) && word.isWellFormed())
    require(isFit, 'an argument has a control character, or is no text')
    require(line.type === 'bind' || (flag === '-o' && options.split(',').includes('nosuid')), 'nosuid is missing')
    return true
  },
}

const SAMPLES = { nfs: 'a.corp.example:/export/a', cifs: '//a.corp.example/share1', tmpfs: 's' }
const OPTIONS = ['size=1m', 'nr_inodes=9', 'uid=0', 'vers=3.1.1']

const execLists = {
  name: 'exec-lists',
  valid: json(
    fc.record({
      format: fc.constant(1),
      roots: fc.array(path, { minLength: 1, maxLength: 2 }),
      suid: fc.boolean(),
      dev: fc.boolean(),
      types: fc.subarray(Object.entries(rules), { maxLength: 2 }).map(Object.fromEntries),
    }),
  ),
  format: jsonWith('"format"', '"types"', '"roots"', '"sources"', '"options"', '"pathOptions"', '"no"', '"/"'),
  parse: (text) => refusedOr(() => parseLists(text)),
  check: (own) => {
    if (own === undefined) return false
    const [type] = Object.keys(own.types)
    if (type === undefined) return true
    const mount = { do: 'mount', mountpoint: '/srv/mounts/a', type, source: SAMPLES[type] ?? 'a', options: OPTIONS }
    const prepared = refusedOr(() => prepare(own, mount))
    if (prepared !== undefined) close(prepared)
    return true
  },
}

export const parsers = [requests, configuration, trace, execLines, execLists]
