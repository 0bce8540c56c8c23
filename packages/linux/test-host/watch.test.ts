// What others do below the roots is noticed without a request, and what they do elsewhere costs no look.
import { mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { defaultSettings } from '@mountkeeper/core'
import type { HostEvent, MountManager } from '@mountkeeper/runtime'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { linuxHost, watchMounts } from '../src/index.js'
import type { MountWatch } from '../src/index.js'
import { processes, vectorOfProcess } from '../src/processes.js'
import { ROOT, prepareWorld, sh, sleep, tmpfs } from './world.js'

prepareWorld()

let manager: MountManager
let watch: MountWatch | undefined
let unsubscribe: () => void
let looks = 0
let events: HostEvent[] = []
const who = { volume: 'vol-1', consumer: 'vm-1' }
const mountpoint = `${ROOT}/a`

beforeEach(async () => {
  looks = 0
  events = []
  const made = await createMountManager({
    settings: defaultSettings(ROOT),
    host: linuxHost(),
    journal: createMemoryJournal(),
    observer: {
      onReport: (effect) => {
        if (effect._tag === 'Look') looks += 1
      },
    },
  })()
  if (made._tag === 'Left') throw new Error(made.left.why)
  manager = made.right
  unsubscribe = manager.events.subscribe((event) => events.push(event))
  await manager.hostUp()()
  const attached = await manager.attach({ mountpoint, filesystem: tmpfs(), ...who })()
  expect(attached._tag).toBe('Right')
})
afterEach(async () => {
  await manager.detach({ mountpoint, ...who })()
  watch?.close()
  watch = undefined
  await manager.stop()
  unsubscribe()
})

/** How long it takes until this event arrives, ms. */
const heard = async (tag: HostEvent['_tag']): Promise<number> => {
  const since = performance.now()
  while (!events.some(({ _tag }) => _tag === tag) && performance.now() - since < 5_000) await sleep(5)
  return performance.now() - since
}

const settled = async (): Promise<void> => sleep(400)

describe('told by the kernel', () => {
  beforeEach(async () => {
    watch = watchMounts({ manager })
    await settled()
    looks = 0
  })

  test('a mount that others take off is lost within a second, and shown so', async () => {
    sh('umount', mountpoint)
    expect(await heard('Lost')).toBeLessThan(1_000)
    const status = await manager.status()()
    expect(status).toMatchObject({ right: { mountpoints: [{ mountpoint, phase: 'lost' }] } })
    expect(looks).toBe(1)
  })
  test('a burst of mounts elsewhere, and below the root where nobody holds anything, costs no look', async () => {
    mkdirSync('/srv/elsewhere')
    mkdirSync(`${ROOT}/foreign`)
    for (let time = 0; time < 50; time += 1) {
      for (const path of ['/srv/elsewhere', `${ROOT}/foreign`]) {
        sh('mount', '-t', 'tmpfs', 'other', path)
        if (time < 49) sh('umount', path)
      }
    }
    await settled()
    expect(looks).toBe(0)
    for (const path of ['/srv/elsewhere', `${ROOT}/foreign`]) {
      sh('umount', path)
      rmdirSync(path)
    }
  })
  test('what the manager itself mounts and unmounts is no news', async () => {
    const other = { mountpoint: `${ROOT}/b`, ...who }
    await manager.attach({ ...other, filesystem: tmpfs() })()
    await settled()
    await manager.detach(other)()
    await settled()
    // One for the attach, one before the unmount.
    expect(looks).toBe(2)
  })
  test('a layer on top, and its end', async () => {
    sh('mount', '-t', 'tmpfs', 'other', mountpoint)
    await settled()
    expect(manager.state.mountpoints.get(mountpoint)?.record).toMatchObject({ covered: true })
    sh('umount', mountpoint)
    await settled()
    expect(manager.state.mountpoints.get(mountpoint)?.record).toMatchObject({ covered: false })
  })
  test('a root that is covered is seen at what lies below it', async () => {
    sh('mount', '-t', 'tmpfs', 'other', ROOT)
    expect(await heard('Uncertain')).toBeLessThan(1_000)
    expect(events).toContainEqual(expect.objectContaining({ _tag: 'RootChanged', root: ROOT }))
    sh('umount', ROOT)
    expect(await heard('Settled')).toBeLessThan(1_000)
  })
  test('its process ends with the watch', async () => {
    const ticking = (): readonly string[] =>
      processes()
        .map(({ entry }) => vectorOfProcess(entry)[0] ?? '')
        .filter((program) => program.endsWith('perl'))
    expect(ticking()).toHaveLength(1)
    watch?.close()
    for (let at = 0; at < 100 && ticking().length > 0; at += 1) await sleep(10)
    expect(ticking()).toEqual([])
    expect(readdirSync(ROOT)).toEqual(['a'])
  })
})

describe('at an interval', () => {
  test('where there is no perl', async () => {
    const why = await new Promise<string>((onInterval) => {
      watch = watchMounts({ manager, program: 'no-such-perl', intervalMs: 200, onInterval })
    })
    expect(why).toContain('ENOENT')
    sh('umount', mountpoint)
    expect(await heard('Lost')).toBeLessThan(1_000)
  })
  test('where it ends', async () => {
    const why = await new Promise<string>((onInterval) => {
      watch = watchMounts({ manager, program: 'false', intervalMs: 200, onInterval })
    })
    expect(why).toContain('ended (1)')
    sh('umount', mountpoint)
    expect(await heard('Lost')).toBeLessThan(1_000)
  })
})
