// The record of one mountpoint: what is durable, what was seen, and what is under way, with the requests that wait there.
// An immutable value that is replaced as a whole.

import type { Reason } from './refusal.js'
import type { Durable } from './durable.js'
import type { Filesystem } from './filesystem.js'
import type { CommandError, Identity, Unknown } from './found.js'
import type { Goal } from './goal.js'
import type { EffectId, RequestId } from './id.js'
import { DEFAULT_STREAM } from './lane.js'
import type { Phase } from './phase.js'

/** A request that was accepted and not answered, at its mountpoint. A `release` waits at each mountpoint it concerns. */
export interface Waiting {
  readonly request: RequestId
  readonly op: 'attach' | 'detach' | 'release'
  /** The generation that serves it: requests that arrive while the host is on its way up belong to the next one. */
  readonly generation: number
  readonly consumer: string
  /** One volume for attach and detach, all the consumer's volumes here for a release. */
  readonly volumes: readonly string[]
  /** What an attach asks for. */
  readonly filesystem: Filesystem | undefined
}

/** Work that is under way at a mountpoint: its goal, and how far it has come. */
export interface Work {
  readonly goal: Goal
  /** The request at the head of the queue that this is for; none for background work, and after its deadline. */
  readonly request: RequestId | undefined
  /** A slot was granted for it at least once. */
  readonly granted: boolean
  /** The highest request id that existed when the last look was emitted: that look serves no later request. */
  readonly lookedFor: RequestId
  /** Unmounts that were tried. */
  readonly attempts: number
  /** The second look after `settleMs` is under way or was done. */
  readonly settled: boolean
}

/** An effect that was emitted and not ended. */
export interface EffectInFlight {
  readonly effect: EffectId
  readonly kind: 'Look' | 'MakeDirectory' | 'Mount' | 'Unmount' | 'RemoveDirectory' | 'Probe'
}

/** A changing effect whose end was not seen yet; a conclusive look completes it. */
export interface Unresolved {
  readonly kind: 'MakeDirectory' | 'Mount' | 'Unmount' | 'RemoveDirectory'
  readonly error: CommandError | undefined
}

/** A delay that runs, and what for. */
export interface Delay {
  readonly effect: EffectId
  readonly why: 'settle' | 'unmount-retry' | 'back-off' | 'keep-mounted'
  readonly delayMs: number
  /** A claim was there when it began: a second look at its mount is called `mounting` to its end, also after the claim's. */
  readonly claimed: boolean
}

/** What the last probe has found of a layer that is mounted and dead, and when (wall clock, ms). */
export interface Dead {
  readonly errno: string
  readonly at: number
}

/** The record of one mountpoint: what is durable, and what was seen and is under way, which a restart finds out again. */
export interface Mountpoint extends Durable {
  readonly path: string
  /** The managed root it is under; absent for records outside today's roots. */
  readonly root: string | undefined
  readonly phase: Phase
  /** Wall clock, ms, when this phase began. */
  readonly since: number
  /** Our layer as the last look showed it: its flags may have changed, and its root may have gained `//deleted`. */
  readonly seen: Identity | undefined
  /** A probe has found our layer dead, and none has found it alive since. */
  readonly dead: Dead | undefined
  /** Other layers are on top of ours. */
  readonly covered: boolean
  /** Where our layer is mounted instead, as of the last look. Not durable: discovery searches for it. */
  readonly elsewhere: string | undefined
  /** The layers that are not ours, as of the last look. */
  readonly foreign: readonly Identity[]
  readonly waiting: readonly Waiting[]
  readonly work: Work | undefined
  readonly inFlight: EffectInFlight | undefined
  /** Passed their deadline and have not ended: they own the mountpoint (L23). More than one only by the ladder. */
  readonly overdue: readonly EffectInFlight[]
  readonly wait: Delay | undefined
  readonly slot: 'none' | 'wanted' | 'held' | 'overdue'
  /** Where the slot counts: the server, or `''` for types that cannot hang. */
  readonly lane: string
  /** The stream that the slot, or the wish for one, counts for; the last one, while there is none. */
  readonly stream: string
  /** What wants the slot is no request. */
  readonly background: boolean
  /** The last delay of the back-off, ms; 0 before the first. */
  readonly backOffMs: number
  /** The last look was inconclusive. */
  readonly unknown: Unknown | undefined
  readonly unresolved: Unresolved | undefined
  /** Why it is vacant or left over. */
  readonly reason: Reason | undefined
  readonly lastError: CommandError | undefined
}

const NONE: readonly never[] = []

/** The record of a path of which nothing is known. */
export const absentMountpoint = (path: string, root: string | undefined, at: number): Mountpoint => ({
  path,
  root,
  phase: 'absent',
  since: at,
  filesystem: undefined,
  layer: undefined,
  seen: undefined,
  source: undefined,
  adopted: false,
  dead: undefined,
  covered: false,
  elsewhere: undefined,
  foreign: NONE,
  directory: 'theirs',
  instance: 0,
  intent: undefined,
  claim: undefined,
  waiting: NONE,
  work: undefined,
  inFlight: undefined,
  overdue: NONE,
  wait: undefined,
  slot: 'none',
  lane: '',
  stream: DEFAULT_STREAM,
  background: false,
  backOffMs: 0,
  unknown: undefined,
  unresolved: undefined,
  reason: undefined,
  lastError: undefined,
})

/** A copy of a record. Field by field, in one place: all records have one hidden class, and copying stays cheap. */
export const copyMountpoint = (record: Mountpoint): { -readonly [Key in keyof Mountpoint]: Mountpoint[Key] } => ({
  path: record.path,
  root: record.root,
  phase: record.phase,
  since: record.since,
  filesystem: record.filesystem,
  layer: record.layer,
  seen: record.seen,
  source: record.source,
  adopted: record.adopted,
  dead: record.dead,
  covered: record.covered,
  elsewhere: record.elsewhere,
  foreign: record.foreign,
  directory: record.directory,
  instance: record.instance,
  intent: record.intent,
  claim: record.claim,
  waiting: record.waiting,
  work: record.work,
  inFlight: record.inFlight,
  overdue: record.overdue,
  wait: record.wait,
  slot: record.slot,
  lane: record.lane,
  stream: record.stream,
  background: record.background,
  backOffMs: record.backOffMs,
  unknown: record.unknown,
  unresolved: record.unresolved,
  reason: record.reason,
  lastError: record.lastError,
})
