// Many lanes side by side, and what they came to.

import { noFuse, prepareGround } from './ground.js'
import { runLane } from './lane.js'
import type { Tally } from './tally.js'
import { noTally } from './tally.js'
import { Violation } from './witness.js'

/** What is asked for. */
export interface CrashOptions {
  readonly kills: number
  readonly seed: number
  readonly lanes: number
  /** Called after each kill. */
  readonly progress?: (kills: number) => void
}

/** The result. */
export interface CrashReport {
  readonly tally: Tally
  readonly kills: number
  readonly violation: string | undefined
  readonly seconds: number
  /** Why no FUSE was among it. */
  readonly noFuse: string | undefined
}

/** Kills managers, and judges what becomes of them. */
export const crash = async ({ kills: most, seed, lanes, progress }: CrashOptions): Promise<CrashReport> => {
  prepareGround()
  const began = performance.now()
  const tally = noTally()
  const fuse = noFuse()
  let kills = 0
  let violation: string | undefined
  const one = (lane: number): Promise<void> =>
    runLane({
      name: `l${lane}`,
      seed: seed * 1_000 + lane,
      fuse: fuse === undefined,
      mayKill: () => violation === undefined && kills < most,
      killed: () => {
        kills += 1
        progress?.(kills)
      },
      tally,
    }).catch((error: unknown) => {
      if (!(error instanceof Violation)) throw error
      violation ??= `seed ${seed}, kill ${kills}, ${error.message}`
    })
  await Promise.all(Array.from({ length: lanes }, (_, lane) => one(lane)))
  return { tally, kills, violation, seconds: (performance.now() - began) / 1_000, noFuse: fuse }
}
