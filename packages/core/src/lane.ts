// Lanes: what is under way and what waits, counted per server and per stream. slots.ts moves the counts.

import type { Fifo } from './fifo.js'
import { emptyFifo } from './fifo.js'

/** What waits for one server in the name of one stream. */
export interface Queue {
  readonly requests: Fifo
  /** Requests of consumers that have or want their share of all slots already. */
  readonly beyond: Fifo
}

/** What is under way and what waits for one server; the lane `''` is everything that cannot hang. */
export interface Lane {
  held: number
  /** Overdue commands: out of the total, still their server's. */
  overdue: number
  /** What waits, by stream. */
  readonly queues: Map<string, Queue>
  readonly background: Fifo
}

/** What one consumer has and wants of the slots of types that can hang. */
export interface Share {
  /** Slots that it has, and wishes that are in the queue of its server: no more than its share. */
  within: number
  /** Mountpoints whose requests wait behind those of others, oldest first. */
  readonly beyond: Fifo
}

/** What one stream has and wants of the slots of types that can hang. */
export interface Stream {
  /** Slots that its requests have. */
  held: number
  /** Mountpoints where its requests wait for a slot. */
  waiting: number
  /** Servers that could get a slot for a request of this stream if the total allows, in turn. */
  readonly withRequests: Fifo
  /** With requests beyond a consumer's share only. */
  readonly withBeyond: Fifo
  readonly shares: Map<string, Share>
  /** The consumer that a mountpoint's slot, or wish for one, counts for, as long as it lasts. */
  readonly within: Map<string, string>
  /** The consumer and the server of a wish beyond the share. */
  readonly beyond: Map<string, { readonly consumer: string; readonly lane: string }>
}

export interface Slots {
  hangingHeld: number
  readonly lanes: Map<string, Lane>
  /** The streams that have or want one of these slots. */
  readonly streams: Map<string, Stream>
  /** Streams of which a request could get a slot if the total allows, in turn: of types that can hang, and of the others. */
  readonly turns: Fifo
  readonly localTurns: Fifo
  /** Servers with background looks only that could get a slot, in turn. */
  readonly withBackground: Fifo
}

/** The lane of types that cannot hang. */
export const LOCAL_LANE = ''

/** The stream of requests that name none: those of the embedder itself. */
export const DEFAULT_STREAM = ''

/** The key of a caller's id: streams choose theirs without knowing of each other. */
export const idKey = (stream: string, id: string): string => (stream === DEFAULT_STREAM ? id : `${stream}\0${id}`)

export const emptySlots = (): Slots => ({
  hangingHeld: 0,
  lanes: new Map(),
  streams: new Map(),
  turns: emptyFifo(),
  localTurns: emptyFifo(),
  withBackground: emptyFifo(),
})
