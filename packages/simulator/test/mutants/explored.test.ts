// What the explorer says about mistakes that are rarely seen in random runs. That a layer of others is treated as ours is found by
// the effects that were emitted, since the facts of that core agree with its records.
import { afterAll, expect, test } from 'vitest'
import { exploreMutant, newFolder } from './attempts.js'
import { MUTANTS, RARE } from './mutants.js'

const folder = newFolder()
afterAll(() => folder.remove())

test.each([
  ['intent-without-a-mount', 'TWIN', ['L20'], 8],
  ['intent-closed-in-memory-only', 'TWIN', ['section 7'], 6],
  ['no-second-look-at-an-unmount', 'ODD', ['L2'], 12],
] as const)(
  '%s is found by the explorer in %s as %j',
  { timeout: 300_000 },
  async (name, configuration, laws, steps) => {
    const mutant = [...MUTANTS, ...RARE].find((each) => each.name === name)!
    const explored = await exploreMutant(folder, mutant, configuration)
    expect(explored.laws, explored.story).toEqual(expect.arrayContaining([...laws]))
    expect(explored.steps, explored.story).toBeLessThanOrEqual(steps)
  },
)
