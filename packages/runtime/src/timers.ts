// Time as the operating system has it. Durations are monotonic (a step of the wall clock moves no deadline); only `now`,
// which is shown and recorded and never compared, is the wall clock.

import type { Timers } from './ports.js'

/** The longest delay of one `setTimeout`, ms; a longer one would end at once. */
const LONGEST_MS = 2_147_483_647

const start = (delayMs: number, call: () => void): (() => void) => {
  const thisTime = Math.min(delayMs, LONGEST_MS)
  let rest = delayMs - thisTime
  const end = (): void => {
    if (rest <= 0) {
      call()
      return
    }
    const next = Math.min(rest, LONGEST_MS)
    rest -= next
    timeout = setTimeout(end, next)
    timeout.unref()
  }
  let timeout = setTimeout(end, thisTime)
  timeout.unref()
  return () => clearTimeout(timeout)
}

/** Timers of this process. Delays of any length; none of them keeps the process alive, `hold` does. */
export const createSystemTimers = (): Timers & Required<Pick<Timers, 'hold'>> => {
  let keeper: NodeJS.Timeout | undefined
  let holding = 0
  return {
    now: () => Date.now(),
    after: start,
    hold: () => {
      keeper ??= setInterval(() => undefined, LONGEST_MS)
      holding += 1
      if (holding === 1) keeper.ref()
      let held = true
      return () => {
        if (!held) return
        held = false
        holding -= 1
        if (holding === 0) keeper?.unref()
      }
    },
  }
}
