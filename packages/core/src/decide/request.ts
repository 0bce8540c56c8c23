// Arrival: a request before its turn. It is checked, and refused or put into the queue of its mountpoint. Requests that need no
// turn (cancel, retry, forget, maintenance, status) are in operator.ts.

import type { AttachError, Cancelled, HostDown, Invalid, Refused, Stopped } from '../answer.js'
import { ancestorsOf } from '../apply.js'
import { checkDeadline, checkFilesystem, checkMountpointPath, checkName, checkRecordBytes, nested } from '../check.js'
import { refusalOf } from '../goal.js'
import { findHolder, holdersOf } from '../holders.js'
import type { Unanswered, Waiting } from '../host.js'
import type { RequestId } from '../id.js'
import type { AttachRequest, DetachRequest, ReleaseRequest, Request } from '../input.js'
import { DEFAULT_STREAM, idKey } from '../lane.js'
import { serversOf } from '../server.js'
import { cancelEarlier } from './abandon.js'
import { advance, endHolder, matched, meant } from './advance.js'
import type { Steps } from '../table.js'
import { ON, situationOf } from '../table.js'
import type { Draft, Out } from './draft.js'
import { holderOf, holdersLeft, openDraft, refuse, reply, rootOf, set, accept } from './draft.js'
import { heldAnywhere } from './hold.js'
import { finish, shares, wantSlot } from './steps.js'
import { endAsHeld } from './unmount.js'

/** Which generation serves a request that arrives now; none while the host is down. */
export const servingGeneration = (out: Out): number | undefined => {
  switch (out.phase) {
    case 'up':
      return out.generation
    case 'draining':
    case 'discovering':
      return out.generation + 1
    case 'down':
    case 'retrying':
      return undefined
  }
}

/** What every request may carry: an id of its own, and a deadline. */
export const checkAsked = (out: Out, body: Request): Invalid | undefined => {
  if (body.id !== undefined) {
    const bad = checkName('id', body.id)
    if (bad !== undefined) return bad
    if (out.host.ids.has(idKey(out.stream, body.id)))
      return { _tag: 'Invalid', field: 'id', why: `${body.id} is the id of a request that has no answer yet` }
  }
  return checkDeadline(body.deadlineMs)
}

export const checkMountpoint = (out: Out, path: string): Refused | undefined => {
  const bad = checkMountpointPath(path)
  if (bad !== undefined) return bad
  const roots = out.host.settings.roots.map((root) => root.path)
  if (roots.includes(path)) return { _tag: 'Invalid', field: 'mountpoint', why: 'is a managed root itself' }
  return rootOf(out.host, path) === undefined ? { _tag: 'NotManaged', mountpoint: path, roots } : undefined
}

/** No mountpoint may be above another; an index of ancestors makes both ways one look-up a component. */
const checkNesting = (out: Out, path: string): Invalid | undefined => {
  const { host } = out
  const above = ancestorsOf(path, rootOf(host, path)).find((directory) => host.mountpoints.has(directory))
  if (above !== undefined) return nested(path, above)
  if (!host.ancestors.has(path)) return undefined
  for (const other of host.mountpoints.keys()) if (other.startsWith(`${path}/`)) return nested(path, other)
  return undefined
}

const checkAttachment = (volume: string, consumer: string): Invalid | undefined =>
  checkName('volume', volume) ?? checkName('consumer', consumer)

/** Whether a stream that the embedder names has as much of a queue as one stream may, so that others get into it too. */
const checkStreamRoom = (out: Out, here: readonly Waiting[]): Refused | undefined => {
  const { stream, host } = out
  const { waitingPerStream, waitingPerHost, waitingPerMountpoint } = host.settings.limits
  if (stream === DEFAULT_STREAM || waitingPerStream === undefined) return undefined
  const most = Math.min(waitingPerStream, Math.ceil(waitingPerHost / 2))
  const mostHere = Math.min(most, Math.ceil(waitingPerMountpoint / 2))
  const isFull = (host.waitingOfStream.get(stream) ?? 0) >= most
  const isFullHere = here.length >= mostHere && here.filter((one) => isOfStream(out, one)).length >= mostHere
  if (isFull) return { _tag: 'Overloaded', limit: 'waitingPerStream', value: most }
  return isFullHere ? { _tag: 'Overloaded', limit: 'waitingPerStream', value: mostHere } : undefined
}

const isOfStream = ({ host, stream }: Out, { request }: Waiting): boolean =>
  host.requests.get(request)?.stream === stream

const checkRoom = (out: Out, here: readonly Waiting[] = []): Refused | undefined => {
  const { limits } = out.host.settings
  const waitingHere = here.length
  if (waitingHere >= limits.waitingPerMountpoint) {
    return { _tag: 'Overloaded', limit: 'waitingPerMountpoint', value: limits.waitingPerMountpoint }
  }
  if (out.host.requests.size >= limits.waitingPerHost) {
    return { _tag: 'Overloaded', limit: 'waitingPerHost', value: limits.waitingPerHost }
  }
  return checkStreamRoom(out, here)
}

/** Whether one more mountpoint, and one more attachment of this consumer, is too many. A repeat of a holder adds neither. */
const checkShare = (out: Out, { mountpoint, volume, consumer }: AttachRequest): Refused | undefined => {
  const { limits } = out.host.settings
  const entry = out.host.mountpoints.get(mountpoint)
  const { mountpointsPerHost: places, holdersPerConsumer: holders } = limits
  if (places !== undefined && entry === undefined && out.host.mountpoints.size >= places) {
    return { _tag: 'Overloaded', limit: 'mountpointsPerHost', value: places }
  }
  if (holders === undefined || heldAnywhere(out, consumer) < holders) return undefined
  const isRepeat = entry !== undefined && findHolder(entry.holders, volume, consumer) !== undefined
  return isRepeat ? undefined : { _tag: 'Overloaded', limit: 'holdersPerConsumer', value: holders }
}

const checkMaintenance = (out: Out, { mountpoint, filesystem }: AttachRequest): AttachError | undefined => {
  const { refusing, settings } = out.host
  if (refusing.size === 0) return undefined
  if (refusing.has(mountpoint)) return { _tag: 'Maintenance', target: mountpoint }
  const server = serversOf(settings, filesystem).find((each) => refusing.has(`server ${each}`))
  return server === undefined ? undefined : { _tag: 'Maintenance', target: server }
}

const checkAttach = (out: Out, body: AttachRequest): AttachError | undefined => {
  const entry = out.host.mountpoints.get(body.mountpoint)
  // A path that has a record was checked when it got one, and so was the very filesystem that it holds.
  const known = entry?.record.root !== undefined
  const path = known ? undefined : (checkMountpoint(out, body.mountpoint) ?? checkNesting(out, body.mountpoint))
  return (
    path ??
    (entry?.record.filesystem === body.filesystem ? undefined : checkFilesystem(out.host.settings, body.filesystem)) ??
    checkAttachment(body.volume, body.consumer) ??
    checkRecordBytes(out.host.settings, body) ??
    checkMaintenance(out, body) ??
    checkShare(out, body) ??
    checkRoom(out, entry?.record.waiting)
  )
}

/** Every holder may leave, also one whose name an inventory or an older version has brought. */
const checkKnownConsumer = (out: Out, consumer: string): Invalid | undefined =>
  out.host.consumers.has(consumer) ? undefined : checkName('consumer', consumer)

const checkDetach = (out: Out, body: DetachRequest): Refused | undefined => {
  const entry = out.host.mountpoints.get(body.mountpoint)
  const holds = entry !== undefined && findHolder(entry.holders, body.volume, body.consumer) !== undefined
  return (
    (entry === undefined ? checkMountpoint(out, body.mountpoint) : undefined) ??
    (holds ? undefined : checkName('volume', body.volume)) ??
    (holds ? undefined : checkKnownConsumer(out, body.consumer)) ??
    checkRoom(out, entry?.record.waiting)
  )
}

/** The refusal while the manager ends: nothing has happened for a request that has not begun (R6.17). */
export const stopped = (out: Out): Cancelled | Stopped | undefined => {
  switch (out.host.stopping) {
    case 'no':
      return undefined
    case 'drain':
      return { _tag: 'Cancelled' }
    case 'hard':
      return { _tag: 'Stopped' }
  }
}

/** The refusal while no generation serves. */
export const hostDown = (out: Out): HostDown => {
  const { downReason } = out.host
  return { _tag: 'HostDown', reason: downReason === '' ? `the host is ${out.phase}` : downReason }
}

const checkHost = (out: Out): Refused | undefined => {
  const ending = stopped(out)
  if (ending !== undefined) return ending
  return servingGeneration(out) === undefined ? hostDown(out) : undefined
}

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
