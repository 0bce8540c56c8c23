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

/** The request itself is wrong. Change the field that is named; the same request is never accepted. */
export interface Invalid {
  readonly _tag: 'Invalid'
  readonly field: string
  readonly why: string
}

/** The path is below no managed root. Ask below one of `roots`, or configure another one. */
export interface NotManaged {
  readonly _tag: 'NotManaged'
  readonly mountpoint: string
  readonly roots: readonly string[]
}

/** The host has not come up, or was taken down; `reason` says why. Wait, or repair what `reason` names. */
export interface HostDown {
  readonly _tag: 'HostDown'
  readonly reason: string
}

/** A limit was reached: too many wait, or hold. Ask later or fewer at once, or raise the limit that is named. */
export interface Overloaded {
  readonly _tag: 'Overloaded'
  /** The name of the limit that was reached, and its value. */
  readonly limit: string
  readonly value: number
}

/** Another filesystem, or the same with other options, is in use there. Wait for its holders, or use another mountpoint. */
export interface Conflict {
  readonly _tag: 'Conflict'
  readonly requested: Filesystem
  readonly mounted?: Filesystem
  readonly vacant?: true
  readonly reason?: Reason
}

/** Something is mounted there that the manager did not mount. Unmount it, or set the policy `foreign` to `adopt`. */
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

/** A step before or of the mount failed. `error` has the command with its exit status and stderr, `why` a sentence. */
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

/** It is mounted, and its server does not answer (`errno`). Repair the server, then ask again. */
export interface Broken {
  readonly _tag: 'Broken'
  readonly errno: string
}

/** Nothing was destroyed; ask again, or see `status`. */
export interface Uncertain {
  readonly _tag: 'Uncertain'
  readonly why: string
}

/** New attachments are refused for this mountpoint or server since `refuse-new`. Wait for `allow-new`. */
export interface Maintenance {
  readonly _tag: 'Maintenance'
  readonly target: string
}

/** It was withdrawn while it waited; nothing was done for it. */
export interface Cancelled {
  readonly _tag: 'Cancelled'
}

/** The manager ended first; the outcome is unknown, repeat the request after the restart. */
export interface Stopped {
  readonly _tag: 'Stopped'
}

/** The request that was named is being served already, or was answered. */
export interface TooLate {
  readonly _tag: 'TooLate'
}

/** What was named is not known. */
export interface NotFound {
  readonly _tag: 'NotFound'
}

/** The host could not be read, and stays down. It is tried again after `nextTryMs`, unless the manager never was up. */
export interface DiscoveryFailed {
  readonly _tag: 'DiscoveryFailed'
  readonly reason: string
  readonly nextTryMs: number
}

/** A later request for the host asked for the opposite. */
export interface Superseded {
  readonly _tag: 'Superseded'
}

/** There are holders: detach them first, or use `force`. */
export interface InUse {
  readonly _tag: 'InUse'
  readonly holders: readonly Attachment[]
}

/** A command is under way there; ask again when it has ended. */
export interface InFlight {
  readonly _tag: 'InFlight'
}
