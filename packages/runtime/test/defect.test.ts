// What others do wrong: ports, observers, listeners, inventories. Each is named, spoils what is its own, and ends nothing else.

import { defaultSettings } from '@mountkeeper/border'
import type { Input, MountpointEffect } from '@mountkeeper/core'
import { emptyHost } from '@mountkeeper/core'
import { describe, expect, test, vi } from 'vitest'
import type { Defect, HostPort, InventoryPort, MountManager, MountManagerOptions } from '../src/index.js'
import { ERRORS_MAX, REPORT_GRACE_MS, createLoop, createMemoryJournal, createMountManager } from '../src/index.js'
import { createModelHost } from './model-host.js'
import type { Part } from './world.js'
import { ask, good, look, nameOf, settled, virtualTimers, world } from './world.js'

const ROOT = '/srv/mounts'

const looking = (input: Input): Part =>
  input._tag === 'Requested' && nameOf(input) === 'look'
    ? { effects: [look(1), look(2, `${ROOT}/b`)] }
    : input._tag === 'Requested'
      ? { answers: [good(input.request)] }
      : {}

const NEVER = new Promise<never>(() => undefined)

/** What a port does at the first of two looks. */
const WRONG: readonly (readonly [what: string, run: () => unknown, said: string])[] = [
  ['rejects', () => Promise.reject(new Error('lost')), 'threw instead of a report at'],
  [
    'throws',
    () => {
      throw new Error('lost')
    },
    'threw instead of a report at',
  ],
  ['reports nothing', () => Promise.resolve(undefined), 'gave no report of the kind of'],
  ['reports an empty object', () => Promise.resolve({}), 'gave no report of the kind of'],
  ['reports an unknown tag', () => Promise.resolve({ found: { _tag: 'Nonsense' } }), 'gave no report of the kind of'],
  [
    'reports what only a probe finds',
    () => Promise.resolve({ found: { _tag: 'Alive' } }),
    'gave no report of the kind',
  ],
  [
    'reports layers that are none',
    () => Promise.resolve({ found: { _tag: 'Mounted', layers: [{}] } }),
    'gave no report',
  ],
  [
    'reports with a getter that throws',
    () =>
      Promise.resolve({
        get found(): never {
          throw new Error('no')
        },
      }),
    'gave no report of the kind of',
  ],
  ['gives no promise', () => ({ found: 7 }), 'gave no report of the kind of'],
]

describe('a port that', () => {
  test.each(WRONG)('%s spoils that effect only', async (_, run, said) => {
    const tried = world(looking)
    const usual = tried.port.run
    Object.assign(tried.port, {
      run: (effect: MountpointEffect, started: (pid: number) => void) =>
        effect.effect === 1 ? run() : usual(effect, started),
    })
    void tried.loop.submit(ask('look'))
    await settled()
    expect(tried.defects).toMatchObject([{ of: 'effect' }])
    expect(tried.defects[0]!.why).toContain(said)
    expect(tried.defects[0]!.why).toContain(`Look ${ROOT}/a (effect 1)`)
    expect(tried.core.inputs.slice(1)).toMatchObject([
      { _tag: 'Outcome', effect: 1, mountpoint: `${ROOT}/a`, found: { _tag: 'Unknown', why: 'Unreadable' } },
    ])
    tried.port.running.get(2)!.report({ found: { _tag: 'Directory' } })
    await settled()
    expect(tried.core.inputs.at(-1)).toMatchObject({ effect: 2, found: { _tag: 'Directory' } })
    expect(await tried.loop.submit(ask('1'))).toMatchObject({ ok: true })
  })

  test('never settles gets the outcome from the runner, and its end is taken when it comes', async () => {
    const tried = world(looking)
    void tried.loop.submit(ask('look'))
    await settled()
    tried.port.running.get(2)!.report({ found: { _tag: 'Directory' } })
    tried.port.running.get(1)!.started(77)
    await tried.timers.advance(10_000 + REPORT_GRACE_MS - 1)
    expect(tried.defects).toEqual([])
    await tried.timers.advance(1)
    expect(tried.defects).toMatchObject([
      { of: 'effect', why: expect.stringContaining('did not report within') as string },
    ])
    expect(tried.core.inputs.at(-1)).toMatchObject({ effect: 1, found: { _tag: 'Unknown', why: 'TimedOut' } })
    tried.port.running.get(1)!.report({ found: { _tag: 'Directory' } })
    await settled()
    expect(tried.core.inputs.at(-1)).toMatchObject({ _tag: 'Ended', effect: 1, mountpoint: `${ROOT}/a` })
  })

  const UNSEEN: readonly (readonly [what: string, report: () => object, said: string])[] = [
    [
      'loses sight of what is overdue',
      () => ({ ended: Promise.reject(new Error('gone')) }),
      'lost sight of the overdue',
    ],
    ['promises no end', () => ({}), 'promised no end of the timed-out'],
    ['promises an end that is none', () => ({ ended: 'soon' }), 'promised no end of the timed-out'],
  ]

  test.each(UNSEEN)('%s: a look is over, and a mount owns its mountpoint', async (_, report, said) => {
    const mount = {
      ...look(2, `${ROOT}/b`),
      _tag: 'Mount',
      filesystem: { type: 't', source: 's', options: [] },
      options: [],
    }
    const tried = world((input) => (input._tag === 'Requested' ? { effects: [look(1), mount as never] } : {}))
    void tried.loop.submit(ask('look'))
    await settled()
    for (const id of [1, 2]) {
      tried.port.running.get(id)!.report({ found: { _tag: 'Unknown', why: 'TimedOut' }, ...report() } as never)
    }
    await settled()
    expect(tried.defects.map(({ why }) => why.includes(said))).toEqual([true, true])
    const after = tried.core.inputs.slice(1).map((input) => `${input._tag} ${'effect' in input ? input.effect : ''}`)
    expect(after.sort()).toEqual(['Ended 1', 'Outcome 1', 'Outcome 2'])
  })

  test('finds something and promises an end is taken to have timed out', async () => {
    const tried = world(looking)
    void tried.loop.submit(ask('look'))
    await settled()
    tried.port.running.get(1)!.report({ found: { _tag: 'Directory' }, ended: Promise.resolve() })
    await settled()
    expect(tried.defects).toMatchObject([{ of: 'effect' }])
    expect(tried.core.inputs.slice(1)).toMatchObject([
      { _tag: 'Outcome', effect: 1, found: { why: 'TimedOut' } },
      { _tag: 'Ended', effect: 1 },
    ])
  })
})

const throwing = (): never => {
  throw new Error('the log is full')
}

const rejecting = (): Promise<never> => Promise.reject(new Error('the log is full'))

describe('an observer or a listener that', () => {
  const report = { found: { _tag: 'Directory' } } as const

  test.each(['onBegin', 'onDecision', 'onEffectStarted', 'onReport', 'onAnswer'] as const)(
    'throws in %s is reported, and the rest is as without it',
    async (name) => {
      const tried = world(looking, { observer: { [name]: throwing } })
      void tried.loop.submit(ask('look'))
      await settled()
      tried.port.running.get(1)!.report(report)
      expect(await tried.loop.submit(ask('1'))).toMatchObject({ ok: true })
      await settled()
      expect(tried.core.inputs.map(({ _tag }) => _tag).sort()).toEqual(['Outcome', 'Requested', 'Requested'])
      expect(tried.defects.length).toBeGreaterThan(0)
      expect(tried.defects[0]).toMatchObject({
        of: 'observer',
        why: expect.stringContaining('the log is full') as string,
      })
    },
  )

  test.each([throwing, rejecting])('makes errors for ever is no longer called after a few', async (hook) => {
    let calls = 0
    const onAnswer = (): unknown => {
      calls += 1
      return hook()
    }
    const tried = world(looking, { observer: { onAnswer } })
    for (let count = 0; count < 10; count += 1) {
      expect((await tried.loop.submit(ask(`${count}`))).ok).toBe(true)
      await settled()
    }
    expect(calls).toBe(ERRORS_MAX)
    expect(tried.defects).toHaveLength(ERRORS_MAX)
    expect(tried.defects.at(-1)!.why).toContain('is no longer called')
    expect((await tried.loop.stop()).ending).toEqual({ _tag: 'Drained' })
  })

  test('listens and throws is unsubscribed after a few errors; others go on to hear', async () => {
    const tried = world((input) => {
      if (input._tag !== 'Requested') return {}
      const lost = { _tag: 'foreign', mountpoint: `${ROOT}/a`, text: 'not ours' } as const
      const result = { _tag: 'Up', generation: 1, drift: [lost], warnings: [] } as const
      return { answers: [{ request: input.request, op: 'host-up', ok: true, result }] }
    })
    let deaf = 0
    let heard = 0
    void tried.loop.subscribe(() => {
      deaf += 1
      throw new Error('deaf')
    })
    void tried.loop.subscribe(() => void (heard += 1))
    for (let count = 0; count < 5; count += 1) expect((await tried.loop.submit(ask('up'))).ok).toBe(true)
    expect([deaf, heard]).toEqual([ERRORS_MAX, 5])
    expect(tried.defects.map(({ of }) => of)).toEqual(['listener', 'listener', 'listener'])
  })

  test('is no function is refused to its caller', async () => {
    const { loop } = world(looking)
    expect(() => loop.subscribe('say' as never)).toThrow('expected a function')
    expect((await loop.submit(ask('1'))).ok).toBe(true)
  })

  test('hears of defects and throws has no effect', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const { port, journal, timers, core } = world(looking)
    const host = emptyHost(defaultSettings(ROOT))
    const loop = createLoop({ host, port, journal, timers, core, observer: { onAnswer: throwing }, onDefect: throwing })
    expect((await loop.submit(ask('1'))).ok).toBe(true)
    expect(warned.mock.calls.map(([why]) => why)).toEqual([
      expect.stringContaining('onDefect threw at: an observer threw'),
    ])
    warned.mockRestore()
  })

  test('throws while no listener hears of defects is a warning of the process', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const { host, port, journal, timers, core } = world(looking)
    const loop = createLoop({ host, port, journal, timers, core, observer: { onAnswer: throwing } })
    expect((await loop.submit(ask('1'))).ok).toBe(true)
    expect(warned).toHaveBeenCalledExactlyOnceWith('an observer threw: the log is full', { type: 'MountkeeperDefect' })
    warned.mockRestore()
  })
})

const disk = (name: string) => ({
  mountpoint: `${ROOT}/${name}`,
  filesystem: { type: 'tmpfs', source: 't', options: [] },
  volume: 'v',
  consumer: 'c',
})

describe('a whole manager', () => {
  const made = async (
    own: Partial<MountManagerOptions>,
  ): Promise<[MountManager, Defect[], ReturnType<typeof virtualTimers>]> => {
    const defects: Defect[] = []
    const timers = virtualTimers()
    const created = await createMountManager({
      settings: defaultSettings(ROOT),
      host: createModelHost([ROOT]),
      journal: createMemoryJournal(),
      timers,
      onDefect: (defect) => void defects.push(defect),
      ...own,
    })()
    if (created._tag === 'Left') throw new Error(created.left.why)
    return [created.right, defects, timers]
  }

  /** A host whose port does that at the mount of one mountpoint. */
  const badMount = (run: () => unknown): HostPort => {
    const model = createModelHost([ROOT])
    return {
      run: (effect) =>
        effect._tag === 'Mount' && effect.mountpoint.endsWith('/bad') ? (run() as never) : model.run(effect),
    }
  }

  test.each(WRONG.filter(([what]) => what !== 'reports what only a probe finds'))(
    'goes on beside a port that %s: that mountpoint is uncertain with the reason',
    async (_, run) => {
      const [manager, defects, timers] = await made({ host: badMount(run) })
      expect(await manager.hostUp()()).toMatchObject({ _tag: 'Right' })
      const bad = manager.attach({ ...disk('bad'), deadlineMs: 100 })()
      expect(await manager.attach(disk('good'))()).toMatchObject({ right: { mount: 'mounted' } })
      await settled()
      const seen = await manager.status({ mountpoint: `${ROOT}/bad` })()
      expect(seen).toMatchObject({
        right: {
          mountpoints: [
            {
              phase: 'uncertain',
              reason: { _tag: 'Unknown', detail: expect.stringContaining('the host port') as string },
            },
          ],
        },
      })
      await timers.advance(100)
      expect(await bad).toMatchObject({ left: { _tag: 'Uncertain' } })
      expect(defects.length).toBeGreaterThan(0)
      expect(defects.every(({ of }) => of === 'effect')).toBe(true)
      expect(await manager.detach(disk('good'))()).toMatchObject({ right: { mount: 'unmounted' } })
    },
  )

  test('goes on beside a mount that never settles, and drains', async () => {
    const [manager, defects, timers] = await made({ host: badMount(() => NEVER) })
    await manager.hostUp()()
    const bad = manager.attach({ ...disk('bad'), deadlineMs: 100 })()
    await settled()
    await timers.advance(100)
    expect(await bad).toMatchObject({ left: { _tag: 'Uncertain' } })
    await timers.advance(120_000 + REPORT_GRACE_MS)
    expect(defects).toMatchObject([{ of: 'effect' }])
    expect(await manager.status()()).toMatchObject({
      right: { mountpoints: [{ mountpoint: `${ROOT}/bad`, phase: 'uncertain', overdue: ['Mount'] }] },
    })
    expect(await manager.attach(disk('good'))()).toMatchObject({ right: { mount: 'mounted' } })
    const stopped = manager.stop()
    await settled()
    await timers.advance(10_000)
    expect((await stopped).ending).toEqual({ _tag: 'Drained' })
  })

  const DISCOVERED = { _tag: 'Discovered', boot: 'b', mountNamespace: 'n', mountpoints: [] }

  test.each([
    ['without roots', () => Promise.resolve({ found: DISCOVERED })],
    ['with a list of roots that are none', () => Promise.resolve({ found: { ...DISCOVERED, roots: [7] } })],
    ['that is a look', () => Promise.resolve({ found: { _tag: 'Directory' } })],
    ['that rejects', () => Promise.reject(new Error('no'))],
  ])('stays down after a discovery %s, and says why', async (_, discover) => {
    const model = createModelHost([ROOT])
    let isBad = true
    const host: HostPort = {
      run: (effect) => (effect._tag === 'Discover' && isBad ? (discover() as never) : model.run(effect)),
    }
    const [manager, defects] = await made({ host })
    expect(await manager.hostUp()()).toMatchObject({
      left: { _tag: 'DiscoveryFailed', reason: expect.stringContaining('the host port') as string },
    })
    expect(defects).toMatchObject([{ of: 'effect' }])
    isBad = false
    expect(await manager.hostUp()()).toMatchObject({ _tag: 'Right' })
  })

  const INVENTORIES: readonly (readonly [string, Partial<Record<keyof InventoryPort, unknown>>])[] = [
    ['answers nothing', { ask: () => () => Promise.resolve(undefined) }],
    ['answers an empty object', { ask: () => () => Promise.resolve({}) }],
    ['answers without files', { ask: () => () => Promise.resolve({ _tag: 'Right', right: { startedAt: 1 } }) }],
    [
      'answers files that are none',
      { ask: () => () => Promise.resolve({ _tag: 'Right', right: { startedAt: 1, files: [{ path: 7 }] } }) },
    ],
    ['gives a promise in place of a task', { ask: () => Promise.resolve() }],
    ['throws', { ask: throwing }],
    ['rejects', { ask: () => rejecting }],
  ]

  test.each(INVENTORIES)('stays down beside an inventory that %s', async (_, own) => {
    const inventory = { ask: () => NEVER, watch: () => () => undefined, ...own } as unknown as InventoryPort
    const [manager, defects] = await made({ inventory })
    expect(await manager.hostUp()()).toMatchObject({ left: { _tag: 'DiscoveryFailed' } })
    expect(defects).toMatchObject([{ of: 'inventory' }])
    expect(await manager.status()()).toMatchObject({ _tag: 'Right' })
  })

  test('comes up beside an inventory that cannot be watched, or gives no news', async () => {
    const files = { _tag: 'Right', right: { startedAt: 1, files: [] } }
    let tell: (news: unknown) => void = () => undefined
    for (const watch of [throwing, () => undefined, (heard: typeof tell) => void (tell = heard)]) {
      const inventory = { ask: () => () => Promise.resolve(files), watch } as unknown as InventoryPort
      const [manager, defects] = await made({ inventory })
      expect(await manager.hostUp()()).toMatchObject({ _tag: 'Right' })
      tell(undefined)
      tell({ _tag: 'Lost' })
      expect(defects.every(({ of }) => of === 'inventory')).toBe(true)
      expect(defects.length).toBeGreaterThan(0)
      expect((await manager.stop()).ending).toEqual({ _tag: 'Drained' })
    }
  })

  test('goes on with timers that say no time and take no delay', async () => {
    const timers = { now: () => Number.NaN, after: throwing }
    const journal = createMemoryJournal()
    const [manager, defects] = await made({ timers, journal })
    expect(await manager.hostUp()()).toMatchObject({ _tag: 'Right' })
    expect(await manager.attach(disk('good'))()).toMatchObject({ _tag: 'Right' })
    expect(defects.every(({ of }) => of === 'timers')).toBe(true)
    expect(JSON.parse(JSON.stringify(journal.facts))).toEqual(journal.facts)
  })
})
