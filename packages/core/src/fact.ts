// Facts: state changes that must survive a crash. A driver makes them durable before the answers and effects of the same
// decision, and of all later ones, leave. `recover.ts` folds them back into a host.

import type { Intent } from './durable.js'
import type { Filesystem } from './filesystem.js'
import type { Found, Identity, ResolvedSource } from './found.js'
import type { Knowledge } from './holders.js'
import type { Attachment } from './id.js'

/** A change that survives a crash; the journal is a list of them. */
export type Fact =
  | {
      readonly _tag: 'HostCameUp'
      readonly at: number
      readonly generation: number
      readonly boot: string
      readonly mountNamespace: string
    }
  /** An attach is about to change the host. Opens the intent that a later look has to settle. */
  | {
      readonly _tag: 'Claimed'
      readonly at: number
      readonly mountpoint: string
      readonly filesystem: Filesystem
      readonly volume: string
      readonly consumer: string
      readonly found: Found
      readonly layersBefore: readonly Identity[]
    }
  | { readonly _tag: 'DirectoryMade'; readonly at: number; readonly mountpoint: string }
  | {
      readonly _tag: 'Mounted'
      readonly at: number
      readonly mountpoint: string
      readonly identity: Identity
      /** What its source led to when it was mounted; absent for types whose source is no path, and where it was not checked. */
      readonly source?: ResolvedSource
    }
  | {
      readonly _tag: 'Held'
      readonly at: number
      readonly mountpoint: string
      readonly volume: string
      readonly consumer: string
      readonly since: number
      readonly knowledge: Knowledge
      /** Of the request that made it; absent where that had none. A repeat under the same id is answered `added` again. */
      readonly id?: string
      /** The stream of that request, where it was not the default one. */
      readonly stream?: string
    }
  /** The claim protects nothing any more. `open`: what its effect did is not known yet, so the intent stays. */
  | {
      readonly _tag: 'ClaimEnded'
      readonly at: number
      readonly mountpoint: string
      readonly volume: string
      readonly consumer: string
      readonly intent: 'open' | 'settled'
    }
  | {
      readonly _tag: 'Left'
      readonly at: number
      readonly mountpoint: string
      readonly volume: string
      readonly consumer: string
    }
  | { readonly _tag: 'Unmounting'; readonly at: number; readonly mountpoint: string; readonly identity: Identity }
  /** Nothing of ours is mounted there (any more); settles an open intent as well. */
  | { readonly _tag: 'Unmounted'; readonly at: number; readonly mountpoint: string; readonly by: 'us' | 'other' }
  | { readonly _tag: 'DirectoryRemoved'; readonly at: number; readonly mountpoint: string }
  /** The directory is not ours to remove (any more). */
  | { readonly _tag: 'DirectoryKept'; readonly at: number; readonly mountpoint: string }
  | {
      readonly _tag: 'Adopted'
      readonly at: number
      readonly mountpoint: string
      readonly identity: Identity
      /** Absent where it was adopted because it is in use: the first attach that agrees says what it is. */
      readonly filesystem?: Filesystem
      /** What its source led to then. */
      readonly source?: ResolvedSource
    }
  | { readonly _tag: 'Forgotten'; readonly at: number; readonly mountpoint: string }
  /**
   * A record as a whole, in place of all facts about it so far but its holders' `Held`, which stand before it. No decision
   * makes one: a snapshot does.
   */
  | {
      readonly _tag: 'Recorded'
      /** Since when the record is as it is. */
      readonly at: number
      readonly mountpoint: string
      readonly filesystem?: Filesystem
      readonly layer?: Identity
      /** What the source led to at the last mount. */
      readonly source?: ResolvedSource
      /** Our layer was mounted by others. */
      readonly adopted?: true
      readonly directory: 'ours' | 'theirs'
      readonly instance: number
      readonly claim?: Attachment
      /** What was there before the first changing effect of an attach that no look has settled. */
      readonly intent?: Intent
      /** A command of this kind may have been under way. */
      readonly unresolved?: 'Mount' | 'Unmount'
    }
