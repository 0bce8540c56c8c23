// The grammar of each value: what is refused, and that what passes is written as a text that its reader reads as the same value.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Grammar } from '../src/index.js'
import {
  KNOWN_TYPES,
  addedFault,
  canonicalHost,
  expectedBy,
  grammarOf,
  parseValue,
  readGrammar,
  readOption,
  sourceAllowed,
  typeRule,
  writeValue,
} from '../src/index.js'

const rule = (type: string) => typeRule(type, ['*.corp.example:/x', '/srv/layers/'])

const ask = (type: string, option: string): string | undefined => {
  const [name = '', ...rest] = option.split('=')
  const grammar = grammarOf(type, rule(type), name)
  if (grammar === undefined) return 'not allowed'
  const parsed = readOption(rule(type), grammar, rest.length === 0 ? undefined : rest.join('='))
  return parsed._tag === 'Wrong' ? parsed.why : undefined
}

describe('values of the security findings and their like are refused', () => {
  test.each([
    ...['size=100%', 'size=50%', 'size=0', 'size=999999999999', 'size=2g', 'size=1e', 'size=-1', 'size=+1', 'size=1 m'],
    ...['size', 'size=', 'size=1m,', 'size=0x80000000', 'size=18446744073709551616', 'size=1mb', 'nr_inodes=0'],
    ...['nr_inodes=2m', 'nr_blocks=1', 'huge=always', 'huge=force', 'huge', 'mode=10000', 'mode=9', 'mode=u+s'],
    ...['uid=root', 'uid=4294967295', 'gid=-1', 'mpol=bind:0', 'noswap', 'usrquota'],
  ])('tmpfs %s', (option) => {
    expect(ask('tmpfs', option)).toBeDefined()
  })

  test.each([
    ...['lowerdir=/srv/layers/up/\\../\\../etc', 'upperdir=/srv/layers/\\..', 'lowerdir=/srv/layers/a\\:/etc'],
    ...['lowerdir=/srv/layers/a:/etc', 'lowerdir=', 'lowerdir=:', 'lowerdir=/srv/layers/a::/srv/layers/b', 'workdir'],
    ...[
      'upperdir=/srv/layers/a:/srv/layers/b',
      'workdir=srv/layers',
      'lowerdir=/srv/layers/a,b',
      'lowerdir=/srv/layers/',
    ],
    ...[
      'lowerdir=/srv/layers/$(id)',
      'lowerdir=/srv/layers/`id`',
      "lowerdir=/srv/layers/'a",
      'upperdir=/srv/layersx/a',
    ],
    ...['metacopy=on', 'redirect_dir=on', 'redirect_dir=follow', 'volatile', 'index=1', 'xino=yes', 'userxattr=1'],
    ...['lowerdir=/srv/layers/../etc', 'lowerdir=/srv/layers/./a', 'lowerdir+=/etc', 'datadir+=/etc', 'verity=on'],
  ])('overlay %s', (option) => {
    expect(ask('overlay', option)).toBeDefined()
  })

  test.each([
    ...['errors=panic', 'loop=/dev/loop5', 'loop=', 'data=none', 'journal_path=/x', 'barrier=2', 'commit=901'],
    ...['commit=-1', 'offset=-1', 'offset=16777216T', 'sizelimit=1.5M', 'jqfmt=vfsv0', 'usrjquota=/etc/shadow'],
    ...['discard=1', 'acl=on', 'init_itable=0', 'dioread_lock', 'inlinecrypt', 'test_dummy_encryption', 'sb=1'],
  ])('ext4 %s', (option) => {
    expect(ask('ext4', option)).toBeDefined()
  })

  test.each([
    ...['create-for-user=root', 'create-for-group=root', 'force-user=4242', 'force-group=0', 'perms=u+s', 'owner=root'],
    ...[
      'user=root',
      'group=root',
      'map=0/1000',
      'mirror=1000',
      'allow_other=1',
      'no-allow-other=0',
      'create-with-perms=a+s',
    ],
    ...['chown-normal', 'uid-offset=1', 'resolve-symlinks', 'fsname=x', 'subtype=y', 'multithreaded', 'ro=0'],
  ])('fuse.bindfs %s', (option) => {
    expect(ask('fuse.bindfs', option)).toBeDefined()
  })

  test.each([
    ...[
      'backup-volfile-servers=127.0.0.1',
      'backupvolfile-server=127.0.0.1',
      'log-file=/etc/profile.d/x.sh',
      'log-file=x',
    ],
    ...[
      'log-level=$(id)',
      'log-level=info',
      'xlator-option=*.x=y',
      'volfile-server=evil',
      'volfile-id=x',
      'direct-io-mode=1',
    ],
    ...[
      'attribute-timeout=-1',
      'entry-timeout=1e9',
      'transport=rdma',
      'process-name=x',
      'fuse-mountopts=suid',
      'acl=1',
    ],
  ])('glusterfs %s', (option) => {
    expect(ask('glusterfs', option)).toBeDefined()
  })

  test.each([
    ...[
      'IdentityFile=/root/.ssh/id_rsa',
      'UserKnownHostsFile=/etc/cron.d/x',
      'StrictHostKeyChecking=no',
      'directport=22',
    ],
    ...['StrictHostKeyChecking=accept-new', 'ssh_command=/bin/sh', 'ProxyCommand=sh', 'sftp_server=/bin/sh', 'port=0'],
    ...[
      'port=65536',
      'port=22x',
      'port=022',
      'BatchMode=maybe',
      'max_conns=1000',
      'reconnect=1',
      'F=/etc/x',
      'uidfile=/x',
    ],
    ...[
      'ConnectTimeout=999999',
      'ProxyJump=evil',
      'KnownHostsCommand=/bin/sh',
      'PKCS11Provider=/tmp/x.so',
      'password=x',
    ],
  ])('fuse.sshfs %s', (option) => {
    expect(ask('fuse.sshfs', option)).toBeDefined()
  })

  test.each([
    ...['vers=2', 'nfsvers=2', 'vers=4.9', 'proto=udp', 'sec=none', 'sec=krb5:sys', 'port=22', 'addr=127.0.0.1'],
    ...[
      'mountaddr=127.0.0.1',
      'mounthost=evil',
      'mountport=1',
      'timeo=0',
      'timeo=6001',
      'rsize=1',
      'rsize=99999999',
      'hard=0',
    ],
    ...['retrans=-1', 'clientaddr=1', 'fsc', 'lookupcache=all', 'nolock=1'],
  ])('nfs %s', (option) => {
    expect(ask('nfs', option)).toBeDefined()
  })

  test.each([
    ...[
      'credentials=/etc/shadow',
      'cred=/etc/shadow',
      'vers=1.0',
      'sec=none',
      'uid=root',
      'file_mode=4755',
      'ip=10.9.9.9',
    ],
    ...[
      'dir_mode=01777',
      'domain=a/b',
      'domain=-x',
      'unc=\\\\h\\s',
      'prefixpath=x',
      'user=bob',
      'pass=x',
      'port=22',
      'seal=0',
    ],
    ...['servern=x', 'netbiosname=x', 'forceuid', 'multiuser', 'backupuid=0'],
  ])('cifs %s', (option) => {
    expect(ask('cifs', option)).toBeDefined()
  })

  test.each([
    ...['secretfile=/etc/shadow', 'secret=abc', 'name=admin', 'conf=/tmp/x', 'fs=other', 'mds_namespace=other', 'ip=1'],
    ...['mon_addr=evil', 'crush_location=x', 'nodcache', 'noasyncreaddir'],
  ])('ceph %s', (option) => {
    expect(ask('ceph', option)).toBeDefined()
  })

  test.each([
    ...[
      'subvol=../x',
      'subvol=a\\b',
      'subvol=a,b',
      'device=/dev/sda',
      'compress=yes',
      'compress=zlib:10',
      'compress=zstd:16',
    ],
    ...['subvolid=5', 'discard=1', 'space_cache=v3', 'fatal_errors=panic', 'rescue=all', 'degraded=1', 'subvol'],
  ])('btrfs %s', (option) => {
    expect(ask('btrfs', option)).toBeDefined()
  })

  test.each([
    ...['logdev=/dev/sda', 'rtdev=/dev/sda', 'logbufs=1', 'logbufs=9', 'logbsize=1k', 'logbsize=1m', 'nouuid=1'],
    ...['swalloc', 'inode64=1', 'sunit=1'],
  ])('xfs %s', (option) => {
    expect(ask('xfs', option)).toBeDefined()
  })

  test.each(['errors=panic', 'errors', 'errors=remount-ro', 'threads=multi', 'loop=/dev/loop1', 'offset=x'])(
    'squashfs %s',
    (option) => {
      expect(ask('squashfs', option)).toBeDefined()
    },
  )
})

describe('what is usual passes', () => {
  test.each([
    ['tmpfs', 'size=1g,size=64k,size=0x100000,nr_inodes=10k,mode=1777,uid=0,gid=65534,huge=within_size'],
    ['overlay', 'lowerdir=/srv/layers/a:/srv/layers/b c,upperdir=/srv/layers/up,workdir=/srv/layers/wk,metacopy=off'],
    ['ext4', 'errors=remount-ro,loop,offset=1MiB,sizelimit=8MB,barrier,barrier=0,commit=30,acl'],
    ['xfs', 'logbufs=8,logbsize=256k,usrquota,nouuid'],
    ['btrfs', 'subvol=/@home/x,compress,compress=zstd:3,discard=async'],
    ['nfs', 'vers=4.1,nfsvers=3,timeo=600,retrans=2,rsize=1048576,sec=krb5p,hard'],
    ['cifs', 'vers=3.1.1,uid=1000,file_mode=0644,dir_mode=755,workgroup=CORP,sec=ntlmssp,seal'],
    ['glusterfs', 'log-level=WARNING,direct-io-mode=disable,attribute-timeout=600'],
    ['fuse.sshfs', 'port=2222,reconnect,ServerAliveInterval=15,allow_other,max_conns=4,dir_cache=no'],
    ['fuse.bindfs', 'allow_other'],
  ])('%s %s', (type, list) => {
    for (const option of list.split(',')) expect(ask(type, option), option).toBeUndefined()
  })
})

test('hosts and paths that an administrator lets in follow the sources and the directories', () => {
  const known = KNOWN_TYPES['glusterfs']!.options
  const gluster = typeRule('glusterfs', ['*.corp.example:/vol'], {
    'backup-volfile-servers': known['backup-volfile-servers']!.grammar,
    'log-file': known['log-file']!.grammar,
  })
  const why = (name: string, value: string): string | undefined => {
    const parsed = readOption(gluster, grammarOf('glusterfs', gluster, name)!, value)
    return parsed._tag === 'Wrong' ? parsed.why : undefined
  }
  expect(why('backup-volfile-servers', 'a.corp.example:b.corp.example')).toBeUndefined()
  expect(why('backupvolfile-server', 'a.corp.example:127.0.0.1')).toBe(
    '127.0.0.1 is not an allowed host; allowed: *.corp.example:/vol',
  )
  expect(why('log-file', '/var/log/glusterfs/a.log')).toBeUndefined()
  expect(why('log-file', '/var/log/glusterfs/../x')).toBe('must not contain the component ..')
  expect(why('log-file', '/var/log/glusterfsx')).toContain('is not an allowed path')
})

test.each([
  ['fuse.bindfs', 'create-for-user', { _tag: 'Word', words: ['1000'], bare: false }, 'cannot be allowed'],
  ['tmpfs', 'x-mount.mkdir', { _tag: 'Flag' }, 'cannot be allowed'],
  ['ext4', 'helper', { _tag: 'Name' }, 'cannot be allowed'],
  ['fuse.sshfs', 'ssh_command', { _tag: 'Name' }, 'cannot be allowed'],
  ['fuse.mine', 'remount', { _tag: 'Flag' }, 'cannot be allowed'],
  ['fuse.mine', 'password', { _tag: 'Name' }, 'is a secret'],
  ['fuse.mine', 'LD_PRELOAD', { _tag: 'Secret', by: 'environment' }, 'is not a variable name'],
  ['fuse.mine', 'a-b', { _tag: 'Secret', by: 'environment' }, 'is not a variable name'],
  ['fuse.mine', 'PATH', { _tag: 'Secret', by: 'environment' }, 'is not a variable name'],
  ['fuse.mine', 'ro', { _tag: 'Flag' }, 'is a flag of every type'],
  ['fuse.mine', 'any', { _tag: 'Text' }, 'needs a grammar'],
  ['fuse.mine', 'many', { _tag: 'Number', reader: 'number', least: 2, most: 1 }, 'has no value'],
  ['fuse.mine', 'file', { _tag: 'Path', below: ['/srv/../etc'], list: false }, 'must not contain the component ..'],
] as const)('an administrator cannot add %s %s', (type, name, grammar, why) => {
  expect(addedFault(type, name, grammar)).toContain(why)
})

test('the variable of a secret may be added', () => {
  expect(addedFault('fuse.mine', 'MY_LOGIN', { _tag: 'Secret', by: 'environment' })).toBeUndefined()
})

test('every grammar of the table can be added, and is read from outside as it is', () => {
  for (const [type, { options }] of Object.entries(KNOWN_TYPES)) {
    for (const [name, { grammar }] of Object.entries(options)) {
      expect(addedFault(type, name, grammar), `${type} ${name}`).toBeUndefined()
      expect(readGrammar(JSON.parse(JSON.stringify(grammar)))).toEqual(grammar)
      expect(readGrammar({ ...grammar, more: 1 })).toBeUndefined()
      expect(expectedBy(grammar)).not.toBe('')
    }
  }
})

/** How those who get a value read it, in their own way: what the kernel's memparse, kstrtouint and a list of paths give. */
const meaning = (grammar: Grammar, written: string): unknown => {
  switch (grammar._tag) {
    case 'Size': {
      const [, digits = '', unit = ''] = /^([0-9]+)([a-z]?)$/.exec(written) ?? []
      return BigInt(digits) * 1024n ** BigInt(unit === '' ? 0 : 'kmgtpezy'.indexOf(unit) + 1)
    }
    case 'Number':
      return BigInt(grammar.reader === 'octal' ? `0o${written}` : written)
    case 'Path':
      return written.split(':').map((path) => path.replaceAll(/\\(.)/g, '$1'))
    default:
      return written
  }
}

const value = fc.oneof(
  fc.array(fc.constantFrom('0', '1', '7', '9', 'x', 'k', 'm', 'g', 'K', '%', 'e', 'iB', 'B', '-', ' ', '00'), {
    maxLength: 6,
  }),
  fc.array(fc.constantFrom('/srv/layers/', 'a', ':', '\\', '..', '/', ',', '.', '//', '$', '"'), { maxLength: 6 }),
  fc.array(fc.constantFrom('a.corp.example', ':', '-', 'on', 'off', 'yes', '127.0.0.1', '@', '#'), { maxLength: 4 }),
)

const ALL = Object.entries(KNOWN_TYPES).flatMap(([type, { options }]) =>
  Object.entries(options).map(([name, { grammar }]) => ({ type, name, grammar })),
)

test('what passes is written so that its reader reads the same, within bounds, and never two options', () => {
  let passed = 0
  fc.assert(
    fc.property(fc.constantFrom(...ALL), value, ({ grammar }, parts) => {
      const given = parts.join('')
      const parsed = parseValue(grammar, given)
      if (parsed._tag === 'Wrong') return
      passed += 1
      const written = writeValue(parsed)!
      expect(written).not.toMatch(/[,"\\\n$`]/)
      expect(parseValue(grammar, written)).toEqual(parsed)
      const read = meaning(grammar, written)
      if (grammar._tag === 'Size' && parsed._tag === 'Size') {
        expect(read).toBe(parsed.bytes)
        expect(parsed.bytes >= BigInt(grammar.least) && parsed.bytes <= BigInt(grammar.most)).toBe(true)
      }
      if (grammar._tag === 'Number') {
        expect(Number(read)).toBeGreaterThanOrEqual(grammar.least)
        expect(Number(read)).toBeLessThanOrEqual(grammar.most)
      }
      if (parsed._tag === 'Paths') {
        expect(read).toEqual(parsed.paths)
        for (const path of parsed.paths) expect(path).toMatch(/^\/(?!.*\/\.{1,2}(\/|$))/)
      }
    }),
    { numRuns: 60_000 },
  )
  expect(passed).toBeGreaterThan(1_000)
})

test('slashes within a path, and dots within a host, take time by their number, and not by its square', () => {
  const began = performance.now()
  // 1.5 s for each of them, were each slash the beginning of a search.
  for (const text of [`a${'/'.repeat(20_000)}b`, `${'/'.repeat(20_000)}b`, '/'.repeat(20_000)]) {
    parseValue({ _tag: 'InnerPath' }, text)
  }
  const dots = `a${'.'.repeat(20_000)}b`
  canonicalHost(dots)
  sourceAllowed(typeRule('nfs', ['*.corp.example:/export/']), `${dots}:/export/a`)
  expect(performance.now() - began).toBeLessThan(500)
})
