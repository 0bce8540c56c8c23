// Random runs, judged, and the smallest one that breaks a law.

import fc from 'fast-check'
import { anyRun, brokenLaws, play, transcriptOf } from '../src/index.js'

/** Whole runs in which everything may happen. */
export { anyRun as runs } from '../src/index.js'

/** `FC_NUM_RUNS` raises the number of runs of every property. */
export const numRuns = (usual: number): number => Number(process.env['FC_NUM_RUNS'] ?? usual)

/** The same runs every time, so that a change and nothing else breaks a law; `FC_SEED` chooses others. */
export const seed = (): number => Number(process.env['FC_SEED'] ?? 1)

export interface Corpus {
  readonly runs: number
  readonly actions: number
  readonly seed: number
  /** How often each law was put to the test. */
  readonly tested: ReadonlyMap<string, number>
  /** The laws that the smallest counterexample breaks, and its transcript. */
  readonly broken: readonly string[]
  readonly transcript: string
}

/** Plays random runs until a law is broken. */
export const playCorpus = (count: number, from: number): Corpus => {
  const tested = new Map<string, number>()
  let actions = 0
  const details = fc.check(
    fc.property(anyRun, (run) => {
      const { history } = play(run)
      actions += run.actions.length
      for (const [law, times] of history.tested) tested.set(law, (tested.get(law) ?? 0) + times)
      return history.breaches.length === 0
    }),
    { numRuns: count, seed: from },
  )
  const [smallest] = details.counterexample ?? []
  const transcript = smallest === undefined ? '' : transcriptOf(smallest)
  if (details.failed && smallest !== undefined && play(smallest).history.breaches.length === 0) {
    throw new Error(`a run could not be played: ${String(details.errorInstance)}\n${JSON.stringify(smallest)}`)
  }
  const broken = smallest === undefined ? [] : brokenLaws(play(smallest).history.breaches)
  return { runs: details.numRuns, actions, seed: from, tested, broken, transcript }
}
