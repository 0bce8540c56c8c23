// A mount that moves with a directory above it, or by mount --move, is neither lost nor unmounted (W9): the whole table is searched.
import { mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs'
import { defaultSettings } from '@mountkeeper/border'
import type { MountManager } from '@mountkeeper/runtime'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { linuxHost } from '../src/index.js'
import { ROOT, mountsBelow, prepareWorld, sh, tmpfs } from './world.js'

prepareWorld()

let manager: MountManager
const mountpoint = `${ROOT}/tenant/a`
const moved = `${ROOT}/renamed/a`
const one = { mountpoint, volume: 'vol-1', consumer: 'vm-1' }
const other = { mountpoint, volume: 'vol-2', consumer: 'vm-2' }

beforeEach(async () => {
  mkdirSync(`${ROOT}/tenant`)
  const settings = defaultSettings(ROOT)
  const made = await createMountManager({
    settings: { ...settings, delaysMs: { ...settings.delaysMs, backOffFirst: 20, backOffCeiling: 20 } },
    host: linuxHost(),
    journal: createMemoryJournal(),
  })()
  if (made._tag === 'Left') throw new Error(made.left.why)
  manager = made.right
  await manager.hostUp()()
  expect(await manager.attach({ ...one, filesystem: tmpfs() })()).toMatchObject({ right: { mount: 'mounted' } })
})
afterEach(async () => {
  await manager.stop()
  for (const path of mountsBelow(ROOT)) sh('umount', path)
  for (const path of ['renamed/a', 'renamed', 'tenant/a', 'tenant', 'else']) {
    try {
      rmdirSync(`${ROOT}/${path}`)
    } catch {
      // It is not there.
    }
  }
})

const statusHere = async () => {
  const status = await manager.status()()
  if (status._tag === 'Left') throw new Error(status.left._tag)
  return status.right.mountpoints.find((each) => each.mountpoint === mountpoint)
}

/** Waits until the record has ended, however busy the machine is. */
const gone = async (): Promise<void> => {
  while ((await statusHere()) !== undefined) await new Promise((resolve) => setTimeout(resolve, 10))
}

const isMoved = (to: string) => ({ left: { _tag: 'Conflict', reason: { _tag: 'Moved', to } } })

test('with its parent: refused at both paths, moved for reconcile and for discovery, and unmounted when it is back', async () => {
  renameSync(`${ROOT}/tenant`, `${ROOT}/renamed`)
  expect(await manager.attach({ ...other, filesystem: tmpfs() })()).toMatchObject(isMoved(moved))
  expect(await manager.attach({ ...other, mountpoint: moved, filesystem: tmpfs() })()).toMatchObject({
    left: { _tag: 'Foreign' },
  })
  expect(await statusHere()).toMatchObject({ phase: 'mounted', elsewhere: moved })
  const drift = [{ _tag: 'moved', mountpoint }]
  expect(await manager.reconcile({ apply: false })()).toMatchObject({ right: { differences: drift } })
  await manager.hostDown()()
  expect(await manager.hostUp()()).toMatchObject({ right: { drift } })
  expect(await manager.detach(one)()).toMatchObject({
    right: { mount: 'vacant', directory: 'kept', reason: { _tag: 'Moved', to: moved } },
  })
  expect(mountsBelow(ROOT)).toEqual([moved])
  renameSync(`${ROOT}/renamed`, `${ROOT}/tenant`)
  await gone()
  expect(mountsBelow(ROOT)).toEqual([])
  expect(readdirSync(`${ROOT}/tenant`)).toEqual([])
})

test('with its parent, which is made again: nothing is mounted beside it', async () => {
  renameSync(`${ROOT}/tenant`, `${ROOT}/renamed`)
  mkdirSync(`${ROOT}/tenant`)
  expect(await manager.attach({ ...other, filesystem: tmpfs() })()).toMatchObject(isMoved(moved))
  expect(mountsBelow(ROOT)).toEqual([moved])
  sh('umount', moved)
  expect(await manager.attach({ ...other, filesystem: tmpfs() })()).toMatchObject({ right: { mount: 'remounted' } })
  expect(mountsBelow(ROOT)).toEqual([mountpoint])
})

test('by mount --move, and then unmounted there: it is unmounted, and its directory is removed', async () => {
  mkdirSync(`${ROOT}/else`)
  sh('mount', '-n', '--move', mountpoint, `${ROOT}/else`)
  expect(await manager.detach(one)()).toMatchObject({
    right: { mount: 'vacant', reason: { _tag: 'Moved', to: `${ROOT}/else` } },
  })
  expect(mountsBelow(ROOT)).toEqual([`${ROOT}/else`])
  sh('umount', `${ROOT}/else`)
  await gone()
  expect(readdirSync(`${ROOT}/tenant`)).toEqual([])
})
