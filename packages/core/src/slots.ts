// Slots: how much may be under way at once (R9.4). Types that can hang have a total and a share per
// server; the others a total of their own. The counts follow from the records (`apply` moves them with each record), and
// `grantable` says who is next: requests before background looks, servers in turn.

import { emptyFifo, firstOf, push, remove } from './fifo.js'
import type { Host, Mountpoint } from './host.js'
import type { Lane, Slots } from './lane.js'
import { LOCAL_LANE } from './lane.js'
import type { Settings } from './settings.js'

const laneOf = (slots: Slots, name: string): Lane => {
  const known = slots.lanes.get(name)
  if (known !== undefined) return known
  const lane: Lane = { held: 0, overdue: 0, requests: emptyFifo(), background: emptyFifo() }
  slots.lanes.set(name, lane)
  return lane
}

const count = (slots: Slots, record: Mountpoint, by: 1 | -1): void => {
  if (record.slot === 'none') return
  const lane = laneOf(slots, record.lane)
  switch (record.slot) {
    case 'wanted': {
      const queue = record.background ? lane.background : lane.requests
      if (by === 1) push(queue, record.path)
      else remove(queue, record.path)
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
  if (free && !requests && lane.background.first !== undefined) push(slots.withBackground, name)
  else remove(slots.withBackground, name)
  if (lane.held + lane.overdue === 0 && lane.requests.first === undefined && lane.background.first === undefined) {
    slots.lanes.delete(name)
  }
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
  if (was !== undefined) count(slots, was, -1)
  if (is !== undefined) count(slots, is, 1)
  if (granted) {
    // The next turn is another server's.
    remove(slots.withRequests, was.lane)
    remove(slots.withBackground, was.lane)
  }
  if (was !== undefined) settle(slots, settings, was.lane)
  if (is !== undefined) settle(slots, settings, is.lane)
}

/**
 * The next mountpoint to get a slot, or `undefined` while none can be given. Pure. The driver feeds `Granted` and asks again
 * until nobody is named; fair between servers, in order of asking within one.
 */
export const grantable = (host: Host): string | undefined => {
  const { slots, settings } = host
  const local = slots.lanes.get(LOCAL_LANE)
  if (local !== undefined && local.held < settings.slots.local) {
    const next = firstOf(local.requests) ?? firstOf(local.background)
    if (next !== undefined) return next
  }
  if (slots.hangingHeld >= settings.slots.hanging) return undefined
  const server = firstOf(slots.withRequests) ?? firstOf(slots.withBackground)
  if (server === undefined) return undefined
  const lane = slots.lanes.get(server)
  return lane === undefined ? undefined : (firstOf(lane.requests) ?? firstOf(lane.background))
}
