// A host as a value that can be kept by the hundred thousand: what follows from the records (indexes, counts of slots) is left
// out and built again by the core's own `apply`. Laws are asked of the host itself, before it is frozen.

import type { Change, Decision, EffectId, Host, HostPhase, RequestId, RootIdentity, Settings } from '@mountkeeper/core'
import { apply, emptyHost } from '@mountkeeper/core'
import type { Fifo, Holder, Mountpoint, Reconcile, Surveyed, Unanswered } from '@mountkeeper/core/state'
import { addRequest, allHolders, namesOf, push, remove } from '@mountkeeper/core/state'

interface Kept {
  readonly record: Mountpoint
  readonly holders: readonly Holder[]
}

/** Who waits for a slot, in order: follows from the records only while there is one of them. */
interface Queues {
  readonly lanes: readonly {
    readonly name: string
    /** By stream. */
    readonly requests: readonly (readonly [stream: string, paths: readonly string[]])[]
    readonly background: readonly string[]
  }[]
  readonly streams: readonly (readonly [stream: string, servers: readonly string[]])[]
  readonly turns: readonly string[]
  readonly localTurns: readonly string[]
  readonly withBackground: readonly string[]
}

export interface Frozen {
  readonly phase: HostPhase
  readonly generation: number
  readonly boot: string | undefined
  readonly mountNamespace: string | undefined
  readonly downReason: string
  readonly unansweredNow: number
  readonly hostUps: readonly RequestId[]
  readonly reconciles: readonly Reconcile[]
  readonly surveyed: readonly Surveyed[]
  readonly discovery: EffectId | undefined
  readonly retry: EffectId | undefined
  readonly stopping: Host['stopping']
  readonly nextEffect: EffectId
  readonly lastRequest: RequestId
  readonly roots: readonly RootIdentity[]
  readonly entries: readonly Kept[]
  readonly requests: readonly Unanswered[]
  readonly queues: Queues | undefined
}

const NONE: readonly never[] = []

const NO_DECISION: Decision = { changes: NONE, append: NONE, then: { answers: NONE, effects: NONE } }

const queuesOf = ({ slots }: Host): Queues => ({
  lanes: [...slots.lanes].map(([name, { queues, background }]) => ({
    name,
    requests: [...queues].map(([stream, { requests }]) => [stream, namesOf(requests)]),
    background: namesOf(background),
  })),
  streams: [...slots.streams].map(([stream, { withRequests }]) => [stream, namesOf(withRequests)]),
  turns: namesOf(slots.turns),
  localTurns: namesOf(slots.localTurns),
  withBackground: namesOf(slots.withBackground),
})

export const freeze = (host: Host): Frozen => ({
  phase: host.phase,
  generation: host.generation,
  boot: host.boot,
  mountNamespace: host.mountNamespace,
  downReason: host.downReason,
  unansweredNow: host.unansweredNow,
  hostUps: host.hostUps,
  reconciles: host.reconciles,
  surveyed: host.surveyed,
  discovery: host.discovery,
  retry: host.retry,
  stopping: host.stopping,
  nextEffect: host.nextEffect,
  lastRequest: host.lastRequest,
  roots: host.roots.size === 0 ? NONE : [...host.roots.values()],
  entries:
    host.mountpoints.size === 0
      ? NONE
      : [...host.mountpoints.values()].map(({ record, holders }) => ({ record, holders: allHolders(holders) })),
  requests: host.requests.size === 0 ? NONE : [...host.requests.values()],
  queues: host.mountpoints.size > 1 ? queuesOf(host) : undefined,
})

const reorder = (fifo: Fifo, names: readonly string[]): void => {
  for (const name of namesOf(fifo)) remove(fifo, name)
  for (const name of names) push(fifo, name)
}

const restoreQueues = ({ slots }: Host, queues: Queues): void => {
  for (const { name, requests, background } of queues.lanes) {
    const lane = slots.lanes.get(name)
    if (lane === undefined) continue
    for (const [stream, paths] of requests) {
      const queue = lane.queues.get(stream)
      if (queue !== undefined) reorder(queue.requests, paths)
    }
    reorder(lane.background, background)
  }
  for (const [name, servers] of queues.streams) {
    const stream = slots.streams.get(name)
    if (stream !== undefined) reorder(stream.withRequests, servers)
  }
  reorder(slots.turns, queues.turns)
  reorder(slots.localTurns, queues.localTurns)
  reorder(slots.withBackground, queues.withBackground)
}

const changesOf = (entries: readonly Kept[]): readonly Change[] =>
  entries.flatMap(({ record, holders }): readonly Change[] => {
    const { path } = record
    const put: Change = { _tag: 'Record', path, record }
    return holders.length === 0
      ? [put]
      : [put, ...holders.map((holder): Change => ({ _tag: 'HolderAdded', path, holder }))]
  })

/** The host again, of its own: it may be changed. */
export const thaw = (settings: Settings, frozen: Frozen): Host => {
  const host = emptyHost(settings)
  // One by one: this is run for every step, and a spread costs more than all the rest.
  host.phase = frozen.phase
  host.generation = frozen.generation
  host.boot = frozen.boot
  host.mountNamespace = frozen.mountNamespace
  host.downReason = frozen.downReason
  host.unansweredNow = frozen.unansweredNow
  host.hostUps = frozen.hostUps
  host.reconciles = frozen.reconciles
  host.surveyed = frozen.surveyed
  host.discovery = frozen.discovery
  host.retry = frozen.retry
  host.stopping = frozen.stopping
  host.nextEffect = frozen.nextEffect
  host.lastRequest = frozen.lastRequest
  for (const root of frozen.roots) host.roots.set(root.path, root)
  if (frozen.entries.length > 0) apply(host, { ...NO_DECISION, changes: changesOf(frozen.entries) })
  for (const unanswered of frozen.requests) addRequest(host, unanswered)
  if (frozen.queues !== undefined) restoreQueues(host, frozen.queues)
  return host
}
