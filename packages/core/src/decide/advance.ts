// Advancing: what a mountpoint does when nothing is under way there. The next request of its queue is served; when none waits, the
// mountpoint comes to rest in the phase that its record shows, and begins the clean-up or repair that is due.

import type { Detached, Warning } from '../answer.js'
import { mountingFor } from '../goal.js'
import type { Holder } from '../holders.js'
import type { Waiting } from '../mountpoint.js'
import { isInTheWay, reasonOf } from '../reason.js'
import type { Draft, Out } from './draft.js'
import { heldBy, holderOf, holdersLeft, passThrough, phaseNow, set, recordFact } from './draft.js'
import { answerLeaving, refuseWaiting } from './leave.js'
import { becomeAbsent } from './see.js'
import {
  isUncertain,
  holdsAnything,
  savingAttach,
  settingsOf,
  shares,
  startBackOff,
  startWait,
  startWork,
  wantSlot,
  whyThere,
} from './steps.js'
import { escalate } from './unmount.js'

const serveAttach = (draft: Draft, head: Waiting): void => {
  const { filesystem } = draft.record
  const known = head.filesystem !== undefined && filesystem !== undefined
  if (known && holdersLeft(draft) > 0 && !shares(draft, head.filesystem, filesystem)) {
    refuseWaiting(draft, head, { _tag: 'Conflict', requested: head.filesystem, mounted: filesystem })
    return
  }
  startWork(draft, mountingFor('Attach'), { request: head.request })
  wantSlot(draft, false)
}

/** The answer to a detach, from the record alone. */
const mountUnlooked = (draft: Draft): Pick<Detached, 'mount' | 'directory' | 'reason'> => {
  const { record } = draft
  const directory = record.layer !== undefined || record.directory === 'ours' ? 'kept' : 'absent'
  const reason = record.reason === undefined ? {} : { reason: record.reason }
  if (holdsAnything(draft)) return { mount: 'held', directory: 'kept' }
  if (record.overdue.length > 0)
    return { mount: 'uncertain', directory: 'kept', reason: { _tag: 'Unknown', why: 'TimedOut' } }
  if (record.unknown !== undefined) {
    const why = reasonOf(record.path, record.unknown)
    const isThere = why._tag === 'UnsafeParent' && record.layer !== undefined && record.unresolved === undefined
    return { mount: isThere ? 'vacant' : 'uncertain', directory: 'kept', reason: why }
  }
  return { mount: record.layer === undefined ? 'absent' : 'vacant', directory, ...reason }
}

/** The holder a detach means: of that name, or the only one of its consumer that an inventory brought (R6.13). */
export const meant = (draft: Draft, volume: string, consumer: string): Holder | undefined => {
  const named = holderOf(draft, volume, consumer)
  if (named !== undefined) return named
  const [only, ...others] = heldBy(draft, consumer).filter((holder) => holder.knowledge === 'inventory')
  return others.length === 0 ? only : undefined
}

/** Ends a holder, durably before anything that follows from it. */
export const endHolder = (draft: Draft, volume: string, consumer: string): void => {
  const { out, record } = draft
  recordFact(draft, { _tag: 'Left', at: out.at, mountpoint: record.path, volume, consumer })
}

/** The warning where a detach has ended a holder of another name than it gave. */
export const matched = (holder: Holder | undefined, volume: string): readonly Warning[] =>
  holder === undefined || holder.volume === volume
    ? []
    : [
        {
          _tag: 'MatchedByConsumer',
          text: `${volume} is not known; ${holder.volume} of the same consumer was used instead`,
        },
      ]

const NOTHING: readonly Warning[] = []

/** No holder has that name: nothing changes, except that an unmount that failed is tried again. */
const leaveUnheld = (draft: Draft, head: Waiting, volume: string, last: boolean): void => {
  const { layer, reason, unknown } = draft.record
  const failed =
    layer !== undefined &&
    !holdsAnything(draft) &&
    (reason?._tag === 'Refused' || isInTheWay(reason) || unknown?.why === 'UnsafeParent')
  if (last && failed) {
    const leaving = { holder: 'not-held' as const, volume, warnings: NOTHING }
    startWork(draft, { _tag: 'Detach', leaving }, { request: head.request })
    wantSlot(draft, false)
    escalate(draft)
    return
  }
  const left = {
    holder: 'not-held' as const,
    holdersLeft: holdersLeft(draft),
    ...mountUnlooked(draft),
    warnings: NOTHING,
  }
  answerLeaving(draft, head, volume, { _tag: 'Detached', ...left }, last)
}

/** Ends one holder. Returns whether effects have to run before the answer. */
const leaveHeld = (draft: Draft, head: Waiting, volume: string, holder: Holder, last: boolean): void => {
  endHolder(draft, holder.volume, holder.consumer)
  const warnings = matched(holder, volume)
  const left = holdersLeft(draft)
  const say = (what: Pick<Detached, 'mount' | 'directory' | 'reason'>): void =>
    answerLeaving(
      draft,
      head,
      volume,
      { _tag: 'Detached', holder: 'removed', holdersLeft: left, ...what, warnings },
      last,
    )
  if (left > 0 || !last || savingAttach(draft) !== undefined) {
    say({ mount: 'held', directory: 'kept' })
    return
  }
  const { layer, overdue, unknown } = draft.record
  const certain = layer !== undefined && whyThere(draft) === undefined && overdue.length === 0 && unknown === undefined
  if (certain && settingsOf(draft).policies.keepMountedMs > 0) {
    set(draft, { reason: { _tag: 'KeptByPolicy' }, wait: undefined })
    say({ mount: 'vacant', directory: 'kept', reason: { _tag: 'KeptByPolicy' } })
    return
  }
  startWork(draft, { _tag: 'Detach', leaving: { holder: 'removed', volume, warnings } }, { request: head.request })
  set(draft, { reason: undefined })
  wantSlot(draft, false)
  escalate(draft)
}

/** A detach, or a release at this mountpoint: volumes without a holder first, so that the last holder ends last. */
const serveLeaving = (draft: Draft, head: Waiting): void => {
  const { consumer, volumes } = head
  const holding = (volume: string): boolean => holderOf(draft, volume, consumer) !== undefined
  const sorted =
    volumes.length === 1 ? volumes : [...volumes.filter((each) => !holding(each)), ...volumes.filter(holding)]
  sorted.forEach((volume, index) => {
    const last = index === sorted.length - 1
    const holder = meant(draft, volume, consumer)
    if (holder === undefined) leaveUnheld(draft, head, volume, last)
    else leaveHeld(draft, head, volume, holder, last)
  })
}

/** Clean-ups and repairs belong to a host that is up, and not to a manager that is about to end. */
const looksAfterItself = (out: Out): boolean => out.phase === 'up' && out.stopping === 'no'

/** A layer without a holder, or a directory of ours: cleaned up at once if that was not tried, else after a delay. */
const cleanUp = (draft: Draft): void => {
  const { wait, reason } = draft.record
  if (wait !== undefined || !looksAfterItself(draft.out)) return
  if (reason?._tag === 'KeptByPolicy') {
    startWait(draft, 'keep-mounted', settingsOf(draft).policies.keepMountedMs)
  } else if (reason === undefined) {
    passThrough(draft, phaseNow(draft))
    startWork(draft, { _tag: 'CleanUp' })
    wantSlot(draft, true)
  } else {
    startBackOff(draft)
  }
}

const restLost = (draft: Draft): void => {
  const { wait, reason } = draft.record
  if (settingsOf(draft).policies.lost !== 'remount' || !looksAfterItself(draft.out) || wait !== undefined) return
  if (reason !== undefined) {
    startBackOff(draft)
    return
  }
  passThrough(draft, 'lost')
  startWork(draft, mountingFor('Remount'))
  wantSlot(draft, true)
}

/** Comes to rest in the phase that the record shows. */
const rest = (draft: Draft): void => {
  const { record, out } = draft
  const held = holdersLeft(draft) > 0
  // What is overdue owns the mountpoint: its end is what happens next.
  if (record.overdue.length > 0) return
  if (isUncertain(record)) {
    if (record.wait === undefined && looksAfterItself(out)) startBackOff(draft)
  } else if (record.layer !== undefined && held) {
    // Our layer is there, as was seen last: what a command had said before would only mislead the reader of a status.
    const { wait, backOffMs, reason, lastError } = record
    if (wait !== undefined || backOffMs !== 0 || reason !== undefined || lastError !== undefined) {
      set(draft, { wait: undefined, backOffMs: 0, reason: undefined, lastError: undefined })
    }
  } else if (record.layer !== undefined) {
    cleanUp(draft)
  } else if (held) {
    restLost(draft)
  } else if (record.directory === 'ours') {
    cleanUp(draft)
  } else {
    becomeAbsent(draft)
  }
}

/** Serves the requests whose turn it is until one has to wait for an effect; comes to rest if none is left. */
export const advance = (draft: Draft): void => {
  for (;;) {
    const { work, waiting } = draft.record
    if (work !== undefined) return
    const head = waiting[0]
    if (head === undefined || head.generation > draft.out.generation) break
    if (head.op === 'attach') serveAttach(draft, head)
    else serveLeaving(draft, head)
  }
  rest(draft)
}
