// The model's kernel against what was measured on a real one.

import { describe, expect, test } from 'vitest'
import type { Done, ModelHost } from '../../src/index.js'
import {
  addNamespace,
  bindDirectory,
  discover,
  done,
  enter,
  identityOf,
  leave,
  lookAt,
  makeDirectory,
  makeFile,
  makeLink,
  makePath,
  mountFilesystem,
  moveMount,
  otherNamespace,
  reboot,
  removeDirectory,
  rename,
  setPropagation,
  stackAt,
  unmount,
  whereElse,
} from '../../src/index.js'
import { after, hostAfter, scene } from './scene.js'

const mkdir = (path: string) => (host: ModelHost) => makeDirectory(host, host.own, path, 'us')
const rmdir = (path: string) => (host: ModelHost) => removeDirectory(host, host.own, path)
const tmpfs =
  (path: string, source = 'f', namespace?: string) =>
  (host: ModelHost): Done =>
    mountFilesystem(host, namespace ?? host.own, path, { fstype: 'tmpfs', source, flags: ['rw'], by: 'us' })
const bind = (source: string, path: string) => (host: ModelHost) =>
  bindDirectory(host, host.own, source, path, { flags: ['rw'], by: 'us' })
const umount =
  (path: string, how: 'plain' | 'lazy' = 'plain') =>
  (host: ModelHost): Done =>
    unmount(host, host.own, path, how)
const link = (path: string, target: string) => (host: ModelHost) => makeLink(host, host.own, path, target)
const use = (path: string) => (host: ModelHost) => enter(host, host.own, path, 'open file')

const layers = (host: ModelHost, path: string) => stackAt(host, path).map((id) => identityOf(host, id))
const sources = (host: ModelHost, path: string) => layers(host, path).map(({ source }) => source)

describe('mounting', () => {
  test('a second mount of the same stacks, and takes the next id', () => {
    const host = hostAfter(scene(), mkdir('/m/a'), tmpfs('/m/a'), tmpfs('/m/a', 'g'))
    expect(sources(host, '/m/a')).toEqual(['g', 'f'])
    expect(layers(host, '/m/a').map(({ mountId }) => mountId)).toEqual([22, 21])
  })

  test('a freed id and device are used again at once', () => {
    const host = hostAfter(scene(), mkdir('/m/a'), tmpfs('/m/a'), umount('/m/a'), tmpfs('/m/a', 'g'))
    expect(layers(host, '/m/a')).toMatchObject([{ mountId: 21, device: '0:40', source: 'g' }])
  })

  test.each([
    ['a missing directory', '/m/none', 'ENOENT'],
    ['a file', '/m/file', 'ENOTDIR'],
    ['a dangling link', '/m/dangling', 'ENOENT'],
    ['a link to itself', '/m/loop', 'ELOOP'],
  ])('is refused on %s', (_what, path, errno) => {
    const host = hostAfter(
      scene(),
      (at) => makeFile(at, at.own, '/m/file', 'file'),
      link('/m/dangling', '/nowhere'),
      link('/m/loop', '/m/loop'),
    )
    expect(tmpfs(path)(host)).toEqual({ host, errno })
  })

  test('follows a link, and the table shows the real path', () => {
    const host = hostAfter(scene(), mkdir('/m/a'), link('/m/link', '/m/a'), tmpfs('/m/link'))
    expect(sources(host, '/m/a')).toEqual(['f'])
    expect(lookAt(host, '/m/link', undefined)).toEqual({ _tag: 'Obstacle', kind: 'symlink' })
  })

  test('a bind shows the directory as its root, on the device of its filesystem', () => {
    const host = hostAfter(scene(), mkdir('/m/a'), bind('/s/f', '/m/a'))
    expect(layers(host, '/m/a')).toMatchObject([{ root: '/s/f', device: '8:1', fstype: 'ext4', source: '/dev/sda1' }])
  })

  test('a bind whose source is removed is //deleted, one whose source is renamed follows', () => {
    const bound = hostAfter(scene(), mkdir('/m/a'), bind('/s/f', '/m/a'))
    expect(layers(hostAfter(bound, rmdir('/s/f')), '/m/a')).toMatchObject([{ root: '/s/f//deleted' }])
    const renamed = hostAfter(bound, (host) => rename(host, host.own, '/s/f', '/s/h'))
    expect(layers(renamed, '/m/a')).toMatchObject([{ root: '/s/h' }])
  })

  test('a bind keeps the locked flags of its source', () => {
    const readOnly = (host: ModelHost) =>
      mountFilesystem(host, host.own, '/s/g', { fstype: 'tmpfs', source: 'g', flags: ['ro', 'nosuid'], by: 'others' })
    const host = hostAfter(scene(), readOnly, mkdir('/m/a'), bind('/s/g', '/m/a'))
    expect(layers(host, '/m/a')).toMatchObject([{ flags: ['nosuid', 'ro'] }])
  })
})

describe('moving', () => {
  const move = (from: string, to: string) => (host: ModelHost) => moveMount(host, host.own, from, to)
  const mounted = hostAfter(scene(), mkdir('/m/a'), mkdir('/m/b'), tmpfs('/m/a'))

  test('takes the layer along, and a look that knows it says where it is', () => {
    const [layer] = layers(mounted, '/m/a')
    const host = hostAfter(mounted, move('/m/a', '/m/b'))
    expect([sources(host, '/m/a'), sources(host, '/m/b')]).toEqual([[], ['f']])
    expect(whereElse(host, layer!, lookAt(host, '/m/a', undefined))).toBe('/m/b')
    expect(whereElse(host, layer!, lookAt(host, '/m/b', undefined))).toBeUndefined()
    expect(whereElse(host, layer!, { _tag: 'Unknown', why: 'Unreadable' })).toBeUndefined()
    const gone = hostAfter(host, umount('/m/b'))
    expect(whereElse(gone, layer!, lookAt(gone, '/m/a', undefined))).toBeUndefined()
  })

  test('a rename of a directory above takes it along as well, by the path of the new name', () => {
    const [layer] = layers(mounted, '/m/a')
    const host = hostAfter(mounted, (at) => rename(at, at.own, '/m', '/n'))
    expect(whereElse(host, layer!, lookAt(host, '/m/a', undefined))).toBe('/n/a')
    const known = [{ mountpoint: '/m/a', filesystem: undefined, layer: layer! }]
    expect(discover(host, { roots: ['/n'], known })!.mountpoints).toMatchObject([
      { mountpoint: '/m/a', found: { _tag: 'NoDirectory' }, elsewhere: '/n/a' },
      { mountpoint: '/n/a', found: { _tag: 'Mounted' } },
    ])
  })

  test.each([
    ['what is no mount', '/m/b', '/m/a', 'EINVAL'],
    ['to a directory that is not there', '/m/a', '/m/none', 'ENOENT'],
    ['what is not there', '/m/none', '/m/b', 'ENOENT'],
    ['into itself', '/m/a', '/m/a', 'ELOOP'],
  ])('is refused for %s', (_what, from, to, errno) => {
    expect(move(from, to)(mounted)).toEqual({ host: mounted, errno })
  })

  test('is refused where mounts are passed on', () => {
    const shared = hostAfter(scene('shared'), mkdir('/m/a'), mkdir('/m/b'), tmpfs('/m/a'))
    expect(move('/m/a', '/m/b')(shared)).toEqual({ host: shared, errno: 'EINVAL' })
  })
})

describe('unmounting', () => {
  test('takes the top layer only', () => {
    const host = hostAfter(scene(), mkdir('/m/a'), tmpfs('/m/a'), tmpfs('/m/a', 'g'), umount('/m/a'))
    expect(sources(host, '/m/a')).toEqual(['f'])
  })

  test('is refused where nothing is mounted, and where nothing is', () => {
    expect(after(scene(), mkdir('/m/a'), umount('/m/a')).errno).toBe('EINVAL')
    expect(after(scene(), umount('/m/a')).errno).toBe('ENOENT')
  })

  test('is refused while a process uses it, and not when that has left', () => {
    const busy = hostAfter(scene(), mkdir('/m/a'), tmpfs('/m/a'), use('/m/a'))
    expect(umount('/m/a')(busy)).toEqual({ host: busy, errno: 'EBUSY' })
    expect(umount('/m/a')(leave(busy, 1000)).errno).toBeUndefined()
  })

  test('is refused while something is mounted on it deeper down', () => {
    const host = hostAfter(scene(), mkdir('/m/a'), tmpfs('/m/a'), mkdir('/m/a/deep'), tmpfs('/m/a/deep'))
    expect(umount('/m/a')(host).errno).toBe('EBUSY')
    expect(hostAfter(host, umount('/m/a/deep'), umount('/m/a')).mounts.size).toBe(1)
  })

  test('lazily takes a busy one out of sight with all on it, and the process runs on', () => {
    const busy = hostAfter(scene(), mkdir('/m/a'), tmpfs('/m/a'), mkdir('/m/a/deep'), tmpfs('/m/a/deep'), use('/m/a'))
    const host = hostAfter(busy, umount('/m/a', 'lazy'), rmdir('/m/a'))
    expect(host.mounts.size).toBe(1)
    expect([...host.processes.values()]).toEqual([{ mount: undefined, uses: 'open file' }])
  })
})

describe('directories', () => {
  test.each([
    ['is there already', mkdir('/m'), 'EEXIST'],
    ['has no parent', mkdir('/m/none/a'), 'ENOENT'],
    ['is below a file', mkdir('/m/file/a'), 'ENOTDIR'],
    ['is mounted on', rmdir('/m/mounted'), 'EBUSY'],
    ['is not empty', rmdir('/m/full'), 'ENOTEMPTY'],
    ['is not there', rmdir('/m/none'), 'ENOENT'],
    ['is a link', rmdir('/m/link'), 'ENOTDIR'],
  ])('one that %s', (_what, act, errno) => {
    const host = hostAfter(
      scene(),
      (at) => makeFile(at, at.own, '/m/file', 'file'),
      mkdir('/m/mounted'),
      tmpfs('/m/mounted'),
      mkdir('/m/full'),
      mkdir('/m/full/inner'),
      link('/m/link', '/m/full'),
    )
    expect(act(host)).toEqual({ host, errno })
  })

  test('what is written before the mount is hidden, and there again after it', () => {
    const write = (host: ModelHost) => makeFile(host, host.own, '/m/a/data', 'file')
    const host = hostAfter(scene(), mkdir('/m/a'), write, tmpfs('/m/a'), umount('/m/a'))
    expect(rmdir('/m/a')(host).errno).toBe('ENOTEMPTY')
  })
})

describe('looking', () => {
  const root = (host: ModelHost) => discover(host, { roots: ['/m'], known: [] })!.roots[0]!

  test('shows what is there', () => {
    const host = hostAfter(
      scene(),
      mkdir('/m/a'),
      (at) => makeFile(at, at.own, '/m/file', 'file'),
      mkdir('/m/b'),
      tmpfs('/m/b'),
    )
    const found = ['/m/none', '/m/a', '/m/file', '/m/b', '/m/none/deep'].map(
      (path) => lookAt(host, path, root(host))._tag,
    )
    expect(found).toEqual(['NoDirectory', 'Directory', 'Obstacle', 'Mounted', 'NoDirectory'])
  })

  test('a mount below an over-mounted parent is hidden, although its line stays', () => {
    const mounted = hostAfter(scene(), mkdir('/m/p'), mkdir('/m/p/a'), tmpfs('/m/p/a'))
    const host = hostAfter(mounted, tmpfs('/m/p', 'over'), mkdir('/m/p/a'))
    expect(lookAt(host, '/m/p/a', root(mounted))).toMatchObject({ _tag: 'Unknown', why: 'ParentElsewhere' })
    expect(lookAt(host, '/m/p/a', undefined)).toEqual({ _tag: 'Directory' })
    expect(umount('/m/p/a')(host).errno).toBe('EINVAL')
    expect(sources(hostAfter(host, umount('/m/p')), '/m/p/a')).toEqual(['f'])
  })

  test('knows a root that was over-mounted, renamed or taken away', () => {
    const host = hostAfter(scene(), mkdir('/m/a'), tmpfs('/m/a'))
    const changed = { _tag: 'Unknown', why: 'RootChanged' }
    expect(lookAt(hostAfter(host, tmpfs('/m', 'over')), '/m/a', root(host))).toMatchObject(changed)
    const renamed = hostAfter(scene(), (at) => rename(at, at.own, '/m', '/n'), mkdir('/m'))
    expect(lookAt(renamed, '/m/a', root(host))).toMatchObject(changed)
    expect(discover(hostAfter(scene(), rmdir('/m')), { roots: ['/m'], known: [] })).toBeUndefined()
  })

  test('does not report more than 16 layers', () => {
    const stacked = Array.from({ length: 17 }, () => tmpfs('/m/a'))
    const host = hostAfter(scene(), mkdir('/m/a'), ...stacked)
    expect(lookAt(host, '/m/a', undefined)).toMatchObject({ _tag: 'Unknown', why: 'TooManyLayers' })
  })

  test('a discovery sees what is known and what is mounted below the roots, and no deeper', () => {
    const host = hostAfter(scene('shared'), mkdir('/m/a'), tmpfs('/m/a'), mkdir('/m/a/deep'), tmpfs('/m/a/deep'))
    const { roots, mountpoints, boot } = discover(host, {
      roots: ['/m'],
      known: [{ mountpoint: '/m/b', filesystem: undefined }],
    })!
    expect(roots).toMatchObject([{ path: '/m', propagation: 'shared' }])
    expect(mountpoints.map(({ mountpoint, found }) => `${mountpoint} ${found._tag}`)).toEqual([
      '/m/b NoDirectory',
      '/m/a Mounted',
    ])
    expect(boot).toBe('boot-1')
  })
})

describe('namespaces', () => {
  const elsewhere = (host: ModelHost) => otherNamespace(host)!
  const umountElsewhere = (path: string) => (host: ModelHost) => unmount(host, elsewhere(host), path, 'plain')

  test('a shared mount appears and disappears at its peers', () => {
    const host = hostAfter(addNamespace(scene('shared'), 'shared'), mkdir('/m/a'), tmpfs('/m/a'))
    expect(host.mounts.size).toBe(4)
    expect(hostAfter(host, umountElsewhere('/m/a')).mounts.size).toBe(2)
    expect(hostAfter(host, umount('/m/a')).mounts.size).toBe(2)
  })

  test('a slave receives and does not give', () => {
    const host = hostAfter(addNamespace(scene('shared'), 'slave'), mkdir('/m/a'), tmpfs('/m/a'))
    expect(host.mounts.size).toBe(4)
    const left = hostAfter(host, umountElsewhere('/m/a'))
    expect(sources(left, '/m/a')).toEqual(['f'])
    expect(hostAfter(left, umount('/m/a')).mounts.size).toBe(2)
  })

  test('a private copy keeps its own, until its directory is removed elsewhere', () => {
    const mounted = hostAfter(scene('shared'), mkdir('/m/a'), tmpfs('/m/a'))
    const host = hostAfter(addNamespace(mounted, 'private'), umount('/m/a'))
    expect(host.mounts.size).toBe(3)
    expect(hostAfter(host, rmdir('/m/a')).mounts.size).toBe(2)
  })

  test('a busy copy keeps all of them', () => {
    const mounted = hostAfter(addNamespace(scene('shared'), 'shared'), mkdir('/m/a'), tmpfs('/m/a'))
    const host = hostAfter(mounted, (at) => enter(at, elsewhere(at), '/m/a', 'working directory'))
    expect(umount('/m/a')(host).errno).toBe('EBUSY')
  })

  test('propagation can be changed', () => {
    const change = (to: 'private' | 'shared') => (host: ModelHost) => setPropagation(host, host.own, '/', to)
    const host = hostAfter(addNamespace(scene('shared'), 'shared'), change('private'), mkdir('/m/a'), tmpfs('/m/a'))
    expect(host.mounts.size).toBe(3)
    expect(discover(hostAfter(host, change('shared')), { roots: ['/m'], known: [] })!.roots[0]!.propagation).toBe(
      'shared',
    )
  })
})

test('a reboot leaves directories and nothing else', () => {
  const busy = hostAfter(scene('shared'), mkdir('/m/a'), tmpfs('/m/a'), use('/m/a'))
  const host = reboot(addNamespace(busy, 'shared'))
  expect([host.boot, host.mounts.size, host.processes.size, host.namespaces.length]).toEqual([2, 1, 0, 1])
  expect(lookAt(host, '/m/a', undefined)).toEqual({ _tag: 'Directory' })
})

test('a host is a value: an act changes the next one and not this one', () => {
  const host = makePath(scene(), scene().own, '/m/a', 'us')
  const copy = structuredClone(host)
  expect(done(host).host).toBe(host)
  hostAfter(host, tmpfs('/m/a'), use('/m/a'))
  expect(host).toEqual(copy)
})
