// Evolving: what a fact makes of the durable part of a record, and of its holders. This is their only writer, for a live host
// and for recovery alike: a decision puts each fact through here as it records it, and recovery puts the facts of a journal
// through here. A field belongs to the durable part if and only if it is listed in `Durable`; nothing else may set it.

import type { Durable, Intent } from './durable.js'
import { NOTHING_DURABLE, isNothingLeft } from './durable.js'
import type { Fact } from './fact.js'
import type { Holder } from './holders.js'

/** A fact about one mountpoint. */
export type MountpointFact = Exclude<Fact, { readonly _tag: 'HostCameUp' }>

/** How often something was mounted for this record: a record that has ended hands nothing on to the next one. */
const instanceOf = (durable: Durable, holders: number): number =>
  isNothingLeft(durable, holders) ? 0 : durable.instance

/**
 * The directory that was made for a claim is there no more: what comes there from now on was not made for it, and is as good as
 * one that was there before.
 */
const withoutDirectory = (intent: Intent | undefined): Intent | undefined =>
  intent?.found._tag === 'NoDirectory' ? { ...intent, found: { _tag: 'Directory' } } : intent

/**
 * A claim has ended and what it did is open. `Mount` comes after `DirectoryMade` where there was no directory: without that
 * fact none was emitted, and a layer that appears there was mounted by others (L34).
 */
const openAfter = (intent: Intent | undefined, directory: Durable['directory']): Intent | undefined =>
  intent?.found._tag === 'NoDirectory' && directory !== 'ours' ? { ...intent, explains: 'only the directory' } : intent

const claimEnded = (durable: Durable, fact: Extract<Fact, { readonly _tag: 'ClaimEnded' }>): Partial<Durable> => {
  const intent = fact.intent === 'settled' ? undefined : openAfter(durable.intent, durable.directory)
  return { claim: undefined, intent }
}

/** An inventory knows of no claim: only the request that claimed ends it by holding. */
const endsClaim = ({ claim }: Durable, fact: Extract<Fact, { readonly _tag: 'Held' }>): boolean =>
  fact.knowledge === 'request' && claim?.volume === fact.volume && claim.consumer === fact.consumer

/** What a fact changes in the durable part of its record, if anything; `holders` is their number before it. */
export const evolve = (durable: Durable, holders: number, fact: MountpointFact): Partial<Durable> | undefined => {
  switch (fact._tag) {
    case 'Claimed': {
      const { filesystem, volume, consumer, found, layersBefore } = fact
      const instance = instanceOf(durable, holders)
      const source = isNothingLeft(durable, holders) ? undefined : durable.source
      return { filesystem, source, instance, claim: { volume, consumer }, intent: { found, layersBefore } }
    }
    case 'DirectoryMade':
      return { directory: 'ours' }
    case 'Mounted':
      return {
        layer: fact.identity,
        source: fact.source,
        adopted: false,
        instance: durable.instance + 1,
        intent: undefined,
      }
    case 'Held':
      return endsClaim(durable, fact) ? { claim: undefined } : undefined
    case 'ClaimEnded':
      return claimEnded(durable, fact)
    case 'Left':
    case 'Unmounting':
      return undefined
    case 'Unmounted':
      return { layer: undefined, adopted: false, intent: undefined }
    case 'DirectoryRemoved':
    case 'DirectoryKept':
      return { directory: 'theirs', intent: withoutDirectory(durable.intent) }
    case 'Adopted': {
      const before = instanceOf(durable, holders)
      const instance = durable.layer === undefined ? before + 1 : before
      return { layer: fact.identity, source: fact.source, adopted: true, filesystem: fact.filesystem, instance }
    }
    case 'Forgotten':
      return NOTHING_DURABLE
    case 'Recorded': {
      const { filesystem, layer, source, adopted = false, directory, instance, claim, intent } = fact
      return { filesystem, layer, source, adopted, directory, instance, claim, intent }
    }
  }
}

/** How a set of holders is written: that of a record itself, or what a decision lays over it. */
export interface HoldersWriter<Target> {
  /** A holder of these names that is there already is replaced. */
  readonly add: (target: Target, holder: Holder) => void
  /** Removes the holder of these names. */
  readonly remove: (target: Target, volume: string, consumer: string) => void
  readonly clear: (target: Target) => void
}

/** What a fact changes in the set of holders. */
export const evolveHolders = <Target>(write: HoldersWriter<Target>, target: Target, fact: MountpointFact): void => {
  if (fact._tag === 'Held') {
    const { volume, consumer, since, knowledge, id, stream } = fact
    // Without the fields where there is no id: there may be a million of them.
    if (id === undefined) write.add(target, { volume, consumer, since, knowledge })
    else if (stream === undefined) write.add(target, { volume, consumer, since, knowledge, id })
    else write.add(target, { volume, consumer, since, knowledge, id, stream })
  } else if (fact._tag === 'Left') write.remove(target, fact.volume, fact.consumer)
  else if (fact._tag === 'Forgotten') write.clear(target)
}
