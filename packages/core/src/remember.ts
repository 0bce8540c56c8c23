// What a journal says, fact by fact: the records and holders that facts describe, without a host around them. Recovery makes
// a host of it, and a snapshot the fewest facts that say the same. Mutable: it belongs to the code that folds.

import type { HoldersWriter, MountpointFact } from './evolve.js'
import { evolve, evolveHolders } from './evolve.js'
import type { Fact } from './fact.js'
import type { Holders } from './holders.js'
import { addHolder, findHolder, noHolders, removeHolder } from './holders.js'
import type { Mountpoint } from './mountpoint.js'
import { absentMountpoint } from './mountpoint.js'
import { phaseOf } from './phase-of.js'

/** One mountpoint as facts describe it. */
export interface Remembered {
  /**
   * Its root is not known here, which is a matter of settings; and its own `since` means nothing. Changed in place: a journal
   * may have a million facts of one mountpoint, and a copy for each costs more than the fact.
   */
  readonly record: { -readonly [Key in keyof Mountpoint]: Mountpoint[Key] }
  /** The moment of the last fact. */
  since: number
  readonly holders: Holders
}

/** All that facts describe. */
export interface Memory {
  cameUp: Extract<Fact, { readonly _tag: 'HostCameUp' }> | undefined
  /** Those of which there is anything to say, longest known first. */
  readonly mountpoints: Map<string, Remembered>
}

/** Before the first fact. */
export const emptyMemory = (): Memory => ({ cameUp: undefined, mountpoints: new Map() })

/** The command that may have been under way when the manager ended, which recovery alone has to know. */
const unresolvedAfter = ({ unresolved }: Mountpoint, fact: MountpointFact): Mountpoint['unresolved'] => {
  switch (fact._tag) {
    case 'Claimed':
      return { kind: 'Mount', error: undefined }
    case 'Unmounting':
      return { kind: 'Unmount', error: undefined }
    case 'Mounted':
    case 'Unmounted':
    case 'Forgotten':
      return undefined
    case 'ClaimEnded':
      return fact.intent === 'settled' ? undefined : unresolved
    case 'Recorded':
      return fact.unresolved && { kind: fact.unresolved, error: undefined }
    default:
      return unresolved
  }
}

const leave = (holders: Holders, volume: string, consumer: string): void => {
  if (findHolder(holders, volume, consumer) !== undefined) removeHolder(holders, volume, consumer)
}

const INTO_THE_SET: HoldersWriter<Holders> = {
  add: (holders, holder) => {
    leave(holders, holder.volume, holder.consumer)
    addHolder(holders, holder)
  },
  remove: leave,
  clear: (holders) => Object.assign(holders, noHolders()),
}

/** Takes one fact into a record, and into its holders. */
const take = ({ record, holders }: Remembered, fact: MountpointFact): void => {
  const patch = evolve(record, holders.count, fact)
  record.unresolved = unresolvedAfter(record, fact)
  evolveHolders(INTO_THE_SET, holders, fact)
  if (patch !== undefined) Object.assign(record, patch)
}

/** Takes in the next fact. Total: a fact about nothing is ignored. */
export const remember = (memory: Memory, fact: Fact): void => {
  if (fact._tag === 'HostCameUp') {
    memory.cameUp = fact
    return
  }
  const { mountpoint, at } = fact
  const known = memory.mountpoints.get(mountpoint)
  const remembered: Remembered = known ?? {
    record: absentMountpoint(mountpoint, undefined, at),
    since: at,
    holders: noHolders(),
  }
  take(remembered, fact)
  remembered.since = at
  if (phaseOf(remembered.record, remembered.holders.count) === 'absent') memory.mountpoints.delete(mountpoint)
  else if (known === undefined) memory.mountpoints.set(mountpoint, remembered)
}
