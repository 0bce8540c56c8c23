// Unmounting: from the last holder's leaving, a roll-back or a clean-up, over look, unmount and rmdir, to the answer. Only our
// own layer, only when a look shows it on top, and the directory only when it is ours and proven unmounted (L10, L11, L20).

import type { Detached, Warning } from '../answer.js'
import type { Reason } from '../refusal.js'
import type { UnmountHow } from '../effect.js'
import type { CommandError, Found } from '../found.js'
import { isUnmounting, rollingBack } from '../goal.js'
import type { LadderPolicy } from '../settings.js'
import type { Draft } from './draft.js'
import { holdersLeft, set, setWork } from './draft.js'
import { answerLeaving } from './leave.js'
import { endRollback, noteFailure } from './rollback.js'
import { compareWithFound } from './see.js'
import {
  becomeUncertain,
  emitLook,
  emitRemoveDirectory,
  emitUnmount,
  finish,
  noteDirectory,
  noteError,
  savingAttach,
  servedHead,
  settingsOf,
  startWait,
  whyThere,
} from './steps.js'

/** The ladder: force aborts what waits inside, lazy detaches a busy layer; each only by policy (L13). */
const RUNGS: Readonly<Record<LadderPolicy, readonly UnmountHow[]>> = {
  off: [],
  force: ['plain', 'force', 'plain'],
  lazy: ['plain', 'force', 'plain', 'lazy'],
}

const ladderOf = (draft: Draft): readonly UnmountHow[] => {
  const { root } = draft.record
  const ladder = settingsOf(draft).roots.find((each) => each.path === root)?.ladder ?? 'off'
  return RUNGS[ladder]
}

const howNow = (draft: Draft): UnmountHow => ladderOf(draft)[draft.record.work?.attempts ?? 0] ?? 'plain'

/** How often this work may try to unmount: a clean-up once, a request or a roll-back as often as there are delays, or rungs. */
const attemptsMax = (draft: Draft): number => {
  const { work } = draft.record
  if (work?.request === undefined && rollingBack(work) === undefined) return 1
  const ladder = ladderOf(draft)
  return ladder.length > 0 ? ladder.length : settingsOf(draft).delaysMs.unmountRetry.length + 1
}

interface Left {
  readonly mount: Detached['mount']
  readonly directory: Detached['directory']
  readonly reason?: Reason
}

const lazily = (draft: Draft): boolean => ladderOf(draft)[(draft.record.work?.attempts ?? 0) - 1] === 'lazy'

const lazyWarning = (path: string): Warning => ({
  _tag: 'DetachedLazily',
  text: `${path} was unmounted lazily because it was busy; its users keep it open`,
})

/**
 * What is unmounted below a root that is not shared stays in mount namespaces that have a copy of it, and the rmdir detaches it
 * there, also from processes that write to it (L13).
 */
const elsewhereWarnings = ({ out, record: { path, root } }: Draft): readonly Warning[] => {
  if (root === undefined || !out.host.notShared.includes(root)) return []
  const text = `${root} is not shared: if another mount namespace has a copy of this mount, removing ${path} has detached it there while in use`
  return [{ _tag: 'PropagationNotShared', text }]
}

/** The work has ended, well or not: answers the request that it was for. */
const conclude = (draft: Draft, left: Left): void => {
  const { work, path } = draft.record
  const head = servedHead(draft)
  set(draft, { reason: left.reason })
  if (rollingBack(work) !== undefined) {
    endRollback(draft)
    return
  }
  const wasLazy = left.mount === 'unmounted' && lazily(draft)
  const leaving = work?.goal._tag === 'Detach' ? work.goal.leaving : undefined
  finish(draft)
  if (head === undefined || leaving === undefined) return
  const more: readonly Warning[] = [
    ...(wasLazy ? [lazyWarning(path)] : []),
    ...(left.directory === 'removed' ? elsewhereWarnings(draft) : []),
  ]
  const detached: Detached = {
    _tag: 'Detached',
    holder: leaving.holder,
    holdersLeft: holdersLeft(draft),
    ...left,
    mount: wasLazy ? 'detached' : left.mount,
    warnings: [...leaving.warnings, ...more],
  }
  answerLeaving(draft, head, leaving.volume, detached, true)
}

/** A waiting attach of the same filesystem makes the unmount unnecessary, unless it is a roll-back. */
const isSaved = (draft: Draft): boolean =>
  rollingBack(draft.record.work) === undefined && (holdersLeft(draft) > 0 || savingAttach(draft) !== undefined)

export const endAsHeld = (draft: Draft): void => conclude(draft, { mount: 'held', directory: 'kept' })

/** A holder or a claim that discovery has found ends the attempts to unmount the layer. */
export const endAttempts = (draft: Draft): void => {
  if (draft.record.wait?.why === 'unmount-retry' && isSaved(draft)) endAsHeld(draft)
}

/** Our layer is off: on to the directory, by what was found there. */
const afterUnmount = (draft: Draft, found: Found): void => {
  const { directory, work, overdue } = draft.record
  const ours = directory === 'ours'
  if (overdue.length > 0) {
    // What is overdue still owns the mountpoint; the directory is removed after its end.
    conclude(draft, { mount: 'unmounted', directory: 'kept', reason: { _tag: 'Unknown', why: 'TimedOut' } })
    set(draft, { reason: undefined })
    return
  }
  switch (found._tag) {
    case 'Mounted':
      conclude(draft, { mount: 'unmounted', directory: 'kept', reason: { _tag: 'Foreign' } })
      return
    case 'NoDirectory':
      conclude(draft, { mount: 'unmounted', directory: 'absent' })
      return
    case 'Obstacle':
      conclude(draft, { mount: 'unmounted', directory: 'kept', reason: { _tag: 'Obstacle', kind: found.kind } })
      return
    case 'Directory':
      if (ours && rollingBack(work)?.keepDirectory !== true) emitRemoveDirectory(draft)
      else conclude(draft, { mount: 'unmounted', directory: 'kept', ...(ours ? {} : { reason: { _tag: 'NotOurs' } }) })
      return
    case 'Unknown':
      becomeUncertain(draft, found)
  }
}

/** Goes on from a look. */
export const unmountAfterLook = (draft: Draft, found: Found): void => {
  const { layer } = draft.record
  const why = whyThere(draft)
  if (isSaved(draft)) {
    endAsHeld(draft)
  } else if (layer === undefined) {
    afterUnmount(draft, found)
  } else if (why !== undefined) {
    giveUp(draft, why, found, undefined)
  } else {
    emitUnmount(draft, layer, howNow(draft))
  }
}

/** Our layer stays where it is. */
const giveUp = (draft: Draft, reason: Reason, found: Found, error: CommandError | undefined): void => {
  noteFailure(draft, 'unmount', found, error)
  conclude(draft, { mount: 'vacant', directory: 'kept', reason })
}

/**
 * Our layer still shows, and no error says that it stays: a second look after `settleMs`, since it may disappear that late.
 * No request is served meanwhile (L2), whatever the unmount was for. Returns whether the second look is still to come.
 */
export const recheckUnmount = (
  draft: Draft,
  found: Found,
  error: CommandError | undefined,
  when: 'at its end' | 'late',
): boolean => {
  if (compareWithFound(draft, found, 'us') !== undefined) return false
  const { work, layer, overdue } = draft.record
  const mayDisappear = error === undefined || when === 'late'
  if (!mayDisappear || layer === undefined || whyThere(draft) !== undefined || work?.settled !== false) return false
  noteError(draft, error)
  setWork(draft, { settled: true })
  if (overdue.length === 0) {
    set(draft, { unresolved: { kind: 'Unmount', error } })
  }
  startWait(draft, 'settle', settingsOf(draft).delaysMs.settle)
  return true
}

/** The outcome of `Unmount`, or a later look that shows it. */
export const onUnmountEnded = (draft: Draft, found: Found, error: CommandError | undefined): void => {
  const unknown = compareWithFound(draft, found, 'us')
  noteError(draft, error)
  const { layer, work } = draft.record
  if (unknown !== undefined) {
    becomeUncertain(draft, unknown)
    return
  }
  if (layer === undefined) {
    afterUnmount(draft, found)
    return
  }
  const why = whyThere(draft)
  if (why !== undefined) {
    giveUp(draft, why, found, error)
    return
  }
  if (isSaved(draft)) {
    endAsHeld(draft)
    return
  }
  const attempts = work?.attempts ?? 1
  const reason: Reason = { _tag: 'Refused', error }
  if (attempts >= attemptsMax(draft)) {
    giveUp(draft, reason, found, error)
    return
  }
  const { unmountRetry } = settingsOf(draft).delaysMs
  set(draft, { reason })
  setWork(draft, { settled: false })
  startWait(draft, 'unmount-retry', unmountRetry[attempts - 1] ?? unmountRetry.at(-1) ?? 0)
}

/** The outcome of `RemoveDirectory`, or a later look that shows it. The detach has succeeded all the same. */
export const onRemoveDirectoryEnded = (draft: Draft, found: Found, error: CommandError | undefined): void => {
  noteError(draft, error)
  if (found._tag === 'NoDirectory') {
    // A later look has updated the record already.
    if (draft.record.directory === 'ours') noteDirectory(draft, 'DirectoryRemoved')
    conclude(draft, { mount: 'unmounted', directory: error === undefined ? 'removed' : 'absent' })
    return
  }
  noteFailure(draft, 'directory', found, error)
  if (found._tag === 'Mounted') {
    set(draft, { foreign: found.layers })
    conclude(draft, { mount: 'unmounted', directory: 'kept', reason: { _tag: 'Foreign' } })
  } else if (found._tag === 'Obstacle') {
    if (draft.record.directory === 'ours') noteDirectory(draft, 'DirectoryKept')
    conclude(draft, { mount: 'unmounted', directory: 'kept', reason: { _tag: 'Obstacle', kind: found.kind } })
  } else {
    conclude(draft, { mount: 'unmounted', directory: 'kept', reason: { _tag: 'Refused', error } })
  }
}

/** Beside an overdue effect: one step of the ladder, if policy allows and a rung is left. It begins with a look. */
export const escalate = (draft: Draft): void => {
  const { work, overdue, layer } = draft.record
  const rungs = ladderOf(draft).length
  if (overdue.length !== 1 || layer === undefined) return
  if (!isUnmounting(work) || (work?.attempts ?? 0) >= rungs) return
  emitLook(draft)
}
