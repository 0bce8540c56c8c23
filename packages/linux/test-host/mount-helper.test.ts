// Helpers that are installed, and that are not: what nothing on this host can mount is refused before anything is done for it.

import { readdirSync, realpathSync, rmSync } from 'node:fs'
import { defaultSettings } from '@mountkeeper/border'
import type { Answer, Fact } from '@mountkeeper/core'
import type { MountManager } from '@mountkeeper/runtime'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import { typeRule } from '@mountkeeper/types'
import { afterEach, expect, test } from 'vitest'
import { linuxHost } from '../src/index.js'
import { ROOT, plant, prepareWorld } from './world.js'

prepareWorld()

const types = {
  tmpfs: typeRule('tmpfs', ['*']),
  glusterfs: typeRule('glusterfs', ['*']),
  present: typeRule('present', ['*']),
  absent: typeRule('absent', ['*']),
}

const uninstall = (name: string): void => {
  rmSync(`${realpathSync('/sbin')}/mount.${name}`, { force: true })
}

let manager: MountManager | undefined
afterEach(async () => {
  await manager?.stop()
  manager = undefined
})

const manage = async (facts: Fact[]): Promise<MountManager> => {
  const journal = createMemoryJournal()
  const recording = {
    ...journal,
    append: (all: readonly Fact[]) => {
      facts.push(...all)
      return journal.append(all)
    },
  }
  const settings = { ...defaultSettings(ROOT), types }
  const made = await createMountManager({ settings, host: linuxHost({ types }), journal: recording })()
  if (made._tag === 'Left') throw new Error(made.left.why)
  manager = made.right
  expect(await manager.hostUp()()).toMatchObject({ _tag: 'Right' })
  return manager
}

const attach = (keeper: MountManager, type: string, consumer: string): Promise<Answer> => {
  const filesystem = { type, source: 'server:/volume', options: [] }
  return keeper.submit({ op: 'attach', mountpoint: `${ROOT}/a`, filesystem, volume: 'v', consumer })
}

const detach = (keeper: MountManager, consumer: string): Promise<Answer> =>
  keeper.submit({ op: 'detach', mountpoint: `${ROOT}/a`, volume: 'v', consumer })

const missing = (helper: string): object => ({
  ok: false,
  error: { _tag: 'MountFailed', step: 'helper', component: helper, found: { _tag: 'NoDirectory' } },
})

test('a type whose helper is absent is refused before the claim, and leaves no fact and no directory', async () => {
  const facts: Fact[] = []
  const keeper = await manage(facts)
  uninstall('glusterfs')
  expect(await attach(keeper, 'absent', 'c1')).toMatchObject(missing('/sbin/mount.absent'))
  expect(await attach(keeper, 'glusterfs', 'c1')).toMatchObject(missing('/sbin/mount.glusterfs'))
  expect(facts.map(({ _tag }) => _tag)).toEqual(['HostCameUp'])
  expect(readdirSync(ROOT)).toEqual([])
  expect(await keeper.submit({ op: 'status' })).toMatchObject({ ok: true, result: { mountpoints: [] } })
})

test('once the helper is there the same attach succeeds, and a second one joins although the helper is gone again', async () => {
  const keeper = await manage([])
  expect(await attach(keeper, 'absent', 'c1')).toMatchObject(missing('/sbin/mount.absent'))
  plant('absent', 'exec mount -i -t tmpfs -o nosuid,nodev "$1" "$2"')
  expect(await attach(keeper, 'absent', 'c1')).toMatchObject({ ok: true, result: { mount: 'mounted' } })
  uninstall('absent')
  expect(await attach(keeper, 'absent', 'c2')).toMatchObject({ ok: true, result: { mount: 'shared' } })
  await detach(keeper, 'c1')
  expect(await detach(keeper, 'c2')).toMatchObject({ ok: true, result: { mount: 'unmounted', directory: 'removed' } })
})

test('a type whose helper is there from the beginning is mounted', async () => {
  plant('present', 'exec mount -i -t tmpfs -o nosuid,nodev "$1" "$2"')
  const keeper = await manage([])
  expect(await attach(keeper, 'present', 'c1')).toMatchObject({ ok: true, result: { mount: 'mounted' } })
  expect(await detach(keeper, 'c1')).toMatchObject({ ok: true, result: { mount: 'unmounted', directory: 'removed' } })
})
