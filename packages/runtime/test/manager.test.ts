import { effectId } from '@mountkeeper/core'
import type { AttachRequest, Discover, Input, MountpointEffect } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { createMemoryJournal, createMountManager } from '../src/index.js'
import type { HostPort, Journal, MountManager, MountManagerOptions, Report } from '../src/index.js'
import { createModelHost } from './model-host.js'
import type { ModelHost } from './model-host.js'
import { SETTINGS } from './settings.js'
import { settled, virtualTimers } from './world.js'

const ROOT = '/srv/mounts'

const disk = (name: string, consumer: string, size = '1m'): Omit<AttachRequest, 'op'> => ({
  mountpoint: `${ROOT}/${name}`,
  filesystem: { type: 'tmpfs', source: 'tmpfs', options: [`size=${size}`] },
  volume: 'volume-1',
  consumer,
})

const start = async (options: Partial<MountManagerOptions> = {}): Promise<MountManager> => {
  const created = await createMountManager({
    settings: SETTINGS,
    host: createModelHost([ROOT]),
    journal: createMemoryJournal(),
    ...options,
  })()
  if (created._tag === 'Left') throw new Error(created.left.why)
  return created.right
}

const started = async (options: Partial<MountManagerOptions> = {}): Promise<MountManager> => {
  const manager = await start(options)
  expect(await manager.hostUp()()).toMatchObject({ _tag: 'Right', right: { _tag: 'Up' } })
  return manager
}

/** A host whose effects of one kind do not report before they are let. */
const holding = (host: ModelHost, kind: (MountpointEffect | Discover)['_tag']) => {
  const waiting: (() => void)[] = []
  const port: HostPort = {
    run: (effect) =>
      effect._tag === kind
        ? new Promise<Report>((resolve) => waiting.push(() => void host.run(effect).then(resolve)))
        : host.run(effect),
  }
  return { port, waiting }
}

describe('a manager', () => {
  test('mounts for the first, shares with the next, unmounts for the last', async () => {
    const host = createModelHost([ROOT])
    const manager = await started({ host })
    expect(await manager.attach(disk('a', 'vm-1'))()).toMatchObject({ right: { mount: 'mounted', holder: 'added' } })
    expect(await manager.attach(disk('a', 'vm-2'))()).toMatchObject({ right: { mount: 'shared', holder: 'added' } })
    expect(await manager.attach(disk('a', 'vm-3', '2m'))()).toMatchObject({ left: { _tag: 'Conflict' } })
    expect(await manager.detach(disk('a', 'vm-1'))()).toMatchObject({ right: { mount: 'held', holdersLeft: 1 } })
    expect(host.paths.size).toBe(1)
    expect(await manager.release({ consumer: 'vm-2' })()).toMatchObject({
      right: { attachments: [{ answer: { mount: 'unmounted', directory: 'removed' } }] },
    })
    expect(host.paths.size).toBe(0)
  })

  test('asks in the name of a stream that only its embedder names', async () => {
    const inputs: Input[] = []
    const manager = await started({ observer: { onDecision: (input) => void inputs.push(input) } })
    const neighbour = manager.stream('neighbour')
    expect(await neighbour.attach(disk('a', 'vm-1'))()).toMatchObject({ right: { mount: 'mounted' } })
    const detach = { op: 'detach', mountpoint: `${ROOT}/a`, volume: 'volume-1', consumer: 'vm-1' }
    expect(await neighbour.submit(detach)).toMatchObject({ ok: true })
    await manager.status()()
    const streams = inputs.flatMap((input) => (input._tag === 'Requested' ? [`${input.body.op} ${input.stream}`] : []))
    expect(streams).toEqual(['host-up undefined', 'attach neighbour', 'detach neighbour', 'status undefined'])
    const answer = await manager.submit({ op: 'release', consumer: 'vm-1', stream: 'neighbour' })
    expect(answer).toMatchObject({ ok: false, error: { _tag: 'Invalid', field: 'stream' } })
    for (const name of ['', 'a\n', 'x'.repeat(256), 7 as never]) expect(() => manager.stream(name)).toThrow(TypeError)
  })

  test('asks when a task is run, each time again', async () => {
    const manager = await started()
    const attach = manager.attach(disk('a', 'vm-1'))
    await settled()
    expect(await manager.status()()).toMatchObject({ right: { mountpoints: [] } })
    expect(await attach()).toMatchObject({ right: { holder: 'added' } })
    expect(await attach()).toMatchObject({ right: { holder: 'already-held' } })
  })

  test('is down until it is brought up, and after it was taken down', async () => {
    const manager = await start()
    expect(await manager.attach(disk('a', 'vm-1'))()).toMatchObject({ left: { _tag: 'HostDown' } })
    await manager.hostUp()()
    expect(await manager.hostDown()()).toMatchObject({ right: { _tag: 'Down', generation: 1 } })
    expect(await manager.attach(disk('a', 'vm-1'))()).toMatchObject({ left: { _tag: 'HostDown' } })
  })

  test('knows from its journal who held what', async () => {
    const host = createModelHost([ROOT])
    const journal = createMemoryJournal()
    const first = await started({ host, journal })
    await first.attach(disk('a', 'vm-1'))()
    await first.stop()
    expect(host.paths.size).toBe(1)
    const second = await started({ host, journal })
    expect(second.state.generation).toBe(2)
    expect(await second.attach(disk('a', 'vm-1'))()).toMatchObject({
      right: { holder: 'already-held', mount: 'shared' },
    })
    expect(await second.detach(disk('a', 'vm-1'))()).toMatchObject({ right: { mount: 'unmounted', holdersLeft: 0 } })
  })

  test('does not start on a journal that cannot be read', async () => {
    const journal: Journal = {
      ...createMemoryJournal(),
      read: () => Promise.resolve({ _tag: 'Left', left: { _tag: 'JournalFailed', why: 'line 3 is bad' } }),
    }
    const created = await createMountManager({ settings: SETTINGS, host: createModelHost([ROOT]), journal })()
    expect(created).toEqual({ _tag: 'Left', left: { _tag: 'JournalFailed', why: 'line 3 is bad' } })
  })

  test('serves every other operation under its own name', async () => {
    const manager = await started()
    await manager.attach(disk('a', 'vm-1'))()
    const mountpoint = `${ROOT}/a`
    expect(await manager.retry({ mountpoint })()).toMatchObject({ right: { _tag: 'Retried' } })
    expect(await manager.reconcile({ apply: false })()).toMatchObject({ right: { _tag: 'Reconciled' } })
    expect(await manager.refuseNew({ mountpoint })()).toMatchObject({ right: { _tag: 'Refusing' } })
    expect(await manager.attach(disk('a', 'vm-2'))()).toMatchObject({ left: { _tag: 'Maintenance' } })
    expect(await manager.allowNew({ mountpoint })()).toMatchObject({ right: { _tag: 'Allowing' } })
    expect(await manager.cancel({ target: 'none' })()).toMatchObject({ left: { _tag: 'NotFound' } })
    expect(await manager.forget({ mountpoint, force: false })()).toMatchObject({ left: { _tag: 'InUse' } })
    expect(await manager.submit({ op: 'status', id: 's' })).toMatchObject({ op: 'status', id: 's', ok: true })
  })

  test('withdraws what waits behind another, by the id of its caller', async () => {
    const { port, waiting } = holding(createModelHost([ROOT]), 'Mount')
    const manager = await started({ host: port })
    const first = manager.attach(disk('a', 'vm-1'))()
    const second = manager.attach({ ...disk('a', 'vm-2', '2m'), id: 'second' })()
    await settled()
    expect(await manager.cancel({ target: 'second' })()).toMatchObject({ right: { _tag: 'CancelSent' } })
    expect(await second).toMatchObject({ left: { _tag: 'Cancelled' } })
    waiting.forEach((let1) => let1())
    expect(await first).toMatchObject({ right: { mount: 'mounted' } })
  })

  test('answers at the deadline, whatever the host does', async () => {
    const timers = virtualTimers()
    const { port } = holding(createModelHost([ROOT]), 'Mount')
    const manager = await started({ host: port, timers })
    const attach = manager.attach({ ...disk('a', 'vm-1'), deadlineMs: 1_000 })()
    await settled()
    await timers.advance(1_000)
    expect(await attach).toMatchObject({ left: { _tag: 'Uncertain' } })
  })

  test('leaves every mount when it stops, and says what it leaves', async () => {
    const host = createModelHost([ROOT])
    const { port, waiting } = holding(host, 'Mount')
    const manager = await started({ host: port })
    const [a, b, c] = [disk('a', 'vm-1'), disk('b', 'vm-1'), disk('a', 'vm-2', '2m')].map((each) =>
      manager.attach(each)(),
    )
    await settled()
    const stop = manager.stop()
    expect(await c).toMatchObject({ left: { _tag: 'Cancelled' } })
    waiting.forEach((let1) => let1())
    expect([await a, await b]).toMatchObject([{ right: { mount: 'mounted' } }, { right: { mount: 'mounted' } }])
    expect(await stop).toEqual({
      ending: { _tag: 'Drained' },
      leftBehind: [
        { mountpoint: `${ROOT}/a`, phase: 'mounted', holders: 1 },
        { mountpoint: `${ROOT}/b`, phase: 'mounted', holders: 1 },
      ],
    })
    expect(host.paths.size).toBe(2)
    expect(await manager.status()()).toMatchObject({ left: { _tag: 'Stopped' } })
    expect(await manager.ended).toEqual({ _tag: 'Drained' })
  })

  test('reports a layer that was lost and of the mount that replaced it', async () => {
    const host = createModelHost([ROOT])
    const manager = await started({ host })
    const heard: string[] = []
    void manager.events.subscribe((event) => {
      if ('was' in event) heard.push(`${event._tag} ${event.mountpoint} ${event.was} ${event.is} ${event.instance}`)
    })
    await manager.attach(disk('a', 'vm-1'))()
    expect(heard).toEqual([])
    host.paths.set(`${ROOT}/a`, [])
    manager.observed(`${ROOT}/a`)
    await settled()
    expect(heard).toEqual([`Lost ${ROOT}/a mounted lost 1`])
    expect(await manager.attach(disk('a', 'vm-2'))()).toMatchObject({ right: { mount: 'remounted', instance: 2 } })
    host.paths.set(`${ROOT}/a`, [])
    expect(await manager.attach(disk('a', 'vm-3'))()).toMatchObject({ right: { mount: 'remounted', instance: 3 } })
    expect(heard.slice(1)).toEqual([`Remounted ${ROOT}/a lost mounted 2`, `Remounted ${ROOT}/a mounted mounted 3`])
  })

  test('sees nothing at what is no mountpoint', async () => {
    const inputs: string[] = []
    const manager = await started({ observer: { onDecision: ({ _tag }) => void inputs.push(_tag) } })
    await settled()
    const before = inputs.length
    for (const wrong of [7, undefined, null, {}]) manager.observed(wrong as never)
    await settled()
    expect(inputs.slice(before)).toEqual([])
  })

  test('gives effects ids that no other has', async () => {
    const ids: number[] = []
    const manager = await started({ observer: { onEffectStarted: ({ effect }) => ids.push(effect) } })
    await Promise.all(['a', 'b', 'c'].map((name) => manager.attach(disk(name, 'vm-1'))()))
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toContain(effectId(1))
  })
})
