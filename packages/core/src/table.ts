// Read this first. What each input does at a mountpoint, in each of the five situations that a mountpoint can be in. Every input that
// reaches a mountpoint goes through ON: a missing cell does not compile, and neither does a step that has no transition. After each step
// `advance` serves the queue, or brings the mountpoint to rest. The explorer compares `to` with what it sees, both ways.

import type { Goal } from './goal.js'
import type { Mountpoint } from './mountpoint.js'

/** What is under way at a mountpoint. */
export type Situation =
  /** Nothing; a delay may run, after which a repair is tried again or a vacant layer is no longer kept. */
  | 'resting'
  /** Work waits for a slot. */
  | 'queued'
  /** An effect is in flight. */
  | 'running'
  /** Work waits for the end of a delay. */
  | 'delayed'
  /** An effect passed its deadline and may still act: nothing but a look or a step of the ladder begins beside it (L23). */
  | 'blocked'

/** The situation follows from the record, as the phase does. */
export const situationOf = ({ overdue, inFlight, work, slot }: Mountpoint): Situation => {
  if (overdue.length > 0) return 'blocked'
  if (inFlight !== undefined) return 'running'
  if (work === undefined) return 'resting'
  return slot === 'wanted' ? 'queued' : 'delayed'
}

/** What can happen at a mountpoint, and the steps that can follow. The transitions of a step are listed under its name, by column. */
export interface Steps {
  /** A request joins the queue, as it cannot be answered at once. Background work gives way to it, and a delay may end for it. */
  readonly Arrived: 'wait' | 'yieldTurn' | 'hurry'
  /** The slot that was wanted is free: a look first, whatever is to follow. */
  readonly Granted: 'ignore' | 'look'
  /** The effect in flight has its outcome: the record first, then what is wanted (`AFTER_LOOK`). */
  readonly Reported: 'ignore' | 'goOn'
  /** The delay is over. */
  readonly Elapsed: 'tryAgain' | 'endKeeping' | 'queueAgain' | 'escalate'
  /** No process of an overdue effect is left. */
  readonly Ended: 'ignore' | 'freeAgain'
  /** The mount table has changed here, or an operator asks for a look (`retry`). */
  readonly Observed: 'lookAtRest' | 'hurry' | 'resetBackOff'
  /** A request of the queue has reached its deadline: it is answered, and the work goes on without it. */
  readonly Deadline: 'answer'
}

/** What can happen to a mountpoint, by the name of the step that follows. */
export type Happening = keyof Steps

interface Cell<Step> {
  readonly does: Step
  /** The situations that it can lead to, once `advance` has done its part. */
  readonly to: readonly Situation[]
}

type Row = { readonly [Column in Happening]: Cell<Steps[Column]> }

const IGNORED: Cell<'ignore'> = { does: 'ignore', to: [] }

/** The table of transitions: what each situation does at each happening, and where that may lead. */
export const ON: Readonly<Record<Situation, Row>> = {
  resting: {
    // A request of the next generation waits at rest.
    Arrived: { does: 'wait', to: ['resting', 'queued'] },
    Granted: IGNORED,
    Reported: IGNORED,
    Elapsed: { does: 'tryAgain', to: ['resting', 'queued'] },
    Ended: IGNORED,
    Observed: { does: 'lookAtRest', to: ['queued'] },
    Deadline: { does: 'answer', to: ['resting'] },
  },
  queued: {
    Arrived: { does: 'yieldTurn', to: ['queued'] },
    // Background work that nothing needs any more ends here instead.
    Granted: { does: 'look', to: ['resting', 'queued', 'running'] },
    Reported: IGNORED,
    Elapsed: { does: 'endKeeping', to: ['queued'] },
    Ended: IGNORED,
    Observed: { does: 'resetBackOff', to: ['queued'] },
    Deadline: { does: 'answer', to: ['resting', 'queued'] },
  },
  running: {
    Arrived: { does: 'wait', to: ['running'] },
    Granted: IGNORED,
    Reported: { does: 'goOn', to: ['resting', 'queued', 'running', 'delayed', 'blocked'] },
    Elapsed: { does: 'endKeeping', to: ['running'] },
    Ended: IGNORED,
    Observed: { does: 'resetBackOff', to: ['running'] },
    Deadline: { does: 'answer', to: ['running'] },
  },
  delayed: {
    Arrived: { does: 'hurry', to: ['resting', 'queued', 'delayed'] },
    Granted: IGNORED,
    Reported: IGNORED,
    Elapsed: { does: 'queueAgain', to: ['resting', 'queued'] },
    Ended: IGNORED,
    Observed: { does: 'hurry', to: ['queued', 'delayed'] },
    Deadline: { does: 'answer', to: ['resting', 'queued', 'delayed'] },
  },
  blocked: {
    Arrived: { does: 'wait', to: ['blocked'] },
    Granted: IGNORED,
    Reported: { does: 'goOn', to: ['blocked'] },
    Elapsed: { does: 'escalate', to: ['blocked'] },
    // A step of the ladder may still be in flight.
    Ended: { does: 'freeAgain', to: ['queued', 'running', 'blocked'] },
    Observed: { does: 'resetBackOff', to: ['blocked'] },
    Deadline: { does: 'answer', to: ['blocked'] },
  },
}

/** How work goes on from a look that shows what is there. */
export type AfterLook = 'mount' | 'unmount' | 'finish' | 'probe'

/** By its goal. */
export const AFTER_LOOK: Readonly<Record<Goal['_tag'], AfterLook>> = {
  Attach: 'mount',
  Remount: 'mount',
  Detach: 'unmount',
  CleanUp: 'unmount',
  RollBack: 'unmount',
  Look: 'finish',
  ProbeForReconcile: 'probe',
}
