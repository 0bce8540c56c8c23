// What a journal says, fact by fact: the records and holders that facts describe, without a host around them. Recovery makes
// a host of it, and a snapshot the fewest facts that say the same. Mutable: it belongs to whoever folds.

import type { Fact } from './fact.js'
import type { Holder } from './holders.js'
import type { Mountpoint } from './host.js'
import { absentMountpoint, withoutDirectory } from './host.js'
import type { Phase } from './phase.js'

type MountpointFact = Exclude<Fact, { readonly _tag: 'HostCameUp' }>

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

/** What one fact makes of a record, and of its holders. */
const recordAfter = ({ record, holders }: Remembered, fact: MountpointFact): Mountpoint => {
  switch (fact._tag) {
    case 'Claimed':
      return {
        ...record,
        filesystem: fact.filesystem,
        claim: { volume: fact.volume, consumer: fact.consumer },
        intent: { found: fact.found, layersBefore: fact.layersBefore },
        unresolved: { kind: 'Mount', error: undefined },
      }
    case 'DirectoryMade':
      return { ...record, directory: 'ours' }
    case 'Mounted':
      return {
        ...record,
        layer: fact.identity,
        instance: record.instance + 1,
        intent: undefined,
        unresolved: undefined,
      }
    case 'Held': {
      const { volume, consumer, since, knowledge } = fact
      holders.set(keyOf(volume, consumer), { volume, consumer, since, knowledge })
      return record.claim === undefined ? record : { ...record, claim: undefined }
    }
    case 'ClaimEnded': {
      const settled = fact.intent === 'settled' ? { intent: undefined, unresolved: undefined } : {}
      return { ...record, claim: undefined, ...settled }
    }
    case 'Left':
      holders.delete(keyOf(fact.volume, fact.consumer))
      return record
    case 'Unmounting':
      return { ...record, unresolved: { kind: 'Unmount', error: undefined } }
    case 'Unmounted':
      return { ...record, layer: undefined, intent: undefined, unresolved: undefined }
    case 'DirectoryRemoved':
    case 'DirectoryKept':
      return { ...record, directory: 'theirs', intent: withoutDirectory(record.intent) }
    case 'Adopted': {
      const { identity, filesystem } = fact
      const instance = record.layer === undefined ? record.instance + 1 : record.instance
      return { ...record, layer: identity, filesystem, instance }
    }
    case 'Forgotten':
      holders.clear()
      return absentMountpoint(record.path, undefined, fact.at)
    case 'Recorded': {
      const { filesystem, layer, directory, instance, claim, intent, unresolved } = fact
      const open = unresolved && { kind: unresolved, error: undefined }
      return { ...record, filesystem, layer, directory, instance, claim, intent, unresolved: open }
    }
  }
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
