// What waits for the disk. Invariant: a parcel leaves when its own facts and all facts before it are durable, and after all
// parcels before it, whether or not it has facts of its own. Decisions run ahead; nothing that is visible outside does.

import type { Either } from 'fp-ts/lib/Either.js'
import type { Answer, Effect, Fact } from '@mountkeeper/core'
import type { HostEvent } from './events.js'
import type { Journal, JournalFailed } from './ports.js'

/** All that one turn of the loop leads to. */
export interface Parcel {
  readonly facts: readonly Fact[]
  readonly answers: readonly Answer[]
  readonly events: readonly HostEvent[]
  readonly effects: readonly Effect[]
}

/** Where parcels go out, in order. */
export interface Outbox {
  readonly send: (parcel: Parcel) => void
  /** How many parcels wait for the disk. */
  readonly waiting: () => number
  /** Forgets what waits; nothing leaves any more. */
  readonly shut: () => void
}

/** What an outbox needs. `leave` must not throw; `failed` is called at most once, and shuts the outbox. */
export interface OutboxOptions {
  readonly journal: Pick<Journal, 'append'>
  readonly leave: (parcel: Parcel) => void
  readonly failed: (failure: JournalFailed) => void
}

interface Slip {
  readonly parcel: Parcel
  durable: boolean
}

/** Makes an outbox in front of a journal. */
export const createOutbox = ({ journal, leave, failed }: OutboxOptions): Outbox => {
  let slips: Slip[] = []
  let first = 0
  let open = true

  const forget = (): void => {
    slips = []
    first = 0
  }

  const release = (): void => {
    for (let slip = slips[first]; slip?.durable === true; slip = slips[first]) {
      first += 1
      leave(slip.parcel)
    }
    if (first === slips.length) forget()
    // A disk that is always a little behind would let the part that has left grow for ever.
    else if (first > 1024 && first * 2 > slips.length) {
      slips = slips.slice(first)
      first = 0
    }
  }

  const fail = (failure: JournalFailed): void => {
    if (!open) return
    open = false
    forget()
    failed(failure)
  }

  const appended = (slip: Slip, result: Either<JournalFailed, void>): void => {
    if (!open) return
    if (result._tag === 'Left') {
      fail(result.left)
      return
    }
    slip.durable = true
    release()
  }

  const append = (parcel: Parcel): void => {
    const slip: Slip = { parcel, durable: false }
    slips.push(slip)
    const broke = (error: unknown): void => fail({ _tag: 'JournalFailed', why: `the journal threw: ${String(error)}` })
    try {
      journal
        .append(parcel.facts)()
        .then((result) => appended(slip, result), broke)
    } catch (error) {
      broke(error)
    }
  }

  return {
    send: (parcel) => {
      if (!open) return
      if (parcel.facts.length > 0) append(parcel)
      else if (first < slips.length) slips.push({ parcel, durable: true })
      else leave(parcel)
    },
    waiting: () => slips.length - first,
    shut: () => {
      open = false
      forget()
    },
  }
}
