// Fidelity: the same operations on the simulated kernel and on the real one, compared after every step: whether and why it
// was refused, the directories, the mount table, and what a look finds. What the model leaves out on purpose stands in
// packages/simulator/FIDELITY.md.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { clearPlace, kernelShows, makePlace, operateReally, placeOf } from './fidelity/kernel-side.js'
import { modelShows, newModelSide, operate } from './fidelity/model-side.js'
import type { Operation } from './fidelity/operation.js'
import { operationText, sequence } from './fidelity/operation.js'
import { createNames } from './fidelity/snapshot.js'
import type { SystemCalls } from './fidelity/system-calls.js'
import { startSystemCalls, whyNoSystemCalls } from './fidelity/system-calls.js'

const SEQUENCES = Number(process.env['FC_NUM_RUNS'] ?? 2_500)
const FIRST_SEED = 1

const figures = { sequences: 0, steps: 0, refused: 0 }

const compare = async (calls: SystemCalls, operations: readonly Operation[], mayBe: 'quiet' | 'anything') => {
  const model = newModelSide()
  let { host } = model
  await makePlace(calls)
  let processes = 0
  try {
    const place = await placeOf()
    const really = createNames(place)
    const simulated = createNames(model.place)
    const story: string[] = []
    for (const operation of operations) {
      story.push(operationText(operation))
      const done = operate(host, operation)
      host = done.host
      const errno = await operateReally(calls, operation)
      if (operation._tag === 'Enter' && errno === undefined) processes += 1
      const kernel = really.text(await kernelShows(errno, place.root, mayBe))
      expect(simulated.text(modelShows(done, model.place.root)), story.join('\n')).toEqual(kernel)
      figures.steps += 1
      if (errno !== undefined) figures.refused += 1
    }
    figures.sequences += 1
  } finally {
    await clearPlace(calls, processes)
  }
}

const why = whyNoSystemCalls()

test.skipIf(why !== undefined)(
  `the simulated kernel does what the real one does${why === undefined ? '' : `: not compared, since ${why}`}`,
  { timeout: 600_000 },
  async () => {
    const calls = startSystemCalls()
    const since = performance.now()
    try {
      await fc.assert(
        fc.asyncProperty(sequence, fc.constantFrom('quiet', 'anything'), (operations, mayBe) =>
          compare(calls, operations, mayBe),
        ),
        { numRuns: SEQUENCES, seed: Number(process.env['FC_SEED'] ?? FIRST_SEED) },
      )
    } finally {
      await calls.end()
    }
    const seconds = ((performance.now() - since) / 1_000).toFixed(1)
    console.log(
      `fidelity: ${figures.sequences} sequences, ${figures.steps} steps (${figures.refused} refused), ${seconds} s`,
    )
  },
)
