// Virtual time for a manager that runs in real promises: delays end when a test lets time pass, in their order, and
// whatever they lead to has run before the next one ends.

import type { Timers } from '@mountkeeper/runtime'

/** Timers whose clock stands still until `pass` is called. */
export interface VirtualTimers extends Timers {
  /** Lets time pass, with all delays that end meanwhile, and everything that they lead to. */
  readonly pass: (ms: number) => Promise<void>
  /** Lets everything happen that needs no time. */
  readonly settle: () => Promise<void>
  /** Delays that have not ended. */
  readonly waiting: () => number
}

interface Timer {
  readonly due: number
  readonly call: () => void
}

const BEGIN_AT = 1_000

/** Turns of the event loop that a chain of promises may take between two delays. */
const TURNS = 4

const settle = async (): Promise<void> => {
  for (let turns = 0; turns < TURNS; turns += 1) await new Promise<void>((next) => void setImmediate(next))
}

/** Timers that begin at one second past the epoch. */
export const createVirtualTimers = (): VirtualTimers => {
  const timers = new Set<Timer>()
  let now = BEGIN_AT
  const firstUntil = (until: number): Timer | undefined => {
    let first: Timer | undefined
    for (const timer of timers) if (timer.due <= until && (first === undefined || timer.due < first.due)) first = timer
    return first
  }
  return {
    now: () => now,
    after: (delayMs, call) => {
      const timer = { due: now + delayMs, call }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    waiting: () => timers.size,
    settle,
    pass: async (ms) => {
      const until = now + ms
      await settle()
      for (let timer = firstUntil(until); timer !== undefined; timer = firstUntil(until)) {
        timers.delete(timer)
        now = timer.due
        timer.call()
        await settle()
      }
      now = until
    },
  }
}
