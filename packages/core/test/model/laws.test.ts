// Laws over random runs of the core beside a model host. A run is a list of numbers, so that it shrinks.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LadderPolicy, Settings } from '@mountkeeper/core'
import {
  DEFAULT_DEADLINES_MS,
  DEFAULT_DELAYS_MS,
  DEFAULT_LIMITS,
  DEFAULT_POLICIES,
  DEFAULT_SLOTS,
  typeRule,
} from '@mountkeeper/core'
import type { Ending, World } from './world.js'
import { ask, crash, endEffect, feed, interfere, newWorld, placeOf } from './world.js'

const settings = (patch: Partial<Settings['policies']>, hangs: boolean, ladder: LadderPolicy = 'off'): Settings => ({
  roots: [{ path: '/m', ladder }],
  types: { tmpfs: { ...typeRule('tmpfs', ['*']), mayHang: hangs, server: 'source' } },
  policies: { ...DEFAULT_POLICIES, ...patch },
  limits: DEFAULT_LIMITS,
  slots: { ...DEFAULT_SLOTS, hanging: 2, perServer: 1, local: 1 },
  deadlinesMs: DEFAULT_DEADLINES_MS,
  delaysMs: DEFAULT_DELAYS_MS,
})

const PATHS = ['/m/a', '/m/b'] as const
const ENDINGS: readonly Ending[] = [
  'well',
  'well',
  'well',
  'no effect',
  'effect but error',
  'silently nothing',
  'timed out',
  'cannot tell',
]

const pick = <A>(list: readonly A[], choice: number): A => list[choice % list.length]!

const step = (world: World, choice: number, faults: 'faults' | 'no faults'): void => {
  const kind = choice % 32
  const rest = Math.floor(choice / 32)
  const path = pick(PATHS, rest)
  const volume = `v${Math.floor(rest / 2) % 3}`
  const consumer = `c${Math.floor(rest / 6) % 2}`
  const source = pick(['f', 'f', 'f', 'g'], Math.floor(rest / 12))
  const flying = world.flying
  if (kind < 6) {
    ask(world, {
      op: 'attach',
      mountpoint: path,
      volume,
      consumer,
      filesystem: { type: 'tmpfs', source: faults === 'faults' ? source : 'f', options: [] },
    })
  } else if (kind < 10) {
    ask(world, { op: 'detach', mountpoint: path, volume, consumer })
  } else if (kind < 11) {
    ask(world, { op: 'release', consumer })
  } else if (kind < 26) {
    if (flying.length > 0)
      endEffect(world, pick(flying, rest), faults === 'faults' ? pick(ENDINGS, Math.floor(rest / 7)) : 'well')
  } else if (faults === 'no faults') {
    return
  } else if (kind === 26) {
    interfere(world, path, 'mount')
  } else if (kind === 27) {
    interfere(world, path, 'umount')
  } else if (kind === 28) {
    const open = [...world.host.requests.keys()]
    if (open.length > 0) feed(world, { _tag: 'Deadline', at: world.at, request: pick(open, rest) })
  } else if (kind === 29) {
    feed(world, { _tag: 'Observed', at: world.at, mountpoint: path })
  } else if (kind === 30) {
    if (rest % 8 === 0) ask(world, { op: 'host-down' })
    else ask(world, { op: 'host-up' })
  } else if (rest % 4 === 0) {
    crash(world)
  } else {
    ask(world, { op: 'retry', mountpoint: path })
  }
}

const start = (world: World): void => {
  ask(world, { op: 'host-up' })
  for (const flying of [...world.flying]) endEffect(world, flying, 'well')
}

/** Faults stop, third parties take away what is theirs, everybody leaves; the host gets time. */
const calmDown = (world: World): void => {
  ask(world, { op: 'host-up' })
  for (let round = 0; round < 400 && (world.flying.length > 0 || round < 3); round += 1) {
    for (const path of PATHS) {
      const place = placeOf(world, path)
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

const run = (policy: Settings, choices: readonly number[], faults: 'faults' | 'no faults'): World => {
  const world = newWorld(policy)
  start(world)
  for (const choice of choices) {
    step(world, choice, faults)
    if (world.broken.length > 0) break
  }
  return world
}

const choices = fc.array(fc.nat({ max: 32 * 5040 }), { maxLength: 120, size: 'max' })
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

test('L2 L6 L16 L20 L22 L45: faults, third parties and crashes break no law', () => {
  fc.assert(
    fc.property(policies, ladders, fc.boolean(), choices, (policy, ladder, hangs, list) => {
      const world = run(settings(policy, hangs, ladder), list, 'faults')
      expect(world.broken.length === 0 ? '' : tell(world)).toBe('')
    }),
    { numRuns: RUNS },
  )
}, 600_000)

test('L45 L47: when faults stop and everybody leaves, all are answered and nothing is left', () => {
  fc.assert(
    fc.property(policies, ladders, fc.boolean(), choices, (policy, ladder, hangs, list) => {
      const world = run(settings(policy, hangs, ladder), list, 'faults')
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
      const world = run(settings({}, hangs), list, 'no faults')
      const refused = [...world.answers.values()].filter((answer) => !answer.ok)
      expect(refused, tell(world)).toEqual([])
    }),
    { numRuns: RUNS },
  )
}, 600_000)
