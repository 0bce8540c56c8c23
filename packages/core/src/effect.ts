// Effects: things to do to the host, as data. The core emits them and never runs one. A driver starts an effect when the
// facts of its decision and all facts before them are durable, and gives back exactly one outcome for each, in any order.

import type { Filesystem } from './filesystem.js'
import type { Identity, RootIdentity } from './found.js'
import type { EffectId } from './id.js'

/** Sees what is at a mountpoint. Changes nothing and may not block on a filesystem that hangs (L24). */
export interface Look {
  readonly _tag: 'Look'
  readonly effect: EffectId
  readonly mountpoint: string
  /** Whose source is to be resolved along with the look, where the type is compared by it. */
  readonly filesystem: Filesystem | undefined
  /** Our layer as it is recorded: if it is not at its path, the whole table is searched for it. */
  readonly layer?: Identity
  /** What the managed root was at host-up; another one there now is `Unknown { RootChanged }`. */
  readonly root: RootIdentity | undefined
  readonly deadlineMs: number
}

/** Makes the one directory of the mountpoint, mode 0700, never a parent, never through a symlink. */
export interface MakeDirectory {
  readonly _tag: 'MakeDirectory'
  readonly effect: EffectId
  readonly mountpoint: string
  readonly root: RootIdentity | undefined
  readonly deadlineMs: number
}

/** Mounts one layer on the directory of the mountpoint. */
export interface Mount {
  readonly _tag: 'Mount'
  readonly effect: EffectId
  readonly mountpoint: string
  readonly filesystem: Filesystem
  /** All options in the order in which they are passed, defaults such as `nosuid` added. */
  readonly options: Filesystem['options']
  readonly root: RootIdentity | undefined
  readonly deadlineMs: number
}

/** The steps of the ladder: `plain`, then by policy `force` (aborts what waits inside), `lazy` (detaches a busy layer). */
export type UnmountHow = 'plain' | 'force' | 'lazy'

/** Takes the top layer off; emitted only when the look before it showed `identity` on top. Its end searches for it elsewhere. */
export interface Unmount {
  readonly _tag: 'Unmount'
  readonly effect: EffectId
  readonly mountpoint: string
  readonly filesystem: Filesystem | undefined
  readonly identity: Identity
  readonly how: UnmountHow
  /** The type can hang: use the form of umount that does not touch the target. */
  readonly mayHang: boolean
  readonly root: RootIdentity | undefined
  readonly deadlineMs: number
}

/** rmdir of the empty directory; never anything recursive (L11). */
export interface RemoveDirectory {
  readonly _tag: 'RemoveDirectory'
  readonly effect: EffectId
  readonly mountpoint: string
  readonly root: RootIdentity | undefined
  readonly deadlineMs: number
}

/** One stat in a killable child: does the mounted filesystem answer? Never decides mounted or not. */
export interface Probe {
  readonly _tag: 'Probe'
  readonly effect: EffectId
  readonly mountpoint: string
  readonly filesystem: Filesystem
  readonly deadlineMs: number
}

/** Why a delay runs; shown by `status` and in transcripts. */
export type WaitWhy = 'settle' | 'unmount-retry' | 'back-off' | 'keep-mounted' | 'discovery-retry'

/** A delay. A new one for the same mountpoint (or for the host) replaces the old one, whose outcome changes nothing. */
export interface Wait {
  readonly _tag: 'Wait'
  readonly effect: EffectId
  /** Absent for the host's own delay. */
  readonly mountpoint: string | undefined
  readonly why: WaitWhy
  readonly delayMs: number
}

/** Reads what a generation begins with: boot id, mount namespace, roots, mount table, inventory. */
export interface Discover {
  readonly _tag: 'Discover'
  readonly effect: EffectId
  readonly roots: readonly string[]
  /** Mountpoints to look at besides all mounts below the roots. */
  readonly known: readonly {
    readonly mountpoint: string
    readonly filesystem: Filesystem | undefined
    /** Our layer as it is recorded, to be searched for in the whole table if it is not at its path. */
    readonly layer?: Identity
  }[]
  readonly deadlineMs: number
}

/** What is done at one mountpoint. */
export type MountpointEffect = Look | MakeDirectory | Mount | Unmount | RemoveDirectory | Probe
/** What a decision asks the driver to do; exactly one outcome for each. */
export type Effect = MountpointEffect | Wait | Discover
