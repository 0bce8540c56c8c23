// What is left when faults stop and every consumer leaves (L47), and that a run without faults refuses nothing (L48).

import type { Filesystem } from '@mountkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  MOUNTPOINTS,
  NO_FAULT,
  anyRun,
  calmAction,
  leftAfterCalm,
  play,
  runOf,
  transcriptOf,
  withoutForget,
} from '../src/index.js'
import type { Action, FaultKind, Run } from '../src/index.js'
import { numRuns, seed } from './corpus.js'

test('L47: when faults stop and every consumer leaves, nothing is left, and every caller was answered (L45)', () => {
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

// Where everything may go wrong, little of one kind does, and what needs several of that kind in a row is rarely seen.
interface Few {
  readonly what: string
  readonly kinds: readonly FaultKind[]
  readonly policies: Run['settings']['policies']
  /** What every run begins with. */
  readonly first: readonly Action[]
}

const end: Action = { _tag: 'End', which: 0, fault: NO_FAULT }
const [adoptedAt = ''] = MOUNTPOINTS
const nfs: Filesystem = { type: 'nfs', source: 'n1:/f', options: [] }

/** Others make a directory and mount on it; an attach asks for the same. */
const ADOPTED: readonly Action[] = [
  { _tag: 'ThirdParty', act: { _tag: 'MakesDirectory', path: adoptedAt } },
  { _tag: 'ThirdParty', act: { _tag: 'Mounts', path: adoptedAt, fstype: 'nfs4', source: 'n1:/f', flags: ['rw'] } },
  { _tag: 'Ask', body: { op: 'attach', mountpoint: adoptedAt, filesystem: nfs, volume: 'v', consumer: 'c' } },
  end,
  end,
  end,
]

const FEW: readonly Few[] = [
  { what: 'others mount, and it is adopted', kinds: ['third-party'], policies: { foreign: 'adopt' }, first: ADOPTED },
  { what: 'reboots, and inconclusive looks', kinds: ['cannot-tell', 'reboot'], policies: {}, first: [] },
]

test.each(FEW)(
  'L11 L47: few kinds of faults leave nothing of ours and all of others: $what',
  ({ kinds, policies, first }) => {
    const runs = runOf(new Set(kinds)).map((run): Run => {
      const { settings, actions } = run
      const asked = { ...settings, policies: { ...settings.policies, ...policies } }
      return withoutForget({ ...run, settings: asked, actions: [...first, ...actions] })
    })
    fc.assert(
      fc.property(runs, (run) => {
        const played = play(run)
        const left = leftAfterCalm(played)
        expect({ left, broken: played.history.breaches }, transcriptOf(run)).toEqual({ left: [], broken: [] })
      }),
      { numRuns: numRuns(1_000), seed: seed() },
    )
  },
)

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
