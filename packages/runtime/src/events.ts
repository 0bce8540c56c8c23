// What embedders may want to hear of without asking: mountpoints that were lost, mounted again, became vacant or uncertain,
// and the end of that; drift that discovery or a reconcile has found. Derived from decisions, reported when durable.

import type { Answer, Decision, Difference, Entry, Host, Phase } from '@mountkeeper/core'
import type { Mountpoint } from '@mountkeeper/core/state'

/** Something changed at a mountpoint that its holders, or those who operate the host, should know. */
export interface MountpointEvent {
  /**
   * `Lost`: holders exist and their layer is gone. `Remounted`: it is there again, handles from before are dead. `Vacant`:
   * our layer stays although it has no holder. `Uncertain`: the state is unknown. `Settled`: the end of any of these.
   */
  readonly _tag: 'Lost' | 'Remounted' | 'Vacant' | 'Uncertain' | 'Settled'
  /** Wall clock, ms, of the input that led to it. */
  readonly at: number
  readonly mountpoint: string
  /** Where it rested before and where it rests now; the steps between are not reported. */
  readonly was: Phase
  readonly is: Phase
  /** Together with the host's generation it distinguishes old handles from new ones. */
  readonly instance: number
}

/** One difference that a host-up or a reconcile has found. */
export interface DriftEvent {
  readonly _tag: 'Drift'
  readonly at: number
  readonly difference: Difference
}

/** A managed root was over-mounted, unmounted or renamed: below it nothing can be known until it is put right. Reported once. */
export interface RootEvent {
  readonly _tag: 'RootChanged'
  readonly at: number
  readonly root: string
}

/** What a listener gets. */
export type HostEvent = MountpointEvent | DriftEvent | RootEvent

/** Watches decisions, each before it is applied. */
export interface EventWatch {
  readonly seen: (host: Host, at: number, decision: Decision) => readonly HostEvent[]
}

interface Rest {
  readonly phase: Phase
  readonly instance: number
}

const NONE: readonly HostEvent[] = []
const ABSENT: Rest = { phase: 'absent', instance: 0 }

const isNotable = (phase: Phase): boolean => phase === 'lost' || phase === 'vacant' || phase === 'uncertain'

/** A phase in which nothing goes on: the others are steps on the way to one of these. */
const isRest = (phase: Phase): boolean =>
  phase === 'absent' || phase === 'mounted' || phase === 'leftover' || isNotable(phase)

const tagOf = (is: Phase, mountedAgain: boolean): MountpointEvent['_tag'] => {
  if (is === 'lost') return 'Lost'
  if (is === 'vacant') return 'Vacant'
  if (is === 'uncertain') return 'Uncertain'
  return mountedAgain ? 'Remounted' : 'Settled'
}

const driftIn = (answer: Answer): readonly Difference[] => {
  if (!answer.ok) return []
  if (answer.result._tag === 'Up') return answer.result.drift
  return answer.result._tag === 'Reconciled' ? answer.result.differences : []
}

/** What a record that is under way came from, for those who begin to watch in the middle. */
const restOf = ({ record, holders }: Entry): Rest =>
  isRest(record.phase) ? record : { phase: holders.count > 0 ? 'mounted' : 'absent', instance: record.instance }

/** Begins to watch; nothing is reported about what already is. */
export const createEventWatch = (): EventWatch => {
  // Where those rested that are under way now.
  const left = new Map<string, Rest>()

  const ofRecord = (host: Host, at: number, path: string, record: Mountpoint | undefined): HostEvent | undefined => {
    const is = record?.phase ?? 'absent'
    const entry = host.mountpoints.get(path)
    const before = left.get(path) ?? (entry === undefined ? ABSENT : restOf(entry))
    if (!isRest(is)) {
      left.set(path, before)
      return undefined
    }
    left.delete(path)
    const instance = record?.instance ?? before.instance
    const wasHeld = before.phase === 'mounted' || before.phase === 'lost' || before.phase === 'uncertain'
    const held = wasHeld && entry !== undefined && entry.holders.count > 0
    const mountedAgain = is === 'mounted' && held && instance > before.instance
    if (!mountedAgain && (before.phase === is || !(isNotable(before.phase) || isNotable(is)))) return undefined
    return { _tag: tagOf(is, mountedAgain), at, mountpoint: path, was: before.phase, is, instance }
  }

  return {
    seen: (host, at, decision) => {
      let events: HostEvent[] | undefined
      for (const change of decision.changes) {
        if (change._tag === 'RootChanged') (events ??= []).push({ _tag: 'RootChanged', at, root: change.root })
        if (change._tag !== 'Record') continue
        const event = ofRecord(host, at, change.path, change.record)
        if (event !== undefined) (events ??= []).push(event)
      }
      for (const answer of decision.then.answers) {
        for (const difference of driftIn(answer)) (events ??= []).push({ _tag: 'Drift', at, difference })
      }
      return events ?? NONE
    },
  }
}
