// What is left when faults stop and everybody leaves (L47), and that a run without faults refuses nothing (L48).

import type { Answer, Filesystem } from '@mountkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ask, calm, calmAction, leftOver, play, transcriptOf } from '../src/index.js'
import type { Played, Run } from '../src/index.js'
import { numRuns, runs, seed } from './corpus.js'

const answerTo = ({ history }: Played, request: number): Answer => {
  const found = [...history.answered.values()].find((answer) => answer.request === request)
  if (found === undefined) throw new Error(`request ${request} is not answered`)
  return found
}

/** What was forgotten by request is nobody's any more. */
const withoutForget = (run: Run): Run => ({
  ...run,
  actions: run.actions.filter((action) => action._tag !== 'Ask' || action.body.op !== 'forget'),
})

const left = (played: Played): object => {
  calm(played.simulation)
  const unanswered = [...played.history.open.keys()]
  const answer = answerTo(played, ask(played.simulation, { op: 'status' }))
  const status = answer.ok && answer.result._tag === 'Status' ? answer.result : undefined
  const records = (status?.mountpoints ?? []).map(({ mountpoint, phase }) => `${mountpoint} ${phase}`)
  return { broken: played.history.breaches, records, onHost: leftOver(played.simulation.model), unanswered }
}

test('L47: when faults stop and everybody leaves, nothing is left, and everybody was answered (L45)', () => {
  fc.assert(
    fc.property(runs.map(withoutForget), (run) => {
      const played = play(run)
      // A generation that begins while the root is covered takes what lies below it for gone: no fact names the root.
      const { breaches, rootChanged, entangled } = played.history
      if (breaches.length > 0 || rootChanged || entangled) return
      expect(left(played)).toEqual({ broken: [], records: [], onHost: [], unanswered: [] })
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
