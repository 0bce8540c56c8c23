// Views of the records for adapters and commands, which know nothing of work, slots and effects.

import type { Filesystem } from './filesystem.js'
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

/** A mountpoint that has a record. */
export interface RecordedMountpoint {
  readonly mountpoint: string
  /** Absent for a layer that was adopted, and that no attach has named yet. */
  readonly filesystem: Filesystem | undefined
  readonly holders: number
}

/** All mountpoints that have a record. */
export const recordedMountpoints = (host: Host): readonly RecordedMountpoint[] =>
  [...host.mountpoints].map(([mountpoint, { record, holders }]) => ({
    mountpoint,
    filesystem: record.filesystem,
    holders: holders.count,
  }))

/** Whether work is under way at any mountpoint, or waits for a slot or a delay. */
export const isAtWork = (host: Host): boolean => {
  for (const { record } of host.mountpoints.values()) {
    if (record.work !== undefined || record.inFlight !== undefined) return true
  }
  return false
}
