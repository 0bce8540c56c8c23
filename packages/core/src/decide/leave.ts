// How a request leaves the queue of a mountpoint, with its answer or with its part of one.

import type { AttachError, Detached } from '../answer.js'
import type { Unanswered } from '../host.js'
import type { Waiting } from '../mountpoint.js'
import type { RequestId } from '../id.js'
import type { Draft } from './draft.js'
import { change, set } from './draft.js'
import { answer, answerRefused, noteProgress, unansweredOf } from './reply.js'

/** Takes a request out of the queue. */
export const leaveQueue = (draft: Draft, request: RequestId): void => {
  const { waiting } = draft.record
  const head = waiting[0]
  set(draft, {
    waiting: head?.request === request ? waiting.slice(1) : waiting.filter((each) => each.request !== request),
  })
}

/** Refuses an attach that waits or is served here. */
export const refuseWaiting = (draft: Draft, waiting: Waiting, error: AttachError): void => {
  leaveQueue(draft, waiting.request)
  answerRefused(draft.out, waiting.request, error)
}

/** Adds what a release reached at one mountpoint; the last of them answers it. */
const progressRelease = (draft: Draft, waiting: Waiting, volume: string, detached: Detached, last: boolean): void => {
  const { out, record } = draft
  const unanswered = unansweredOf(out, waiting.request)
  if (unanswered?.release === undefined) return
  const { release } = unanswered
  const attachments = [...release.attachments, { mountpoint: record.path, volume, answer: detached }]
  const at = last ? release.at.filter((path) => path !== record.path) : release.at
  const progressed: Unanswered = { ...unanswered, release: { ...release, at, attachments } }
  noteProgress(out, progressed)
  if (at.length === 0) answer(out, waiting.request, { _tag: 'Released', attachments })
  else change(out, { _tag: 'Progressed', unanswered: progressed })
}

/** What a detach, or one volume of a release, came to. `last`: nothing more of the request is left here. */
export const answerLeaving = (
  draft: Draft,
  waiting: Waiting,
  volume: string,
  detached: Detached,
  last: boolean,
): void => {
  if (waiting.op === 'release') progressRelease(draft, waiting, volume, detached, last)
  else answer(draft.out, waiting.request, detached)
  if (last) leaveQueue(draft, waiting.request)
}
