// Decisions: all that one input leads to, as data. The driver's duties with each part stand beside it.

import type { Answer } from './answer.js'
import type { Effect } from './effect.js'
import type { Fact } from './fact.js'
import type { RootIdentity } from './found.js'
import type { Holder } from './holders.js'
import type { Reconcile, Surveyed, Unanswered, Stopping } from './host.js'
import type { Mountpoint } from './mountpoint.js'
import type { HostPhase } from './phase.js'
import type { EffectId, RequestId } from './id.js'

/** One change to the host. `apply` knows how to put it in; nothing is to be read out of it elsewhere. */
export type Change =
  /** The record of a path is now this; absent: nothing is known of it any more. */
  | { readonly _tag: 'Record'; readonly path: string; readonly record: Mountpoint | undefined }
  | { readonly _tag: 'HolderAdded'; readonly path: string; readonly holder: Holder }
  | { readonly _tag: 'HolderRemoved'; readonly path: string; readonly volume: string; readonly consumer: string }
  | { readonly _tag: 'Accepted'; readonly unanswered: Unanswered }
  /** A release has got on: it still waits, with more of its answer. */
  | { readonly _tag: 'Progressed'; readonly unanswered: Unanswered }
  | { readonly _tag: 'Answered'; readonly request: RequestId }
  | { readonly _tag: 'Host'; readonly patch: HostPatch }
  | { readonly _tag: 'Refusing'; readonly target: string }
  | { readonly _tag: 'Allowing'; readonly target: string }
  /** A managed root is not the directory it was at host-up; reported once for the host. */
  | { readonly _tag: 'RootChanged'; readonly root: string }
  | { readonly _tag: 'Counted'; readonly nextEffect: EffectId; readonly lastRequest: RequestId }

export interface HostPatch {
  readonly phase?: HostPhase
  readonly generation?: number
  readonly boot?: string
  readonly mountNamespace?: string
  readonly downReason?: string
  readonly unansweredNow?: number
  readonly hostUps?: readonly RequestId[]
  readonly reconciles?: readonly Reconcile[]
  readonly surveyed?: readonly Surveyed[]
  readonly discovery?: EffectId | undefined
  readonly retry?: EffectId | undefined
  readonly stopping?: Stopping
  readonly roots?: readonly RootIdentity[]
  readonly notShared?: readonly string[]
}

/** What leaves the core with a decision. It hangs on what is appended, so that no driver can reach it without passing the facts. */
export interface Leaving {
  /** To be delivered, each to the caller of its request. */
  readonly answers: readonly Answer[]
  /** To be started, each of them; exactly one outcome for each goes back in. */
  readonly effects: readonly Effect[]
}

/** All that one input leads to, with the order in which a driver has to carry it out. */
export interface Decision {
  /** To be applied to the host at once, before the next input is decided. */
  readonly changes: readonly Change[]
  /** Facts to be made durable, after all facts of earlier decisions. */
  readonly append: readonly Fact[]
  /** Only then: when these facts and all before them are durable. */
  readonly then: Leaving
}
