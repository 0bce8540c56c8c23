// Joins on real filesystems: a layer is shared only where it still is what is asked for, and adopted only where it surely is.

import { mkdirSync, renameSync, rmSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { DEFAULT_POLICIES, defaultSettings } from '@mountkeeper/border'
import type { Answer, Filesystem, Policies } from '@mountkeeper/core'
import type { MountManager } from '@mountkeeper/runtime'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import { typeRule } from '@mountkeeper/types'
import { afterEach, describe, expect, test } from 'vitest'
import { linuxHost } from '../src/index.js'
import { loopsBelow } from './types/life.js'
import { has, hasFuse, isRoot, mountsBelow, prepareWorld, ROOT, sh, SOURCE } from './world.js'

prepareWorld()

const A = `${ROOT}/a`
/** mount(8) adds no option of its own: of a tmpfs in a user namespace it would repeat a `uid=` that is not known there. */
const AS_SAID = ['--options-mode', 'ignore']
const types = {
  tmpfs: typeRule('tmpfs', ['*']),
  bind: typeRule('bind', [`${SOURCE}/`]),
  overlay: typeRule('overlay', ['overlay', `${SOURCE}/`]),
  ext4: typeRule('ext4', [`${SOURCE}/`, '/dev/']),
  'fuse.bindfs': typeRule('fuse.bindfs', [`${SOURCE}/`]),
}

const managers: MountManager[] = []

const manage = async (policies: Partial<Policies> = {}): Promise<MountManager> => {
  const settings = { ...defaultSettings(ROOT), types, policies: { ...DEFAULT_POLICIES, ...policies } }
  const made = await createMountManager({ settings, host: linuxHost({ types }), journal: createMemoryJournal() })()
  if (made._tag === 'Left') throw new Error(made.left.why)
  managers.push(made.right)
  expect(await made.right.hostUp()()).toMatchObject({ _tag: 'Right' })
  return made.right
}

afterEach(async () => {
  for (const manager of managers.splice(0)) await manager.stop()
})

const attach = (manager: MountManager, who: string, filesystem: Filesystem): Promise<Answer> =>
  manager.submit({ op: 'attach', mountpoint: A, filesystem, volume: `vol-${who}`, consumer: `vm-${who}` })

/** The last one leaves: what was mounted is taken off, whatever became of its source. */
const leave = async (manager: MountManager, who: string, mount = 'unmounted'): Promise<void> => {
  const answer = await manager.submit({ op: 'detach', mountpoint: A, volume: `vol-${who}`, consumer: `vm-${who}` })
  expect(answer).toMatchObject({ ok: true, result: { holder: 'removed', mount } })
}

const mounted = (...warnings: readonly string[]): object => ({
  ok: true,
  result: { mount: 'mounted', warnings: warnings.map((_tag) => ({ _tag })) },
})

const shared = (...warnings: readonly string[]): object => ({
  ok: true,
  result: { mount: 'shared', warnings: warnings.map((_tag) => ({ _tag })) },
})

const conflict = (reason: object): object => ({ ok: false, error: { _tag: 'Conflict', reason } })

const driftOf = async (manager: MountManager): Promise<readonly string[]> => {
  const answer = await manager.submit({ op: 'reconcile', apply: false })
  if (!answer.ok || answer.result._tag !== 'Reconciled') throw new Error(JSON.stringify(answer))
  return answer.result.differences.map(({ _tag }) => _tag)
}

const bind = (name: string, ...options: readonly string[]): Filesystem => ({
  type: 'bind',
  source: `${SOURCE}/${name}`,
  options,
})

const directory = (name: string, file = name): void => {
  mkdirSync(`${SOURCE}/${name}`)
  writeFileSync(`${SOURCE}/${name}/who`, file)
}

describe('the flags', () => {
  const tmpfs: Filesystem = { type: 'tmpfs', source: 'one', options: ['size=64k', 'ro', 'noexec'] }

  test('a layer that lost ro and noexec by a remount of others is not shared', async () => {
    const manager = await manage()
    expect(await attach(manager, '1', tmpfs)).toMatchObject(mounted())
    sh('mount', ...AS_SAID, '-o', 'remount,size=64k,rw,exec', A)
    expect(await attach(manager, '2', tmpfs)).toMatchObject(
      conflict({ _tag: 'FlagsChanged', missing: expect.arrayContaining(['ro', 'noexec']) as unknown }),
    )
    expect(await attach(manager, '1', tmpfs)).toMatchObject(conflict({ _tag: 'FlagsChanged' }))
    expect(await driftOf(manager)).toEqual(['options-changed'])
    await leave(manager, '1')
  })

  test('a default flag that was taken from the mount alone is missed too', async () => {
    const manager = await manage()
    const plain: Filesystem = { ...tmpfs, options: ['size=64k'] }
    expect(await attach(manager, '1', plain)).toMatchObject(mounted())
    sh('mount', '-o', 'remount,bind,suid,dev', A)
    expect(await attach(manager, '2', plain)).toMatchObject(
      conflict({ _tag: 'FlagsChanged', missing: ['nosuid', 'nodev'] }),
    )
    sh('mount', '-o', 'remount,bind,nosuid,nodev', A)
    expect(await attach(manager, '2', plain)).toMatchObject(shared())
    await leave(manager, '2', 'held')
    await leave(manager, '1')
  })

  test.each([
    ['its filesystem', [...AS_SAID, '-o', 'remount,size=64k,ro,nosuid,nodev']],
    ['its mount', ['-o', 'remount,bind,ro,nosuid,nodev']],
  ])('what was writable and is read-only now, by %s, is broken', async (_, options) => {
    const manager = await manage()
    const plain: Filesystem = { ...tmpfs, options: ['size=64k'] }
    expect(await attach(manager, '1', plain)).toMatchObject(mounted())
    sh('mount', ...options, A)
    expect(await attach(manager, '2', plain)).toMatchObject({ ok: false, error: { _tag: 'Broken', errno: 'EROFS' } })
    expect(await driftOf(manager)).toEqual(['options-changed'])
    await leave(manager, '1')
  })

  test('what was read-only from its first look is shared, and every caller is warned', async () => {
    const manager = await manage()
    mkdirSync(`${SOURCE}/locked`)
    sh('mount', '-t', 'tmpfs', '-o', 'ro,nosuid,nodev', 'locked', `${SOURCE}/locked`)
    expect(await attach(manager, '1', bind('locked'))).toMatchObject(mounted('ReadOnly'))
    expect(await attach(manager, '2', bind('locked'))).toMatchObject(shared('ReadOnly'))
    await leave(manager, '1', 'held')
    await leave(manager, '2')
    expect(await attach(manager, '1', bind('locked', 'ro'))).toMatchObject(mounted())
    await leave(manager, '1')
    sh('umount', `${SOURCE}/locked`)
  })
})

describe('the source of a bind', () => {
  test('deleted, and made again: not shared; once its holder has left, what is there now is mounted', async () => {
    const manager = await manage()
    directory('b1', 'first')
    expect(await attach(manager, '1', bind('b1'))).toMatchObject(mounted())
    rmSync(`${SOURCE}/b1`, { recursive: true })
    expect(await attach(manager, '2', bind('b1'))).toMatchObject(conflict({ _tag: 'SourceChanged', is: 'absent' }))
    directory('b1', 'second')
    expect(await attach(manager, '2', bind('b1'))).toMatchObject(conflict({ _tag: 'SourceChanged' }))
    expect(await driftOf(manager)).toEqual(['source-changed'])
    await leave(manager, '1')
    expect(await attach(manager, '2', bind('b1'))).toMatchObject(mounted())
    expect(await readFile(`${A}/who`, 'utf8')).toBe('second')
    await leave(manager, '2')
  })

  test('a link that leads elsewhere by now', async () => {
    const manager = await manage()
    for (const name of ['b2', 'b3']) directory(name)
    symlinkSync('b2', `${SOURCE}/link`)
    expect(await attach(manager, '1', bind('link'))).toMatchObject(mounted())
    rmSync(`${SOURCE}/link`)
    symlinkSync('b3', `${SOURCE}/link`)
    expect(await attach(manager, '2', bind('link'))).toMatchObject(conflict({ _tag: 'SourceChanged' }))
    await leave(manager, '1')
    expect(await attach(manager, '2', bind('link'))).toMatchObject(mounted())
    expect(await readFile(`${A}/who`, 'utf8')).toBe('b3')
    await leave(manager, '2')
  })

  test('another directory while our layer is gone: its holders get no other data', async () => {
    const manager = await manage({ lost: 'remount' })
    directory('b4')
    expect(await attach(manager, '1', bind('b4'))).toMatchObject(mounted())
    rmSync(`${SOURCE}/b4`, { recursive: true })
    mkdirSync(`${SOURCE}/in-between`)
    directory('b4', 'other')
    sh('umount', A)
    expect(await attach(manager, '2', bind('b4'))).toMatchObject(conflict({ _tag: 'SourceChanged' }))
    expect(mountsBelow(ROOT)).toEqual([])
    expect(await driftOf(manager)).toEqual(['lost', 'source-changed'])
    await leave(manager, '1')
    rmdirSync(`${SOURCE}/in-between`)
  })
})

const image = (name: string, ...options: readonly string[]): string => {
  const path = `${SOURCE}/${name}`
  writeFileSync(path, '')
  sh('truncate', '-s', '10M', path)
  sh('mkfs.ext4', '-q', '-F', '-O', '^has_journal', ...options, path, '8m')
  return path
}

const ext4 = (source: string, ...options: readonly string[]): Filesystem => ({
  type: 'ext4',
  source,
  options: ['loop', ...options],
})

describe.skipIf(!isRoot || !has('mkfs.ext4'))('an image by a loop device (needs the rights of root)', () => {
  test('replaced by a rename: not shared', async () => {
    const manager = await manage()
    const path = image('i1')
    expect(await attach(manager, '1', ext4(path))).toMatchObject(mounted())
    expect(await attach(manager, '2', ext4(path))).toMatchObject(shared())
    renameSync(image('i2'), path)
    expect(await attach(manager, '3', ext4(path))).toMatchObject(conflict({ _tag: 'SourceChanged' }))
    expect(await driftOf(manager)).toEqual(['source-changed'])
    await leave(manager, '2', 'held')
    await leave(manager, '1')
    expect(await attach(manager, '3', ext4(path))).toMatchObject(mounted())
    await leave(manager, '3')
    expect(loopsBelow(SOURCE)).toEqual([])
  })

  test('a device name that leads to another device by now', async () => {
    const manager = await manage()
    const devices = ['d1', 'd2'].map((name) => sh('losetup', '--find', '--show', image(name)).trim())
    const [first = '', second = ''] = devices
    symlinkSync(first, `${SOURCE}/by-id`)
    const disk: Filesystem = { type: 'ext4', source: `${SOURCE}/by-id`, options: [] }
    try {
      // Only what the link leads to has to be allowed, and a device is.
      expect(await attach(manager, '1', disk)).toMatchObject(mounted())
      rmSync(`${SOURCE}/by-id`)
      symlinkSync(second, `${SOURCE}/by-id`)
      expect(await attach(manager, '2', disk)).toMatchObject(conflict({ _tag: 'SourceChanged' }))
      await leave(manager, '1')
    } finally {
      sh('losetup', '--detach', ...devices)
    }
  })

  test.each(['1M', '0x100000', '1048576'])('offset=%s: mounted, shared, and nothing is left', async (offset) => {
    const manager = await manage()
    const path = image(`o-${offset}`, '-E', 'offset=1048576')
    expect(await attach(manager, '1', ext4(path, `offset=${offset}`))).toMatchObject(mounted())
    expect(await attach(manager, '2', ext4(path, `offset=${offset}`))).toMatchObject(shared())
    await leave(manager, '1', 'held')
    await leave(manager, '2')
    expect(mountsBelow(ROOT)).toEqual([])
    expect(loopsBelow(SOURCE)).toEqual([])
  })

  test('adopting: the whole image is adopted, a bind of a directory in it is not', async () => {
    const manager = await manage({ foreign: 'adopt' })
    const path = image('i3')
    const other = `${SOURCE}/other`
    mkdirSync(other)
    mkdirSync(A)
    sh('mount', '-o', 'loop,nosuid,nodev', path, other)
    mkdirSync(`${other}/tenant-B`)
    sh('mount', '--bind', `${other}/tenant-B`, A)
    expect(await attach(manager, '1', ext4(path))).toMatchObject({ ok: false, error: { _tag: 'Foreign' } })
    sh('umount', A)
    sh('mount', '--bind', other, A)
    expect(await attach(manager, '1', ext4(path))).toMatchObject({ ok: true, result: { mount: 'adopted' } })
    expect(await attach(manager, '2', ext4(path, 'offset=1M'))).toMatchObject({ ok: false })
    await leave(manager, '1')
    sh('umount', other)
    rmdirSync(A)
  })
})

describe('adopting', () => {
  test('what others have bound from the same directory, with the flags that are asked for', async () => {
    const manager = await manage({ foreign: 'adopt' })
    for (const name of ['f1', 'f2']) directory(name)
    mkdirSync(A)
    sh('mount', '--bind', `${SOURCE}/f2`, A)
    expect(await attach(manager, '1', bind('f1'))).toMatchObject({ ok: false, error: { _tag: 'Foreign' } })
    expect(await attach(manager, '1', bind('f2', 'nosuid'))).toMatchObject({ ok: false, error: { _tag: 'Foreign' } })
    expect(await attach(manager, '1', bind('f2'))).toMatchObject({ ok: true, result: { mount: 'adopted' } })
    expect(await attach(manager, '2', bind('f2'))).toMatchObject(shared())
    await leave(manager, '1', 'held')
    await leave(manager, '2')
    rmdirSync(A)
  })

  test('never a tmpfs or an overlay, which the table shows alike whatever is in them', async () => {
    const manager = await manage({ foreign: 'adopt' })
    for (const name of ['l1', 'l2', 'l3']) directory(name)
    mkdirSync(A)
    const overlay = (lower: string): Filesystem => ({
      type: 'overlay',
      source: 'overlay',
      options: [`lowerdir=${SOURCE}/${lower}:${SOURCE}/l3`],
    })
    sh('mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=${SOURCE}/l2:${SOURCE}/l3`, A)
    for (const lower of ['l1', 'l2'])
      expect(await attach(manager, '1', overlay(lower))).toMatchObject({ ok: false, error: { _tag: 'Foreign' } })
    sh('umount', A)
    sh('mount', '-t', 'tmpfs', '-o', 'ro,size=64k', 'one', A)
    const tmpfs = { type: 'tmpfs', source: 'one', options: ['size=1g'] }
    expect(await attach(manager, '1', tmpfs)).toMatchObject({ ok: false, error: { _tag: 'Foreign' } })
    sh('umount', A)
    rmdirSync(A)
  })
})

describe('directories behind options and daemons', () => {
  test('a directory of an overlay that was exchanged', async () => {
    const manager = await manage()
    for (const name of ['o1', 'o2', 'up', 'work']) directory(name)
    const overlay: Filesystem = {
      type: 'overlay',
      source: 'overlay',
      options: [`lowerdir=${SOURCE}/o1`, `upperdir=${SOURCE}/up`, `workdir=${SOURCE}/work`],
    }
    expect(await attach(manager, '1', overlay)).toMatchObject(mounted())
    expect(await attach(manager, '2', overlay)).toMatchObject(shared())
    renameSync(`${SOURCE}/o1`, `${SOURCE}/o3`)
    expect(await attach(manager, '3', overlay)).toMatchObject(conflict({ _tag: 'SourceChanged', is: 'absent' }))
    renameSync(`${SOURCE}/o2`, `${SOURCE}/o1`)
    expect(await attach(manager, '3', overlay)).toMatchObject(conflict({ _tag: 'SourceChanged' }))
    await leave(manager, '1', 'held')
    await leave(manager, '2')
  })

  test.skipIf(!hasFuse('bindfs'))(
    'bindfs of a linked directory (skipped without it, or with /dev/fuse closed)',
    async () => {
      const manager = await manage()
      for (const name of ['real', 'unreal']) directory(name)
      symlinkSync('real', `${SOURCE}/linked`)
      const linked: Filesystem = { type: 'fuse.bindfs', source: `${SOURCE}/linked`, options: [] }
      expect(await attach(manager, '1', linked)).toMatchObject(mounted())
      expect(await attach(manager, '2', linked)).toMatchObject(shared())
      expect(await readFile(`${A}/who`, 'utf8')).toBe('real')
      rmSync(`${SOURCE}/linked`)
      symlinkSync('unreal', `${SOURCE}/linked`)
      expect(await attach(manager, '3', linked)).toMatchObject(conflict({ _tag: 'SourceChanged' }))
      await leave(manager, '1', 'held')
      await leave(manager, '2')
      expect(mountsBelow(ROOT)).toEqual([])
    },
  )
})
