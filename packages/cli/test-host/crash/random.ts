// Chance from a seed: the same seed draws the same numbers, so a run can be asked for again. What the kernel and the
// scheduler make of it differs from run to run.

/** A source of chance. */
export interface Chance {
  /** A whole number from 0 to below `below`. */
  readonly below: (below: number) => number
  /** True so many times of a hundred. */
  readonly percent: (percent: number) => boolean
  readonly pick: <A>(from: readonly A[]) => A
}

/** mulberry32. */
export const chanceFrom = (seed: number): Chance => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    below,
    percent: (percent) => next() * 100 < percent,
    pick: (from) => {
      const one = from[below(from.length)]
      if (one === undefined) throw new Error('nothing to pick from')
      return one
    },
  }
}
