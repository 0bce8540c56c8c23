// What a journal says, fact by fact: the records and holders that facts describe, without a host around them. Recovery makes
// a host of it, and a snapshot the fewest facts that say the same. Mutable: it belongs to whoever folds.

import type { MountpointFact } from './evolve.js'
import { evolve } from './evolve.js'
import type { Fact } from './fact.js'
import type { Holder } from './holders.js'
import type { Mountpoint } from './host.js'
import { absentMountpoint } from './host.js'
import type { Phase } from './phase.js'

/** One mountpoint as facts describe it. */
export interface Remembered {
  /** Its root is not known here, which is a matter of settings; and its own `since` means nothing. */
  record: Mountpoint
  /** The moment of the last fact. Beside the record, which most facts leave as it is: there may be a million of them. */
  since: number
  readonly holders: Map<string, Holder>
}

/** All that facts describe. */
export interface Memory {
  cameUp: Extract<Fact, { readonly _tag: 'HostCameUp' }> | undefined
  /** Those of which there is anything to say, longest known first. */
  readonly mountpoints: Map<string, Remembered>
}

/** Before the first fact. */
export const emptyMemory = (): Memory => ({ cameUp: undefined, mountpoints: new Map() })

const keyOf = (volume: string, consumer: string): string => JSON.stringify([volume, consumer])

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

const holdersAfter = (holders: Remembered['holders'], fact: MountpointFact): void => {
  if (fact._tag === 'Held') {
    const { volume, consumer, since, knowledge } = fact
    holders.set(keyOf(volume, consumer), { volume, consumer, since, knowledge })
  } else if (fact._tag === 'Left') {
    holders.delete(keyOf(fact.volume, fact.consumer))
  } else if (fact._tag === 'Forgotten') {
    holders.clear()
  }
}

/** What one fact makes of a record, and of its holders. Most facts leave the record as it is: there may be a million of them. */
const recordAfter = ({ record, holders }: Remembered, fact: MountpointFact): Mountpoint => {
  const patch = evolve(record, holders.size, fact)
  const unresolved = unresolvedAfter(record, fact)
  holdersAfter(holders, fact)
  const isSame = unresolved === record.unresolved && patch === undefined
  return isSame ? record : { ...record, ...patch, unresolved }
}

/** The phase of a record that nobody has looked at yet. */
export const phaseOf = ({ record, holders }: Remembered): Phase => {
  if (record.unresolved !== undefined) return 'uncertain'
  if (record.layer !== undefined) return holders.size > 0 ? 'mounted' : 'vacant'
  if (holders.size > 0) return 'lost'
  return record.directory === 'ours' ? 'leftover' : 'absent'
}

/** Takes in the next fact. Total: a fact about nothing is ignored. */
export const remember = (memory: Memory, fact: Fact): void => {
  if (fact._tag === 'HostCameUp') {
    memory.cameUp = fact
    return
  }
  const { mountpoint, at } = fact
  const known: Remembered = memory.mountpoints.get(mountpoint) ?? {
    record: absentMountpoint(mountpoint, undefined, at),
    since: at,
    holders: new Map(),
  }
  known.record = recordAfter(known, fact)
  known.since = at
  if (phaseOf(known) === 'absent') memory.mountpoints.delete(mountpoint)
  else memory.mountpoints.set(mountpoint, known)
}
