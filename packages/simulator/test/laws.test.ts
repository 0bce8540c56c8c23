// Every law that can be judged over runs, over random runs with faults, third parties, crashes, reboots and time. All laws
// are judged over the same runs; a law that no run puts to the test fails.

import { afterAll, describe, expect, test } from 'vitest'
import { STATEMENTS } from '../src/index.js'
import { numRuns, playCorpus, seed } from './corpus.js'

describe('over random runs', () => {
  const corpus = playCorpus(numRuns(30_000), seed())

  test.for(Object.entries(STATEMENTS))('%s: %s', ([law], { task }) => {
    expect(corpus.broken.includes(law) ? `seed ${corpus.seed}\n${corpus.transcript}` : '').toBe('')
    expect(corpus.tested.get(law) ?? 0, `${law} was never put to the test`).toBeGreaterThan(0)
    Object.assign(task.meta, { figures: { lawsJudged: 1, timesJudged: corpus.tested.get(law) } })
  })

  test('all of them were played', ({ task }) => {
    expect(corpus.runs).toBe(numRuns(30_000))
    Object.assign(task.meta, { figures: { runs: corpus.runs, actions: corpus.actions } })
  })

  afterAll(() => {
    const judged = [...corpus.tested.values()].reduce((sum, each) => sum + each, 0)
    const laws = Object.keys(STATEMENTS).length
    console.log(
      `${laws} laws checked ${judged} times over ${corpus.runs} runs of ${corpus.actions} actions, seed ${corpus.seed}`,
    )
  })
})
