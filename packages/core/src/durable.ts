// What survives a crash of one mountpoint, beside its holders. `evolve` alone writes it, and facts alone say what it becomes:
// everything else in a record is found out again after a crash.

import type { Filesystem } from './filesystem.js'
import type { Found, Identity, ResolvedSource } from './found.js'
import type { Attachment } from './id.js'

/** A claim opened it, a fact closes it: what was there before the first changing effect of an attach. */
export interface Intent {
  readonly found: Found
  readonly layersBefore: readonly Identity[]
  /** No `Mount` was emitted before the claim ended, so that a layer there is not ours. Absent: one may have been. */
  readonly explains?: 'only the directory'
}

/** The durable part of a record. */
export interface Durable {
  /** As requested by the claim or the holders. */
  readonly filesystem: Filesystem | undefined
  /** Our layer, as the table showed it when it was recorded; present only while it was there at the last look. */
  readonly layer: Identity | undefined
  /** What the source of our last layer led to when it was mounted. Stays while that layer is lost. */
  readonly source: ResolvedSource | undefined
  /** Others mounted our layer: it was never to carry the flags that are added by default. */
  readonly adopted: boolean
  readonly directory: 'ours' | 'theirs'
  /** How often something was mounted here for this record. */
  readonly instance: number
  readonly claim: Attachment | undefined
  readonly intent: Intent | undefined
}

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
