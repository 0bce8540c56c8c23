// What is drawn by chance in a lane.

import { chanceOf, pick } from '../chance.js'

/** A source of chance. */
export interface Chance {
  /** A whole number from 0 to below `below`. */
  readonly below: (below: number) => number
  /** True so many times of a hundred. */
  readonly percent: (percent: number) => boolean
  readonly pick: <A>(from: readonly A[]) => A
}

/** The same seed draws the same. */
export const chanceFrom = (seed: number): Chance => {
  const chance = chanceOf(seed)
  return {
    below: (below) => Math.floor(chance() * below),
    percent: (percent) => chance() * 100 < percent,
    pick: (from) => pick(chance, from),
  }
}
