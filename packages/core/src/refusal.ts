// Refusals, and the reasons in answers: why something was not done. The name of each says who is to blame; answers.md says what to do.

import type { Filesystem } from './filesystem.js'
import type { CommandError, Found, Identity, Unknown } from './found.js'
import type { Attachment } from './id.js'

/** Why a layer of ours stays mounted although it has no holder, a directory of ours stays, or a layer is not shared. */
export type Reason =
  | { readonly _tag: 'KeptByPolicy' }
  | { readonly _tag: 'Stacked' }
  | { readonly _tag: 'Foreign' }
  | { readonly _tag: 'NotOurs' }
  | { readonly _tag: 'Obstacle'; readonly kind: string }
  | Unknown
  /** Another user may change a directory on the way, and so where a command would act: nothing is run below it. */
  | {
      readonly _tag: 'UnsafeParent'
      readonly component: string
      readonly why: string
      /** What makes it safe, as text for a shell. */
      readonly command?: string
    }
  /** The program that mounts this type is not installed. */
  | { readonly _tag: 'HelperMissing'; readonly helper: string }
  | { readonly _tag: 'DeadlinePassed' }
  /** Nothing is looked at while the host is down; discovery cleans up. */
  | { readonly _tag: 'HostDown' }
  | { readonly _tag: 'Refused'; readonly error: CommandError | undefined }
  /** The layer is mounted at another path: a directory above it was renamed, or it was moved. */
  | { readonly _tag: 'Moved'; readonly to: string }
  /** The layer does not carry flags that are asked for, or that it carried when it became ours. */
  | { readonly _tag: 'FlagsChanged'; readonly missing: readonly string[] }
  /** What is mounted is not what the source leads to now. `is: 'absent'`: the source no longer exists. */
  | { readonly _tag: 'SourceChanged'; readonly was: string; readonly is: string }

export interface Invalid {
  readonly _tag: 'Invalid'
  readonly field: string
  readonly why: string
}

export interface NotManaged {
  readonly _tag: 'NotManaged'
  readonly mountpoint: string
  readonly roots: readonly string[]
}

export interface HostDown {
  readonly _tag: 'HostDown'
  readonly reason: string
}

export interface Overloaded {
  readonly _tag: 'Overloaded'
  /** The name of the limit that was reached, and its value. */
  readonly limit: string
  readonly value: number
}

export interface Conflict {
  readonly _tag: 'Conflict'
  readonly requested: Filesystem
  readonly mounted?: Filesystem
  readonly vacant?: true
  readonly reason?: Reason
}

export interface Foreign {
  readonly _tag: 'Foreign'
  readonly layers: readonly Identity[]
}

/** A step of a roll-back that did not succeed; the mountpoint is put right as soon as it can be established. */
export interface RollbackFailure {
  readonly step: 'unmount' | 'directory'
  readonly found: Found
  readonly error?: CommandError
}

export interface MountFailed {
  readonly _tag: 'MountFailed'
  /**
   * `helper`: the program that mounts this type is not installed; `component` says where it is expected. `source`: a path that
   * the mount needs, `component`, does not exist.
   */
  readonly step: 'directory' | 'mount' | 'helper' | 'source'
  /** What is in the way, where that is not the mountpoint itself. */
  readonly component?: string
  /** One sentence for people. */
  readonly why: string
  readonly found: Found
  readonly error?: CommandError
  readonly rollback: readonly RollbackFailure[]
}

export interface Broken {
  readonly _tag: 'Broken'
  readonly errno: string
}

/** Nothing was destroyed; ask again, or see `status`. */
export interface Uncertain {
  readonly _tag: 'Uncertain'
  readonly why: string
}

export interface Maintenance {
  readonly _tag: 'Maintenance'
  readonly target: string
}

export interface Cancelled {
  readonly _tag: 'Cancelled'
}

/** The manager ended first; the outcome is unknown, repeat the request after the restart. */
export interface Stopped {
  readonly _tag: 'Stopped'
}

export interface TooLate {
  readonly _tag: 'TooLate'
}

export interface NotFound {
  readonly _tag: 'NotFound'
}

export interface DiscoveryFailed {
  readonly _tag: 'DiscoveryFailed'
  readonly reason: string
  readonly nextTryMs: number
}

export interface Superseded {
  readonly _tag: 'Superseded'
}

export interface InUse {
  readonly _tag: 'InUse'
  readonly holders: readonly Attachment[]
}

export interface InFlight {
  readonly _tag: 'InFlight'
}
