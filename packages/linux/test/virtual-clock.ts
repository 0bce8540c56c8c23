// A clock for tests, whose time passes by their word alone: no deadline is missed because a machine is slow.

import type { Clock } from '../src/clock.js'

export interface VirtualClock extends Clock {
  readonly pass: (ms: number) => void
}

/** Time that passes only when it is said to. What is due is called in its order. */
export const virtualClock = (): VirtualClock => {
  let now = 0
  let due: { readonly at: number; readonly call: () => void }[] = []
  return {
    now: () => now,
    after: (delayMs, call) => {
      const one = { at: now + delayMs, call }
      due.push(one)
      return () => {
        due = due.filter((other) => other !== one)
      }
    },
    pass: (ms) => {
      const end = now + ms
      for (;;) {
        const [next] = due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        due = due.filter((other) => other !== next)
        now = Math.max(now, next.at)
        next.call()
      }
      now = end
    },
  }
}
