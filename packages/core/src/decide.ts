// decide: what one input leads to. A pure function of the host as it is now and the input: it reads one mountpoint's record
// and the indexes of the host, writes into a draft of its own, and returns the change. Every transition there is begins here;
// the folder decide/ holds them by what they are about.

import type { Decision } from './decision.js'
import { passDeadline, stop } from './decide/deadline.js'
import type { Out } from './decide/draft.js'
import { closeOut, openDraft, startOut } from './decide/draft.js'
import { arrive } from './decide/reply.js'
import { answerSurveyed } from './decide/survey.js'
import { endDraining, requestHostDown, requestHostUp, requestReconcile, onHostOutcome } from './decide/host.js'
import { onEnded, onGranted, onOutcome } from './decide/outcome.js'
import { advance } from './decide/advance.js'
import {
  observe,
  requestCancel,
  requestForget,
  requestMaintenance,
  requestRetry,
  requestStatus,
} from './decide/operator.js'
import { requestAttach, requestDetach, requestRelease } from './decide/request.js'
import type { Host } from './host.js'
import type { EffectId, RequestId } from './id.js'
import type { Input, Outcome, Request } from './input.js'
import { DEFAULT_STREAM } from './lane.js'

const onRequest = (out: Out, request: RequestId, body: Request): void => {
  arrive(out, request)
  switch (body.op) {
    case 'attach':
      requestAttach(out, request, body)
      return
    case 'detach':
      requestDetach(out, request, body)
      return
    case 'release':
      requestRelease(out, request, body)
      return
    case 'cancel':
      requestCancel(out, request, body)
      return
    case 'host-up':
      requestHostUp(out, request, body)
      return
    case 'host-down':
      requestHostDown(out, request, body)
      return
    case 'reconcile':
      requestReconcile(out, request, body)
      return
    case 'status':
      requestStatus(out, request, body)
      return
    case 'retry':
      requestRetry(out, request, body)
      return
    case 'forget':
      requestForget(out, request, body)
      return
    case 'refuse-new':
    case 'allow-new':
      requestMaintenance(out, request, body)
  }
}

const atMountpoint = (out: Out, path: string, take: (draft: ReturnType<typeof openDraft>) => void): void => {
  if (!out.host.mountpoints.has(path)) return
  const draft = openDraft(out, path)
  take(draft)
  advance(draft)
}

const take = (out: Out, outcome: Outcome): void => {
  if (outcome.mountpoint === undefined) {
    onHostOutcome(out, outcome)
    return
  }
  if (!out.host.mountpoints.has(outcome.mountpoint)) return
  const draft = openDraft(out, outcome.mountpoint)
  if (onOutcome(draft, outcome) === 'taken') advance(draft)
}

const onEndOf = (out: Out, effect: EffectId, mountpoint: string | undefined): void => {
  if (mountpoint !== undefined) atMountpoint(out, mountpoint, (draft) => onEnded(draft, effect))
}

/** What one input leads to. Pure: the host is read, nothing is changed; `apply` puts the changes in. */
export const decide = (host: Host, input: Input): Decision => {
  const stream = input._tag === 'Requested' ? input.stream : undefined
  const out = startOut(host, input.at, stream ?? DEFAULT_STREAM)
  switch (input._tag) {
    case 'Requested':
      onRequest(out, input.request, input.body)
      break
    case 'Outcome':
      take(out, input)
      break
    case 'Ended':
      onEndOf(out, input.effect, input.mountpoint)
      break
    case 'Granted':
      atMountpoint(out, input.mountpoint, onGranted)
      break
    case 'Deadline':
      passDeadline(out, input.request)
      break
    case 'Observed':
      observe(out, input.mountpoint)
      break
    case 'Stopped':
      stop(out, input.how)
  }
  answerSurveyed(out)
  endDraining(out)
  return closeOut(out)
}
