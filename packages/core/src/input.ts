// Inputs: all that can make the core decide something. Time is an input: each carries `at` (wall clock, ms since the
// epoch), which is shown and recorded but never compared.

import type { Filesystem } from './filesystem.js'
import type { CommandError, Found, Identity, ResolvedSource, SourceSeen, Unknown } from './found.js'
import type { EffectId, RequestId } from './id.js'

interface Asked {
  /** Chosen by the caller, unique among unanswered requests, echoed in the answer. */
  readonly id?: string
  /** Time until the request is answered whatever happens, in ms. */
  readonly deadlineMs?: number
}

/** Asks that a filesystem is mounted at a mountpoint for one volume of one consumer. Repeating it changes nothing. */
export interface AttachRequest extends Asked {
  readonly op: 'attach'
  readonly mountpoint: string
  readonly filesystem: Filesystem
  readonly volume: string
  readonly consumer: string
}
/** Ends one attachment. Repeating it changes nothing. */
export interface DetachRequest extends Asked {
  readonly op: 'detach'
  readonly mountpoint: string
  readonly volume: string
  readonly consumer: string
}
/** Everything of one consumer, wherever it is, as of the moment of arrival. */
export interface ReleaseRequest extends Asked {
  readonly op: 'release'
  readonly consumer: string
}
/** Withdraws a request that is waiting. `target` is the `id` that its caller gave it. */
export interface CancelRequest extends Asked {
  readonly op: 'cancel'
  readonly target: string
}
/** Compares records and host, and serves requests from then on. */
export interface HostUpRequest extends Asked {
  readonly op: 'host-up'
}
/** Refuses requests from then on; every mount stays. */
export interface HostDownRequest extends Asked {
  readonly op: 'host-down'
  /** The reason for callers that are refused while the host is down; at most 1,024 bytes. */
  readonly reason?: string
}
/** Asks for what is recorded, at most `limit` mountpoints at once. */
export interface StatusRequest extends Asked {
  readonly op: 'status'
  /** Only this one; absent for all. */
  readonly mountpoint?: string
  /** How many mountpoints at most, 1 to `STATUS_MAX`, which is the default. */
  readonly limit?: number
  /** Only what comes after this path: `next` of the answer before. */
  readonly after?: string
}
export interface ReconcileRequest extends Asked {
  readonly op: 'reconcile'
  readonly apply: boolean
}
/** Looks now and resets the delays of a mountpoint. */
export interface RetryRequest extends Asked {
  readonly op: 'retry'
  readonly mountpoint: string
}
/** Drops a record without touching the host. */
export interface ForgetRequest extends Asked {
  readonly op: 'forget'
  readonly mountpoint: string
  readonly force: boolean
}
/** What maintenance is about: one mountpoint, or all filesystems of one server. */
export type Maintained = { readonly mountpoint: string } | { readonly server: string }
export type RefuseNewRequest = Asked & { readonly op: 'refuse-new' } & Maintained
export type AllowNewRequest = Asked & { readonly op: 'allow-new' } & Maintained

/** What a caller may ask. */
export type Request =
  | AttachRequest
  | DetachRequest
  | ReleaseRequest
  | CancelRequest
  | HostUpRequest
  | HostDownRequest
  | StatusRequest
  | ReconcileRequest
  | RetryRequest
  | ForgetRequest
  | RefuseNewRequest
  | AllowNewRequest

/** What a `Probe` found. */
export type Probed = { readonly _tag: 'Alive' } | { readonly _tag: 'Broken'; readonly errno: string }

/** How a managed root looks when the host comes up. */
export interface RootSeen {
  readonly path: string
  /** The mount the root is on, and the root directory itself (`device:inode`). */
  readonly mountId: number
  readonly directory: string
  readonly propagation: 'private' | 'shared' | 'slave' | 'unbindable'
}

/** One thing in use, according to an outside authority such as libvirt. */
export interface InventoryEntry {
  readonly mountpoint: string
  readonly volume: string
  readonly consumer: string
}

/** All that is in use, and when (wall clock, ms) the authority began to be asked. */
export interface Inventory {
  readonly startedAt: number
  readonly entries: readonly InventoryEntry[]
}

/** What was read at the beginning of a generation. */
export interface Discovered {
  readonly _tag: 'Discovered'
  readonly boot: string
  readonly mountNamespace: string
  readonly roots: readonly RootSeen[]
  readonly mountpoints: readonly {
    readonly mountpoint: string
    readonly found: Found
    readonly source?: SourceSeen
    /** Where the recorded layer is mounted now, if it is not at its path. */
    readonly elsewhere?: string
  }[]
  /** Absent where no outside authority is configured; complete where it is there, else nothing is discovered. */
  readonly inventory?: Inventory
}

/** Discovery that could not be completed; the host stays down (L28). */
export interface NotDiscovered {
  readonly _tag: 'NotDiscovered'
  readonly reason: string
}

/** What is found after an effect: at the mountpoint, by the probe, at the end of a delay, on the whole host. */
export type EffectFound = Found | Probed | { readonly _tag: 'Elapsed' } | Discovered | NotDiscovered

/** The one report that an effect ended, or passed its deadline (`found` is then `Unknown { TimedOut }`). */
export interface Outcome {
  readonly _tag: 'Outcome'
  readonly at: number
  readonly effect: EffectId
  /** Where the effect was run; absent for the host's own effects. */
  readonly mountpoint: string | undefined
  readonly found: EffectFound
  /** Present when the command did not end well. */
  readonly error?: CommandError
  /** Where the filesystem's type is compared by it. */
  readonly source?: SourceSeen
  /** Where the recorded layer is mounted now, if it is not at its path. */
  readonly elsewhere?: string
  /** The first of the mounts below the source of the bind that was looked at or mounted. */
  readonly submounts?: readonly string[]
  /** Of a `Look`: where the program that mounts the filesystem's type is expected, and not installed. */
  readonly missingHelper?: string
}

/** All that can lead to a decision. */
export type Input =
  | {
      readonly _tag: 'Requested'
      readonly at: number
      readonly request: RequestId
      readonly body: Request
      /**
       * Whose request it is: a domain of trust that only the embedder names, never the sender. Absent: the embedder's own.
       * Slots are shared between streams.
       */
      readonly stream?: string
    }
  | Outcome
  /** No process of an effect that had timed out lives any more. Exactly one for each. */
  | { readonly _tag: 'Ended'; readonly at: number; readonly effect: EffectId; readonly mountpoint: string | undefined }
  /** The mountpoint that `grantable` named gets its slot. */
  | { readonly _tag: 'Granted'; readonly at: number; readonly mountpoint: string }
  /** The time of an accepted request is over. */
  | { readonly _tag: 'Deadline'; readonly at: number; readonly request: RequestId }
  /** Something was seen at a mountpoint without being asked for. Leads to a look, never to a change. */
  | { readonly _tag: 'Observed'; readonly at: number; readonly mountpoint: string }
  /** The manager is to end: `drain` refuses what has not begun and lets the rest finish; `hard` refuses all unanswered. */
  | { readonly _tag: 'Stopped'; readonly at: number; readonly how: 'drain' | 'hard' }

export type { CommandError, Found, Identity, ResolvedSource, SourceSeen, Unknown }
