import type { Effect, Identity, Request } from '@mountkeeper/core'
import { emptyHost } from '@mountkeeper/core'
import type { Looked, PlannedRequest } from '@mountkeeper/plan'
import { plan } from '@mountkeeper/plan'
import { expect, test } from 'vitest'
import { createMemoryJournal, createMountManager, planRequests } from '../src/index.js'
import { createModelHost } from './model-host.js'
import { SETTINGS } from './settings.js'

const disk = (name: string, consumer: string, size = '1m') => ({
  mountpoint: `/srv/mounts/${name}`,
  filesystem: { type: 'tmpfs', source: 'tmpfs', options: [`size=${size}`] },
  volume: 'volume-1',
  consumer,
})

const told = (planned: readonly PlannedRequest[]): readonly string[] =>
  planned.map(({ request, steps, answer }) => {
    const end = answer === undefined ? 'open' : answer.ok ? answer.result._tag : answer.error._tag
    return [request.op, ...steps.map(({ effect }) => effect._tag), end].join(' ')
  })

test('a plan looks, folds the requests in order, and changes nothing', async () => {
  const host = createModelHost(['/srv/mounts'])
  const created = await createMountManager({ settings: SETTINGS, host, journal: createMemoryJournal() })()
  if (created._tag === 'Left') throw new Error(created.left.why)
  const manager = created.right
  await manager.hostUp()()
  await manager.attach(disk('a', 'vm-1'))()
  const before = structuredClone(host.paths)
  const requests: readonly Request[] = [
    { op: 'attach', ...disk('a', 'vm-2') },
    { op: 'attach', ...disk('a', 'vm-3', '2m') },
    { op: 'attach', ...disk('b', 'vm-1') },
    { op: 'release', consumer: 'vm-1' },
  ]
  const planned = await manager.plan(requests)()
  expect(planned._tag === 'Right' ? told(planned.right) : planned).toEqual([
    'attach Look Attached',
    'attach Conflict',
    'attach Look MakeDirectory Mount Attached',
    'release Look Unmount RemoveDirectory Released',
  ])
  expect(host.paths).toEqual(before)
  expect(await manager.status()()).toMatchObject({ right: { mountpoints: [{ holders: [{ consumer: 'vm-1' }] }] } })
})

test('a plan that cannot look says what it knows', async () => {
  const blind = { run: () => Promise.reject(new Error('no table')) }
  const planned = await planRequests(emptyHost(SETTINGS), blind, [{ op: 'attach', ...disk('a', 'vm-1') }])()
  expect(told(planned)).toEqual(['attach Look Wait open'])
})

test('the looks of plans have ids that no effect of the core has', async () => {
  const ids: number[] = []
  const model = createModelHost(['/srv/mounts'])
  const port = {
    run: (effect: Parameters<typeof model.run>[0]) => {
      ids.push(effect.effect)
      return model.run(effect)
    },
  }
  const requests: readonly Request[] = ['a', 'b', 'c'].map((name) => ({ op: 'attach', ...disk(name, 'vm-1') }))
  await planRequests(emptyHost(SETTINGS), port, requests)()
  await planRequests(emptyHost(SETTINGS), port, requests)()
  expect(new Set(ids).size).toBe(6)
  expect(Math.max(...ids)).toBeLessThan(0)
})

test('what is no path below a root is refused without a look', async () => {
  const ran: string[] = []
  const port = {
    run: (effect: Effect) => {
      ran.push(effect._tag)
      return Promise.resolve({ found: { _tag: 'NoDirectory' } as const })
    },
  }
  const requests = ['/etc/a', '/srv/mounts', '/srv/mounts/../a', '/srv/mounts/a\0'].map((mountpoint): Request => {
    return { op: 'attach', ...disk('a', 'vm-1'), mountpoint }
  })
  const planned = await planRequests(emptyHost(SETTINGS), port, requests)()
  expect(told(planned)).toEqual(['attach NotManaged', ...requests.slice(1).map(() => 'attach Invalid')])
  expect(ran).toEqual([])
})

test('looks below the roots that the host has seen, or that the caller has', async () => {
  const root = { path: '/srv/mounts', mountId: 7, directory: '1:2' }
  const below: unknown[] = []
  const port = {
    run: (effect: Effect) => {
      if (effect._tag === 'Look') below.push(effect.root)
      return Promise.resolve({ found: { _tag: 'NoDirectory' } as const })
    },
  }
  const requests: readonly Request[] = [{ op: 'attach', ...disk('a', 'vm-1') }]
  await planRequests(emptyHost(SETTINGS), port, requests)()
  await planRequests(emptyHost(SETTINGS), port, requests, new Map([[root.path, root]]))()
  expect(below).toEqual([undefined, root])
})

const LAYER: Identity = { mountId: 7, device: '0:7', fstype: 'tmpfs', source: 'tmpfs', root: '/', flags: ['rw'] }
const DIRECTORY = { _tag: 'Directory' } as const

const FOUND: readonly Looked['found'][] = [
  { _tag: 'NoDirectory' },
  DIRECTORY,
  { _tag: 'Obstacle', kind: 'file' },
  { _tag: 'Mounted', layers: [LAYER] },
  { _tag: 'Unknown', why: 'TimedOut' },
]

/** What requests for two mountpoints are planned with, the first of which has a recorded layer, and what is looked at. */
const planned = async (report: unknown) => {
  const model = createModelHost(['/srv/mounts'])
  const created = await createMountManager({ settings: SETTINGS, host: model, journal: createMemoryJournal() })()
  if (created._tag === 'Left') throw new Error(created.left.why)
  const manager = created.right
  await manager.hostUp()()
  await manager.attach(disk('a', 'vm-1'))()
  const looks: Effect[] = []
  const port = {
    run: (effect: Effect) => {
      looks.push(effect)
      return Promise.resolve(report as Looked)
    },
  }
  const filesystem = { type: 'bind', source: '/data', options: [] }
  const requests: readonly Request[] = ['a', 'b'].map((name) => ({
    ...{ op: 'attach', ...disk(name, 'vm-2') },
    ...(name === 'b' && { filesystem }),
  }))
  const result = await planRequests(manager.state, port, requests)()
  const as = (looked: Looked) =>
    plan(
      manager.state,
      requests,
      new Map(requests.map((each) => [(each as { mountpoint: string }).mountpoint, looked])),
    )
  return { result, as, looks, layer: manager.state.mountpoints.get('/srv/mounts/a')?.record.layer }
}

test.each(FOUND)('plans with what the look has found: $_tag', async (found) => {
  const { result, as } = await planned({ found })
  expect(result).toStrictEqual(as({ found }))
})

const BESIDE: readonly Omit<Looked, 'found'>[] = [
  { source: { asked: { _tag: 'Absent', path: '/data' } } },
  { elsewhere: '/srv/mounts/c' },
  { submounts: ['/data/x'] },
  { missingHelper: '/sbin/mount.bind' },
]

test.each(BESIDE)('plans with what the look has found beside it: %j', async (beside) => {
  const { result, as } = await planned({ found: DIRECTORY, ...beside })
  expect(result).toStrictEqual(as({ found: DIRECTORY, ...beside }))
  expect(result).not.toEqual(as({ found: DIRECTORY }))
})

test('a look that is no report is inconclusive', async () => {
  const { result, as } = await planned({})
  expect(result).toEqual(as({ found: { _tag: 'Unknown', why: 'Unreadable' } }))
  expect(result).not.toEqual(as({ found: DIRECTORY }))
})

test('a look knows the layer that is recorded, its root, and what is asked for', async () => {
  const { looks, layer } = await planned({ found: DIRECTORY })
  const [other, own] = looks as (Effect & object)[]
  expect(layer).toBeDefined()
  expect(own).toMatchObject({ _tag: 'Look', mountpoint: '/srv/mounts/a', layer, root: { path: '/srv/mounts' } })
  expect(other).toMatchObject({ _tag: 'Look', mountpoint: '/srv/mounts/b', filesystem: { type: 'bind' } })
  expect(other).not.toHaveProperty('layer')
})

test('a plan of what is no list of requests is refused, and does not reject', async () => {
  const host = createModelHost(['/srv/mounts'])
  const created = await createMountManager({ settings: SETTINGS, host, journal: createMemoryJournal() })()
  if (created._tag === 'Left') throw new Error(created.left.why)
  for (const wrong of [7, [{ op: 'attach' }], [{ op: 'nonsense' }]]) {
    expect(await created.right.plan(wrong as never)()).toMatchObject({ left: { _tag: 'Invalid' } })
  }
})
