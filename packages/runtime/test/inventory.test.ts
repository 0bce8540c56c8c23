// An authority on what is in use: what a discovery makes of it, and what its loss and return lead to.
import { effectId } from '@mountkeeper/core'
import type { AttachRequest, Discover } from '@mountkeeper/core'
import { left, right } from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { createMemoryJournal, createMountManager, inventoryAt, withInventory } from '../src/index.js'
import type { FilesInUse, InventoryFailed, InventoryNews, InventoryPort, MountManager, UsedFile } from '../src/index.js'
import { createModelHost } from './model-host.js'
import { SETTINGS } from './settings.js'
import { settled, virtualTimers } from './world.js'

const ROOT = '/srv/mounts'

const file = (path: string, consumer = 'vm-1', volume = `file:${path.replace(/.*\//, '')}`): UsedFile => ({
  path,
  volume,
  consumer,
})

/** An authority that answers what the test has set, and whose news the test sends. */
const scriptedInventory = (first: Either<string, readonly UsedFile[]> = right([])) => {
  const listeners = new Set<(news: InventoryNews) => void>()
  const script = { answer: first, asked: 0, startedAt: 0 }
  const port: InventoryPort = {
    ask: () => () => {
      script.asked += 1
      const { answer, startedAt } = script
      return Promise.resolve<Either<InventoryFailed, FilesInUse>>(
        answer._tag === 'Left'
          ? left({ _tag: 'InventoryFailed', why: answer.left })
          : right({ startedAt, files: answer.right }),
      )
    },
    watch: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return {
    port,
    script,
    watchers: () => listeners.size,
    tell: async (...news: readonly InventoryNews[]) => {
      for (const each of news) for (const listener of [...listeners]) listener(each)
      await settled()
    },
  }
}

const LOST: InventoryNews = { _tag: 'Lost', why: 'it ended' }
const BACK: InventoryNews = { _tag: 'Back' }

describe('files and mountpoints', () => {
  const at = (path: string, ...mountpoints: readonly string[]) =>
    inventoryAt(mountpoints, { startedAt: 7, files: [file(path, 'vm-1', 'v')] }).entries.map(
      ({ mountpoint }) => mountpoint,
    )

  test.each([
    ['the mountpoint above', '/srv/mounts/a/disk', ['/srv/mounts/a'], ['/srv/mounts/a']],
    ['folders between', '/srv/mounts/a/x/y/disk', ['/srv/mounts/a'], ['/srv/mounts/a']],
    ['whole components only', '/srv/mounts/ab/disk', ['/srv/mounts/a'], []],
    ['the nearest of two', '/srv/mounts/a/b/disk', ['/srv/mounts/a', '/srv/mounts/a/b'], ['/srv/mounts/a/b']],
    ['the mountpoint itself is no file on it', '/srv/mounts/a', ['/srv/mounts/a'], []],
    ['elsewhere', '/var/lib/disk', ['/srv/mounts/a'], []],
    ['no path', 'srv/mounts/a/disk', ['/srv/mounts/a'], []],
    ['written otherwise', '/srv//mounts/./x/../a/disk', ['/srv/mounts/a'], ['/srv/mounts/a']],
    ['out of it', '/srv/mounts/a/../b/disk', ['/srv/mounts/a'], []],
    ['above everything', '/../../disk', ['/srv/mounts/a'], []],
    ['blanks and other scripts', '/srv/mounts/a b é/d "1"', ['/srv/mounts/a b é'], ['/srv/mounts/a b é']],
  ])('%s', (_name, path, mountpoints, expected) => {
    expect(at(path, ...mountpoints)).toEqual(expected)
  })

  test('the same use counts once, another volume or consumer for itself', () => {
    const files = [
      file('/m/a/1', 'x', 'v'),
      file('/m/a/2', 'x', 'v'),
      file('/m/a/1', 'x', 'w'),
      file('/m/a/1', 'y', 'v'),
    ]
    expect(inventoryAt(['/m/a'], { startedAt: 7, files })).toEqual({
      startedAt: 7,
      entries: [
        { mountpoint: '/m/a', volume: 'v', consumer: 'x' },
        { mountpoint: '/m/a', volume: 'w', consumer: 'x' },
        { mountpoint: '/m/a', volume: 'v', consumer: 'y' },
      ],
    })
  })
})

describe('a discovery', () => {
  const discover: Discover = { _tag: 'Discover', effect: effectId(1), roots: [ROOT], known: [], deadlineMs: 1_000 }
  const found = async (port: InventoryPort, timers = virtualTimers()) =>
    (await withInventory(createModelHost([ROOT]), port, timers).run(discover)).found

  test('has what the authority says', async () => {
    const { port } = scriptedInventory(right([file(`${ROOT}/a/d`)]))
    expect(await found(port)).toMatchObject({ _tag: 'Discovered', inventory: { startedAt: 0, entries: [] } })
  })

  test('is none when the authority fails, throws or rejects', async () => {
    const reasonOf = (ask: InventoryPort['ask']) => found({ ...scriptedInventory().port, ask })
    const expected = (why: string) => ({ _tag: 'NotDiscovered', reason: `the inventory failed: ${why}` })
    const broken = new Error('it broke')
    expect(await found(scriptedInventory(left('garbage')).port)).toEqual(expected('garbage'))
    expect(await reasonOf(() => () => Promise.reject(broken))).toEqual(expected('it broke'))
    expect(
      await reasonOf(() => {
        throw broken
      }),
    ).toEqual(expected('it broke'))
  })

  const answered = async (value: unknown, run?: (effect: Discover) => Promise<unknown>) => {
    const complaints: string[] = []
    const ask = (): (() => Promise<never>) => () => Promise.resolve(value as never)
    const port = run === undefined ? createModelHost([ROOT]) : { run: run as never }
    const inventory = { ...scriptedInventory().port, ask }
    const seen = withInventory(port, inventory, virtualTimers(), (of, why) => void complaints.push(`${of}: ${why}`))
    return { report: await seen.run(discover), complaints }
  }

  const GOOD = { startedAt: 7, files: [{ path: `${ROOT}/a/d`, volume: 'v', consumer: 'c' }] }
  const WRONG = 'its answer has the wrong form, expected: Left { why }, or Right { startedAt, files }'

  test.each([
    { _tag: 'Right', right: { ...GOOD, startedAt: 'now' } },
    { _tag: 'Right', right: { ...GOOD, startedAt: Number.NaN } },
    { _tag: 'Right', right: { ...GOOD, files: 'none' } },
    { _tag: 'Right', right: { ...GOOD, files: [...GOOD.files, null] } },
    { _tag: 'Right', right: { ...GOOD, files: [...GOOD.files, 7] } },
    ...(['path', 'volume', 'consumer'] as const).flatMap((field) => [
      { _tag: 'Right', right: { ...GOOD, files: [{ ...GOOD.files[0], [field]: 7 }] } },
      { _tag: 'Right', right: { ...GOOD, files: [{ [field]: 'x' }] } },
    ]),
    { _tag: 'Left', left: { why: 7 } },
    { _tag: 'Neither', right: GOOD },
    {},
  ])('is none, and that is reported, where the answer has no form that is known: %j', async (value) => {
    const { report, complaints } = await answered(value)
    expect(report.found).toEqual({ _tag: 'NotDiscovered', reason: `the inventory failed: ${WRONG}` })
    expect(complaints).toEqual([`inventory: the inventory cannot be used: ${WRONG}`])
  })

  test.each([undefined, null])('is none, and that is reported, where the answer is %s', async (value) => {
    const { report, complaints } = await answered(value)
    expect(report.found).toMatchObject({ _tag: 'NotDiscovered' })
    expect(complaints).toEqual([
      expect.stringMatching(/^inventory: the inventory did not answer but threw: ./) as string,
    ])
  })

  test('has of a file what is known of files, and nothing beside', async () => {
    const used = { ...GOOD, files: [{ ...GOOD.files[0], secret: 'x' }] }
    const layer = { mountpoint: `${ROOT}/a`, found: { _tag: 'Directory' } }
    const found = { ...(await createModelHost([ROOT]).run(discover)).found, mountpoints: [layer] }
    const { report, complaints } = await answered({ _tag: 'Right', right: used }, () => Promise.resolve({ found }))
    const entries = [{ mountpoint: `${ROOT}/a`, volume: 'v', consumer: 'c' }]
    expect(report.found).toStrictEqual({ ...found, inventory: { startedAt: 7, entries } })
    expect(complaints).toEqual([])
  })

  test.each([{}, { found: { _tag: 'NotDiscovered', reason: 'no table' } }, { found: { _tag: 'Discovered' } }])(
    'is what the host port has reported where that is none, whatever the authority says: %j',
    async (said) => {
      const { report } = await answered({ _tag: 'Right', right: GOOD }, () => Promise.resolve(said))
      expect(report).toBe(said)
    },
  )

  test('does not wait longer than its deadline, whatever the authority does', async () => {
    const timers = virtualTimers()
    const answer = found({ ...scriptedInventory().port, ask: () => () => new Promise(() => undefined) }, timers)
    await timers.advance(1_000)
    expect(await answer).toEqual({
      _tag: 'NotDiscovered',
      reason: 'the inventory failed: no answer within 1000 ms',
    })
  })

  test('asks before the host is read', async () => {
    const order: string[] = []
    const { port } = scriptedInventory()
    const host = createModelHost([ROOT])
    const ask: InventoryPort['ask'] = (limitMs) => () => {
      order.push(`ask ${limitMs}`)
      return port.ask(limitMs)()
    }
    const seen = withInventory(
      {
        run: (effect) => {
          order.push(effect._tag)
          return host.run(effect)
        },
      },
      { ...port, ask },
      virtualTimers(),
    )
    await seen.run(discover)
    await seen.run({ ...discover, _tag: 'Look', mountpoint: `${ROOT}/a`, filesystem: undefined, root: undefined })
    expect(order).toEqual(['ask 1000', 'Discover', 'Look'])
  })
})

describe('a manager with an inventory', () => {
  const disk = (consumer: string, volume = 'volume-1'): Omit<AttachRequest, 'op'> => ({
    mountpoint: `${ROOT}/a`,
    filesystem: { type: 'tmpfs', source: 'tmpfs', options: [] },
    volume,
    consumer,
  })

  const start = async (inventory: ReturnType<typeof scriptedInventory>, heard: string[] = []) => {
    const host = createModelHost([ROOT])
    const created = await createMountManager({
      settings: SETTINGS,
      host,
      journal: createMemoryJournal(),
      inventory: inventory.port,
      keepTrying: true,
      observer: { onInventory: ({ _tag }) => heard.push(_tag) },
    })()
    if (created._tag === 'Left') throw new Error(created.left.why)
    return { manager: created.right, host }
  }

  const phase = (manager: MountManager): string => `${manager.state.phase} ${manager.state.generation}`

  test('adopts what is in use and has no record, and unmounts it for the last', async () => {
    const inventory = scriptedInventory(right([file(`${ROOT}/a/disk`)]))
    const { manager, host } = await start(inventory)
    const layer = { mountId: 9, device: '0:9', fstype: 'tmpfs', source: 'tmpfs', root: '/', flags: ['rw'] }
    host.paths.set(`${ROOT}/a`, [layer])
    await manager.hostUp()()
    expect(await manager.status()()).toMatchObject({
      right: { mountpoints: [{ holders: [{ volume: 'file:disk', consumer: 'vm-1', knowledge: 'inventory' }] }] },
    })
    expect(await manager.detach(disk('vm-1'))()).toMatchObject({
      right: { holder: 'removed', mount: 'unmounted', warnings: [{ _tag: 'MatchedByConsumer' }] },
    })
    expect(host.paths.get(`${ROOT}/a`)).toEqual([])
  })

  test('does not come up while the authority fails, and does when it is back', async () => {
    const inventory = scriptedInventory(left('no socket'))
    const { manager } = await start(inventory)
    expect(await manager.hostUp()()).toMatchObject({
      left: { _tag: 'DiscoveryFailed', reason: 'the inventory failed: no socket' },
    })
    expect(phase(manager)).toBe('retrying 0')
    inventory.script.answer = right([])
    await inventory.tell(BACK)
    expect(phase(manager)).toBe('up 1')
  })

  test('goes down when the authority is lost, and up by a new discovery when it is back', async () => {
    const inventory = scriptedInventory()
    const heard: string[] = []
    const { manager } = await start(inventory, heard)
    expect(inventory.watchers()).toBe(0)
    await manager.hostUp()()
    await inventory.tell(BACK)
    expect(phase(manager)).toBe('up 1')
    await manager.attach(disk('vm-1'))()
    await inventory.tell(LOST)
    expect(await manager.attach(disk('vm-2'))()).toMatchObject({
      left: { _tag: 'HostDown', reason: 'the inventory was lost: it ended' },
    })
    const asked = inventory.script.asked
    await inventory.tell(BACK)
    expect([phase(manager), inventory.script.asked]).toEqual(['up 2', asked + 1])
    expect(await manager.attach(disk('vm-1'))()).toMatchObject({ right: { holder: 'already-held', generation: 2 } })
    expect(heard).toEqual(['Back', 'Lost', 'Back'])
  })

  test('says why it is down in as many words as a request may have, whatever the authority says', async () => {
    const inventory = scriptedInventory()
    const { manager } = await start(inventory)
    await manager.hostUp()()
    await inventory.tell(BACK, { _tag: 'Lost', why: `a\nb ${'😀'.repeat(1_000)}` })
    expect(phase(manager)).toBe('down 1')
    const refused = await manager.attach(disk('vm-1'))()
    expect(refused).toMatchObject({
      left: { reason: expect.stringMatching(/^the inventory was lost: a b 😀/u) as string },
    })
  })

  test('comes up again also when it is lost and back in one breath', async () => {
    const inventory = scriptedInventory()
    const { manager } = await start(inventory)
    await manager.hostUp()()
    await inventory.tell(BACK, LOST, BACK)
    expect(phase(manager)).toBe('up 2')
  })

  test('L36 stays down when its callers have taken it down, before or after the loss', async () => {
    const inventory = scriptedInventory()
    const { manager } = await start(inventory)
    await manager.hostUp()()
    await inventory.tell(BACK)
    await manager.hostDown()()
    await inventory.tell(LOST, BACK)
    expect(phase(manager)).toBe('down 1')
    await manager.hostUp()()
    await inventory.tell(LOST)
    await manager.hostDown()()
    await inventory.tell(BACK)
    expect(phase(manager)).toBe('down 2')
  })

  test('does nothing by itself about consumers that come and go; a reconcile shows what became stale', async () => {
    const inventory = scriptedInventory(right([file(`${ROOT}/a/disk`)]))
    const { manager } = await start(inventory)
    await manager.hostUp()()
    await manager.attach(disk('vm-1'))()
    inventory.script.answer = right([])
    inventory.script.startedAt = Date.now() + 1_000
    const asked = inventory.script.asked
    await inventory.tell(BACK, { _tag: 'Changed' })
    expect([phase(manager), inventory.script.asked]).toEqual(['up 1', asked])
    expect(await manager.reconcile({ apply: false })()).toMatchObject({
      right: { differences: [{ _tag: 'stale-holder', holders: [{ consumer: 'vm-1' }] }] },
    })
  })

  test('lets go of the authority when it stops', async () => {
    const inventory = scriptedInventory()
    const { manager } = await start(inventory)
    await manager.hostUp()()
    expect(inventory.watchers()).toBe(1)
    await manager.stop()
    expect(inventory.watchers()).toBe(0)
    expect(await manager.hostUp()()).toMatchObject({ left: { _tag: 'Stopped' } })
    expect(inventory.watchers()).toBe(0)
  })
})
