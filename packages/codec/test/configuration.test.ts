import * as E from 'fp-ts/lib/Either.js'
import { DEFAULT_TYPES, KNOWN_TYPES, namedOptions, typeRule } from '@mountkeeper/types'
import { describe, expect, test } from 'vitest'
import type { Configuration, ConfigurationFile, Flags } from '../src/index.js'
import {
  CONFIGURATION_KEYS,
  configurationErrorLines,
  decode,
  decodeConfiguration,
  decodeConfigurationText,
  decodeErrorText,
  defaultConfiguration,
  parseAllow,
  settingsCodec,
  withFlags,
} from '../src/index.js'

const configured = (value: unknown): Configuration => {
  const decoded = decodeConfiguration(value)
  if (E.isLeft(decoded)) throw new Error(decoded.left.map(decodeErrorText).join('\n'))
  return decoded.right
}

const faultsOf = (value: unknown): readonly string[] => {
  const decoded = decodeConfiguration(value)
  return E.isRight(decoded) ? [] : decoded.left.map(decodeErrorText)
}

const PATH = 'an absolute path without "//", "." or "..", that does not end in "/"'
const ONE_SERVER =
  'aliases: expected an object in which each name stands under one server, and no server stands under another, got an object'
const DAY = 'a whole number of ms from 1 to 86,400,000'

describe('the file', () => {
  test('may be empty', () => {
    expect(configured({})).toEqual(defaultConfiguration)
    expect(defaultConfiguration).toEqual({
      settings: {
        roots: [],
        types: DEFAULT_TYPES,
        aliases: {},
        secrets: { directories: [], environment: [] },
        policies: {
          foreign: 'refuse',
          keepMountedMs: 0,
          lost: 'report',
          broken: 'refuse',
          detachWhileDown: 'refuse',
          afterReboot: 'keep',
          holders: 'union',
          suid: 'refuse',
          dev: 'refuse',
        },
        limits: {
          waitingPerMountpoint: 1024,
          waitingPerHost: 65_536,
          waitingPerStream: 16_384,
          holdersPerMountpoint: 1_000_000,
          options: 64,
          memoryBytes: 34_359_738_368,
          mountpointsPerHost: 50_000,
          holdersPerConsumer: 10_000,
          bytesPerRecord: 12_288,
        },
        slots: { hanging: 16, perServer: 4, perStream: 12, local: 512 },
        deadlinesMs: {
          request: 180_000,
          look: 10_000,
          directory: 10_000,
          mount: 120_000,
          unmount: 60_000,
          probe: 5_000,
          discover: 60_000,
          perType: {},
        },
        delaysMs: {
          settle: 1_000,
          unmountRetry: [500, 2_000],
          backOffFirst: 5_000,
          backOffCeiling: 600_000,
          discoveryRetry: 10_000,
        },
      },
      adapter: {
        journalFactsMax: 10_000,
        journalBytesMax: 16_777_216,
        watchIntervalMs: 30_000,
        trustedOwners: {},
        prefix: [],
        exec: [],
        inventory: null,
        sockets: [],
      },
    })
  })

  test('of the documentation means what it says', () => {
    const { settings, adapter } = configured({
      roots: ['/srv/mounts'],
      stateDirectory: '/var/lib/mountkeeper',
      types: {
        tmpfs: { sources: ['*'], options: ['size', 'mode', 'nr_inodes'] },
        bind: { sources: ['/srv/exports/'] },
      },
      policies: {},
      limits: {},
      slots: {},
      deadlines: {},
      prefix: [],
      exec: [],
      inventory: null,
      sockets: [],
    })
    expect(settings).toEqual({
      ...defaultConfiguration.settings,
      roots: [{ path: '/srv/mounts', ladder: 'off' }],
      types: {
        tmpfs: { ...typeRule('tmpfs', ['*']), options: namedOptions('tmpfs', ['size', 'mode', 'nr_inodes']) },
        bind: typeRule('bind', ['/srv/exports/']),
      },
    })
    expect(adapter).toMatchObject({ stateDirectory: '/var/lib/mountkeeper', prefix: [], inventory: null })
  })

  test('asks no authority unless one is named, and libvirt with all defaults or some', () => {
    const inventoryOf = (inventory: unknown) => configured({ inventory }).adapter.inventory
    const defaults = {
      uri: 'qemu:///system',
      limitMs: 20_000,
      keepaliveSeconds: 5,
      retryFirstMs: 1_000,
      retryCeilingMs: 30_000,
    }
    expect(inventoryOf(null)).toBeNull()
    expect(inventoryOf({ libvirt: {} })).toEqual({ libvirt: defaults })
    const uri = 'test:///srv/node.xml'
    expect(inventoryOf({ libvirt: { uri, keepaliveSeconds: 0 } })).toEqual({
      libvirt: { ...defaults, uri, keepaliveSeconds: 0 },
    })
    const documented = CONFIGURATION_KEYS.filter(({ key }) => key.startsWith('inventory.libvirt.'))
    expect(Object.fromEntries(documented.map(({ key, default: value }) => [key.slice(18), value]))).toEqual(defaults)
  })

  test('changes what it names and leaves the rest', () => {
    const { settings, adapter } = configured({
      roots: [{ path: '/srv/a', ladder: 'lazy', trustedOwners: [64_055, 0] }, { path: '/srv/b' }],
      types: {
        tmpfs: { sources: [] },
        nfs: { sources: ['nfs1:/export/*'], mayHang: false },
        'fuse.mine': { sources: ['*'], server: 'host-colon' },
      },
      policies: { foreign: 'adopt', keepMountedMs: 60_000 },
      limits: { options: 8 },
      slots: { hanging: 2 },
      deadlines: {
        lookMs: 1,
        perType: { nfs: { mountMs: 300_000 }, cifs: { lookMs: 3, mountMs: 1, unmountMs: 2, probeMs: 4 } },
      },
      delays: { unmountRetryMs: [], settleMs: 0 },
      prefix: ['sudo', '-n', '--'],
    })
    const was = defaultConfiguration.settings
    expect(settings).toEqual({
      aliases: {},
      secrets: { directories: [], environment: [] },
      roots: [
        { path: '/srv/a', ladder: 'lazy' },
        { path: '/srv/b', ladder: 'off' },
      ],
      types: {
        tmpfs: typeRule('tmpfs', []),
        nfs: { ...typeRule('nfs', ['nfs1:/export/*']), mayHang: false },
        'fuse.mine': { ...typeRule('fuse.mine', ['*']), server: 'host-colon' },
      },
      policies: { ...was.policies, foreign: 'adopt', keepMountedMs: 60_000 },
      limits: { ...was.limits, options: 8 },
      slots: { ...was.slots, hanging: 2 },
      deadlinesMs: {
        ...was.deadlinesMs,
        look: 1,
        perType: { nfs: { mount: 300_000 }, cifs: { look: 3, mount: 1, unmount: 2, probe: 4 } },
      },
      delaysMs: { ...was.delaysMs, unmountRetry: [], settle: 0 },
    })
    expect(adapter.prefix).toEqual(['sudo', '-n', '--'])
    expect(adapter.trustedOwners).toEqual({ '/srv/a': [64_055, 0] })
    expect(decode(settingsCodec, settingsCodec.encode(settings))).toEqual(E.right(settings))
  })

  test('narrows the options of the table by a list, and adds to them by an object', () => {
    const optionsOf = (type: string, options: unknown) =>
      configured({ types: { [type]: { sources: ['*'], options } } }).settings.types[type]?.options
    expect(optionsOf('nfs', ['nfsvers', 'port'])).toEqual(namedOptions('nfs', ['vers', 'port']))
    expect(optionsOf('tmpfs', { size: { size: { max: '4g' } }, huge: false, mode: true, nr_blocks: true })).toEqual({
      ...namedOptions('tmpfs', ['mode', 'nr_inodes', 'nr_blocks', 'uid', 'gid']),
      size: { _tag: 'Size', reader: 'kernel-size', least: 1, most: 4_294_967_296 },
    })
    expect(
      optionsOf('fuse.mine', {
        flag: 'flag',
        name: 'name',
        inner: 'inner-path',
        server: 'host',
        servers: 'hosts',
        level: { number: { min: 1, max: 9 } },
        cache: { size: { min: '1k', max: 4096 } },
        way: { words: ['a', 'b'] },
        keys: { path: { below: ['/srv/keys'] } },
        layers: { path: { below: ['/a', '/b'], list: true } },
        login: { secret: 'credentials-file' },
      }),
    ).toEqual({
      flag: { _tag: 'Flag' },
      name: { _tag: 'Name' },
      inner: { _tag: 'InnerPath' },
      server: { _tag: 'Host', list: false },
      servers: { _tag: 'Host', list: true },
      level: { _tag: 'Number', reader: 'number', least: 1, most: 9 },
      cache: { _tag: 'Size', reader: 'decimal-size', least: 1024, most: 4096 },
      way: { _tag: 'Word', words: ['a', 'b'], bare: false },
      keys: { _tag: 'Path', below: ['/srv/keys'], list: false },
      layers: { _tag: 'Path', below: ['/a', '/b'], list: true },
      login: { _tag: 'Secret', by: 'credentials-file' },
    })
  })

  test.each([
    'any',
    1,
    null,
    {},
    { number: {} },
    { number: { max: '9' } },
    { number: { min: 2, max: 1 } },
    { number: { max: 1 }, words: ['a'] },
    { size: { max: '1x' } },
    { words: [] },
    { words: [''] },
    { path: { below: [] } },
    { path: { below: ['/a'], list: 1 } },
    { secret: 'shout' },
    { Text: {} },
  ])('knows no grammar %j', (grammar) => {
    expect(E.isLeft(decodeConfiguration({ types: { 'fuse.mine': { sources: ['*'], options: { x: grammar } } } }))).toBe(
      true,
    )
  })

  test('gives a type its row of the table, and one without a row the safe guess', () => {
    for (const name of Object.keys(KNOWN_TYPES)) {
      expect(configured({ types: { [name]: { sources: ['*'] } } }).settings.types[name]).toEqual(typeRule(name, ['*']))
    }
    expect(configured({ types: { constructor: { sources: ['*'] } } }).settings.types['constructor']).toEqual(
      typeRule('never-heard-of', ['*']),
    )
  })
})

describe('the file is refused', () => {
  test.each<readonly [unknown, readonly string[]]>([
    [[], ['expected an object, got an empty list']],
    [null, ['expected an object, got null']],
    [{ root: ['/srv'] }, ['root: unknown key; did you mean "roots"?']],
    [{ deadline: {} }, ['deadline: unknown key; did you mean "deadlines"?']],
    [{ zzz: {} }, ['zzz: unknown key']],
    [{ roots: '/srv/mounts' }, ['roots: expected a list, got "/srv/mounts"']],
    [{ roots: [3] }, ['roots[0]: expected a path, or { path, ladder, trustedOwners }, got 3']],
    [{ roots: ['srv'] }, ['roots[0]: expected a path, or { path, ladder, trustedOwners }, got "srv"']],
    [{ roots: [{ path: '/srv/../etc' }] }, [`roots[0].path: expected ${PATH}, got "/srv/../etc"`]],
    [{ roots: [{ path: '/srv/' }] }, [`roots[0].path: expected ${PATH}, got "/srv/"`]],
    [{ roots: [{ path: '/' }] }, [`roots[0].path: expected ${PATH}, got "/"`]],
    [{ roots: [{ path: '/srv//a' }] }, [`roots[0].path: expected ${PATH}, got "/srv//a"`]],
    [{ roots: [{ path: '/srv\n' }] }, [`roots[0].path: expected ${PATH}, got "/srv\\n"`]],
    [{ roots: [{}] }, [`roots[0].path: missing; expected ${PATH}`]],
    [{ roots: [{ path: '/a', ladder: 'on' }] }, ['roots[0].ladder: expected "off", "force" or "lazy", got "on"']],
    [
      { roots: [{ path: '/a', trustedOwners: ['alice'] }] },
      ['roots[0].trustedOwners[0]: expected a whole number from 0 to 4,294,967,294, got "alice"'],
    ],
    [{ roots: [{ path: '/a', lader: 'off' }] }, ['roots[0].lader: unknown key; did you mean "ladder"?']],
    [{ roots: ['/a', '/a'] }, ['roots[1]: expected a directory apart from the root "/a", got "/a"']],
    [{ roots: ['/a', '/b', '/a/c'] }, ['roots[2]: expected a directory apart from the root "/a", got "/a/c"']],
    [{ roots: ['/a/c', '/a'] }, ['roots[1]: expected a directory apart from the root "/a/c", got "/a"']],
    [{ stateDirectory: 'state' }, [`stateDirectory: expected ${PATH}, got "state"`]],
    [
      { roots: ['/a'], stateDirectory: '/a/b' },
      ['stateDirectory: expected a directory apart from the root "/a", got "/a/b"'],
    ],
    [{ types: { nfs: {} } }, ['types.nfs.sources: missing; expected a list of patterns']],
    [{ types: { nfs: { sources: 'a' } } }, ['types.nfs.sources: expected a list of patterns, got "a"']],
    [
      { types: { nfs: { sources: ['-o'] } } },
      [
        'types.nfs.sources[0]: expected a pattern of sources: not empty, not beginning with "-", without control characters, got "-o"',
      ],
    ],
    [
      { types: { bind: { sources: ['*', 'srv/*'] } } },
      ['types.bind.sources[1]: expected a path beginning with "/", such as /srv/exports/, or "*", got "srv/*"'],
    ],
    [
      { types: { 'fuse.bindfs': { sources: ['/a/', 'b'] } } },
      ['types["fuse.bindfs"].sources[1]: expected a path beginning with "/", such as /srv/exports/, or "*", got "b"'],
    ],
    [
      { types: { 'fuse.sshfs': { sources: ['*:/srv/*/'] } } },
      [
        'types["fuse.sshfs"].sources[0]: expected a pattern with "*" or with "/" at its end; with both it matches no source, got "*:/srv/*/"',
      ],
    ],
    [
      { types: { nfs: { sources: [], options: ['vers=4'] } } },
      ['types.nfs.options[0]: expected the name of an option, without "=", "," or spaces, got "vers=4"'],
    ],
    [
      { types: { nfs: { sources: [], insignificant: {} } } },
      ['types.nfs.insignificant: expected a list of names of options, got an object'],
    ],
    [{ types: { nfs: { sources: [], mayHang: 1 } } }, ['types.nfs.mayHang: expected true or false, got 1']],
    [
      { types: { nfs: { sources: [], server: 'host' } } },
      [
        'types.nfs.server: expected "host-colon", "ceph", "unc", "source" or "none", got "host"; did you mean "host-colon"?',
      ],
    ],
    [{ types: { nfs: { source: [] } } }, ['types.nfs.source: unknown key; did you mean "sources"?']],
    [
      { types: { nonfs: { sources: [] } } },
      [
        'types.nonfs: expected the name of a filesystem type (letters, digits, "_", ".", "+", "-"; not beginning with "no"), got "nonfs"',
      ],
    ],
    [{ policies: { foreign: 'yes' } }, ['policies.foreign: expected "refuse" or "adopt", got "yes"']],
    [{ policies: { keepMounted: 1 } }, ['policies.keepMounted: unknown key; did you mean "keepMountedMs"?']],
    [
      { policies: { keepMountedMs: -1 } },
      ['policies.keepMountedMs: expected a whole number of ms from 0 to 86,400,000, got -1'],
    ],
    [{ limits: { options: 1025 } }, ['limits.options: expected a whole number from 0 to 1,024, got 1025']],
    [{ limits: { waitingPerHost: 0 } }, ['limits.waitingPerHost: expected a whole number from 1 to 1,000,000, got 0']],
    [{ slots: { perserver: 4 } }, ['slots.perserver: unknown key; did you mean "perServer"?']],
    [{ slots: { local: 1.5 } }, ['slots.local: expected a whole number from 1 to 65,536, got 1.5']],
    [{ deadlines: { request: 1000 } }, ['deadlines.request: unknown key; did you mean "requestMs"?']],
    [{ deadlines: { mountMs: '2m' } }, [`deadlines.mountMs: expected ${DAY}, got "2m"`]],
    [{ deadlines: { perType: { nfs: { mountMs: 0 } } } }, [`deadlines.perType.nfs.mountMs: expected ${DAY}, got 0`]],
    [{ deadlines: { perType: { nfs: { directoryMs: 1 } } } }, ['deadlines.perType.nfs.directoryMs: unknown key']],
    [
      { delays: { unmountRetryMs: [500, -1] } },
      ['delays.unmountRetryMs[1]: expected a whole number of ms from 0 to 86,400,000, got -1'],
    ],
    [
      { delays: { unmountRetryMs: Array.from({ length: 11 }, () => 1) } },
      ['delays.unmountRetryMs: expected a list of at most 10 whole numbers of ms, got a list of 11'],
    ],
    [
      { delays: { backOffFirstMs: 700_000 } },
      ['delays.backOffFirstMs: expected at most backOffCeilingMs (600000), got 700000'],
    ],
    [{ aliases: { '': [] } }, ['aliases[""]: expected the name or the address of a server, got ""']],
    [{ aliases: { nas: 'nas2' } }, ['aliases.nas: expected a list of names of the server, got "nas2"']],
    [{ aliases: { a: ['x'], b: ['X.'] } }, [ONE_SERVER]],
    [{ aliases: { a: ['b'], B: ['c'] } }, [ONE_SERVER]],
    [{ secretDirectories: ['/etc/s/'] }, [`secretDirectories[0]: expected ${PATH}, got "/etc/s/"`]],
    [
      { roots: ['/srv'], secretDirectories: ['/etc/s', '/srv/s'] },
      ['secretDirectories[1]: expected a directory apart from the root "/srv", got "/srv/s"'],
    ],
    [
      { secretEnvironment: ['1A'] },
      [
        'secretEnvironment[0]: expected the name of a variable: letters, digits and "_", not beginning with a digit, got "1A"',
      ],
    ],
    [{ prefix: 'sudo' }, ['prefix: expected a list of words, got "sudo"']],
    [
      { prefix: ['sudo', '--'], exec: ['sudo', '--', 'x'] },
      ['exec: expected an empty list, or no prefix beside it, got a list of 3'],
    ],
    [{ exec: 'sudo' }, ['exec: expected a list of words, got "sudo"']],
    [{ prefix: [''] }, ['prefix[0]: expected a string without control characters, not empty, got ""']],
    [{ inventory: 'libvirt' }, ['inventory: expected null, or an object with libvirt, got "libvirt"']],
    [{ inventory: {} }, ['inventory.libvirt: missing; expected an object']],
    [
      { inventory: { docker: {} } },
      ['inventory.libvirt: missing; expected an object', 'inventory.docker: unknown key'],
    ],
    [
      { inventory: { libvirt: { uri: '-c', limit: 1 } } },
      [
        'inventory.libvirt.uri: expected the URI of a libvirt, such as qemu:///system, got "-c"',
        'inventory.libvirt.limit: unknown key; did you mean "limitMs"?',
      ],
    ],
    [
      { inventory: { libvirt: { retryFirstMs: 60_000 } } },
      ['inventory.libvirt.retryFirstMs: expected at most retryCeilingMs (30000), got 60000'],
    ],
  ])('%j', (value, messages) => {
    expect(faultsOf(value)).toEqual(messages)
  })

  test('with all that is wrong, and where text is no JSON', () => {
    const refused = (text: string): readonly string[] => {
      const decoded = decodeConfigurationText(text)
      return E.isRight(decoded) ? [] : configurationErrorLines(decoded.left)
    }
    expect(refused('\uFEFF{\r\n}\r\n')).toEqual([])
    expect(refused('{\n  "roots": ["/a"],\n}')).toEqual([
      'not JSON at line 3, column 1: expected a key in quotes, got "}"',
    ])
    expect(refused('{\n  "roots": [],\n  "roots": []\n}')).toEqual([
      'not JSON at line 3, column 3: the key "roots" is here a second time',
    ])
    expect(refused('{"slots":{"x":1},"limits":{"options":"a"}}')).toEqual([
      'limits.options: expected a whole number from 0 to 1,024, got "a"',
      'slots.x: unknown key',
    ])
  })
})

test('aliases are given to core in canonical form, each with the name that it stands for', () => {
  const { settings } = configured({ aliases: { 'NAS.': ['nas', 'nas.corp.example', '[2001:DB8::0:1]', '10.0.0.07'] } })
  const aliases = { 'nas.corp.example': 'nas', '2001:db8::1': 'nas', '10.0.0.7': 'nas' }
  expect(settings.aliases).toEqual(aliases)
  const decoded = decode(settingsCodec, JSON.parse(JSON.stringify(settingsCodec.encode(settings))))
  expect(decoded).toEqual(E.right(settings))
  expect(E.isLeft(decode(settingsCodec, { ...settings, aliases: { NAS: 'nas' } }))).toBe(true)
  const { aliases: _, ...older } = settings
  expect(decode(settingsCodec, older)).toEqual(E.right(older))
})

test('secrets are given to core, and a trace without them is read', () => {
  const { settings } = configured({ secretDirectories: ['/etc/secrets'], secretEnvironment: ['CIFS_LOGIN'] })
  expect(settings.secrets).toEqual({ directories: ['/etc/secrets'], environment: ['CIFS_LOGIN'] })
  expect(decode(settingsCodec, JSON.parse(JSON.stringify(settingsCodec.encode(settings))))).toEqual(E.right(settings))
  const { secrets: _, ...older } = settings
  expect(decode(settingsCodec, older)).toEqual(E.right(older))
})

describe('flags', () => {
  const base = configured({ roots: [{ path: '/srv/a', ladder: 'force' }], types: { nfs: { sources: ['a:/*'] } } })
  const flagged = (flags: Flags): Configuration | readonly string[] => {
    const changed = withFlags(base, flags)
    return E.isRight(changed) ? changed.right : changed.left.map(decodeErrorText)
  }

  test('that are not given change nothing', () => {
    expect(flagged({})).toEqual(base)
    expect(flagged({ roots: [], allow: [] })).toEqual(base)
  })

  test('take the place of roots and state directory, and add to what is allowed', () => {
    expect(
      flagged({
        roots: ['/srv/b', '/srv/a'],
        stateDirectory: '/srv/state',
        allow: ['nfs=b:/x=y', 'bind=/srv/exports/', 'bind=/srv/more/', 'tmpfs=other'],
      }),
    ).toEqual({
      settings: {
        ...base.settings,
        roots: [
          { path: '/srv/b', ladder: 'off' },
          { path: '/srv/a', ladder: 'force' },
        ],
        types: {
          tmpfs: typeRule('tmpfs', ['*', 'other']),
          nfs: typeRule('nfs', ['a:/*', 'b:/x=y']),
          bind: typeRule('bind', ['/srv/exports/', '/srv/more/']),
        },
      },
      adapter: { ...base.adapter, stateDirectory: '/srv/state' },
    })
  })

  test.each<readonly [Flags, string]>([
    [{ roots: ['srv'] }, `--root: expected ${PATH}, got "srv"`],
    [{ stateDirectory: '/s/' }, `--state-dir: expected ${PATH}, got "/s/"`],
    [
      { stateDirectory: '/srv/a/s' },
      'stateDirectory: expected a directory apart from the root "/srv/a", got "/srv/a/s"',
    ],
    [{ roots: ['/x', '/x/y'] }, 'roots[1]: expected a directory apart from the root "/x", got "/x/y"'],
    [{ allow: ['nfs'] }, '--allow: expected TYPE=PATTERN, such as nfs=server:/export/*, got "nfs"'],
    [
      { allow: ['nodev=x'] },
      '--allow: expected the name of a filesystem type (letters, digits, "_", ".", "+", "-"; not beginning with "no"), got "nodev"',
    ],
    [
      { allow: ['nfs='] },
      '--allow: expected a pattern of sources: not empty, not beginning with "-", without control characters, got ""',
    ],
    [
      { allow: ['bind=srv'] },
      'types.bind.sources[0]: expected a path beginning with "/", such as /srv/exports/, or "*", got "srv"',
    ],
    [
      { allow: ['fuse.sshfs=*:/srv/*/'] },
      'types["fuse.sshfs"].sources[0]: expected a pattern with "*" or with "/" at its end; with both it matches no source, got "*:/srv/*/"',
    ],
  ])('are refused: %j', (flags, message) => {
    expect(flagged(flags)).toEqual([message])
  })

  test('read a pattern from the first = on', () => {
    expect(parseAllow('nfs=a:/x=*')).toEqual(E.right({ type: 'nfs', pattern: 'a:/x=*' }))
  })
})

describe('sockets', () => {
  test('have a mode, consumers and operations by default, and keep what is written', () => {
    const written = { path: '/run/mk/vms.sock', mode: '0660', group: 107, consumers: ['vm-*'], operations: ['attach'] }
    const { adapter } = configured({ sockets: [{ path: '/run/mk/a.sock' }, written] })
    expect(adapter.sockets).toEqual([
      {
        path: '/run/mk/a.sock',
        mode: 0o600,
        consumers: ['*'],
        operations: ['attach', 'detach', 'release', 'cancel', 'status', 'plan'],
      },
      { ...written, mode: 0o660 },
    ])
  })

  test.each([
    [{ path: 'relative' }, 'sockets[0].path: expected an absolute path'],
    [{ path: '/run/a', mode: '660' }, 'sockets[0].mode: expected permission bits such as "0660"'],
    [{ path: '/run/a', operations: ['mount'] }, 'sockets[0].operations[0]'],
    [{ path: '/run/a', consumers: ['a\n'] }, 'sockets[0].consumers[0]'],
    [{ path: '/srv/mounts/a' }, 'sockets[0].path: expected a path apart from the root "/srv/mounts"'],
  ])('are refused: %j', (socket, fault) => {
    expect(faultsOf({ roots: ['/srv/mounts'], sockets: [socket] }).join()).toContain(fault)
  })

  test('have a path of their own', () => {
    const twice = [{ path: '/run/a' }, { path: '/run/a' }]
    expect(faultsOf({ sockets: twice }).join()).toContain('sockets[1].path: expected a path of its own')
  })
})

describe('the documented table', () => {
  const TOPMOST: Readonly<Record<keyof ConfigurationFile, true>> = {
    roots: true,
    stateDirectory: true,
    types: true,
    aliases: true,
    secretDirectories: true,
    secretEnvironment: true,
    policies: true,
    limits: true,
    slots: true,
    deadlines: true,
    delays: true,
    journalFactsMax: true,
    journalBytesMax: true,
    watchIntervalMs: true,
    prefix: true,
    exec: true,
    inventory: true,
    sockets: true,
  }

  test('has every key of the file once', () => {
    const keys = CONFIGURATION_KEYS.map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
    expect([...new Set(keys.map((key) => key.replace(/[.[].*/, '')))].sort()).toEqual(Object.keys(TOPMOST).sort())
  })

  test('has no key that the file does not know', () => {
    const unfit = Symbol('unfit')
    const nested = (key: string): unknown => {
      const [first = '', ...rest] = key.split('.')
      const inner = rest.length === 0 ? unfit : nested(rest.join('.'))
      return first === '[]' ? [inner] : { [first]: inner }
    }
    for (const { key } of CONFIGURATION_KEYS) {
      const path = key.replace('[]', '[0]').replaceAll('NAME', 'xfs')
      expect(
        faultsOf(nested(path.replace('[0]', '.[]'))).filter((fault) => fault.startsWith(`${path}: expected `)),
      ).toHaveLength(1)
    }
  })

  test('names defaults that change nothing', () => {
    const written: Record<string, unknown> = {}
    for (const { key, default: value } of CONFIGURATION_KEYS) {
      if (value === undefined) continue
      const [section = '', name] = key.split('.')
      if (name === undefined) written[key] = value
      else if (!/^(roots|inventory|sockets)/.test(key))
        written[section] = { ...(written[section] as object), [name]: value }
    }
    expect(configured(written)).toEqual(defaultConfiguration)
  })

  test('explains each key in a sentence', () => {
    expect(CONFIGURATION_KEYS.filter(({ meaning }) => !/^[A-Z`].*[.\]]$/.test(meaning))).toEqual([])
    expect(CONFIGURATION_KEYS.find(({ key }) => key === 'deadlines.requestMs')).toEqual({
      key: 'deadlines.requestMs',
      expected: DAY,
      default: 180_000,
      meaning: 'The deadline of a request without `deadlineMs`.',
    })
  })
})

test('a directory of an option with a control character is refused in words that a terminal can show', () => {
  const text = JSON.stringify({
    types: { xfs: { sources: ['/srv/'], options: { here: { path: { below: ['/srv\b'] } } } } },
  })
  const read = decodeConfigurationText(text)
  expect(E.isLeft(read) ? configurationErrorLines(read.left) : []).toEqual([
    expect.stringMatching(/^types\.xfs\.options\.here: .*a directory of here has a comma[^\p{Cc}]*$/u),
  ])
})
