// Roll-back of a failed attach (L7, L8): the claim ends durably, then what was made for it is taken away in reverse order,
// then all attaches that waited for the same filesystem are refused with the first cause and every step that did not succeed.

import type { AttachError } from '../answer.js'
import type { Reason } from '../refusal.js'
import type { Found, CommandError } from '../found.js'
import type { RollingBack } from '../goal.js'
import { mountingOf, rollingBack } from '../goal.js'
import type { Draft } from './draft.js'
import { set, setWork } from './draft.js'
import { refuseWaiting } from './leave.js'
import { arrivedBefore, emitLook, emitRemoveDirectory, endClaim, finish, shares } from './steps.js'

const refusal = ({ cause, failures }: RollingBack): AttachError =>
  cause._tag === 'MountFailed' ? { ...cause, rollback: failures } : cause

const reasonFor = (cause: AttachError): Reason => {
  switch (cause._tag) {
    case 'Foreign':
      return { _tag: 'Foreign' }
    case 'Conflict':
      return cause.reason ?? { _tag: 'Refused', error: undefined }
    case 'MountFailed':
      return cause.step === 'helper' && cause.component !== undefined
        ? { _tag: 'HelperMissing', helper: cause.component }
        : { _tag: 'Refused', error: cause.error }
    default:
      return { _tag: 'Refused', error: undefined }
  }
}

/** Mounting again for holders has failed: tried again after a delay. */
export const noteRemountFailure = (draft: Draft, cause: AttachError): void => {
  set(draft, { reason: reasonFor(cause) })
}

/** Refuses, with the cause, the attach that failed and all attaches of that filesystem that waited then. */
export const endRollback = (draft: Draft): void => {
  const { work, filesystem } = draft.record
  const goal = rollingBack(work)
  if (goal === undefined) return
  const cause = refusal(goal)
  const sharing = draft.record.waiting.filter(
    (each) => arrivedBefore(each, goal.failedFor) && shares(draft, each.filesystem, filesystem),
  )
  if (goal.remount) noteRemountFailure(draft, cause)
  finish(draft)
  for (const each of sharing) refuseWaiting(draft, each, cause)
}

/** A step of a teardown did not succeed; it goes on, and where it rolls an attach back, the refusal lists it. */
export const noteFailure = (
  draft: Draft,
  step: 'unmount' | 'directory',
  found: Found,
  error: CommandError | undefined,
): void => {
  const goal = rollingBack(draft.record.work)
  if (goal === undefined) return
  const failure = { step, found, ...(error === undefined ? {} : { error }) }
  setWork(draft, { goal: { ...goal, failures: [...goal.failures, failure] } })
}

/** Begins the roll-back of the claim that is being served. `layer`: a layer of ours has to come off first. */
export const rollBack = (draft: Draft, cause: AttachError, found: Found, has: 'layer' | 'no layer'): void => {
  const { work, directory } = draft.record
  const mounting = mountingOf(work)
  const made = mounting?.keepDirectory === false && directory === 'ours'
  endClaim(draft, 'settled')
  set(draft, { unresolved: undefined })
  const remount = mounting?._tag === 'Remount'
  const failedFor = draft.out.lastRequest
  setWork(draft, {
    goal: { _tag: 'RollBack', cause, failedFor, failures: [], keepDirectory: !made, remount },
    attempts: 0,
  })
  if (has === 'layer') {
    emitLook(draft)
  } else if (made && found._tag === 'Directory') {
    emitRemoveDirectory(draft)
  } else {
    if (found._tag === 'Mounted')
      set(draft, { reason: { _tag: draft.record.layer === undefined ? 'Foreign' : 'Stacked' } })
    endRollback(draft)
  }
}
