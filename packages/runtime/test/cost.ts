// What requests cost, counted and never timed: a manager on the model host, with everything that passes a port counted, and all
// promises that Node makes. The same requests give the same numbers every time.

import { createHook } from 'node:async_hooks'
import type { Request } from '@mountkeeper/core'
import { emptyHost } from '@mountkeeper/core'
import type { HostPort, Journal, Loop } from '../src/index.js'
import { createLoop, createMemoryJournal } from '../src/index.js'
import { createModelHost } from './model-host.js'
import { SETTINGS } from './settings.js'
import { virtualTimers } from './world.js'

const ROOT = '/srv/mounts'
const TMPFS = { type: 'tmpfs', source: 'tmpfs', options: [] } as const

/** How many of each a burst needed. */
export interface Cost {
  readonly effects: number
  readonly looks: number
  readonly commands: number
  readonly appends: number
  readonly facts: number
  readonly timers: number
  readonly decisions: number
  readonly promises: number
}

/** A plan of requests, by the figure's name. Each burst waits for the one before it. */
export interface Scenario {
  readonly name: string
  readonly before: readonly Request[]
  readonly burst: readonly Request[]
}

const path = (index: number): string => `${ROOT}/shared-${index}`

export const attach = (mountpoint: number, holder: number): Request => ({
  op: 'attach',
  mountpoint: path(mountpoint),
  filesystem: TMPFS,
  volume: `volume-${mountpoint}-${holder}`,
  consumer: `consumer-${holder}`,
})

export const detach = (mountpoint: number, holder: number): Request => ({
  op: 'detach',
  mountpoint: path(mountpoint),
  volume: `volume-${mountpoint}-${holder}`,
  consumer: `consumer-${holder}`,
})

const BURST = 64
const burst = (make: (index: number) => Request): readonly Request[] => Array.from({ length: BURST }, (_, n) => make(n))

/** First, shared and last on one mountpoint and on many, one at a time and all at once. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'one first attach', before: [], burst: [attach(0, 0)] },
  { name: 'one shared attach', before: [attach(0, 0)], burst: [attach(0, 1)] },
  { name: 'one shared detach', before: [attach(0, 0), attach(0, 1)], burst: [detach(0, 1)] },
  { name: 'one last detach', before: [attach(0, 0)], burst: [detach(0, 0)] },
  { name: '64 first attaches', before: [], burst: burst((n) => attach(n, 0)) },
  { name: '64 attaches of one mountpoint', before: [], burst: burst((n) => attach(0, n)) },
  {
    name: '64 shared attaches',
    before: burst((n) => attach(n, 0)),
    burst: burst((n) => attach(n, 1)),
  },
  {
    name: '64 shared detaches',
    before: [...burst((n) => attach(n, 0)), ...burst((n) => attach(n, 1))],
    burst: burst((n) => detach(n, 1)),
  },
  { name: '64 last detaches', before: burst((n) => attach(n, 0)), burst: burst((n) => detach(n, 0)) },
  { name: '64 detaches of one mountpoint', before: burst((n) => attach(0, n)), burst: burst((n) => detach(0, n)) },
]

type Counts = { -readonly [Each in keyof Cost]: Cost[Each] }

const none = (): Counts => ({
  effects: 0,
  looks: 0,
  commands: 0,
  appends: 0,
  facts: 0,
  timers: 0,
  decisions: 0,
  promises: 0,
})

const COMMANDS: ReadonlySet<string> = new Set(['MakeDirectory', 'Mount', 'Unmount', 'RemoveDirectory'])

const serve = async (loop: Loop, requests: readonly Request[]): Promise<void> => {
  for (const answer of await Promise.all(requests.map((request) => loop.submit(request)))) {
    if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer.error)}`)
  }
}

/** Stands between the loop and a port; a test plants a regression here. */
export type Planted = (port: HostPort) => HostPort

/** Serves a scenario, and counts what its burst needed. */
export const costOf = async (
  { before, burst: counted }: Scenario,
  planted: Planted = (port) => port,
): Promise<Cost> => {
  let counts = none()
  const model = createModelHost([ROOT])
  const counting: HostPort = {
    run: (effect) => {
      counts.effects += 1
      if (effect._tag === 'Look') counts.looks += 1
      if (COMMANDS.has(effect._tag)) counts.commands += 1
      return model.run(effect)
    },
  }
  const memory = createMemoryJournal()
  const append: Journal['append'] = (facts) => {
    counts.appends += 1
    counts.facts += facts.length
    return memory.append(facts)
  }
  const timers = virtualTimers()
  const loop = createLoop({
    host: emptyHost({ ...SETTINGS, roots: [{ path: ROOT, ladder: 'off' }] }),
    port: planted(counting),
    journal: { ...memory, append },
    timers: {
      ...timers,
      after: (delayMs, call) => {
        counts.timers += 1
        return timers.after(delayMs, call)
      },
    },
    observer: {
      onDecision: () => {
        counts.decisions += 1
      },
    },
  })
  await serve(loop, [{ op: 'host-up' }])
  await serve(loop, before)
  const promises = createHook({
    init: (_, type) => {
      if (type === 'PROMISE') counts.promises += 1
    },
  })
  counts = none()
  promises.enable()
  await serve(loop, counted)
  promises.disable()
  const cost = { ...counts }
  await loop.stop()
  return cost
}

/** More than this above its committed figure is a regression. */
export const TOLERANCE = 0.05

/** The figures that a cost is above by more than the tolerance, in words. */
export const regressions = (name: string, cost: Cost, committed: Cost): readonly string[] =>
  (Object.keys(committed) as (keyof Cost)[])
    .filter((key) => cost[key] > committed[key] * (1 + TOLERANCE))
    .map((key) => `${name}: ${key} ${cost[key]}, was ${committed[key]}`)
