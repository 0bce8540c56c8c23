// Deadlines and the stop: every accepted request is answered by its deadline, whatever the host does. The work goes on without
// the request; a claim ends, and a holder that was to leave has left (R3.17, R3.18).

import type { Detached } from '../answer.js'
import type { Overloaded, Reason } from '../refusal.js'
import type { MountpointEffect, WaitWhy } from '../effect.js'
import { unknownText } from '../found.js'
import type { Unanswered } from '../host.js'
import type { Waiting } from '../mountpoint.js'
import type { RequestId } from '../id.js'
import { LOCAL_LANE } from '../lane.js'
import { isStreamFull } from '../slots.js'
import { reasonOf } from '../reason.js'
import type { Steps } from '../table.js'
import { ON, situationOf } from '../table.js'
import { abandon, cancelEarlier } from './abandon.js'
import { advance, endHolder, matched, meant } from './advance.js'
import type { Draft, Out } from './draft.js'
import { holdersLeft, openDraft, phaseNow, setWork } from './draft.js'
import { patchHost } from './host-part.js'
import { answerRefused, pathsOf } from './reply.js'
import { answerLeaving, refuseWaiting } from './leave.js'
import { isUntouched, withdraw } from './operator.js'
import { answerUnprobed } from './survey.js'
import { finish, holdsAnything, settingsOf } from './steps.js'

const DOING: Readonly<Record<MountpointEffect['_tag'], string>> = {
  Look: 'the look at the mountpoint',
  MakeDirectory: 'the mkdir of its directory',
  Mount: 'the mount command',
  Unmount: 'the unmount command',
  RemoveDirectory: 'the rmdir of its directory',
  Probe: 'the probe of the filesystem',
}

const WAITING: Readonly<Record<WaitWhy, string>> = {
  settle: 'the command ended, but its effect may become visible later',
  'unmount-retry': 'the unmount failed and will be retried',
  'back-off': 'the mountpoint will be examined again after a delay',
  'keep-mounted': 'policy keeps it mounted for a while',
  'discovery-retry': 'the host will be discovered again after a delay',
}

/** The reason, as far as known, why no request could be served here. */
const describe = (draft: Draft): string => {
  const { record } = draft
  const [overdue] = record.overdue
  if (overdue !== undefined) return `${DOING[overdue.kind]} timed out, and its processes may still be running`
  if (record.unknown !== undefined) return unknownText(record.unknown)
  if (record.inFlight !== undefined) return `${DOING[record.inFlight.kind]} has not ended yet`
  if (record.wait !== undefined) return WAITING[record.wait.why]
  return `the mountpoint is ${phaseNow(draft)}`
}

/** The slots that were all taken. */
const fullSlots = (draft: Draft): Overloaded => {
  const { slots } = settingsOf(draft)
  const { lane } = draft.record
  if (lane === LOCAL_LANE) return { _tag: 'Overloaded', limit: 'slots.local', value: slots.local }
  const of = draft.out.host.slots.lanes.get(lane)
  const taken = (of?.held ?? 0) + (of?.overdue ?? 0)
  if (taken >= slots.perServer) return { _tag: 'Overloaded', limit: 'slots.perServer', value: slots.perServer }
  const { perStream } = slots
  return perStream !== undefined && isStreamFull(draft.out.host, draft.record.stream)
    ? { _tag: 'Overloaded', limit: 'slots.perStream', value: perStream }
    : { _tag: 'Overloaded', limit: 'slots.hanging', value: slots.hanging }
}

const attachDeadline = (draft: Draft, waiting: Waiting): void => {
  const { work, slot } = draft.record
  const served = work?.request === waiting.request
  if (waiting.generation > draft.out.generation) {
    refuseWaiting(draft, waiting, { _tag: 'HostDown', reason: 'discovery did not end in time' })
  } else if (served && !work.granted && slot === 'wanted') {
    const full = fullSlots(draft)
    finish(draft)
    refuseWaiting(draft, waiting, full)
  } else {
    const why = describe(draft)
    if (served) abandon(draft)
    refuseWaiting(draft, waiting, { _tag: 'Uncertain', why })
  }
}

/** The answer of a detach at its deadline, from the record. */
const unfinished = (draft: Draft, waiting: Waiting): Pick<Detached, 'mount' | 'directory' | 'reason'> => {
  const { layer, unknown, unresolved, overdue, inFlight, reason } = draft.record
  if (holdsAnything(draft)) return { mount: 'held', directory: 'kept' }
  const late: Reason = { _tag: 'DeadlinePassed' }
  const isSeen = waiting.generation <= draft.out.generation
  const isKnown = overdue.length === 0 && unresolved === undefined && inFlight === undefined
  const why = unknown === undefined ? undefined : reasonOf(draft.record.path, unknown)
  // Below an unsafe parent nothing is changed, so that our layer is where it was.
  const settled = isSeen && isKnown && layer !== undefined && (why === undefined || why._tag === 'UnsafeParent')
  if (settled) return { mount: 'vacant', directory: 'kept', reason: why ?? reason ?? late }
  return { mount: 'uncertain', directory: 'kept', reason: why ?? late }
}

/** A detach, or a release at one mountpoint, at its deadline: its holders have left, the clean-up goes on without it. */
export const leavingDeadline = (draft: Draft, waiting: Waiting): void => {
  const { work } = draft.record
  cancelEarlier(draft, waiting)
  const leaving = work?.request === waiting.request && work.goal._tag === 'Detach' ? work.goal.leaving : undefined
  if (leaving !== undefined) {
    setWork(draft, { goal: { _tag: 'CleanUp' }, request: undefined })
    const { slot, inFlight, unresolved } = draft.record
    if (slot === 'wanted' && inFlight === undefined && unresolved === undefined) finish(draft)
    const detached = {
      _tag: 'Detached' as const,
      holder: leaving.holder,
      holdersLeft: holdersLeft(draft),
      ...unfinished(draft, waiting),
    }
    answerLeaving(draft, waiting, leaving.volume, { ...detached, warnings: leaving.warnings }, true)
    return
  }
  waiting.volumes.forEach((volume, index) => {
    const holder = meant(draft, volume, waiting.consumer)
    if (holder !== undefined) endHolder(draft, holder.volume, holder.consumer)
    const detached: Detached = {
      _tag: 'Detached',
      holder: holder === undefined ? 'not-held' : 'removed',
      holdersLeft: holdersLeft(draft),
      ...unfinished(draft, waiting),
      warnings: matched(holder, volume),
    }
    answerLeaving(draft, waiting, volume, detached, index === waiting.volumes.length - 1)
  })
}

const DEADLINE: Readonly<Record<Steps['Deadline'], (draft: Draft, waiting: Waiting) => void>> = {
  answer: (draft, waiting) => {
    if (waiting.op === 'attach') attachDeadline(draft, waiting)
    else leavingDeadline(draft, waiting)
  },
}

const mountpointDeadline = (out: Out, path: string, request: RequestId): void => {
  const draft = openDraft(out, path)
  const waiting = draft.record.waiting.find((each) => each.request === request)
  if (waiting === undefined) return
  DEADLINE[ON[situationOf(draft.record)].Deadline.does](draft, waiting)
  advance(draft)
}

/** An accepted request has reached its deadline. */
export const passDeadline = (out: Out, request: RequestId): void => {
  const unanswered = out.host.requests.get(request)
  if (unanswered === undefined) return
  if (unanswered.op === 'host-up') {
    patchHost(out, { hostUps: out.host.hostUps.filter((each) => each !== request) })
    const nextTryMs = settingsOfHost(out).delaysMs.discoveryRetry
    answerRefused(out, request, {
      _tag: 'DiscoveryFailed',
      reason: 'the deadline of this request has passed',
      nextTryMs,
    })
    return
  }
  if (unanswered.op === 'reconcile' && answerUnprobed(out, request)) return
  if (unanswered.op === 'reconcile') {
    patchHost(out, { reconciles: out.host.reconciles.filter((each) => each.request !== request) })
    answerRefused(out, request, { _tag: 'Uncertain', why: 'the survey of the host did not end in time' })
    return
  }
  for (const path of pathsOf(unanswered)) mountpointDeadline(out, path, request)
}

const settingsOfHost = (out: Out) => out.host.settings

/** Refuses a request that has not begun, and takes it out of its queues; returns where that was. */
const refuseUnbegun = (out: Out, unanswered: Unanswered): readonly Draft[] => {
  const { request, release } = unanswered
  const drafts = pathsOf(unanswered).map((path) => openDraft(out, path))
  const begun = release !== undefined && release.attachments.length > 0
  if (begun || !drafts.every((draft) => isUntouched(draft, request))) return []
  for (const draft of drafts) withdraw(draft, request)
  answerRefused(out, request, { _tag: drafts.length === 0 ? 'Stopped' : 'Cancelled' })
  return drafts
}

/** Refuses what has not begun; what has goes on to its deadline. Mounts stay (L31). */
const drain = (out: Out): void => {
  const left = [...out.host.requests.values()].flatMap((unanswered) => refuseUnbegun(out, unanswered))
  // Not before all are refused: who comes next in a queue has not begun either, and would be served now.
  for (const draft of left) advance(draft)
}

/** Refuses all that is unanswered: the outcome is unknown, to be asked again after the restart. */
const halt = (out: Out): void => {
  for (const { request } of out.host.requests.values()) answerRefused(out, request, { _tag: 'Stopped' })
}

/** The manager is to end. */
export const stop = (out: Out, how: 'drain' | 'hard'): void => {
  patchHost(out, { stopping: how, hostUps: [], reconciles: [], surveyed: [] })
  if (how === 'hard') halt(out)
  else drain(out)
}
