// Answers: our one reply to each request. They report what was observed, never what was intended (L41). The `_tag` of a
// refusal says who is to blame: the caller (`Invalid`, `Conflict`, …), the load (`Overloaded`), the host (`MountFailed`, …).

import type { MountpointEffect } from './effect.js'
import type { Filesystem } from './filesystem.js'
import type { CommandError, Identity } from './found.js'
import type { Knowledge } from './holders.js'
import type { Attachment, RequestId } from './id.js'
import type { Request } from './input.js'
import type { Phase } from './phase.js'
import type {
  Broken,
  Cancelled,
  Conflict,
  DiscoveryFailed,
  Foreign,
  HostDown,
  InFlight,
  InUse,
  Invalid,
  Maintenance,
  MountFailed,
  NotFound,
  NotManaged,
  Overloaded,
  Reason,
  Stopped,
  Superseded,
  TooLate,
  Uncertain,
} from './refusal.js'

/** Something worth knowing beside a good answer. The list of tags is closed. */
export interface Warning {
  readonly _tag:
    | 'CommandFailed'
    | 'SourceSpelledDifferently'
    | 'SourceNotChecked'
    | 'ReadOnly'
    | 'NotResponding'
    | 'MatchedByConsumer'
    | 'DetachedLazily'
    | 'PropagationNotShared'
    | 'SubmountsHidden'
    | 'WithoutEffect'
  readonly text: string
  /** Of `SubmountsHidden`: the first of the mounts below the source of a bind, which the bind does not show. */
  readonly paths?: readonly string[]
}

/** The claim holds: the right layer was found on top. It ends with `detach` or `release`. */
export interface Attached {
  readonly _tag: 'Attached'
  /** Whether *this* call made the claim, so that a roll-back of the caller cannot drop an earlier one. */
  readonly holder: 'added' | 'already-held'
  readonly mount: 'mounted' | 'shared' | 'adopted' | 'remounted'
  /** Grows with every mount at this mountpoint; together with `generation` it shows that old handles died. */
  readonly instance: number
  readonly generation: number
  readonly warnings: readonly Warning[]
}

/** The claim is gone; the fields say what became of mount and directory. */
export interface Detached {
  readonly _tag: 'Detached'
  readonly holder: 'removed' | 'not-held'
  readonly holdersLeft: number
  readonly mount: 'unmounted' | 'detached' | 'held' | 'vacant' | 'uncertain' | 'absent'
  readonly directory: 'removed' | 'kept' | 'absent'
  readonly reason?: Reason
  readonly warnings: readonly Warning[]
}

export type Refused = Invalid | NotManaged | HostDown | Overloaded | Cancelled | Stopped

/** Why an attach is refused. */
export type AttachError = Refused | Conflict | Foreign | MountFailed | Broken | Uncertain | Maintenance

/** Why a detach, or any other plain request, is refused. */
export type DetachError = Refused

/** All attachments of a consumer were ended; one answer for each. */
export interface Released {
  readonly _tag: 'Released'
  readonly attachments: readonly {
    readonly mountpoint: string
    readonly volume: string
    readonly answer: Detached
  }[]
}

/** The request that was named is withdrawn, and answered `Cancelled`. */
export interface CancelSent {
  readonly _tag: 'CancelSent'
}

/** A difference between what is wanted, recorded and observed (R8). */
export interface Difference {
  readonly _tag:
    | 'lost'
    | 'vacant'
    | 'leftover-directory'
    | 'replaced'
    | 'stacked'
    | 'foreign'
    | 'options-changed'
    | 'moved'
    | 'source-changed'
    | 'stale-holder'
    | 'broken'
    | 'uncertain'
    | 'unmanaged'
  readonly mountpoint: string
  /** What a person can do about it. */
  readonly text: string
  /** Who is concerned: their handles are dead, or they no longer exist. */
  readonly holders?: readonly Attachment[]
}

/** The host came up: what is recorded was compared with what is mounted. `drift` is what differs. */
export interface Up {
  readonly _tag: 'Up'
  readonly generation: number
  readonly drift: readonly Difference[]
  readonly warnings: readonly Warning[]
}

/** The host is down: requests are refused until `host-up`; every mount stays. */
export interface Down {
  readonly _tag: 'Down'
  readonly generation: number
}

/** What differs between records and host, after the repairs that were asked for. */
export interface Reconciled {
  readonly _tag: 'Reconciled'
  readonly differences: readonly Difference[]
}

/** It is looked at now, and its delays begin from the first. */
export interface Retried {
  readonly _tag: 'Retried'
}

/** The record is dropped and the host untouched; `holders` are those who were recorded. */
export interface Forgotten {
  readonly _tag: 'Forgotten'
  readonly holders: readonly Attachment[]
}

/** New attachments are refused from now on. */
export interface Refusing {
  readonly _tag: 'Refusing'
}

/** New attachments are accepted again. */
export interface Allowing {
  readonly _tag: 'Allowing'
}

/** One holder as `status` shows it. */
export interface HolderStatus extends Attachment {
  readonly since: number
  readonly knowledge: Knowledge
}

/** One mountpoint as `status` shows it. */
export interface MountpointStatus {
  readonly mountpoint: string
  readonly filesystem?: Filesystem
  readonly phase: Phase
  readonly instance: number
  readonly directory: 'ours' | 'theirs'
  readonly layer?: Identity
  /** A probe has found our layer dead, and none has found it alive since; when, is wall clock, ms. */
  readonly dead?: { readonly errno: string; readonly at: number }
  /** Where our layer is mounted instead of here. */
  readonly elsewhere?: string
  readonly foreign?: readonly Identity[]
  readonly holders: readonly HolderStatus[]
  /** How many more there are: one answer shows only so many. */
  readonly holdersNotShown?: number
  readonly waiting: readonly { readonly op: string; readonly id?: string; readonly consumer: string }[]
  /** Wall clock, ms, of the moment this phase began. */
  readonly since: number
  readonly slot: 'none' | 'wanted' | 'held' | 'overdue'
  /** What passed its deadline and has not ended: it owns the mountpoint. More than one only by the ladder; absent if none. */
  readonly overdue?: readonly MountpointEffect['_tag'][]
  readonly nextTryMs?: number
  readonly reason?: Reason
  readonly lastError?: CommandError
  readonly unmanaged?: true
}

/** What is recorded, page by page. */
export interface Status {
  readonly _tag: 'Status'
  readonly generation: number
  readonly phase: string
  /** In the order of their paths. */
  readonly mountpoints: readonly MountpointStatus[]
  /** There are more: ask again with this as `after`. */
  readonly next?: string
  readonly refusing: readonly string[]
  /** Managed roots that are not the directories they were at host-up; below them nothing can be known until the next one. */
  readonly changedRoots: readonly string[]
}

/** What a request that was served is answered with. */
export type Result =
  | Attached
  | Detached
  | Released
  | CancelSent
  | Up
  | Down
  | Status
  | Reconciled
  | Retried
  | Forgotten
  | Refusing
  | Allowing

/** Why a request is refused; `_tag` says who is to blame: the caller, the load, or the host. */
export type Refusal = AttachError | DiscoveryFailed | Superseded | TooLate | NotFound | InUse | InFlight

/** The one answer to a request. */
export type Answer =
  | {
      readonly request: RequestId
      readonly id?: string
      readonly op: Request['op']
      readonly ok: true
      readonly result: Result
    }
  | {
      readonly request: RequestId
      readonly id?: string
      /** Absent where the request named no operation that exists; it is `Invalid` then. */
      readonly op?: Request['op']
      readonly ok: false
      readonly error: Refusal
    }
