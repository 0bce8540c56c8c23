import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { LookRequest } from '../src/look.js'
import type { NotLocal, Stack } from '../src/mount-table.js'
import {
  LAYERS_MAX,
  asksNobody,
  asksNobodyIn,
  isLocalFstype,
  lineOf,
  linesBelow,
  notLocal,
  opensQuietly,
  opensQuietlyAt,
  stackAt,
  stackFrom,
  tableOf,
  targetOf,
  withIndex,
} from '../src/mount-table.js'

const capture = (name: string): ReturnType<typeof tableOf> =>
  tableOf(readFileSync(new URL(`../../../test-fixtures/mountinfo/${name}.txt`, import.meta.url)))
const captures = readdirSync(new URL('../../../test-fixtures/mountinfo/', import.meta.url))
  .filter((name) => name.endsWith('.txt'))
  .map((name) => name.replace('.txt', ''))
const ids = (stack: Stack): readonly number[] | string =>
  stack._tag === 'Stack' ? stack.layers.map(({ mountId }) => mountId) : stack._tag

describe('by descriptor and by place', () => {
  test('a stack, top first', () => {
    expect(ids(stackFrom(capture('stacked'), 68, 64))).toEqual([68, 67, 66])
    expect(ids(stackAt(capture('stacked'), 64, '/srv/mounts/a'))).toEqual([68, 67, 66])
  })
  test('a hidden mount is not at its path', () => {
    const table = capture('hidden')
    expect(ids(stackAt(table, 64, '/srv/mounts/p'))).toEqual([67])
    expect(ids(stackAt(table, 67, '/srv/mounts/p/c'))).toEqual([68])
    expect(ids(stackAt(table, 64, '/srv/mounts/p/c'))).toEqual([66])
  })
  test.each([
    ['/srv/mounts/with space', 66],
    ['/srv/mounts/with\ttab', 67],
    ['/srv/mounts/with\nnewline', 68],
    ['/srv/mounts/with\\backslash', 69],
    ['/srv/mounts/with\\040octal', 70],
    ['/srv/mounts/mit-Ümläut-€-𝄞', 76],
    ['/srv/mounts/not\udcffutf8\udcc3', undefined],
    ['/srv/mounts/-', 80],
    ['/srv/mounts/with', undefined],
    ['/srv/mounts', undefined],
  ])('%j', (path, id) => {
    expect(ids(stackAt(capture('escaped'), 64, path))).toEqual(id === undefined ? [] : [id])
  })
  test('a path that stands elsewhere in the line is no target', () => {
    expect(ids(stackAt(capture('fuse-and-namespace'), 64, '/srv/exp'))).toEqual([])
  })
})

describe('with an index', () => {
  test.each(captures)('%s is as without', (name) => {
    const plain = capture(name)
    const indexed = withIndex(plain)
    expect(indexed.index).toBeDefined()
    expect(indexed.text).toBe(plain.text)
    const all = Array.from({ length: 200 }, (_, id) => lineOf(plain, id))
    expect(Array.from({ length: 200 }, (_, id) => lineOf(indexed, id))).toEqual(all)
    const lines = all.flatMap((one) => (one._tag === 'Line' ? [one.line] : []))
    expect(lines.length).toBeGreaterThan(0)
    for (const { parentId, target } of [...lines, { parentId: 1, target: '/no-such' }]) {
      expect(stackAt(indexed, parentId, target)).toEqual(stackAt(plain, parentId, target))
    }
  })
  test('the first of two lines with one number counts, as without', () => {
    const plain = tableOf(Buffer.from('5 1 0:5 / /a rw - tmpfs s rw\n5 1 0:6 / /b rw - tmpfs s rw\n'))
    expect(lineOf(withIndex(plain), 5)).toEqual(lineOf(plain, 5))
    expect(lineOf(plain, 5)).toMatchObject({ line: { target: '/a' } })
  })
  test('a table with a line that is too short, or not ended, has none', () => {
    const good = '5 1 0:5 / /a rw - tmpfs s rw\n'
    for (const text of [`\n${good}6 1\n${good}`, `\n6 1 0:6 / /b\n${good}`, `\n${good}6 1`]) {
      expect(withIndex({ text })).toEqual({ text })
    }
    expect(withIndex({ text: `\n${good.trimEnd()}` }).index?.byId.get('5')).toBe(1)
  })
})

test('the target of a line, as it is written', () => {
  expect(targetOf('5 1 0:5 / /a\\040b rw - tmpfs s rw')).toBe('/a\\040b')
  expect(targetOf('5 1 0:5 / /a ')).toBe('/a')
  for (const short of ['', '5', '5 1 0:5 /', '5 1 0:5 / /a']) expect(targetOf(short)).toBe('')
})

test('a mount that says that it is on itself is no stack without end', () => {
  expect(ids(stackAt(tableOf(Buffer.from('5 5 0:5 / /a rw - tmpfs s rw\n')), 5, '/a'))).toEqual([])
})

describe('what is not there', () => {
  test('an id is a whole number of digits', () => {
    expect(lineOf(capture('bind'), 6)._tag).toBe('Missing')
    expect(lineOf(capture('bind'), 65)._tag).toBe('Line')
  })
  test('a lost line is missing, not the end of the stack', () => {
    const { text } = capture('stacked')
    const lost = { text: text.replace(/^67 .*\n/m, '') }
    expect(ids(stackFrom(lost, 68, 64))).toBe('Missing')
  })
  test('a line that cannot be read is reported', () => {
    const { text } = capture('stacked')
    expect(ids(stackFrom({ text: text.replace('67 66 0:43', '67 66 x') }, 68, 64))).toBe('Malformed')
    expect(ids(stackAt({ text: text.replace('67 66 0:43', '67 66 x') }, 64, '/srv/mounts/a'))).toBe('Malformed')
    expect(lineOf(tableOf(Buffer.from('25 24 0:42 / /a rw - tmpfs s rw')), 25)._tag).toBe('Malformed')
  })
  test('more layers than the limit', () => {
    const lines = (count: number): ReturnType<typeof tableOf> =>
      tableOf(
        Buffer.from(
          Array.from({ length: count }, (_, at) => `${at + 2} ${at + 1} 0:1 / /a rw - tmpfs s rw\n`).join(''),
        ),
      )
    expect(ids(stackFrom(lines(LAYERS_MAX), LAYERS_MAX + 1, 1))).toHaveLength(LAYERS_MAX)
    expect(ids(stackFrom(lines(LAYERS_MAX + 1), LAYERS_MAX + 2, 1))).toBe('TooMany')
    expect(ids(stackAt(lines(LAYERS_MAX), 1, '/a'))).toHaveLength(LAYERS_MAX)
    expect(ids(stackAt(lines(LAYERS_MAX + 1), 1, '/a'))).toBe('TooMany')
  })
})

test('which filesystems answer by themselves', () => {
  expect(['ext4', 'tmpfs', 'overlay'].every(isLocalFstype)).toBe(true)
  expect(['nfs', 'fuse', 'fuse.sshfs', 'cifs', 'unheard-of'].some(isLocalFstype)).toBe(false)
  expect(['tmpfs', 'fuse', 'fuse.sshfs'].every(opensQuietly)).toBe(true)
  expect(['nfs4', '9p', 'fuseblk', 'unheard-of'].some(opensQuietly)).toBe(false)
})

describe('every filesystem that a kernel knows is local, or is known not to be', () => {
  /** A server, a daemon, or other machines answer for these. */
  const ASKING = [
    ...[
      'fuse',
      'fuseblk',
      'autofs',
      'nfs',
      'nfs4',
      '9p',
      'virtiofs',
      'cifs',
      'smb3',
      'ceph',
      'afs',
      'coda',
      'gfs2',
      'ocfs2',
    ],
    ...['vboxsf', 'functionfs', 'pvfs2', 'ecryptfs'],
  ]
  /** Of the kernel alone: nothing of these is ever at a path. */
  const INTERNAL = [
    'sockfs',
    'pipefs',
    'bdev',
    'anon_inodefs',
    'dax',
    'secretmem',
    'guest_memfd',
    'drm',
    'devmem',
    'iomem',
  ]
  /** What kernels of distributions have, independent of the one here. */
  const LOCAL = [
    ...[
      'ext2',
      'ext3',
      'ext4',
      'xfs',
      'btrfs',
      'bcachefs',
      'zfs',
      'f2fs',
      'jfs',
      'nilfs2',
      'reiserfs',
      'minix',
      'jffs2',
    ],
    ...['ubifs', 'zonefs', 'ntfs', 'ntfs3', 'hfs', 'hfsplus', 'vfat', 'msdos', 'exfat', 'iso9660', 'udf', 'squashfs'],
    ...[
      'erofs',
      'cramfs',
      'romfs',
      'overlay',
      'aufs',
      'tmpfs',
      'ramfs',
      'rootfs',
      'devtmpfs',
      'hugetlbfs',
      'proc',
      'sysfs',
    ],
    ...['devpts', 'mqueue', 'configfs', 'cgroup', 'cgroup2', 'cpuset', 'pstore', 'bpf', 'tracefs', 'debugfs'],
    ...['securityfs', 'selinuxfs', 'fusectl', 'efivarfs', 'binfmt_misc', 'nsfs', 'resctrl', 'rpc_pipefs', 'nfsd'],
  ]
  const here = readFileSync('/proc/filesystems', 'utf8').match(/\S+$/gm) ?? []
  test.each([...new Set([...LOCAL, ...here])].filter((name) => ![...ASKING, ...INTERNAL].includes(name)))(
    '%s is',
    (name) => {
      expect(isLocalFstype(name)).toBe(true)
    },
  )
  test.each(ASKING)('%s is not', (name) => {
    expect(isLocalFstype(name)).toBe(false)
  })
  test('the kernel here knows some', () => {
    expect(here).toContain('tmpfs')
  })
})

describe('what is mounted below a directory', () => {
  const targets = (name: string, directory: string): readonly string[] =>
    linesBelow(capture(name), directory).map(({ target }) => target)
  test('and on it, by target alone', () => {
    expect(targets('stacked', '/srv/mounts/a')).toEqual(['/srv/mounts/a', '/srv/mounts/a', '/srv/mounts/a'])
    expect(targets('stacked', '/srv/mount')).toEqual([])
    expect(targets('fuse-and-namespace', '/srv/exp')).toEqual([])
    expect(targets('escaped', '/srv/mounts/with space')).toEqual(['/srv/mounts/with space'])
    expect(targets('escaped', '/srv/mounts').length).toBeGreaterThan(5)
    const layers = linesBelow(capture('stacked'), '/srv/mounts').map(({ target, line }) => [target, line?.mountId])
    expect(layers).toContainEqual(['/srv/mounts/a', 68])
    expect(layers).not.toContainEqual(['/srv/mounts', undefined])
  })
  test('a line that cannot be read stands for the directory', () => {
    const table = tableOf(Buffer.from('5 1 0:5 / /srv/mounts/a rw - \n'))
    expect(linesBelow(table, '/srv/mounts')).toEqual([
      { target: '/srv/mounts', text: '5 1 0:5 / /srv/mounts/a rw - ', line: undefined },
    ])
  })
})

describe('who is asked by a look', () => {
  const line = (id: number, target: string, fstype: string): string =>
    `${id} 1 0:${id} / ${target} rw,relatime shared:1 master:2 - ${fstype} source rw,a - b\n`
  const local = line(1, '/', 'ext4') + line(2, '/srv', 'tmpfs') + line(3, '/srv/with\\040space', 'fuse.sshfs')
  const by = (text: string): NotLocal => notLocal(tableOf(Buffer.from(text)))
  const at = (mountpoint: string, type?: string): LookRequest => ({
    mountpoint,
    root: undefined,
    filesystem: type === undefined ? undefined : { type, source: '/srv/exp', options: [] },
    rule: { appears: { _tag: 'Growth' }, sourceIsPath: type === 'bind', pathOptions: [] },
    trust: { uid: 0, owners: [] },
    server: '',
    mayBe: 'anything',
    deadlineMs: 1,
  })
  test.each([
    ['a local mountpoint', local, at('/srv/mounts/a'), true],
    ['on FUSE', local, at('/srv/with space'), true],
    ['below FUSE', local, at('/srv/with space/a'), false],
    ['a name that begins alike', local, at('/srv/with space too'), true],
    ['on NFS', local + line(4, '/srv/mounts/a', 'nfs4'), at('/srv/mounts/a'), false],
    ['beside NFS', local + line(4, '/srv/mounts/b', 'nfs4'), at('/srv/mounts/a'), true],
    ['below NFS', local + line(4, '/srv/mounts', 'nfs4'), at('/srv/mounts/a'), false],
    ['a bind, FUSE somewhere', local, at('/srv/mounts/a', 'bind'), true],
    ['a bind, NFS somewhere', local + line(4, '/home', 'nfs4'), at('/srv/mounts/a', 'bind'), false],
    ['a root that is not local', line(1, '/', 'nfs4'), at('/srv/mounts/a'), false],
    ['a line that cannot be read', `${local}5 1 0:5 / /x rw - \n`, at('/srv/mounts/a'), false],
  ])('%s', (_, text, request, nobody) => {
    expect(asksNobody(by(text), request)).toBe(nobody)
  })
  test('a directory is on what is mounted on it, too', () => {
    expect(asksNobodyIn(by(local), '/srv/mounts')).toBe(true)
    expect(asksNobodyIn(by(local), '/srv/with space')).toBe(false)
    expect(asksNobodyIn(by(local + line(4, '/srv/mounts', 'fuse')), '/srv/mounts/a')).toBe(false)
    expect(asksNobodyIn(by(line(1, '/', 'nfs4')), '/srv/mounts')).toBe(false)
  })
  test('what is opened quietly', () => {
    const table = by(local + line(4, '/srv/mounts', '9p'))
    expect(opensQuietlyAt(table, '/srv/with space')).toBe(true)
    expect(opensQuietlyAt(table, '/srv/mounts')).toBe(false)
    expect(opensQuietlyAt(table, '/srv/mounts/a')).toBe(true)
    expect(opensQuietlyAt(by(line(1, '/', '9p')), '/srv/mounts/a')).toBe(false)
    expect(opensQuietlyAt(by(line(1, '/', 'ext4')), '/')).toBe(true)
  })
  test('of this machine, every mount is counted', () => {
    const table = tableOf(readFileSync('/proc/self/mountinfo'))
    expect(notLocal(table).mounts).not.toEqual([{ target: '/', quiet: false }])
  })
})
