// The host: all the state there is. `decide` reads it, `apply` changes it, no other code knows it. The record of a mountpoint
// is an immutable value that is replaced as a whole; only its set of holders, which can be large, is changed in place.
// Adding a phase or a field here means: its rows in decide/, a golden transcript, a line in `show.ts` of `inspect`.

import type { Detached, Difference } from './answer.js'
import type { RootIdentity } from './found.js'
import type { Holders } from './holders.js'
import type { EffectId, RequestId } from './id.js'
import { effectId, requestId } from './id.js'
import type { Request } from './input.js'
import type { Slots } from './lane.js'
import { emptySlots } from './lane.js'
import type { Mountpoint } from './mountpoint.js'
import type { HostPhase } from './phase.js'
import type { Settings } from './settings.js'

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

/** All the state of a manager. Only `apply` changes it. */
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
