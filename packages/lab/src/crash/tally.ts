// What a run has done, counted.

import type { Moment } from './moments.js'

/** Counts of all lanes together. */
export interface Tally {
  readonly kills: Map<Moment, number>
  requests: number
  answers: number
  recoveries: number
  /** Mountpoints that were waited for at a start, because a command of an earlier life was alive there. */
  orphans: number
  /** Writes of the journal that were cut after a kill. */
  torn: number
  /** Managers that stopped by themselves because their disk was full, and starts that were refused because it was read-only. */
  full: number
  readOnly: number
  /** Times that every consumer had left and nothing was left over. */
  cleared: number
  /** The longest time that locks were seen held after a kill, ms. */
  lockMs: number
}

export const noTally = (): Tally => ({
  kills: new Map(),
  requests: 0,
  answers: 0,
  recoveries: 0,
  orphans: 0,
  torn: 0,
  full: 0,
  readOnly: 0,
  cleared: 0,
  lockMs: 0,
})
