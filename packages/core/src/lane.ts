// Lanes: what is under way and what waits, counted per server. slots.ts moves the counts.

import type { Fifo } from './fifo.js'
import { emptyFifo } from './fifo.js'

/** What is under way and what waits for one server; the lane `''` is everything that cannot hang. */
export interface Lane {
  held: number
  /** Overdue commands: out of the total, still their server's. */
  overdue: number
  readonly requests: Fifo
  readonly background: Fifo
}

export interface Slots {
  hangingHeld: number
  readonly lanes: Map<string, Lane>
  /** Servers that could get a slot if the total allows, in turn: with requests waiting, and with background looks only. */
  readonly withRequests: Fifo
  readonly withBackground: Fifo
}

/** The lane of types that cannot hang. */
export const LOCAL_LANE = ''

export const emptySlots = (): Slots => ({
  hangingHeld: 0,
  lanes: new Map(),
  withRequests: emptyFifo(),
  withBackground: emptyFifo(),
})
