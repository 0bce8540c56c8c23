// What is recorded of the layers at a mountpoint, for those who compare it with the mount table as it is.

import type { Identity } from './found.js'
import type { Host } from './host.js'

/** The layers at a mountpoint as of the last look. */
export interface RecordedLayers {
  /** Absent while ours is not there. */
  readonly ours: Identity | undefined
  /** Layers of others, on top of ours or below it. */
  readonly others: readonly Identity[]
  /**
   * Nothing is under way: an observation leads to a look now. While something is under way an observation changes nothing,
   * and the layers may be about to change by our own doing.
   */
  readonly atRest: boolean
}

/** What is recorded of a mountpoint; absent where there is no record. */
export const recordedLayers = (host: Host, mountpoint: string): RecordedLayers | undefined => {
  const record = host.mountpoints.get(mountpoint)?.record
  if (record === undefined) return undefined
  const { layer, seen = layer, elsewhere, foreign, work, wait, overdue } = record
  const atRest = overdue.length === 0 && (work === undefined || wait?.why === 'back-off')
  return { ours: elsewhere === undefined ? seen : undefined, others: foreign, atRest }
}
