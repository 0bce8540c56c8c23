// The host: all the state there is. `decide` reads it, `apply` changes it, no other code knows it. The record of a mountpoint
// is an immutable value that is replaced as a whole; only its set of holders, which can be large, is changed in place.
// Adding a phase or a field here means: its rows in decide/, a golden transcript, a line in `show.ts` of `inspect`.

import type { Detached, Difference, Reason } from './answer.js'
import type { Durable } from './durable.js'
import type { Filesystem } from './filesystem.js'
import type { CommandError, Identity, RootIdentity, Unknown } from './found.js'
import type { Goal } from './goal.js'
import type { Holders } from './holders.js'
import type { EffectId, RequestId } from './id.js'
import { effectId, requestId } from './id.js'
import type { Request } from './input.js'
import type { Slots } from './lane.js'
import { DEFAULT_STREAM, emptySlots } from './lane.js'
import type { HostPhase, Phase } from './phase.js'
import type { Settings } from './settings.js'

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

/** A mountpoint in the host: the record, and the holders beside it. */
export interface Entry {
  record: Mountpoint
  readonly holders: Holders
}

/** An accepted request, wherever it waits. */
export interface Unanswered {
  readonly request: RequestId
  readonly id: string | undefined
  readonly op: Request['op']
  /** Whose request it is, as the embedder says. */
  readonly stream: string
  /** Absent for a release and for the host's own requests. */
  readonly mountpoint: string | undefined
  readonly generation: number
  /** Of a release: the mountpoints it still waits for, and what it has so far. */
  readonly release: ReleaseProgress | undefined
}

export interface ReleaseProgress {
  readonly consumer: string
  readonly at: readonly string[]
  readonly attachments: readonly { readonly mountpoint: string; readonly volume: string; readonly answer: Detached }[]
}

/** A reconcile that waits for a survey of the host; only one that began after its arrival serves it. */
export interface Reconcile {
  readonly request: RequestId
  readonly apply: boolean
  readonly survey: EffectId | undefined
}

/** A reconcile whose survey is there, and that waits for the probes of what can hang. */
export interface Surveyed {
  readonly request: RequestId
  readonly apply: boolean
  /** The mountpoints that are still to be probed. */
  readonly awaiting: readonly string[]
  readonly differences: readonly Difference[]
}

/** What a consumer holds at several mountpoints. */
export interface Holdings {
  readonly paths: Set<string>
  /** How many attachments: asked for at each attach, which must not cost more for a consumer that has many (L42). */
  held: number
}

/** Whether the manager is to end: what has begun is finished first (`drain`), or nothing is (`hard`). */
export type Stopping = 'no' | 'drain' | 'hard'

export interface Host {
  readonly settings: Settings
  phase: HostPhase
  generation: number
  boot: string | undefined
  mountNamespace: string | undefined
  /** Why the host is down, for those who are refused. */
  downReason: string
  /** Requests of the generation that is, or was, up: when none is left, discovery may begin. */
  unansweredNow: number
  /** The host-up requests that wait for the same discovery. */
  hostUps: readonly RequestId[]
  reconciles: readonly Reconcile[]
  surveyed: readonly Surveyed[]
  discovery: EffectId | undefined
  retry: EffectId | undefined
  stopping: Stopping
  nextEffect: EffectId
  lastRequest: RequestId
  readonly roots: Map<string, RootIdentity>
  /** Managed roots whose mounts and unmounts do not reach other mount namespaces, as of host-up. */
  notShared: readonly string[]
  readonly mountpoints: Map<string, Entry>
  /** Directories above mountpoints in use, below their roots, with how many are below each. */
  readonly ancestors: Map<string, number>
  /** Mount id of a recorded layer, to the mountpoint that recorded it last. */
  readonly layers: Map<number, string>
  /** Consumer to the mountpoints it holds: one as it is, for there are many such consumers. */
  readonly consumers: Map<string, string | Holdings>
  readonly requests: Map<RequestId, Unanswered>
  /** How many of these are of each stream that the embedder names. */
  readonly waitingOfStream: Map<string, number>
  /** The ids that callers chose, each within its stream (`idKey`). */
  readonly ids: Map<string, RequestId>
  readonly refusing: Set<string>
  /** Roots that a look has found changed since the host came up, each reported once. */
  readonly changedRoots: Set<string>
  /** Memory of this host that the layers on record, and those that are being mounted, may take together, bytes. */
  memory: number
  readonly slots: Slots
}

/** A host that has not come up: no generation, nothing known. */
export const emptyHost = (settings: Settings): Host => ({
  settings,
  phase: 'down',
  generation: 0,
  boot: undefined,
  mountNamespace: undefined,
  downReason: 'the host has not come up yet',
  unansweredNow: 0,
  hostUps: [],
  reconciles: [],
  surveyed: [],
  discovery: undefined,
  retry: undefined,
  stopping: 'no',
  nextEffect: effectId(1),
  lastRequest: requestId(0),
  roots: new Map(),
  notShared: [],
  mountpoints: new Map(),
  ancestors: new Map(),
  layers: new Map(),
  consumers: new Map(),
  requests: new Map(),
  waitingOfStream: new Map(),
  ids: new Map(),
  refusing: new Set(),
  changedRoots: new Set(),
  memory: 0,
  slots: emptySlots(),
})

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
