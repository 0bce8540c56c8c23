// What others do below the roots is noticed without a request, and what they do elsewhere costs no look.
import { mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { defaultSettings } from '@mountkeeper/border'
import type { HostEvent, MountManager } from '@mountkeeper/runtime'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { MountWatch, MountWatchOptions } from '../src/index.js'
import { linuxHost, watchMounts } from '../src/index.js'
import { processes, vectorOfProcess } from '../src/processes.js'
import { readLines } from '../src/slices.js'
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

/** Waits for what has to come, however busy the machine is. */
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await sleep(10)
}

/** Waits for this event. */
const heard = (tag: HostEvent['_tag']): Promise<void> => until(() => events.some(({ _tag }) => _tag === tag))

const settled = async (): Promise<void> => sleep(400)

describe('reported by the kernel', () => {
  beforeEach(async () => {
    watch = watchMounts({ manager })
    await settled()
    looks = 0
  })

  test('a mount that others take off is lost, and shown so', async () => {
    sh('umount', mountpoint)
    await heard('Lost')
    const status = await manager.status()()
    expect(status).toMatchObject({ right: { mountpoints: [{ mountpoint, phase: 'lost' }] } })
    expect(looks).toBe(1)
  })
  test('a burst of mounts elsewhere, and below the root where nothing is held, costs no look', async () => {
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
    // One for the attach, one before the unmount, and maybe the one that is due half a second after the attach.
    expect([2, 3]).toContain(looks)
  })
  test('a layer on top, and its end', async () => {
    const isCovered = (): boolean | undefined => manager.state.mountpoints.get(mountpoint)?.record.covered
    sh('mount', '-t', 'tmpfs', 'other', mountpoint)
    await until(() => isCovered() === true)
    sh('umount', mountpoint)
    await until(() => isCovered() === false)
  })
  test('a root that is covered is seen at what is below it', async () => {
    sh('mount', '-t', 'tmpfs', 'other', ROOT)
    await heard('Uncertain')
    expect(events).toContainEqual(expect.objectContaining({ _tag: 'RootChanged', root: ROOT }))
    sh('umount', ROOT)
    await heard('Settled')
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

describe('unmounted as soon as it was mounted (played: P2)', () => {
  const again = { mountpoint: `${ROOT}/again`, ...who }
  const attachAgain = async (): Promise<void> => {
    expect(await manager.attach({ ...again, filesystem: tmpfs() })()).toMatchObject({ _tag: 'Right' })
  }
  const lost = (event: HostEvent): boolean => event._tag === 'Lost' && event.mountpoint === again.mountpoint
  afterEach(async () => {
    await manager.detach(again)()
  })

  test('both between two readings of the table: the record is what the table is compared with', async () => {
    let mayRead = false
    const takeLines: MountWatchOptions['takeLines'] = (slices, take) =>
      mayRead ? readLines(slices, take) : Promise.reject(new Error('not now'))
    // Nothing is looked at but what the table shows.
    watch = watchMounts({ manager: { ...manager, onAttached: () => () => undefined }, takeLines })
    await attachAgain()
    mayRead = true
    sh('umount', again.mountpoint)
    await until(() => events.some(lost))
  })
  test('the table is never read: one look half a second after the attach, at that mountpoint alone', async () => {
    watch = watchMounts({ manager, takeLines: () => new Promise(() => undefined) })
    const before = looks
    await attachAgain()
    sh('umount', again.mountpoint)
    await until(() => events.some(lost))
    expect(looks - before).toBe(2)
  })
  test('the same for a mountpoint that was shared', async () => {
    watch = watchMounts({ manager, takeLines: () => new Promise(() => undefined) })
    const other = { mountpoint, volume: 'vol-2', consumer: 'vm-2' }
    expect(await manager.attach({ ...other, filesystem: tmpfs() })()).toMatchObject({ right: { mount: 'shared' } })
    sh('umount', mountpoint)
    await until(() => events.some((event) => event._tag === 'Lost' && event.mountpoint === mountpoint))
    await manager.detach(other)()
  })
})

describe('at an interval', () => {
  test('where there is no perl', async () => {
    const why = await new Promise<string>((onInterval) => {
      watch = watchMounts({ manager, program: 'no-such-perl', intervalMs: 200, onInterval })
    })
    expect(why).toBe('no-such-perl is not installed')
    sh('umount', mountpoint)
    await heard('Lost')
  })
  test('where it ends', async () => {
    const why = await new Promise<string>((onInterval) => {
      watch = watchMounts({ manager, program: 'false', intervalMs: 200, onInterval })
    })
    expect(why).toContain('ended (1)')
    sh('umount', mountpoint)
    await heard('Lost')
  })
})
