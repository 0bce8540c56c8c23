// What a generation begins with, and what keeps the host down.
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { effectId } from '@mountkeeper/core'
import { beforeAll, describe, expect, test } from 'vitest'
import type { World } from './world.js'
import {
  clear,
  createWorld,
  discovered,
  hasFuse,
  isRoot,
  layers,
  prepareWorld,
  ROOT,
  sh,
  SOURCE,
  tmpfs,
} from './world.js'

prepareWorld()
let world: World
beforeAll(async () => {
  world = await createWorld()
})

test('boot, namespace and roots', async () => {
  const found = discovered(await world.discover())
  expect(found.boot).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
  expect(found.mountNamespace).toBe(readlinkSync('/proc/self/ns/mnt'))
  expect(found.roots).toEqual([world.root].map((root) => ({ ...root, propagation: 'private' })))
  expect(found.mountpoints).toEqual([])
})

test('propagation is that of the mount the root is on', async () => {
  sh('mount', '--make-shared', '/srv')
  expect(discovered(await world.discover()).roots[0]?.propagation).toBe('shared')
  sh('mount', '--make-slave', '/srv')
  sh('mount', '--make-private', '/srv')
  expect(discovered(await world.discover()).roots[0]?.propagation).toBe('private')
})

test('known mountpoints, and every other mount of the root; not those inside of mounts', async () => {
  await world.make('known')
  const mounted = await world.mount('known', tmpfs())
  mkdirSync(`${ROOT}/known/inner`)
  sh('mount', '-t', 'tmpfs', 'inner', `${ROOT}/known/inner`)
  mkdirSync(`${ROOT}/deep/foreign`, { recursive: true })
  sh('mount', '-t', 'tmpfs', 'foreign', `${ROOT}/deep/foreign`)
  sh('mount', '-t', 'tmpfs', 'foreign too', `${ROOT}/deep/foreign`)
  mkdirSync(`${SOURCE}/b`)
  const found = discovered(
    await world.discover([
      { mountpoint: `${ROOT}/known`, filesystem: tmpfs() },
      { mountpoint: `${ROOT}/absent`, filesystem: { type: 'bind', source: `${SOURCE}/b`, options: [] } },
      { mountpoint: '/srv/elsewhere/x', filesystem: undefined },
      { mountpoint: '/srv/helpers', filesystem: tmpfs() },
    ]),
  )
  const at = (path: string) => found.mountpoints.find(({ mountpoint }) => mountpoint === path)
  expect(found.mountpoints.map(({ mountpoint }) => mountpoint).sort()).toEqual([
    ...['/srv/elsewhere/x', '/srv/helpers', `${ROOT}/absent`, `${ROOT}/deep/foreign`, `${ROOT}/known`],
  ])
  expect(at(`${ROOT}/known`)?.found).toEqual(mounted.found)
  expect(at(`${ROOT}/absent`)).toMatchObject({
    found: { _tag: 'NoDirectory' },
    source: { asked: { _tag: 'At', root: '/source/b' } },
  })
  expect(at('/srv/elsewhere/x')?.found).toEqual({ _tag: 'NoDirectory' })
  expect(at('/srv/helpers')?.found).toEqual({ _tag: 'Directory' })
  expect(at(`${ROOT}/deep/foreign`)?.found).toMatchObject({
    layers: [{ source: 'foreign too' }, { source: 'foreign' }],
  })
  sh('umount', `${ROOT}/known/inner`)
  await clear(world, 'known')
  await clear(world, 'deep/foreign')
  await world.remove('deep')
})

test('hundreds of mounts', async () => {
  const names = Array.from({ length: 300 }, (_, at) => `m${at}`)
  sh('mkdir', ...names.map((name) => `${ROOT}/${name}`))
  for (const name of names) sh('mount', '-t', 'tmpfs', '-o', 'size=4k', name, `${ROOT}/${name}`)
  const found = discovered(await world.discover())
  expect(found.mountpoints).toHaveLength(300)
  expect(found.mountpoints.every((one) => layers({ found: one.found }).length === 1)).toBe(true)
  const together = await Promise.all(names.map((name) => world.look(name)))
  expect(together.map((report) => layers(report)[0]?.source)).toEqual(names)
  sh('umount', ...names.map((name) => `${ROOT}/${name}`))
  sh('rmdir', ...names.map((name) => `${ROOT}/${name}`))
})

describe('a root that is not as it has to be is named, with what to do', () => {
  const reason = async (root: string): Promise<string> => {
    const known: readonly never[] = []
    const { found } = await world.host.run({
      _tag: 'Discover',
      effect: effectId(1),
      roots: [ROOT, root],
      known,
      deadlineMs: 5_000,
    })
    if (found._tag !== 'NotDiscovered') throw new Error(JSON.stringify(found))
    return found.reason
  }
  test('missing', async () => {
    expect(await reason('/srv/none')).toBe(
      'root /srv/none: /srv/none does not exist; create it: install -d -m 0700 /srv/none',
    )
  })
  test('a link, and a link on the way', async () => {
    symlinkSync(ROOT, '/srv/link')
    const mend = 'name the directory that /srv/link leads to instead'
    expect(await reason('/srv/link')).toBe(`root /srv/link: /srv/link is a symbolic link; ${mend}`)
    mkdirSync(`${ROOT}/below`)
    expect(await reason('/srv/link/below')).toBe(`root /srv/link/below: /srv/link is a symbolic link; ${mend}`)
    rmdirSync(`${ROOT}/below`)
    unlinkSync('/srv/link')
  })
  test('no directory', async () => {
    expect(await reason('/proc/version')).toContain('/proc/version is not a directory')
  })
  test.each([0o770, 0o707, 0o1777])('writable by others: %o', async (mode) => {
    mkdirSync('/srv/open')
    chmodSync('/srv/open', mode)
    expect(await reason('/srv/open')).toBe(
      `root /srv/open: /srv/open can be written by others (mode ${mode.toString(8)}); chmod go-w /srv/open`,
    )
    rmdirSync('/srv/open')
  })
  test.skipIf(!isRoot)('of another user (skipped in a user namespace, which has no other user)', async () => {
    mkdirSync('/srv/theirs', { mode: 0o700 })
    chownSync('/srv/theirs', 1234, 0)
    expect(await reason('/srv/theirs')).toBe(
      'root /srv/theirs: /srv/theirs belongs to user 1234, who can replace it or its entries; chown 0 /srv/theirs',
    )
    rmdirSync('/srv/theirs')
  })
  test.skipIf(!hasFuse('bindfs'))(
    'on a filesystem that can hang (skipped without bindfs, or with /dev/fuse closed to us)',
    async () => {
      mkdirSync('/srv/fuse/root', { recursive: true })
      sh('bindfs', '/srv/fuse', '/srv/fuse')
      expect(await reason('/srv/fuse/root')).toContain('choose a directory on a local filesystem: /srv/fuse can hang')
      expect(await reason('/srv/fuse')).toContain('choose a directory on a local filesystem')
      sh('umount', '/srv/fuse')
    },
  )
})
