// Arrival: a request before its turn. It is checked, and refused or put into the queue of its mountpoint. Requests that need no
// turn (cancel, retry, forget, maintenance, status) are in operator.ts.

import { refusalOf } from '../goal.js'
import { holdersOf } from '../holders.js'
import type { Unanswered } from '../host.js'
import type { RequestId } from '../id.js'
import type { AttachRequest, DetachRequest, ReleaseRequest, Request } from '../input.js'
import type { Waiting } from '../mountpoint.js'
import type { Steps } from '../table.js'
import { ON, situationOf } from '../table.js'
import { cancelEarlier } from './abandon.js'
import {
  checkAsked,
  checkAttach,
  checkDetach,
  checkHost,
  checkKnownConsumer,
  checkRoom,
  hostDown,
  servingGeneration,
} from './admit.js'
import { advance, endHolder, matched, meant } from './advance.js'
import type { Draft, Out } from './draft.js'
import { holderOf, holdersLeft, openDraft, set } from './draft.js'
import { accept, refuse, reply } from './reply.js'
import { finish, shares, wantSlot } from './steps.js'
import { endAsHeld } from './unmount.js'

/** Work that only looks after things, and that a request may push aside while it has not begun. */
const yieldsToRequests = (draft: Draft): boolean => {
  const { work, slot, unresolved, wait } = draft.record
  if (work === undefined || work.request !== undefined || refusalOf(work) !== undefined) return false
  return (slot === 'wanted' || wait?.why === 'back-off') && unresolved === undefined
}

/** An attach of the same filesystem that arrives between the attempts of a detach to unmount wins over them. */
const endsRetries = (draft: Draft, waiting: Waiting): boolean => {
  const { work, wait, filesystem } = draft.record
  return (
    waiting.op === 'attach' &&
    wait?.why === 'unmount-retry' &&
    refusalOf(work) === undefined &&
    waiting.generation <= draft.out.generation &&
    shares(draft, waiting.filesystem, filesystem)
  )
}

/**
 * A request needs the mountpoint: work that is under way there looks now, and its delays begin again. At rest the running wait
 * stays, and a request that needs a look replaces it: if one that is answered without a look restarted the wait, a caller that
 * repeats such requests faster than the first delay would keep every background look from its turn.
 */
export const lookNow = (draft: Draft): void => {
  const { work, wait, unknown, backOffMs } = draft.record
  if (backOffMs !== 0) set(draft, { backOffMs: 0 })
  if (work === undefined || unknown === undefined || wait?.why !== 'back-off') return
  set(draft, { wait: undefined })
  wantSlot(draft, false)
}

const ARRIVED: Readonly<Record<Steps['Arrived'], (draft: Draft, waiting: Waiting) => void>> = {
  wait: () => undefined,
  yieldTurn: (draft) => {
    if (yieldsToRequests(draft)) finish(draft)
  },
  hurry: (draft, waiting) => {
    if (yieldsToRequests(draft)) finish(draft)
    else if (endsRetries(draft, waiting)) endAsHeld(draft)
    if (waiting.generation <= draft.out.generation) lookNow(draft)
  },
}

/** Puts a request into the queue of its mountpoint; it is served at once if none is before it. */
const enqueue = (draft: Draft, waiting: Waiting): void => {
  set(draft, { waiting: [...draft.record.waiting, waiting] })
  ARRIVED[ON[situationOf(draft.record)].Arrived.does](draft, waiting)
  if (waiting.generation <= draft.out.generation && draft.record.backOffMs !== 0) set(draft, { backOffMs: 0 })
  advance(draft)
}

const unansweredFor = (
  { stream }: Out,
  request: RequestId,
  body: Request,
  mountpoint: string | undefined,
  generation: number,
): Unanswered => ({
  request,
  id: body.id,
  op: body.op,
  stream,
  mountpoint,
  generation,
  release: undefined,
})

export const requestAttach = (out: Out, request: RequestId, body: AttachRequest): void => {
  const replied = { request, id: body.id, op: body.op }
  const refusal = checkAsked(out, body) ?? checkHost(out) ?? checkAttach(out, body)
  const generation = servingGeneration(out)
  if (refusal !== undefined || generation === undefined) {
    refuse(out, replied, refusal ?? hostDown(out))
    return
  }
  const { mountpoint, volume, consumer, filesystem } = body
  accept(out, unansweredFor(out, request, body, mountpoint, generation))
  enqueue(openDraft(out, mountpoint), { request, op: 'attach', generation, consumer, volumes: [volume], filesystem })
}

/** Nothing waits or runs there, and others hold it as well: the holder leaves and that is all there is to it. */
const leavesAtOnce = (draft: Draft, body: DetachRequest): boolean => {
  const { waiting, work, inFlight, overdue } = draft.record
  return (
    draft.out.phase === 'up' &&
    waiting.length === 0 &&
    work === undefined &&
    inFlight === undefined &&
    overdue.length === 0 &&
    holdersLeft(draft) > 1 &&
    holderOf(draft, body.volume, body.consumer) !== undefined
  )
}

/** Ends a holder while the host is down, and touches nothing; discovery cleans up (policy `detachWhileDown: record`). */
const recordLeaving = (out: Out, request: RequestId, body: DetachRequest): void => {
  const draft = openDraft(out, body.mountpoint)
  // Answered before its turn: what would make it a holder after that goes with it.
  cancelEarlier(draft, { request, consumer: body.consumer, volumes: [body.volume] })
  const holder = meant(draft, body.volume, body.consumer)
  if (holder !== undefined) endHolder(draft, holder.volume, holder.consumer)
  advance(draft)
  reply(
    out,
    { request, id: body.id, op: body.op },
    {
      _tag: 'Detached',
      holder: holder === undefined ? 'not-held' : 'removed',
      holdersLeft: holdersLeft(draft),
      mount: 'uncertain',
      directory: 'kept',
      reason: { _tag: 'HostDown' },
      warnings: matched(holder, body.volume),
    },
  )
}

export const requestDetach = (out: Out, request: RequestId, body: DetachRequest): void => {
  const replied = { request, id: body.id, op: body.op }
  const wrong = checkAsked(out, body) ?? checkDetach(out, body)
  const generation = servingGeneration(out)
  const down = checkHost(out)
  if (wrong === undefined && down?._tag === 'HostDown' && out.host.settings.policies.detachWhileDown === 'record') {
    recordLeaving(out, request, body)
    return
  }
  if (wrong !== undefined || down !== undefined || generation === undefined) {
    refuse(out, replied, wrong ?? down ?? hostDown(out))
    return
  }
  const { mountpoint, volume, consumer } = body
  const draft = openDraft(out, mountpoint)
  if (leavesAtOnce(draft, body)) {
    endHolder(draft, volume, consumer)
    const left = holdersLeft(draft)
    reply(out, replied, {
      _tag: 'Detached',
      holder: 'removed',
      holdersLeft: left,
      mount: 'held',
      directory: 'kept',
      warnings: [],
    })
    return
  }
  accept(out, unansweredFor(out, request, body, mountpoint, generation))
  enqueue(draft, { request, op: 'detach', generation, consumer, volumes: [volume], filesystem: undefined })
}

/** The paths where a consumer holds something. */
const pathsHeld = (out: Out, consumer: string): readonly string[] => {
  const at = out.host.consumers.get(consumer)
  if (at === undefined) return []
  return typeof at === 'string' ? [at] : [...at.paths]
}

/** The attaches of a consumer that are not answered; one that is served holds a claim. */
const attachesOf = (out: Out, consumer: string): readonly (readonly [string, Waiting])[] =>
  [...out.host.requests.values()].flatMap(({ mountpoint, request, op }) => {
    if (op !== 'attach' || mountpoint === undefined) return []
    const record = out.host.mountpoints.get(mountpoint)?.record
    const waiting = record?.waiting.find((each) => each.request === request)
    return waiting?.consumer === consumer ? [[mountpoint, waiting] as const] : []
  })

/** Every mountpoint where a consumer holds, claims or waits to attach, with its volumes there, as of now. */
const attachmentsOf = (out: Out, consumer: string): ReadonlyMap<string, readonly string[]> => {
  const attaches = attachesOf(out, consumer)
  const paths = new Set([...pathsHeld(out, consumer), ...attaches.map(([path]) => path)])
  return new Map(
    [...paths].map((path) => {
      const entry = out.host.mountpoints.get(path)
      const held = entry === undefined ? [] : holdersOf(entry.holders, consumer).map((holder) => holder.volume)
      const asked = attaches.flatMap(([at, waiting]) => (at === path ? waiting.volumes : []))
      return [path, [...new Set([...held, ...asked])]]
    }),
  )
}

export const requestRelease = (out: Out, request: RequestId, body: ReleaseRequest): void => {
  const replied = { request, id: body.id, op: body.op }
  const refusal = checkAsked(out, body) ?? checkKnownConsumer(out, body.consumer) ?? checkHost(out)
  const generation = servingGeneration(out)
  if (refusal !== undefined || generation === undefined) {
    refuse(out, replied, refusal ?? hostDown(out))
    return
  }
  const { consumer } = body
  const at = attachmentsOf(out, consumer)
  if (at.size === 0) {
    reply(out, replied, { _tag: 'Released', attachments: [] })
    return
  }
  for (const path of at.keys()) {
    const full = checkRoom(out, out.host.mountpoints.get(path)?.record.waiting)
    if (full !== undefined) {
      refuse(out, replied, full)
      return
    }
  }
  const release = { consumer, at: [...at.keys()], attachments: [] }
  accept(out, { ...unansweredFor(out, request, body, undefined, generation), release })
  for (const [path, volumes] of at) {
    enqueue(openDraft(out, path), { request, op: 'release', generation, consumer, volumes, filesystem: undefined })
  }
}
