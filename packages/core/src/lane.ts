// Lanes: what is under way and what waits, counted per server. slots.ts moves the counts.

import type { Fifo } from './fifo.js'
import { emptyFifo } from './fifo.js'

/** What is under way and what waits for one server; the lane `''` is everything that cannot hang. */
export interface Lane {
  held: number
  /** Overdue commands: out of the total, still their server's. */
  overdue: number
  readonly requests: Fifo
  /** Requests of consumers that have or want their share of all slots already. */
  readonly beyond: Fifo
  readonly background: Fifo
}

/** What one consumer has and wants of the slots of types that can hang. */
export interface Share {
  /** Slots that it has, and wishes that are in the queue of its server: no more than its share. */
  within: number
  /** Mountpoints whose requests wait behind those of others, oldest first. */
  readonly beyond: Fifo
}

export interface Slots {
  hangingHeld: number
  readonly lanes: Map<string, Lane>
  /** Servers that could get a slot if the total allows, in turn: with requests waiting, and with background looks only. */
  readonly withRequests: Fifo
  /** With requests beyond a consumer's share only. */
  readonly withBeyond: Fifo
  readonly withBackground: Fifo
  readonly shares: Map<string, Share>
  /** The consumer that a mountpoint's slot, or wish for one, counts for, as long as it lasts. */
  readonly within: Map<string, string>
  /** The consumer and the server of a wish beyond the share. */
  readonly beyond: Map<string, { readonly consumer: string; readonly lane: string }>
}

/** The lane of types that cannot hang. */
export const LOCAL_LANE = ''

export const emptySlots = (): Slots => ({
  hangingHeld: 0,
  lanes: new Map(),
  withRequests: emptyFifo(),
  withBeyond: emptyFifo(),
  withBackground: emptyFifo(),
  shares: new Map(),
  within: new Map(),
  beyond: new Map(),
})
