// How effects begin when many are asked for in one turn of the event loop: in slices of a few milliseconds, so that what this process does
// for a burst never holds up everything else in it.

/** A fifth of what may be noticed of it (20 ms), with what follows in the same turn. */
const SLICE_MS = 3

/** Begins a task now, or in one of the next turns. */
export type Pace = <Result>(begin: () => Promise<Result>) => Promise<Result>

/** Makes a pace; tasks begin in the order in which they came. */
export const createPace = (now: () => number = () => performance.now()): Pace => {
  let waiting: (() => void)[] = []
  /** When the slice of this turn began. */
  let since: number | undefined

  const next = (): void => {
    since = now()
    let begun = 0
    for (const begin of waiting) {
      if (begun > 0 && now() - since >= SLICE_MS) break
      begun += 1
      begin()
    }
    waiting = waiting.slice(begun)
    if (waiting.length > 0) setImmediate(next)
    else since = undefined
  }

  return (begin) => {
    if (since === undefined) {
      since = now()
      setImmediate(next)
    }
    if (waiting.length === 0 && now() - since < SLICE_MS) return begin()
    return new Promise((settle) => {
      waiting.push(() => settle(begin()))
    })
  }
}
