// What is left when faults stop and everybody leaves (L47), and that a run without faults refuses nothing (L48).

import type { Filesystem } from '@mountkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyRun, calmAction, leftAfterCalm, play, transcriptOf, withoutForget } from '../src/index.js'
import type { Run } from '../src/index.js'
import { numRuns, seed } from './corpus.js'

test('L47: when faults stop and everybody leaves, nothing is left, and everybody was answered (L45)', () => {
  fc.assert(
    fc.property(anyRun.map(withoutForget), (run) => {
      const played = play(run)
      if (played.history.breaches.length > 0) return
      expect(leftAfterCalm(played)).toEqual([])
      expect(played.history.breaches).toEqual([])
    }),
    {
      numRuns: numRuns(2_000),
      seed: seed(),
      reporter: (details) => {
        const [smallest] = details.counterexample ?? []
        if (smallest !== undefined) throw new Error(`${transcriptOf(smallest)}\n${String(details.errorInstance)}`)
      },
    },
  )
})

const FILESYSTEMS: readonly Filesystem[] = [
  { type: 'tmpfs', source: 'f', options: [] },
  { type: 'nfs', source: 'n1:/f', options: [] },
  { type: 'bind', source: '/srv/exports/f', options: ['ro'] },
]

test('L48: a run without faults refuses nothing', () => {
  const calmRuns = fc.constantFrom(...FILESYSTEMS).chain((filesystem) =>
    fc.record({
      settings: fc.record({ slots: fc.constantFrom({}, { hanging: 1, perServer: 1, local: 1 }) }),
      propagation: fc.constantFrom<Run['propagation']>('shared', 'private'),
      journal: fc.constant<Run['journal']>('at once'),
      actions: fc.array(calmAction(fc.constant(filesystem)), { maxLength: 60, size: 'max' }),
    }),
  )
  fc.assert(
    fc.property(calmRuns, (run) => {
      const { history } = play(run)
      const refused = [...history.answered.values()].filter((answer) => !answer.ok)
      expect({ refused, broken: history.breaches }, transcriptOf(run)).toEqual({ refused: [], broken: [] })
    }),
    { numRuns: numRuns(2_000), seed: seed() },
  )
})
