// The clock of the adapter, as a port: what is left of a deadline is read from it, and tests put virtual time in its place.

/** A monotonic clock. */
export interface Clock {
  /** Milliseconds since any moment. */
  readonly now: () => number
  /** Calls once after a delay, unless it is cancelled before. */
  readonly after: (delayMs: number, call: () => void) => () => void
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs)
    return () => {
      clearTimeout(timer)
    }
  },
}

/** The milliseconds that are left of a deadline; at least one, for a command that is to be ended at once. */
export interface Left {
  (): number
  /** The same deadline, put off: for time in which nothing was done for what it limits. */
  readonly later: (delayMs: number) => Left
}

const leftUntil = (clock: Clock, end: number): Left =>
  Object.assign(() => Math.max(1, end - clock.now()), {
    later: (delayMs: number) => leftUntil(clock, end + delayMs),
  })

/** Begins to measure a deadline. */
export const leftOf = (clock: Clock, deadlineMs: number): Left => leftUntil(clock, clock.now() + deadlineMs)

/** Waits for a promise, but no longer than this; says whether it has resolved. */
export const resolvesWithin = async (clock: Clock, waited: Promise<unknown>, delayMs: number): Promise<boolean> => {
  let cancel: () => void = () => undefined
  const late = new Promise<false>((settle) => {
    cancel = clock.after(delayMs, () => {
      settle(false)
    })
  })
  try {
    return await Promise.race([waited.then(() => true as const), late])
  } finally {
    cancel()
  }
}
