// Goals: what is being brought about at a mountpoint, each with what it alone has to remember on the way. A goal ends with the
// work; where a deadline or a failure changes what is wanted, another goal takes its place and the progress goes on.

import type { AttachError, Detached, Warning } from './answer.js'
import type { Broken, RollbackFailure } from './refusal.js'
import type { CommandError, ResolvedSource } from './found.js'
import type { RequestId } from './id.js'

/** Our own mount, from its being seen on. */
export interface Proving {
  /** What its command said that did not end well. */
  readonly error: CommandError | undefined
  /** The highest request id that existed when it was seen: it serves no later request. */
  readonly lookedFor: RequestId
}

/** Our layer is to be there: for the attach that is served, or for holders whose layer was lost, without a request. */
export interface Mounting {
  readonly _tag: 'Attach' | 'Remount'
  /** A vacant layer of another filesystem, or a broken one, is being unmounted; a mount follows. */
  readonly replacing: 'nothing' | 'vacant' | 'broken'
  /** A probe has found the layer that is replaced broken: the attach is refused with that if the layer stays. */
  readonly broken: Broken | undefined
  /** The directory was there before: a roll-back leaves it. */
  readonly keepDirectory: boolean
  /** What its source led to at the look before the mount. */
  readonly source: ResolvedSource | undefined
  /** Our own mount is there although its command failed, and is probed before any caller is served by it. */
  readonly proving: Proving | undefined
  /** What the callers that are served by the layer that was seen have to know. */
  readonly warnings: readonly Warning[]
}

/** The part of a detach's answer that is known before the host is touched. */
export interface Leaving {
  readonly holder: Detached['holder']
  readonly volume: string
  readonly warnings: readonly Warning[]
}

/** An attach, or a remount, has failed: the layer and the directory that were made for it are to go. */
export interface RollingBack {
  readonly _tag: 'RollBack'
  /** What the attach is refused with when the roll-back has ended. */
  readonly cause: AttachError
  /** The highest request id that existed when it failed: earlier requests for the same filesystem share the failure. */
  readonly failedFor: RequestId
  readonly failures: readonly RollbackFailure[]
  /** The directory was there before. */
  readonly keepDirectory: boolean
  /** It was mounted for holders, and is tried again after a delay. */
  readonly remount: boolean
}

/** What is being brought about. */
export type Goal =
  | Mounting
  /** Layer and directory are to go, for a request that waits for the answer. */
  | { readonly _tag: 'Detach'; readonly leaving: Leaving }
  /** Layer and directory are to go, and no request waits for it. */
  | { readonly _tag: 'CleanUp' }
  | RollingBack
  /** Only the truth is wanted. */
  | { readonly _tag: 'Look' }
  /** The truth is wanted, and whether what is mounted answers: a reconcile waits for it. */
  | { readonly _tag: 'ProbeForReconcile' }

/** A mount that has not begun. */
export const mountingFor = (_tag: Mounting['_tag']): Mounting => ({
  _tag,
  replacing: 'nothing',
  broken: undefined,
  keepDirectory: false,
  source: undefined,
  proving: undefined,
  warnings: [],
})

/** The same goals in the three words that people see. */
export const GOAL_WORDS: Readonly<Record<Goal['_tag'], 'Mount' | 'Unmount' | 'Look'>> = {
  Attach: 'Mount',
  Remount: 'Mount',
  Detach: 'Unmount',
  CleanUp: 'Unmount',
  RollBack: 'Unmount',
  Look: 'Look',
  ProbeForReconcile: 'Look',
}

type OfWork = { readonly goal: Goal } | undefined

/** The goal, if our layer is to be there. */
export const mountingOf = (work: OfWork): Mounting | undefined =>
  work?.goal._tag === 'Attach' || work?.goal._tag === 'Remount' ? work.goal : undefined

/** The goal, if an attach is rolled back. */
export const rollingBack = (work: OfWork): RollingBack | undefined =>
  work?.goal._tag === 'RollBack' ? work.goal : undefined

/** Whether layer and directory are to go. */
export const isUnmounting = (work: OfWork): boolean => work !== undefined && GOAL_WORDS[work.goal._tag] === 'Unmount'

/** What an attach is refused with whose end is already known to be bad. */
export const refusalOf = (work: OfWork): AttachError | undefined => rollingBack(work)?.cause ?? mountingOf(work)?.broken
