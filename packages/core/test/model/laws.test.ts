// Laws over random runs of the core beside a model host. A run is a list of numbers, so that it shrinks.

import {
  DEFAULT_DEADLINES_MS,
  DEFAULT_DELAYS_MS,
  DEFAULT_LIMITS,
  DEFAULT_POLICIES,
  DEFAULT_SLOTS,
} from '@mountkeeper/border'
import { typeRule } from '@mountkeeper/types'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Filesystem, LadderPolicy, Settings } from '../../src/index.js'
import type { Ending } from './drive.js'
import { ask, crash, echo, endEffect, feed, interfere } from './drive.js'
import type { World } from './world.js'
import { newWorld, placeOf } from './world.js'

const FEW = { waitingPerMountpoint: 6 }

const settings = (
  patch: Partial<Settings['policies']>,
  hangs: boolean,
  ladder: LadderPolicy = 'off',
  limits: Partial<Settings['limits']> = {},
): Settings => ({
  roots: [{ path: '/m', ladder }],
  types: { tmpfs: { ...typeRule('tmpfs', ['*']), mayHang: hangs, server: 'source' } },
  policies: { ...DEFAULT_POLICIES, ...patch },
  limits: { ...DEFAULT_LIMITS, ...limits },
  slots: { ...DEFAULT_SLOTS, hanging: 2, perServer: 1, local: 1 },
  deadlinesMs: DEFAULT_DEADLINES_MS,
  delaysMs: { ...DEFAULT_DELAYS_MS, backOffCeiling: DEFAULT_DELAYS_MS.backOffFirst * 4 },
})

const PATHS = ['/m/a', '/m/b'] as const

type Kind =
  | 'attach'
  | 'detach'
  | 'release'
  | 'end'
  | 'others mount'
  | 'others unmount'
  | 'deadline'
  | 'observed'
  | 'host-up'
  | 'host-down'
  | 'crash'
  | 'cancel'
  | 'retry'
  | 'busy'
  | 'echo'

/** What happens in a run, and how often in proportion. */
interface Mode {
  readonly paths: readonly [string, string]
  readonly endings: readonly Ending[]
  readonly sources: readonly string[]
  readonly kinds: readonly Kind[]
}

const often = (counts: Partial<Record<Kind, number>>): readonly Kind[] =>
  Object.entries(counts).flatMap(([kind, count]) => Array<Kind>(count).fill(kind as Kind))

const ENDINGS: readonly Ending[] = [
  'well',
  'well',
  'well',
  'no effect',
  'effect but error',
  'silently nothing',
  'timed out',
  'inconclusive',
  'bare',
  'late',
]

const pick = <A>(list: readonly A[], choice: number): A => list[choice % list.length]!

const CALLERS = { attach: 6, detach: 4, release: 1, end: 15 } as const
const OTHERS = {
  'others mount': 1,
  'others unmount': 1,
  deadline: 1,
  observed: 1,
  cancel: 1,
  retry: 1,
  busy: 1,
  echo: 1,
} as const

const FAULTS: Mode = {
  paths: PATHS,
  endings: ENDINGS,
  sources: ['f', 'f', 'f', 'g'],
  kinds: often({ ...CALLERS, ...OTHERS, 'host-up': 1, 'host-down': 1, crash: 1 }),
}

const NO_FAULTS: Mode = { paths: PATHS, endings: ['well'], sources: ['f'], kinds: often(CALLERS) }

/** One mountpoint is below the other: each is refused while the other is in use. */
const NESTED: Mode = { ...FAULTS, paths: ['/m/a', '/m/a/n'], kinds: often({ ...CALLERS, ...OTHERS }) }

/** Layers are mostly busy, and commands mostly end. */
const BUSY: Mode = {
  ...FAULTS,
  endings: ['well', 'well', 'well', 'well', 'well', 'well', 'no effect', 'timed out'],
  kinds: often({ attach: 2, detach: 4, end: 60, busy: 3, deadline: 1 }),
}

/** The host goes up and down. */
const UP_AND_DOWN: Mode = { ...FAULTS, kinds: often({ ...CALLERS, 'host-up': 6, 'host-down': 3, crash: 1 }) }

const filesystemOf = (source: string): Filesystem => ({ type: 'tmpfs', source, options: [] })

const step = (world: World, choice: number, { paths, endings, sources, kinds }: Mode): void => {
  const kind = pick(kinds, choice)
  const rest = Math.floor(choice / kinds.length)
  const path = pick(paths, rest)
  const volume = `v${Math.floor(rest / 2) % 3}`
  const consumer = `c${Math.floor(rest / 6) % 2}`
  const source = pick(sources, Math.floor(rest / 12))
  const flying = world.flying
  switch (kind) {
    case 'attach': {
      const filesystem = filesystemOf(source)
      ask(world, { op: 'attach', mountpoint: path, volume, consumer, filesystem, id: `${world.nextRequest}` })
      return
    }
    case 'detach':
      ask(world, { op: 'detach', mountpoint: path, volume, consumer })
      return
    case 'release':
      ask(world, { op: 'release', consumer })
      return
    case 'end':
      if (flying.length > 0) endEffect(world, pick(flying, rest), pick(endings, Math.floor(rest / 7)))
      return
    case 'others mount':
      interfere(world, path, 'mount')
      return
    case 'others unmount':
      interfere(world, path, 'umount')
      return
    case 'deadline': {
      const open = [...world.host.requests.keys()]
      if (open.length > 0) feed(world, { _tag: 'Deadline', at: world.at, request: pick(open, rest) })
      return
    }
    case 'observed':
      feed(world, { _tag: 'Observed', at: world.at, mountpoint: path })
      return
    case 'host-up':
      ask(world, { op: 'host-up' })
      return
    case 'host-down':
      if (rest % 4 === 0) ask(world, { op: 'host-down' })
      return
    case 'crash':
      if (rest % 4 === 0) crash(world, rest % 16 === 0 ? 'machine' : 'manager')
      return
    case 'cancel': {
      const ids = [...world.host.ids.keys()]
      if (ids.length > 0) ask(world, { op: 'cancel', target: pick(ids, rest) })
      return
    }
    case 'retry':
      ask(world, { op: 'retry', mountpoint: path })
      return
    case 'echo':
      echo(world, rest)
      return
    case 'busy': {
      const place = placeOf(world, path)
      place.busy = place.layers.length > 0 && rest % 4 !== 0
    }
  }
}

const start = (world: World): void => {
  ask(world, { op: 'host-up' })
  for (const flying of [...world.flying]) endEffect(world, flying, 'well')
}

/** So many in a row in which nothing is under way: the caller that found the queue full has asked once more. */
const IDLE_ROUNDS = 6

/** Faults stop, third parties take away what is theirs, every consumer leaves; the host gets time. */
const calmDown = (world: World): void => {
  ask(world, { op: 'host-up' })
  let idle = 0
  for (let round = 0; round < 400 && idle < IDLE_ROUNDS; round += 1) {
    idle = world.flying.length > 0 ? 0 : idle + 1
    for (const path of PATHS) {
      const place = placeOf(world, path)
      place.busy = false
      const kept = place.layers.filter((layer) => layer.by === 'us')
      if (kept.length !== place.layers.length) place.layers.splice(0, place.layers.length, ...kept)
    }
    if (round % 5 === 0) {
      for (const path of PATHS) {
        for (const volume of ['v0', 'v1', 'v2'])
          for (const consumer of ['c0', 'c1']) ask(world, { op: 'detach', mountpoint: path, volume, consumer })
      }
    }
    for (const flying of [...world.flying]) if (world.flying.includes(flying)) endEffect(world, flying, 'well')
  }
}

const run = (policy: Settings, choices: readonly number[], mode: Mode): World => {
  const world = newWorld(policy)
  start(world)
  for (const choice of choices) {
    step(world, choice, mode)
    if (world.broken.length > 0) break
  }
  return world
}

const choices = fc.array(fc.nat({ max: 200_000 }), { maxLength: 120, size: 'max' })
const policies = fc.record({
  foreign: fc.constantFrom('refuse' as const, 'adopt' as const),
  lost: fc.constantFrom('report' as const, 'remount' as const),
  keepMountedMs: fc.constantFrom(0, 0, 1000),
  broken: fc.constantFrom('refuse' as const, 'remount' as const),
  detachWhileDown: fc.constantFrom('refuse' as const, 'record' as const),
})

const ladders = fc.constantFrom<LadderPolicy>('off', 'force', 'lazy')

const RUNS = Number(process.env['FC_NUM_RUNS'] ?? 3000)

const tell = (world: World): string => [...world.broken, ...world.log].join('\n')

/** No law is broken by runs of this kind. */
const holds = (mode: Mode, numRuns: number): void => {
  fc.assert(
    fc.property(policies, ladders, fc.boolean(), choices, (policy, ladder, hangs, list) => {
      const world = run(settings(policy, hangs, ladder, FEW), list, mode)
      expect(world.broken.length === 0 ? '' : tell(world)).toBe('')
    }),
    { numRuns },
  )
}

test('L2 L6 L7 L11 L16 L17 L20 L22 L29 L30 L34 L45: faults, third parties and crashes break no law', () => {
  holds(FAULTS, RUNS)
}, 600_000)

test('L13 L25: a busy layer is tried a few times, and detached lazily only by policy and not in silence', () => {
  holds(BUSY, Math.ceil(RUNS / 3))
}, 600_000)

test('L25: an unmount of a layer that stays busy is tried a few times for one request', () => {
  fc.assert(
    fc.property(ladders, fc.boolean(), (ladder, hangs) => {
      const world = newWorld(settings({}, hangs, ladder))
      const endAll = (): void => {
        for (const flying of [...world.flying]) if (world.flying.includes(flying)) endEffect(world, flying, 'well')
      }
      start(world)
      const attachment = { mountpoint: '/m/a', volume: 'v0', consumer: 'c0' }
      ask(world, { op: 'attach', ...attachment, filesystem: filesystemOf('f') })
      for (let round = 0; round < 5; round += 1) endAll()
      placeOf(world, '/m/a').busy = true
      ask(world, { op: 'detach', ...attachment })
      for (let round = 0; round < 40; round += 1) endAll()
      expect(world.broken.length === 0 ? '' : tell(world)).toBe('')
    }),
    { numRuns: 12 },
  )
})

test('L28 L36: the last wish is what the host comes to, once it was discovered', () => {
  holds(UP_AND_DOWN, Math.ceil(RUNS / 3))
}, 600_000)

test('section 5: of two mountpoints, one below the other, only one is in use', () => {
  holds(NESTED, Math.ceil(RUNS / 3))
}, 600_000)

test('L45 L47: when faults stop and every consumer leaves, all are answered and nothing is left', () => {
  fc.assert(
    fc.property(policies, ladders, fc.boolean(), choices, (policy, ladder, hangs, list) => {
      const world = run(settings(policy, hangs, ladder, FEW), list, FAULTS)
      calmDown(world)
      const layers = PATHS.flatMap((path) => placeOf(world, path).layers.filter((layer) => layer.by === 'us'))
      const directories = PATHS.filter(
        (path) => placeOf(world, path).directory && placeOf(world, path).directoryBy === 'us',
      )
      const left = {
        layers: layers.length,
        directories,
        records: [...world.host.mountpoints.values()].map(({ record }) => `${record.path} ${record.phase}`),
        unanswered: world.host.requests.size,
        hangingHeld: world.host.slots.hangingHeld,
        consumers: world.host.consumers.size,
        ancestors: world.host.ancestors.size,
      }
      const none = {
        layers: 0,
        directories: [],
        records: [],
        unanswered: 0,
        hangingHeld: 0,
        consumers: 0,
        ancestors: 0,
      }
      expect(left, tell(world)).toEqual(none)
      expect(world.broken, tell(world)).toEqual([])
    }),
    { numRuns: RUNS },
  )
}, 600_000)

test('L48: a fault-free run refuses nothing', () => {
  fc.assert(
    fc.property(fc.boolean(), choices, (hangs, list) => {
      const world = run(settings({}, hangs), list, NO_FAULTS)
      const refused = [...world.answers.values()].filter((answer) => !answer.ok)
      expect(refused, tell(world)).toEqual([])
    }),
    { numRuns: RUNS },
  )
}, 600_000)
