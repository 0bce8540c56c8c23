// What the explorer says about a core that takes a layer of others for its own: found by the effects that were emitted, since
// the facts of that core agree with its records.
import { afterAll, expect, test } from 'vitest'
import { exploreMutant, newFolder } from './attempts.js'
import { MUTANTS, RARE } from './mutants.js'

const folder = newFolder()
afterAll(() => folder.remove())

test.each([
  ['intent-without-a-mount', ['L20'], 8],
  ['intent-closed-in-memory-only', ['section 7'], 6],
] as const)('%s is found by the explorer as %j', { timeout: 120_000 }, async (name, laws, steps) => {
  const mutant = [...MUTANTS, ...RARE].find((each) => each.name === name)!
  const explored = await exploreMutant(folder, mutant)
  expect(explored.laws, explored.story).toEqual(expect.arrayContaining([...laws]))
  expect(explored.steps, explored.story).toBeLessThanOrEqual(steps)
})
