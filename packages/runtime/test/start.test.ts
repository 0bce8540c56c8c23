// A manager whose host does not come up: nothing of it goes on, unless its owner keeps it.

import { describe, expect, test } from 'vitest'
import { REPORT_GRACE_MS, createMemoryJournal, createMountManager, startMountManager } from '../src/index.js'
import type { HostPort, MountManagerOptions } from '../src/index.js'
import { createModelHost } from './model-host.js'
import { SETTINGS } from './settings.js'
import { settled, virtualTimers } from './world.js'

const ROOT = '/srv/mounts'
const NO_ROOT = { found: { _tag: 'NotDiscovered', reason: `${ROOT} is not there` } } as const

/** A host whose root is missing until it is made. */
const world = () => {
  const model = createModelHost([ROOT])
  const ran: string[] = []
  let isThere = false
  const host: HostPort = {
    run: (effect) => {
      ran.push(effect._tag)
      return effect._tag === 'Discover' && !isThere ? Promise.resolve(NO_ROOT) : model.run(effect)
    },
  }
  const timers = virtualTimers()
  const options: MountManagerOptions = { settings: SETTINGS, host, journal: createMemoryJournal(), timers }
  return { options, timers, ran, makeRoot: () => void (isThere = true) }
}

const made = async (options: MountManagerOptions) => {
  const created = await createMountManager(options)()
  if (created._tag === 'Left') throw new Error(created.left.why)
  return created.right
}

describe('startMountManager', () => {
  test('gives a manager that is up', async () => {
    const { options, makeRoot } = world()
    makeRoot()
    const started = await startMountManager(options)()
    expect(started).toMatchObject({ right: { up: { _tag: 'Up', generation: 1 }, manager: { state: { phase: 'up' } } } })
  })

  test('says why there is none, and nothing of it goes on', async () => {
    const { options, timers, ran, makeRoot } = world()
    expect(await startMountManager(options)()).toEqual({
      _tag: 'Left',
      left: { _tag: 'NotStarted', why: `the host did not come up: ${ROOT} is not there` },
    })
    makeRoot()
    await timers.advance(3_600_000)
    expect(ran).toEqual(['Discover'])
    expect([timers.waiting(), timers.held()]).toEqual([0, 0])
    expect(await startMountManager(options)()).toMatchObject({ _tag: 'Right' })
  })

  test('says what the journal said', async () => {
    const { options } = world()
    const why = '/s/journal cannot be read'
    const journal = {
      ...createMemoryJournal(),
      read: () => Promise.resolve({ _tag: 'Left', left: { _tag: 'JournalFailed', why } } as const),
    }
    expect(await startMountManager({ ...options, journal })()).toEqual({
      _tag: 'Left',
      left: { _tag: 'NotStarted', why },
    })
  })

  test('waits for nothing of a host that does not answer', async () => {
    const { options, timers } = world()
    const host: HostPort = { run: () => new Promise(() => undefined) }
    const started = startMountManager({ ...options, host, onDefect: () => undefined })()
    await timers.advance(SETTINGS.deadlinesMs.discover + REPORT_GRACE_MS)
    expect(await Promise.race([started, settled()])).toMatchObject({ left: { _tag: 'NotStarted' } })
  })

  test('says which option is wrong', async () => {
    const { options } = world()
    expect(await startMountManager({ ...options, journal: {} as never })()).toMatchObject({
      left: { why: 'journal: expected an object with read' },
    })
  })
})

describe('a manager whose first host-up fails', () => {
  test('does not come up by itself, and comes up when it is asked again', async () => {
    const { options, timers, ran, makeRoot } = world()
    const manager = await made(options)
    expect(await manager.hostUp()()).toMatchObject({ left: { _tag: 'DiscoveryFailed' } })
    makeRoot()
    await timers.advance(3_600_000)
    expect([manager.state.phase, ...ran]).toEqual(['down', 'Discover'])
    const disk = {
      mountpoint: `${ROOT}/a`,
      filesystem: { type: 'tmpfs', source: 't', options: [] },
      volume: 'v',
      consumer: 'c',
    }
    expect(await manager.attach(disk)()).toMatchObject({
      left: { _tag: 'HostDown', reason: `discovery failed: ${ROOT} is not there` },
    })
    expect(await manager.hostUp()()).toMatchObject({ right: { generation: 1 } })
  })

  test('comes up by itself where its owner keeps it', async () => {
    const { options, timers, makeRoot } = world()
    const manager = await made({ ...options, keepTrying: true })
    expect(await manager.hostUp()()).toMatchObject({ left: { _tag: 'DiscoveryFailed' } })
    makeRoot()
    await timers.advance(SETTINGS.delaysMs.discoveryRetry)
    expect(manager.state.phase).toBe('up')
  })

  test('two host-ups at once: both are answered, and nothing comes up by itself', async () => {
    const { options, timers } = world()
    const manager = await made(options)
    const both = await Promise.all([manager.hostUp()(), manager.hostUp()()])
    expect(both.map(({ _tag }) => _tag)).toEqual(['Left', 'Left'])
    await settled()
    await timers.advance(3_600_000)
    expect(manager.state.phase).toBe('down')
  })
})

test('a manager that has been up tries again by itself when a later host-up fails', async () => {
  const { options, timers, makeRoot } = world()
  const model = options.host
  let isBroken = false
  const host: HostPort = {
    run: (effect) => (effect._tag === 'Discover' && isBroken ? Promise.resolve(NO_ROOT) : model.run(effect)),
  }
  makeRoot()
  const manager = await made({ ...options, host })
  expect(await manager.hostUp()()).toMatchObject({ _tag: 'Right' })
  isBroken = true
  expect(await manager.hostUp()()).toMatchObject({ _tag: 'Left' })
  isBroken = false
  await timers.advance(SETTINGS.delaysMs.discoveryRetry)
  expect(manager.state.phase).toBe('up')
})
