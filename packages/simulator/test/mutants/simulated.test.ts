// What `mountkeeper simulate` says about a core with a mistake in it: found soon, and short enough to read.
import { afterAll, expect, test } from 'vitest'
import { newFolder, simulate } from './attempts.js'
import { MUTANTS, RARE } from './mutants.js'

const folder = newFolder()
afterAll(() => folder.remove())

const named = (name: string) => {
  const mutant = [...MUTANTS, ...RARE].find((each) => each.name === name)
  if (mutant === undefined) throw new Error(`there is no mutant ${name}`)
  return mutant
}

/** A mistake, the law that it should break, and how many actions and lines are read until it is understood. */
const PLANTED: readonly (readonly [name: string, law: string, actions: number, lines: number])[] = [
  ['integer-instead-of-set', 'section 7', 8, 40],
  ['unmount-under-holders', 'L2', 8, 40],
  ['release-before-check', 'L3', 4, 20],
  ['options-not-compared', 'L5', 8, 40],
  ['intent-without-a-mount', 'L34', 16, 80],
  ['intent-closed-in-memory-only', 'section 7', 6, 40],
  ['late-mount-of-others-not-recorded', 'section 7', 16, 80],
]

test.each(PLANTED)(
  '%s is shown as %s, in at most %d actions and %d lines',
  { timeout: 120_000 },
  async (name, law, actions, lines) => {
    const simulated = await simulate(folder, named(name))
    expect(simulated.law, simulated.transcript).toBe(law)
    expect(simulated.actions, simulated.transcript).toBeLessThanOrEqual(actions)
    expect(simulated.transcript.split('\n').length, simulated.transcript).toBeLessThanOrEqual(lines)
  },
)
