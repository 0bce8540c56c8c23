// Requests and their answers within a decision: each request that is accepted gets exactly one (L45).

import type { Answer, Refusal, Result } from '../answer.js'
import type { Unanswered } from '../host.js'
import type { RequestId } from '../id.js'
import type { Out } from './draft.js'
import { NOTHING, added, change } from './draft.js'

const addAnswer = (out: Out, value: Answer): void => {
  out.answers = added(out.answers, value)
}

/** The request that is being decided about is now the newest one. */
export const arrive = (out: Out, request: RequestId): void => {
  out.lastRequest = request
}

/** The request was accepted: it gets exactly one answer (L45). */
export const accept = (out: Out, unanswered: Unanswered): void => {
  change(out, { _tag: 'Accepted', unanswered })
  out.accepted = unanswered
  if (unanswered.generation > 0 && unanswered.generation <= out.generation) out.unansweredNow += 1
}

/** Where a request waits; nowhere, if it is one of the host's own. */
export const pathsOf = ({ release, mountpoint }: Unanswered): readonly string[] =>
  release?.at ?? (mountpoint === undefined ? NOTHING : [mountpoint])

/** The accepted request as of this point of the decision. */
export const unansweredOf = (out: Out, request: RequestId): Unanswered | undefined =>
  out.accepted?.request === request && out.progressed?.has(request) !== true
    ? out.accepted
    : (out.progressed?.get(request) ?? out.host.requests.get(request))

const end = (out: Out, unanswered: Unanswered): void => {
  change(out, { _tag: 'Answered', request: unanswered.request })
  if (unanswered.generation > 0 && unanswered.generation <= out.generation) out.unansweredNow -= 1
}

type Replied = Pick<Unanswered, 'request' | 'id' | 'op'>

const nameOf = (replied: Replied): { readonly id?: string } => (replied.id === undefined ? {} : { id: replied.id })

/** Answers a request that was never accepted. */
export const reply = (out: Out, { request, id, op }: Replied, result: Result): void => {
  addAnswer(out, { request, ...nameOf({ request, id, op }), op, ok: true, result })
}

/** Refuses a request that was never accepted. */
export const refuse = (out: Out, { request, id, op }: Replied, error: Refusal): void => {
  addAnswer(out, { request, ...nameOf({ request, id, op }), op, ok: false, error })
}

/** The one answer to an accepted request. */
export const answer = (out: Out, request: RequestId, result: Result): void => {
  const unanswered = unansweredOf(out, request)
  if (unanswered === undefined) return
  reply(out, unanswered, result)
  end(out, unanswered)
}

/** The one answer to an accepted request that cannot be served. */
export const answerRefused = (out: Out, request: RequestId, error: Refusal): void => {
  const unanswered = unansweredOf(out, request)
  if (unanswered === undefined) return
  refuse(out, unanswered, error)
  end(out, unanswered)
}

/** A release has come further, as of this point of the decision. */
export const noteProgress = (out: Out, unanswered: Unanswered): void => {
  out.progressed ??= new Map()
  out.progressed.set(unanswered.request, unanswered)
}
