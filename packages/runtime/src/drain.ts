// Keeps the process alive exactly while there is a reason, and ends a stop that waits for what is being served.

import type { Timers } from './ports.js'

/** What a loop still has to do. */
export interface Owed {
  /** An answer, a write or an input. */
  readonly owing: boolean
  /** An effect that was started and has not reported. */
  readonly unreported: boolean
  /** An effect whose end is worth a delay of the stop. */
  readonly running: () => boolean
}

export interface Drain {
  /** Begins a stop; false if one has begun before. `graceMs`: how long effects may take to end after the last answer. */
  readonly begin: (graceMs: number) => boolean
  readonly settle: (owed: Owed) => void
  readonly callOff: () => void
}

/** No stop yet. `drained` is called when nothing is left to wait for. */
export const createDrain = (timers: Timers, drained: () => void): Drain => {
  let letGo: (() => void) | undefined
  let stopping: { readonly graceMs: number; callOffGrace?: () => void } | undefined
  return {
    begin: (graceMs) => {
      if (stopping !== undefined) return false
      stopping = { graceMs }
      return true
    },
    settle: ({ owing, unreported, running }) => {
      if (owing || stopping !== undefined || unreported) letGo ??= timers.hold?.()
      else if (letGo !== undefined) {
        letGo()
        letGo = undefined
      }
      if (stopping === undefined || owing) return
      if (!running()) drained()
      else stopping.callOffGrace ??= timers.after(stopping.graceMs, drained)
    },
    callOff: () => {
      stopping?.callOffGrace?.()
      letGo?.()
    },
  }
}
