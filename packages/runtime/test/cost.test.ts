// A guard against slow growth: what a request costs in effects, commands, looks, journal appends, timers, decisions and promises, and
// how much it allocates, beside the committed figures. Nothing is timed.
//
//   UPDATE_COSTS=1 npx vitest run --project runtime cost    rewrites the figures; review the difference

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { HostPort } from '../src/index.js'
import type { Cost, Planted } from './cost.js'
import { SCENARIOS, TOLERANCE, costOf, regressions } from './cost.js'

const FILE = fileURLToPath(new URL('./costs.json', import.meta.url))
const ALLOCATING = fileURLToPath(new URL('./allocate.mjs', import.meta.url))

/** Compiled code does without some allocations, and when it is compiled is chance; a small heap would be collected in between. */
const ALLOCATING_FLAGS = [
  '--no-opt',
  '--no-sparkplug',
  '--no-maglev',
  '--expose-gc',
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
]

interface Committed {
  readonly costs: Readonly<Record<string, Cost>>
  readonly bytesPerRequest: number
}

const updates = process.env['UPDATE_COSTS'] === '1'
const committed = JSON.parse(readFileSync(FILE, 'utf8')) as Committed
const update = (more: Partial<Committed>): void => {
  const now = JSON.parse(readFileSync(FILE, 'utf8')) as Committed
  writeFileSync(FILE, `${JSON.stringify({ ...now, ...more }, undefined, 2)}\n`)
}

const all = async (planted?: Planted): Promise<Readonly<Record<string, Cost>>> => {
  const costs: Record<string, Cost> = {}
  for (const scenario of SCENARIOS) {
    // What runs this test makes promises of its own at times, and never fewer.
    const runs = [await costOf(scenario, planted), await costOf(scenario, planted), await costOf(scenario, planted)]
    costs[scenario.name] = runs.reduce((least, cost) => (cost.promises < least.promises ? cost : least))
  }
  return costs
}

const against = (costs: Readonly<Record<string, Cost>>): readonly string[] =>
  Object.entries(costs).flatMap(([name, cost]) => {
    const figures = committed.costs[name]
    return figures === undefined ? [`${name}: no committed figure`] : regressions(name, cost, figures)
  })

/** Bytes for each of 10,000 requests, counted in a process of its own. It runs the built packages. */
const allocated = (...planted: readonly string[]): number =>
  Number(execFileSync(process.execPath, [...ALLOCATING_FLAGS, ALLOCATING, ...planted], { encoding: 'utf8' }))

/** The same look twice, as a loop would that forgot that it had looked. */
const looksTwice: Planted = (port: HostPort): HostPort => ({
  run: async (effect, started) => {
    if (effect._tag === 'Look') await port.run(effect)
    return port.run(effect, started)
  },
})

describe('what a request costs', () => {
  test('no figure is above the committed one by more than 5 %', async () => {
    const costs = await all()
    if (updates) update({ costs })
    else expect(against(costs)).toEqual([])
  })

  test('the same requests cost the same again', async () => {
    expect(await all()).toEqual(await all())
  })

  test('a second look for each look is reported, by what it costs', async () => {
    const found = against(await all(looksTwice))
    expect(found).toContainEqual(expect.stringMatching(/^64 first attaches: looks \d+, was \d+$/))
    expect(found).toContainEqual(expect.stringMatching(/^one last detach: effects \d+, was \d+$/))
    expect(found).toContainEqual(expect.stringMatching(/^64 last detaches: promises \d+, was \d+$/))
  })

  test('a request allocates no more than 5 % above the committed figure', () => {
    const bytes = allocated()
    if (updates) update({ bytesPerRequest: bytes })
    else expect(bytes).toBeLessThanOrEqual(committed.bytesPerRequest * (1 + TOLERANCE))
  })

  test('a request that allocates more is reported', () => {
    expect(allocated('planted')).toBeGreaterThan(committed.bytesPerRequest * (1 + TOLERANCE))
  })
})
