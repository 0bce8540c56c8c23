// Outcomes: an effect has ended, and its transition follows. An outcome of another effect than the one in flight changes nothing.
// An effect whose end could not be seen stays unresolved, until a conclusive look takes the place of its outcome.

import type { CommandError, Found, SourceSeen } from '../found.js'
import { isUnmounting, mountingOf } from '../goal.js'
import type { Delay, EffectInFlight, Unresolved } from '../mountpoint.js'
import type { EffectId } from '../id.js'
import type { EffectFound, Outcome, Probed } from '../input.js'
import { isInTheWay } from '../reason.js'
import type { AfterLook, Steps } from '../table.js'
import { AFTER_LOOK, ON, situationOf } from '../table.js'
import type { Draft } from './draft.js'
import { set, setWork } from './draft.js'
import type { Concluded } from './mount.js'
import { onMakeDirectoryEnded, onMountEnded, onReplacingEnded, mountAfterLook } from './mount.js'
import { onProbeEnded } from './prove.js'
import { answerForPerson } from './person.js'
import { compareWithFound } from './see.js'
import { probeForSurvey } from './survey.js'
import {
  becomeUncertain,
  emitLook,
  finish,
  isUncertain,
  noteError,
  releaseSlot,
  servedHead,
  startWork,
  wantSlot,
  whyThere,
} from './steps.js'
import { escalate, onRemoveDirectoryEnded, onUnmountEnded, unmountAfterLook, recheckUnmount } from './unmount.js'

type GoesOn = (draft: Draft, found: Found, source: SourceSeen | undefined) => void

/** Seen on top again: it is back, or what covered it is gone, so it may be unmounted after all. */
const noteOnTop = (draft: Draft): void => {
  if (whyThere(draft) === undefined && isInTheWay(draft.record.reason)) set(draft, { reason: undefined })
}

const GOES_ON: Readonly<Record<AfterLook, GoesOn>> = {
  mount: mountAfterLook,
  unmount: unmountAfterLook,
  finish: (draft) => {
    noteOnTop(draft)
    finish(draft)
  },
  probe: (draft, found, source) => {
    noteOnTop(draft)
    if (!probeForSurvey(draft, found, source)) finish(draft)
  },
}

/** Goes on from a look that shows what is there, by what is wanted. */
const afterLook: GoesOn = (draft, found, source) => {
  const { work } = draft.record
  GOES_ON[work === undefined ? 'finish' : AFTER_LOOK[work.goal._tag]](draft, found, source)
}

const onChangeEnded = (
  draft: Draft,
  { kind, error }: Unresolved,
  found: Found,
  source: SourceSeen | undefined,
  when: 'at its end' | 'late',
): Concluded => {
  const { work } = draft.record
  switch (kind) {
    case 'MakeDirectory':
      return onMakeDirectoryEnded(draft, found, error)
    case 'Mount':
      return onMountEnded(draft, found, error, source, when)
    case 'Unmount':
      if (recheckUnmount(draft, found, error, when)) return 'done'
      if (isUnmounting(work)) onUnmountEnded(draft, found, error)
      else if ((mountingOf(work)?.replacing ?? 'nothing') === 'nothing') return 'proceed'
      else onReplacingEnded(draft, found, error, source)
      return 'done'
    case 'RemoveDirectory':
      // Only the work of an unmount removes directories, and it looks again until a look is conclusive.
      onRemoveDirectoryEnded(draft, found, error)
      return 'done'
  }
}

/** Takes what a look found: the record first, then what is unresolved, then what is wanted. */
export const onLook = (draft: Draft, found: Found, source: SourceSeen | undefined): void => {
  const by = (draft.record.work?.attempts ?? 0) > 0 ? 'us' : 'other'
  const unknown = compareWithFound(draft, found, by)
  if (unknown !== undefined) {
    becomeUncertain(draft, unknown)
    return
  }
  const { unresolved, overdue, work } = draft.record
  if (overdue.length > 0 && isUnmounting(work) && work?.settled === true) {
    // The second look at what a step of the ladder did; what is overdue beside it stays unresolved.
    onUnmountEnded(draft, found, undefined)
    return
  }
  if (unresolved === undefined || overdue.length > 0) {
    afterLook(draft, found, source)
    return
  }
  set(draft, { unresolved: undefined })
  if (onChangeEnded(draft, unresolved, found, source, 'late') === 'proceed') afterLook(draft, found, source)
}

const isChanging = (kind: EffectInFlight['kind']): kind is Unresolved['kind'] => kind !== 'Look' && kind !== 'Probe'

const onUnknown = (
  draft: Draft,
  flight: EffectInFlight,
  found: Found & { _tag: 'Unknown' },
  error: CommandError | undefined,
): void => {
  const { overdue, unresolved } = draft.record
  const timedOut = found.why === 'TimedOut'
  set(draft, {
    inFlight: undefined,
    overdue: timedOut ? [...overdue, flight] : overdue,
    unresolved: isChanging(flight.kind) ? { kind: flight.kind, error } : unresolved,
  })
  noteError(draft, error)
  if (flight.kind === 'Probe') {
    onProbeEnded(draft, found)
    return
  }
  becomeUncertain(draft, found)
  escalate(draft)
}

const isFound = (found: EffectFound): found is Found => {
  switch (found._tag) {
    case 'NoDirectory':
    case 'Directory':
    case 'Obstacle':
    case 'Mounted':
    case 'Unknown':
      return true
    default:
      return false
  }
}

const isProbed = (found: EffectFound): found is Probed => found._tag === 'Alive' || found._tag === 'Broken'

/**
 * A step of the ladder has ended after what it stood beside: from here on the work needs a slot like any other, and what the
 * step has done is seen by the look that comes with it.
 */
const leaveLadder = (draft: Draft, flight: EffectInFlight, error: CommandError | undefined): void => {
  if (isChanging(flight.kind)) set(draft, { unresolved: { kind: flight.kind, error } })
  releaseSlot(draft)
  wantSlot(draft, servedHead(draft) === undefined)
}

const onEffectOutcome = (draft: Draft, flight: EffectInFlight, outcome: Outcome): void => {
  const { found, error, source } = outcome
  if (flight.kind === 'Probe' ? !isProbed(found) && found._tag !== 'Unknown' : !isFound(found)) return
  if (found._tag === 'Unknown') {
    onUnknown(draft, flight, found, error)
    return
  }
  draft.elsewhere = outcome.elsewhere
  draft.submounts = outcome.submounts ?? []
  draft.missingHelper = outcome.missingHelper
  draft.missingSource = source?.asked._tag === 'Absent' ? source.asked.path : undefined
  set(draft, { inFlight: undefined })
  if (draft.record.slot === 'overdue' && draft.record.overdue.length === 0) {
    leaveLadder(draft, flight, error)
    return
  }
  if (isProbed(found)) {
    onProbeEnded(draft, found)
  } else if (flight.kind === 'Look' && isFound(found)) {
    onLook(draft, found, source)
  } else if (isChanging(flight.kind) && isFound(found)) {
    if (onChangeEnded(draft, { kind: flight.kind, error }, found, source, 'at its end') === 'proceed') {
      afterLook(draft, found, source)
    }
  }
}

/** Delays that belong to no request end with the generation that began them. */
const isPolicyTimer = (draft: Draft, { why }: Delay): boolean => {
  const { work, unresolved } = draft.record
  const begun = why === 'back-off' || why === 'keep-mounted'
  return begun && servedHead(draft) === undefined && (work === undefined || unresolved === undefined)
}

const ELAPSED: Readonly<Record<Steps['Elapsed'], (draft: Draft, wait: Delay) => void>> = {
  tryAgain: (draft, { why }) => {
    if (why !== 'back-off' || !isUncertain(draft.record)) {
      // The repair that was tried is due now; `advance` knows which it is.
      set(draft, { reason: undefined })
      return
    }
    startWork(draft, { _tag: 'Look' })
    wantSlot(draft, true)
  },
  endKeeping: (draft) => set(draft, { reason: undefined }),
  queueAgain: (draft) => wantSlot(draft, servedHead(draft) === undefined),
  escalate: (draft, { why }) => {
    if (why === 'settle') emitLook(draft)
    else escalate(draft)
  },
}

/** A delay has ended. */
const onElapsed = (draft: Draft, wait: Delay): void => {
  const situation = situationOf(draft.record)
  const isDead = draft.out.phase !== 'up' && isPolicyTimer(draft, wait)
  set(draft, { wait: undefined })
  if (!isDead) ELAPSED[ON[situation].Elapsed.does](draft, wait)
  // A look beside a layer that is kept is under way and ends by itself.
  else if (draft.record.work !== undefined && wait.why === 'back-off') finish(draft)
}

const REPORTED: Readonly<Record<Steps['Reported'], (draft: Draft, flight: EffectInFlight, outcome: Outcome) => void>> =
  {
    ignore: () => undefined,
    goOn: onEffectOutcome,
  }

/** Takes the one outcome of an effect, if it is the one that is awaited here. */
export const onOutcome = (draft: Draft, outcome: Outcome): 'taken' | 'not ours' => {
  const { inFlight, wait } = draft.record
  if (inFlight?.effect === outcome.effect) {
    REPORTED[ON[situationOf(draft.record)].Reported.does](draft, inFlight, outcome)
    if (outcome.found._tag === 'Unknown' || draft.record.unknown !== undefined) answerForPerson(draft)
    return 'taken'
  }
  if (wait?.effect === outcome.effect && outcome.found._tag === 'Elapsed') {
    onElapsed(draft, wait)
    return 'taken'
  }
  return 'not ours'
}

/** What a command said, once none of its processes lives. */
const withoutProcess = (error: CommandError | undefined): CommandError | undefined => {
  if (error === undefined) return undefined
  const { pid: _ended, ...rest } = error
  return rest
}

/** No process of an overdue effect lives any more: the mountpoint is free again, and looked at (L23). */
const freeAgain = (draft: Draft, effect: EffectId): void => {
  const overdue = draft.record.overdue.filter((each) => each.effect !== effect)
  if (overdue.length === draft.record.overdue.length) return
  const { lastError, unresolved } = draft.record
  // What an unmount did may show only from now on until `settleMs` are over.
  if (draft.record.overdue.some((each) => each.effect === effect && each.kind === 'Unmount'))
    setWork(draft, { settled: false })
  set(draft, {
    overdue,
    lastError: withoutProcess(lastError),
    unresolved: unresolved && { ...unresolved, error: withoutProcess(unresolved.error) },
  })
  if (overdue.length > 0 || draft.record.inFlight !== undefined) return
  releaseSlot(draft)
  if (draft.record.work === undefined) startWork(draft, { _tag: 'Look' })
  wantSlot(draft, servedHead(draft) === undefined)
}

const ENDED: Readonly<Record<Steps['Ended'], (draft: Draft, effect: EffectId) => void>> = {
  ignore: () => undefined,
  freeAgain,
}

export const onEnded = (draft: Draft, effect: EffectId): void => {
  ENDED[ON[situationOf(draft.record)].Ended.does](draft, effect)
}

/** The slot that was wanted is there: a look first, whatever is to follow. */
const look = (draft: Draft): void => {
  const { record, out } = draft
  if (record.work === undefined) return
  if (
    record.background &&
    (out.phase !== 'up' || out.stopping !== 'no') &&
    record.unresolved === undefined &&
    record.claim === undefined
  ) {
    finish(draft)
    return
  }
  set(draft, { slot: 'held', work: { ...record.work, granted: true } })
  emitLook(draft)
}

const GRANTED: Readonly<Record<Steps['Granted'], (draft: Draft) => void>> = {
  ignore: () => undefined,
  look,
}

export const onGranted = (draft: Draft): void => {
  GRANTED[ON[situationOf(draft.record)].Granted.does](draft)
}
