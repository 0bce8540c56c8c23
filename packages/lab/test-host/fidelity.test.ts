// Fidelity: the same operations on the simulated kernel and on the real one, compared after every step: whether and why it
// was refused, the directories, the mount table, and what a look finds. What the model leaves out on purpose stands in
// packages/simulator/FIDELITY.md.

import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestContext } from 'vitest'
import { readFileSync } from 'node:fs'
import { compare } from '../src/fidelity/compare.js'
import type { Deed } from '../src/fidelity/deed.js'
import { effects, operations } from '../src/fidelity/deed.js'
import type { SystemCalls } from '../src/fidelity/system-calls.js'
import { startSystemCalls, whyNoSystemCalls } from '../src/fidelity/system-calls.js'

/** The same sequences every time, so that a change and nothing else makes a difference; `FC_SEED` chooses others. */
const SEED = Number(process.env['FC_SEED'] ?? 1)
const numRuns = (usual: number): number => Number(process.env['FC_NUM_RUNS'] ?? usual)

const why = whyNoSystemCalls()
const compared = test.skipIf(why !== undefined)
const name = (what: string): string => (why === undefined ? what : `${what}: not compared, since ${why}`)

let calls: SystemCalls
let before: string

const mounts = (): string => readFileSync('/proc/self/mountinfo', 'utf8')

beforeAll(() => {
  if (process.env['MOUNTKEEPER_NAMESPACE'] === undefined) throw new Error('run it as npm run test:host')
  before = mounts()
  if (why === undefined) calls = startSystemCalls()
})

afterAll(async () => {
  if (why === undefined) await calls.end()
  expect(mounts()).toBe(before)
})

const play = async (
  { task }: TestContext,
  what: string,
  lists: fc.Arbitrary<readonly Deed[]>,
  runs: number,
): Promise<void> => {
  const figures = { sequences: 0, steps: 0, refused: 0 }
  const since = performance.now()
  const property = fc.asyncProperty(lists, fc.constantFrom('quiet', 'anything'), (list, mayBe) =>
    compare(calls, list, mayBe, figures),
  )
  await fc.assert(property, { numRuns: runs, seed: SEED })
  const seconds = ((performance.now() - since) / 1_000).toFixed(1)
  const { sequences, steps, refused } = figures
  Object.assign(task.meta, { figures: { fidelitySequences: sequences, fidelitySteps: steps } })
  console.log(`fidelity, ${what}: ${sequences} sequences of ${steps} steps, ${refused} refused, in ${seconds} s`)
}

const TIMEOUT = { timeout: 3_600_000 }

compared(name('the simulated kernel does what the real one does'), TIMEOUT, async (context) => {
  await play(context, 'kernel', operations, numRuns(2_000))
})

compared(
  name('effects give the same result on the simulated host and by mount(8) on the real one'),
  TIMEOUT,
  async (context) => {
    await play(context, 'effects', effects, numRuns(150))
  },
)
