// Requests that need no turn: they are answered at once, from what is known. They are for the operator of the manager.

import type { Invalid } from '../refusal.js'
import type { Unanswered } from '../host.js'
import type { Mountpoint } from '../mountpoint.js'
import { checkName, checkPath } from '../check-text.js'
import { allHolders } from '../holders.js'
import type { RequestId } from '../id.js'
import type { CancelRequest, ForgetRequest, Maintained, Request, RetryRequest, StatusRequest } from '../input.js'
import { idKey } from '../lane.js'
import { canonicalServer } from '../server.js'
import { STATUS_ENTRIES_MAX, STATUS_MAX, statusOfHost } from '../status.js'
import type { Steps } from '../table.js'
import { ON, situationOf } from '../table.js'
import { advance } from './advance.js'
import type { Draft, Out } from './draft.js'
import { change, openDraft, phaseNow, recordFact, set } from './draft.js'
import { answerRefused, pathsOf, refuse, reply } from './reply.js'
import { leaveQueue } from './leave.js'
import { lookNow } from './request.js'
import { checkAsked, checkMountpoint, hostDown } from './admit.js'
import { becomeAbsent } from './see.js'
import { NO_REQUEST, finish, startWork, wantSlot } from './steps.js'

/** Whether nothing has happened for this request yet. */
export const isUntouched = (draft: Draft, request: RequestId): boolean => {
  const { work } = draft.record
  return work?.request !== request || (!work.granted && work.goal._tag !== 'Detach')
}

/** Takes a request out that has not begun, with the work that only waited for a slot. */
export const withdraw = (draft: Draft, request: RequestId): void => {
  if (draft.record.work?.request === request) finish(draft)
  leaveQueue(draft, request)
}

/** Takes a request out of every queue it stands in. */
export const leaveQueueOf = (out: Out, unanswered: Unanswered): void => {
  for (const path of pathsOf(unanswered)) {
    const draft = openDraft(out, path)
    leaveQueue(draft, unanswered.request)
    advance(draft)
  }
}

export const requestCancel = (out: Out, request: RequestId, body: CancelRequest): void => {
  const replied = { request, id: body.id, op: body.op }
  const wrong = checkAsked(out, body)
  if (wrong !== undefined) {
    refuse(out, replied, wrong)
    return
  }
  const target = out.host.ids.get(idKey(out.stream, body.target)) ?? NO_REQUEST
  const unanswered = out.host.requests.get(target)
  if (unanswered === undefined) {
    refuse(out, replied, { _tag: 'NotFound' })
    return
  }
  const drafts = pathsOf(unanswered).map((path) => openDraft(out, path))
  const begun = unanswered.release !== undefined && unanswered.release.attachments.length > 0
  if (begun || drafts.length === 0 || drafts.some((draft) => !isUntouched(draft, target))) {
    refuse(out, replied, { _tag: 'TooLate' })
    return
  }
  for (const draft of drafts) withdraw(draft, target)
  answerRefused(out, target, { _tag: 'Cancelled' })
  reply(out, replied, { _tag: 'CancelSent' })
  for (const draft of drafts) {
    advance(draft)
  }
}

const checkPage = ({ mountpoint, limit, after }: StatusRequest): Invalid | undefined => {
  const at = mountpoint === undefined ? undefined : checkPath('mountpoint', mountpoint)
  const from = after === undefined ? undefined : checkPath('after', after)
  if (at !== undefined || from !== undefined) return at ?? from
  return limit === undefined || (Number.isInteger(limit) && limit >= 1 && limit <= STATUS_MAX)
    ? undefined
    : { _tag: 'Invalid', field: 'limit', why: `is not a whole number from 1 to ${STATUS_MAX}` }
}

export const requestStatus = (out: Out, request: RequestId, body: StatusRequest): void => {
  const replied = { request, id: body.id, op: body.op }
  const wrong = checkAsked(out, body) ?? checkPage(body)
  if (wrong === undefined) {
    const page = { ...body, limit: body.limit ?? STATUS_MAX, entries: STATUS_ENTRIES_MAX }
    reply(out, replied, statusOfHost(out.host, page))
  } else refuse(out, replied, wrong)
}

export const requestRetry = (out: Out, request: RequestId, body: RetryRequest): void => {
  const replied = { request, id: body.id, op: body.op }
  const bad = checkAsked(out, body) ?? checkPath('mountpoint', body.mountpoint)
  if (bad !== undefined || !out.host.mountpoints.has(body.mountpoint)) {
    refuse(out, replied, bad ?? { _tag: 'NotFound' })
    return
  }
  if (out.phase !== 'up') {
    refuse(out, replied, hostDown(out))
    return
  }
  reply(out, replied, { _tag: 'Retried' })
  observe(out, body.mountpoint)
}

/** What was tried and failed is due again when the look has ended; what policy keeps is only looked at. */
const lookAtRest = (draft: Draft): void => {
  const { record } = draft
  const kept = record.wait?.why === 'keep-mounted'
  const phase = phaseNow(draft)
  const known = record.unknown === undefined && phase !== 'mounted' && phase !== 'lost'
  startWork(draft, { _tag: known && !kept ? 'CleanUp' : 'Look' })
  wantSlot(draft, true)
}

const OBSERVED: Readonly<Record<Steps['Observed'], (draft: Draft) => void>> = {
  lookAtRest,
  hurry: lookNow,
  resetBackOff: () => undefined,
}

/** Something was seen, or is to be seen, at a mountpoint: leads to a look and to nothing else. */
export const observe = (out: Out, mountpoint: string): void => {
  const draft = openDraft(out, mountpoint)
  if (draft.entry === undefined || out.phase !== 'up') return
  set(draft, { backOffMs: 0 })
  OBSERVED[ON[situationOf(draft.record)].Observed.does](draft)
}

/** Whether a request waits or an effect runs there; a look that is due after a delay, and that no request waits for, is neither. */
const isBusy = ({ work, wait, overdue, waiting }: Mountpoint): boolean =>
  waiting.length > 0 || overdue.length > 0 || (work !== undefined && wait?.why !== 'back-off')

export const requestForget = (out: Out, request: RequestId, body: ForgetRequest): void => {
  const replied = { request, id: body.id, op: body.op }
  const bad = checkAsked(out, body) ?? checkPath('mountpoint', body.mountpoint)
  const draft = openDraft(out, body.mountpoint)
  const { entry, record } = draft
  if (bad !== undefined || entry === undefined) {
    refuse(out, replied, bad ?? { _tag: 'NotFound' })
    return
  }
  if (isBusy(record)) {
    refuse(out, replied, { _tag: 'InFlight' })
    return
  }
  const holders = allHolders(entry.holders).map(({ volume, consumer }) => ({ volume, consumer }))
  if (holders.length > 0 && !body.force) {
    refuse(out, replied, { _tag: 'InUse', holders })
    return
  }
  recordFact(draft, { _tag: 'Forgotten', at: out.at, mountpoint: record.path })
  finish(draft)
  set(draft, { unknown: undefined, unresolved: undefined })
  becomeAbsent(draft)
  reply(out, replied, { _tag: 'Forgotten', holders })
}

const targetOf = ({ host }: Out, maintained: Maintained): string =>
  'mountpoint' in maintained ? maintained.mountpoint : `server ${canonicalServer(host.settings, maintained.server)}`

export const requestMaintenance = (out: Out, request: RequestId, body: Request & Maintained): void => {
  const replied = { request, id: body.id, op: body.op }
  const target = 'mountpoint' in body ? checkMountpoint(out, body.mountpoint) : checkName('server', body.server)
  const bad = checkAsked(out, body) ?? target
  if (bad !== undefined) {
    refuse(out, replied, bad)
    return
  }
  const refusing = body.op === 'refuse-new'
  change(out, { _tag: refusing ? 'Refusing' : 'Allowing', target: targetOf(out, body) })
  reply(out, replied, { _tag: refusing ? 'Refusing' : 'Allowing' })
}
