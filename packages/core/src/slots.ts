// Slots: how much may be under way at once (R9.4). Types that can hang have a total and a share per
// server; the others a total of their own. The counts follow from the records (`apply` moves them with each record), and
// `grantable` says who is next: requests before background looks, servers in turn. While others wait, one consumer has at most half
// of the slots of types that can hang: servers are names that it may invent.

import { emptyFifo, firstOf, push, remove } from './fifo.js'
import type { Host, Mountpoint } from './host.js'
import type { Lane, Share, Slots } from './lane.js'
import { LOCAL_LANE } from './lane.js'
import type { Settings } from './settings.js'

const laneOf = (slots: Slots, name: string): Lane => {
  const known = slots.lanes.get(name)
  if (known !== undefined) return known
  const lane: Lane = { held: 0, overdue: 0, requests: emptyFifo(), beyond: emptyFifo(), background: emptyFifo() }
  slots.lanes.set(name, lane)
  return lane
}

/** With fewer slots than this there is nothing to share out. */
const SHARED_MIN = 4

const shareMax = ({ slots }: Settings): number => (slots.hanging < SHARED_MIN ? Infinity : slots.hanging >> 1)

const shareOf = (slots: Slots, consumer: string): Share => {
  const known = slots.shares.get(consumer)
  if (known !== undefined) return known
  const share: Share = { within: 0, beyond: emptyFifo() }
  slots.shares.set(consumer, share)
  return share
}

/** Puts a request into the queue of its server, or behind the requests of other consumers. */
const enqueue = (slots: Slots, settings: Settings, lane: Lane, record: Mountpoint): void => {
  const consumer = record.lane === LOCAL_LANE ? undefined : record.waiting[0]?.consumer
  if (consumer === undefined || slots.within.has(record.path)) {
    push(lane.requests, record.path)
    return
  }
  const share = shareOf(slots, consumer)
  if (share.within < shareMax(settings)) {
    share.within += 1
    slots.within.set(record.path, consumer)
    push(lane.requests, record.path)
    return
  }
  push(share.beyond, record.path)
  push(lane.beyond, record.path)
  slots.beyond.set(record.path, { consumer, lane: record.lane })
}

const dequeue = (slots: Slots, lane: Lane, path: string): void => {
  remove(lane.requests, path)
  remove(lane.beyond, path)
  const beyond = slots.beyond.get(path)
  if (beyond === undefined) return
  slots.beyond.delete(path)
  remove(shareOf(slots, beyond.consumer).beyond, path)
}

/** The slot, or the wish, has ended: the oldest request of its consumer that waits behind others takes its place among them. */
const endWithin = (slots: Slots, settings: Settings, path: string): void => {
  const consumer = slots.within.get(path)
  if (consumer === undefined) return
  slots.within.delete(path)
  const share = shareOf(slots, consumer)
  share.within -= 1
  const next = firstOf(share.beyond)
  const lane = next === undefined ? undefined : slots.beyond.get(next)?.lane
  if (next !== undefined && lane !== undefined) {
    dequeue(slots, laneOf(slots, lane), next)
    share.within += 1
    slots.within.set(next, consumer)
    push(laneOf(slots, lane).requests, next)
    settle(slots, settings, lane)
  } else if (share.within === 0) slots.shares.delete(consumer)
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
      else dequeue(slots, lane, record.path)
      return
    }
    case 'held':
      lane.held += by
      if (record.lane !== LOCAL_LANE) slots.hangingHeld += by
      return
    case 'overdue':
      lane.overdue += by
  }
}

/** Puts a server into, or out of, the queues of those that could be granted; it keeps its place while nothing changes. */
const settle = (slots: Slots, settings: Settings, name: string): void => {
  if (name === LOCAL_LANE) return
  const lane = slots.lanes.get(name)
  if (lane === undefined) return
  const free = lane.held + lane.overdue < settings.slots.perServer
  const requests = free && lane.requests.first !== undefined
  if (requests) push(slots.withRequests, name)
  else remove(slots.withRequests, name)
  const beyond = free && !requests && lane.beyond.first !== undefined
  if (beyond) push(slots.withBeyond, name)
  else remove(slots.withBeyond, name)
  if (free && !requests && !beyond && lane.background.first !== undefined) push(slots.withBackground, name)
  else remove(slots.withBackground, name)
  const queues = [lane.requests, lane.beyond, lane.background]
  if (lane.held + lane.overdue === 0 && queues.every(({ first }) => first === undefined)) slots.lanes.delete(name)
}

const sameSlot = (a: Mountpoint, b: Mountpoint): boolean =>
  a.slot === b.slot && a.lane === b.lane && a.background === b.background

/** Moves the counts from what a record was to what it is; either may be missing. */
export const moveSlot = (
  slots: Slots,
  settings: Settings,
  was: Mountpoint | undefined,
  is: Mountpoint | undefined,
): void => {
  if (was !== undefined && is !== undefined && sameSlot(was, is)) return
  const granted = was?.slot === 'wanted' && is?.slot === 'held' && was.lane !== LOCAL_LANE
  if (was !== undefined) count(slots, settings, was, -1)
  if (is !== undefined) count(slots, settings, is, 1)
  const path = (was ?? is)?.path
  if (path !== undefined && !isWithin(is)) endWithin(slots, settings, path)
  if (granted) {
    // The next turn is another server's.
    remove(slots.withRequests, was.lane)
    remove(slots.withBeyond, was.lane)
    remove(slots.withBackground, was.lane)
  }
  if (was !== undefined) settle(slots, settings, was.lane)
  if (is !== undefined) settle(slots, settings, is.lane)
}

/**
 * The next mountpoint to get a slot, or `undefined` while none can be given. Pure. The driver feeds `Granted` and asks again
 * until none is named; fair between servers, in order of asking within one.
 */
export const grantable = (host: Host): string | undefined => {
  const { slots, settings } = host
  const local = slots.lanes.get(LOCAL_LANE)
  if (local !== undefined && local.held < settings.slots.local) {
    const next = firstOf(local.requests) ?? firstOf(local.background)
    if (next !== undefined) return next
  }
  if (slots.hangingHeld >= settings.slots.hanging) return undefined
  const server = firstOf(slots.withRequests) ?? firstOf(slots.withBeyond) ?? firstOf(slots.withBackground)
  if (server === undefined) return undefined
  const lane = slots.lanes.get(server)
  return lane === undefined ? undefined : (firstOf(lane.requests) ?? firstOf(lane.beyond) ?? firstOf(lane.background))
}
