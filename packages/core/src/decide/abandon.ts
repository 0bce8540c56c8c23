// Abandoning: an attach that is answered before it has ended. Its claim protects nothing any more, and what it has done is
// found out and undone without it.

import { refusalOf } from '../goal.js'
import type { Waiting } from '../mountpoint.js'
import type { Draft } from './draft.js'
import { setWork } from './draft.js'
import { refuseWaiting } from './leave.js'
import { endClaim, finish } from './steps.js'

/** The work of an attach goes on without it: its claim protects nothing any more, what it did is found out and undone. */
export const abandon = (draft: Draft): void => {
  const { inFlight, unresolved, work } = draft.record
  endClaim(draft, 'open')
  setWork(draft, { request: undefined })
  const nothingDone = inFlight === undefined && unresolved === undefined
  if (nothingDone && refusalOf(work) === undefined) finish(draft)
}

/** The attaches of this attachment that came before its detach go with it: they were to be undone anyway. */
export const cancelEarlier = (draft: Draft, waiting: Pick<Waiting, 'request' | 'consumer' | 'volumes'>): void => {
  const { record } = draft
  const earlier = record.waiting.filter(
    (each) =>
      each.op === 'attach' &&
      each.request < waiting.request &&
      each.consumer === waiting.consumer &&
      waiting.volumes.includes(each.volumes[0] ?? ''),
  )
  for (const each of earlier) {
    if (draft.record.work?.request === each.request) abandon(draft)
    refuseWaiting(draft, each, { _tag: 'Cancelled' })
  }
}
