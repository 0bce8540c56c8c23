// Slots: how much may be under way at once (R9.4, R9.9). Types that can hang have a total and a share per server; the others a
// total of their own. The counts follow from the records (`apply` moves them with each record), and `grantable` says who is
// next: requests before background looks, streams in turn, and within a stream servers in turn. While others wait, one stream
// has at most half of the slots of types that can hang, and so has one consumer of a stream: servers and consumers are names
// that a sender may invent.

import type { Fifo } from './fifo.js'
import { emptyFifo, firstOf, push, remove } from './fifo.js'
import type { Host } from './host.js'
import type { Mountpoint } from './mountpoint.js'
import type { Lane, Queue, Share, Slots, Stream } from './lane.js'
import { DEFAULT_STREAM, LOCAL_LANE } from './lane.js'
import type { Settings } from './settings.js'

const laneOf = (slots: Slots, name: string): Lane => {
  const known = slots.lanes.get(name)
  if (known !== undefined) return known
  const lane: Lane = { held: 0, overdue: 0, queues: new Map(), background: emptyFifo() }
  slots.lanes.set(name, lane)
  return lane
}

const queueOf = (lane: Lane, stream: string): Queue => {
  const known = lane.queues.get(stream)
  if (known !== undefined) return known
  const queue: Queue = { requests: emptyFifo(), beyond: emptyFifo() }
  lane.queues.set(stream, queue)
  return queue
}

const streamOf = (slots: Slots, name: string): Stream => {
  const known = slots.streams.get(name)
  if (known !== undefined) return known
  const stream: Stream = {
    held: 0,
    waiting: 0,
    withRequests: emptyFifo(),
    withBeyond: emptyFifo(),
    shares: new Map(),
    within: new Map(),
    beyond: new Map(),
  }
  slots.streams.set(name, stream)
  return stream
}

/** With fewer slots than this there is nothing to share out. */
const SHARED_MIN = 4

/** The slots that one stream, and one consumer, gets while others wait. */
export const shareMax = ({ slots }: Pick<Settings, 'slots'>): number =>
  slots.hanging < SHARED_MIN ? Infinity : slots.hanging >> 1

/** The slots that a stream may have at once although no other waits; the embedder's own has no limit but the total. */
export const streamMax = ({ slots }: Pick<Settings, 'slots'>, stream: string): number =>
  stream === DEFAULT_STREAM ? Infinity : (slots.perStream ?? Infinity)

const shareOf = (stream: Stream, consumer: string): Share => {
  const known = stream.shares.get(consumer)
  if (known !== undefined) return known
  const share: Share = { within: 0, beyond: emptyFifo() }
  stream.shares.set(consumer, share)
  return share
}

/** Puts a request into the queue of its server, or behind the requests of other consumers. */
const enqueue = (slots: Slots, settings: Settings, lane: Lane, record: Mountpoint): void => {
  const queue = queueOf(lane, record.stream)
  if (record.lane === LOCAL_LANE) {
    push(queue.requests, record.path)
    return
  }
  const stream = streamOf(slots, record.stream)
  stream.waiting += 1
  const consumer = record.waiting[0]?.consumer
  if (consumer === undefined || stream.within.has(record.path)) {
    push(queue.requests, record.path)
    return
  }
  const share = shareOf(stream, consumer)
  if (share.within < shareMax(settings)) {
    share.within += 1
    stream.within.set(record.path, consumer)
    push(queue.requests, record.path)
    return
  }
  push(share.beyond, record.path)
  push(queue.beyond, record.path)
  stream.beyond.set(record.path, { consumer, lane: record.lane })
}

const leave = (stream: Stream, queue: Queue, path: string): void => {
  remove(queue.requests, path)
  remove(queue.beyond, path)
  const beyond = stream.beyond.get(path)
  if (beyond === undefined) return
  stream.beyond.delete(path)
  remove(shareOf(stream, beyond.consumer).beyond, path)
}

const dequeue = (slots: Slots, lane: Lane, record: Mountpoint): void => {
  const queue = queueOf(lane, record.stream)
  if (record.lane === LOCAL_LANE) {
    remove(queue.requests, record.path)
    return
  }
  const stream = streamOf(slots, record.stream)
  stream.waiting -= 1
  leave(stream, queue, record.path)
}

/** The slot, or the wish, has ended: the oldest request of its consumer that waits behind others takes its place among them. */
const endWithin = (slots: Slots, settings: Settings, name: string, path: string): void => {
  const stream = slots.streams.get(name)
  const consumer = stream?.within.get(path)
  if (stream === undefined || consumer === undefined) return
  stream.within.delete(path)
  const share = shareOf(stream, consumer)
  share.within -= 1
  const next = firstOf(share.beyond)
  const lane = next === undefined ? undefined : stream.beyond.get(next)?.lane
  if (next !== undefined && lane !== undefined) {
    const queue = queueOf(laneOf(slots, lane), name)
    leave(stream, queue, next)
    share.within += 1
    stream.within.set(next, consumer)
    push(queue.requests, next)
    settle(slots, settings, lane, laneOf(slots, lane))
  } else if (share.within === 0) stream.shares.delete(consumer)
}

const isWithin = (record: Mountpoint | undefined): boolean =>
  record !== undefined && record.lane !== LOCAL_LANE && !record.background && /^(wanted|held)$/.test(record.slot)

const count = (slots: Slots, settings: Settings, record: Mountpoint, by: 1 | -1): void => {
  if (record.slot === 'none') return
  const lane = laneOf(slots, record.lane)
  switch (record.slot) {
    case 'wanted': {
      if (record.background) (by === 1 ? push : remove)(lane.background, record.path)
      else if (by === 1) enqueue(slots, settings, lane, record)
      else dequeue(slots, lane, record)
      return
    }
    case 'held':
      lane.held += by
      if (record.lane === LOCAL_LANE) return
      slots.hangingHeld += by
      if (!record.background) streamOf(slots, record.stream).held += by
      return
    case 'overdue':
      lane.overdue += by
  }
}

/** Puts a name into a queue, where it keeps the place it has, or out of it. */
const putInto = (fifo: Fifo, name: string, belongs: boolean): void => (belongs ? push : remove)(fifo, name)

/** Puts a stream into, or out of, the turns; forgets it when nothing of it is left. */
const settleStream = (slots: Slots, name: string): void => {
  const stream = slots.streams.get(name)
  if (stream === undefined) return
  const { withRequests, withBeyond, held, waiting, shares } = stream
  putInto(slots.turns, name, withRequests.first !== undefined || withBeyond.first !== undefined)
  if (held === 0 && waiting === 0 && shares.size === 0) slots.streams.delete(name)
}

/** The same for types that cannot hang, of which only the total is limited. */
const settleLocal = (slots: Slots, lane: Lane, stream: string): void => {
  const waits = lane.queues.get(stream)?.requests.first !== undefined
  putInto(slots.localTurns, stream, waits)
  // The embedder's own queue stays: nearly all requests are in it for a moment.
  if (!waits && stream !== DEFAULT_STREAM) lane.queues.delete(stream)
}

/**
 * Puts a server into, or out of, the queues of those that could be granted; it keeps its place while nothing changes. Whether it
 * has a free slot concerns each stream that waits for it.
 */
const settle = (slots: Slots, settings: Settings, name: string, lane: Lane): void => {
  const free = lane.held + lane.overdue < settings.slots.perServer
  let couldServe = false
  for (const [of, queue] of lane.queues) {
    const stream = streamOf(slots, of)
    const requests = free && queue.requests.first !== undefined
    const beyond = free && !requests && queue.beyond.first !== undefined
    putInto(stream.withRequests, name, requests)
    putInto(stream.withBeyond, name, beyond)
    couldServe ||= requests || beyond
    settleStream(slots, of)
    if (queue.requests.first === undefined && queue.beyond.first === undefined) lane.queues.delete(of)
  }
  putInto(slots.withBackground, name, free && !couldServe && lane.background.first !== undefined)
  if (lane.held + lane.overdue === 0 && lane.queues.size === 0 && lane.background.first === undefined)
    slots.lanes.delete(name)
}

const settleRecord = (slots: Slots, settings: Settings, { lane: name, stream }: Mountpoint): void => {
  const lane = slots.lanes.get(name)
  if (name === LOCAL_LANE) {
    if (lane !== undefined) settleLocal(slots, lane, stream)
    return
  }
  if (lane !== undefined) settle(slots, settings, name, lane)
  settleStream(slots, stream)
}

const sameSlot = (a: Mountpoint, b: Mountpoint): boolean =>
  a.slot === b.slot && a.lane === b.lane && a.background === b.background && a.stream === b.stream

/** The next turn is another stream's, and within this one another server's. */
const endTurn = (slots: Slots, { stream: name, lane, background }: Mountpoint): void => {
  if (background) {
    remove(slots.withBackground, lane)
    return
  }
  if (lane === LOCAL_LANE) {
    remove(slots.localTurns, name)
    return
  }
  const stream = streamOf(slots, name)
  remove(stream.withRequests, lane)
  remove(stream.withBeyond, lane)
  remove(slots.turns, name)
}

/** Moves the counts from what a record was to what it is; either may be missing. */
export const moveSlot = (
  slots: Slots,
  settings: Settings,
  was: Mountpoint | undefined,
  is: Mountpoint | undefined,
): void => {
  if (was !== undefined && is !== undefined && sameSlot(was, is)) return
  if (was !== undefined) count(slots, settings, was, -1)
  if (is !== undefined) count(slots, settings, is, 1)
  if (was !== undefined && !(isWithin(is) && is?.stream === was.stream)) {
    endWithin(slots, settings, was.stream, was.path)
  }
  if (was?.slot === 'wanted' && is?.slot === 'held') endTurn(slots, was)
  if (was !== undefined) settleRecord(slots, settings, was)
  if (is !== undefined) settleRecord(slots, settings, is)
}

/** The stream whose turn it is: one with less than its share, or, if none of these waits, one that may have more. */
const streamInTurn = ({ slots, settings }: Host): string | undefined => {
  const share = shareMax(settings)
  let beyond: string | undefined
  // No more are passed over than there are slots, for each of these has one.
  for (let node = slots.turns.first; node !== undefined; node = node.after) {
    const held = slots.streams.get(node.name)?.held ?? 0
    if (held >= streamMax(settings, node.name)) continue
    if (held < share) return node.name
    beyond ??= node.name
  }
  return beyond
}

const nextRequest = ({ requests, beyond }: Queue): string | undefined => firstOf(requests) ?? firstOf(beyond)

const nextLocal = (slots: Slots, lane: Lane): string | undefined => {
  const stream = firstOf(slots.localTurns)
  const queue = stream === undefined ? undefined : lane.queues.get(stream)
  return (queue && nextRequest(queue)) ?? firstOf(lane.background)
}

const nextOfStream = (slots: Slots, name: string): string | undefined => {
  const stream = slots.streams.get(name)
  const server = stream && (firstOf(stream.withRequests) ?? firstOf(stream.withBeyond))
  const queue = server === undefined ? undefined : slots.lanes.get(server)?.queues.get(name)
  return queue && nextRequest(queue)
}

/**
 * The next mountpoint to get a slot, or `undefined` while none can be given. Pure. The driver feeds `Granted` and asks again
 * until none is named; fair between streams, then between servers, in order of asking within one.
 */
export const grantable = (host: Host): string | undefined => {
  const { slots, settings } = host
  const local = slots.lanes.get(LOCAL_LANE)
  if (local !== undefined && local.held < settings.slots.local) {
    const next = nextLocal(slots, local)
    if (next !== undefined) return next
  }
  if (slots.hangingHeld >= settings.slots.hanging) return undefined
  const stream = streamInTurn(host)
  if (stream !== undefined) return nextOfStream(slots, stream)
  const server = firstOf(slots.withBackground)
  const lane = server === undefined ? undefined : slots.lanes.get(server)
  return lane && firstOf(lane.background)
}

/** Whether a stream has all the slots that it may have at once. */
export const isStreamFull = ({ slots, settings }: Host, stream: string): boolean =>
  (slots.streams.get(stream)?.held ?? 0) >= streamMax(settings, stream)
