// Evolving: what a fact makes of the durable part of a record. This is its only writer, for a live host and for recovery alike:
// a decision puts each fact through here as it records it, and recovery puts the facts of a journal through here. A field
// belongs to the durable part if and only if it is listed in `Durable`; nothing else may set it.

import type { Fact } from './fact.js'
import type { Intent, Mountpoint } from './host.js'

/** What survives a crash of one mountpoint, beside its holders. */
export type Durable = Pick<
  Mountpoint,
  'filesystem' | 'layer' | 'source' | 'adopted' | 'directory' | 'instance' | 'claim' | 'intent'
>

/** A fact about one mountpoint. */
export type MountpointFact = Exclude<Fact, { readonly _tag: 'HostCameUp' }>

/** Of a mountpoint of which facts say nothing. */
export const NOTHING_DURABLE: Durable = {
  filesystem: undefined,
  layer: undefined,
  source: undefined,
  adopted: false,
  directory: 'theirs',
  instance: 0,
  claim: undefined,
  intent: undefined,
}

/** Facts say nothing more of it: the record has ended, and what it was called before means nothing to the next one. */
export const isNothingLeft = ({ layer, directory, claim, intent }: Durable, holders: number): boolean =>
  layer === undefined && directory === 'theirs' && claim === undefined && intent === undefined && holders === 0

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
