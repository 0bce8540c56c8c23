// Admission: whether a request may be accepted at all. It reads the host and changes nothing (R10, R11).

import type { AttachError, Refused } from '../answer.js'
import type { Cancelled, HostDown, Invalid, Stopped } from '../refusal.js'
import { ancestorsOf } from '../apply.js'
import { checkDeadline, checkMountpointPath, checkName, nested } from '../check-text.js'
import { checkFilesystem, checkRecordBytes } from '../check.js'
import { findHolder } from '../holders.js'
import type { AttachRequest, DetachRequest, Request } from '../input.js'
import { DEFAULT_STREAM, idKey } from '../lane.js'
import type { Waiting } from '../mountpoint.js'
import { serversOf } from '../server.js'
import type { Out } from './draft.js'
import { rootOf } from './draft.js'
import { heldAnywhere } from './hold.js'

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

export const checkRoom = (out: Out, here: readonly Waiting[] = []): Refused | undefined => {
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

export const checkAttach = (out: Out, body: AttachRequest): AttachError | undefined => {
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
export const checkKnownConsumer = (out: Out, consumer: string): Invalid | undefined =>
  out.host.consumers.has(consumer) ? undefined : checkName('consumer', consumer)

export const checkDetach = (out: Out, body: DetachRequest): Refused | undefined => {
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

export const checkHost = (out: Out): Refused | undefined => {
  const ending = stopped(out)
  if (ending !== undefined) return ending
  return servingGeneration(out) === undefined ? hostDown(out) : undefined
}
