// The canonical form, checked against the core: states that are merged lead to the same states, and what recovery remembers is kept.
import { expect, test } from 'vitest'
import type { Fact } from '@mountkeeper/core'
import { decide, restore } from '@mountkeeper/core'
import * as explorer from '../../src/explore/index.js'

const nameOf = ({ a, b }: explorer.Bits): string => `${a} ${b}`

/** What all that can happen in a state leads to, whatever it is called. */
const leadsTo = (explored: explorer.Explored, state: explorer.State): readonly explorer.Stepped[] => {
  const host = explorer.thaw(explored.configuration.settings, state.frozen)
  return explorer.actionsIn(explored, state, host).map((action) => explorer.step(explored, state, action))
}

const namesOf = (explored: explorer.Explored, stepped: readonly explorer.Stepped[]): string =>
  // Once each: what happens unseen may be distinguished by a mount id that plays no part any more.
  [...new Set(stepped.map(({ host, model }) => nameOf(explorer.bitsOf(explored.configuration, host, model))))]
    .sort()
    .join()

/** Expands every state that is reached again in the order of a queue, and of those that were seen every tenth once more. */
const compare = (configuration: explorer.Configuration, states: number): number => {
  const explored: explorer.Explored = { configuration, decide: explorer.decideAsItIs, watch: undefined }
  const seen = new Map<string, string>()
  const queue = [...explorer.initialStates(explored)]
  const again: [string, explorer.State][] = []
  let skipped = 0
  for (let next = queue.shift(); next !== undefined && seen.size < states; next = queue.shift()) {
    const host = explorer.thaw(configuration.settings, next.frozen)
    const name = nameOf(explorer.bitsOf(configuration, host, next.model))
    if (seen.has(name)) {
      skipped += 1
      if (skipped % 10 === 0) again.push([name, next])
      continue
    }
    const stepped = leadsTo(explored, next)
    seen.set(name, namesOf(explored, stepped))
    queue.push(...stepped.map(explorer.stateOf))
  }
  for (const [name, state] of again) {
    if (namesOf(explored, leadsTo(explored, state)) !== seen.get(name))
      expect.fail(`merged, and different: ${JSON.stringify(state, undefined, 1)}`)
  }
  return again.length
}

test.each([
  ['one mountpoint', explorer.EVERYTHING, 5_000],
  ['a consumer that releases', explorer.RELEASED, 5_000],
  ['two mountpoints', explorer.BESIDE, 4_000],
  ['the host', explorer.HOST, 3_000],
])(
  'states that are merged lead to the same states: %s',
  (_, configuration, states) => {
    expect(compare(configuration, states)).toBeGreaterThan(200)
  },
  300_000,
)

test('a shortened journal is recovered as the same host', () => {
  const { settings } = explorer.EVERYTHING
  const facts: Fact[] = []
  const decideAndKeep: explorer.Decide = (host, input) => {
    const decision = decide(host, input)
    facts.push(...decision.append)
    return decision
  }
  const explored = { configuration: explorer.EVERYTHING, decide: decideAndKeep, watch: undefined }
  const undated = (kept: explorer.Frozen): unknown =>
    kept.entries.map(({ record, holders }) => ({
      record: { ...record, instance: 0, since: 0 },
      holders: holders.map((holder) => ({ ...holder, id: undefined })),
    }))
  const queue = [...explorer.initialStates(explored)]
  let compared = 0
  for (let index = 0; index < 2000; index += 1) {
    const state = queue[index]!
    const host = explorer.thaw(settings, state.frozen)
    for (const action of explorer.actionsIn(explored, state, host)) {
      facts.length = 0
      const stepped = explorer.step(explored, state, action)
      queue.push(explorer.stateOf(stepped))
      if (facts.length === 0) continue
      compared += 1
      const all = explorer.freeze(restore(settings, [...state.model.memory.facts, ...facts]))
      expect(undated(stepped.model.memory.frozen)).toEqual(undated(all))
    }
  }
  expect(compared).toBeGreaterThan(1000)
}, 120_000)
