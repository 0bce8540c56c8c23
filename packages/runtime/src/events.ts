// What embedders may want to hear of without asking: mountpoints that were lost, mounted again, became vacant or uncertain,
// and the end of that; drift that discovery or a reconcile has found. Derived from decisions, told when durable.

import type { Answer, Change, Decision, Difference, Host, Phase } from '@mountkeeper/core'

/** Something changed at a mountpoint that its holders, or those who operate the host, should know. */
export interface MountpointEvent {
  /**
   * `Lost`: holders exist and their layer is gone. `Remounted`: it is there again, handles from before are dead. `Vacant`:
   * our layer stays although nobody holds it. `Uncertain`: nobody can tell. `Settled`: the end of any of these.
   */
  readonly _tag: 'Lost' | 'Remounted' | 'Vacant' | 'Uncertain' | 'Settled'
  /** Wall clock, ms, of the input that led to it. */
  readonly at: number
  readonly mountpoint: string
  /** Where it rested before and where it rests now; the steps between are not told. */
  readonly was: Phase
  readonly is: Phase
  /** Together with the host's generation it tells old handles from new ones. */
  readonly instance: number
}

/** One difference that a host-up or a reconcile has found. */
export interface DriftEvent {
  readonly _tag: 'Drift'
  readonly at: number
  readonly difference: Difference
}

/** What a listener is told. */
export type HostEvent = MountpointEvent | DriftEvent

/** Watches decisions, each before it is applied. */
export interface EventWatch {
  readonly seen: (host: Host, at: number, decision: Decision) => readonly HostEvent[]
}

const NONE: readonly HostEvent[] = []

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

/** Begins to watch a host as it is now; nothing is told about what already is. */
export const createEventWatch = (host: Host): EventWatch => {
  // Where those rest that do not rest in `mounted` or `absent`: steps between do not change it.
  const resting = new Map<string, Phase>()
  for (const [path, { record }] of host.mountpoints) if (isNotable(record.phase)) resting.set(path, record.phase)

  const ofRecord = (now: Host, at: number, change: Change & { _tag: 'Record' }): HostEvent | undefined => {
    const is = change.record?.phase ?? 'absent'
    if (!isRest(is)) return undefined
    const before = now.mountpoints.get(change.path)
    const heldAndMounted = is === 'mounted' && (before?.holders.count ?? 0) > 0
    const instance = change.record?.instance ?? before?.record.instance ?? 0
    const again = heldAndMounted && before !== undefined && instance > before.record.instance
    const was = resting.get(change.path) ?? (again || before?.record.phase === 'mounted' ? 'mounted' : 'absent')
    if (isNotable(is)) resting.set(change.path, is)
    else resting.delete(change.path)
    if (!again && (was === is || !(isNotable(was) || isNotable(is)))) return undefined
    const mountedAgain = again || (was === 'lost' && is === 'mounted')
    return { _tag: tagOf(is, mountedAgain), at, mountpoint: change.path, was, is, instance }
  }

  return {
    seen: (now, at, decision) => {
      let events: HostEvent[] | undefined
      for (const change of decision.changes) {
        if (change._tag !== 'Record') continue
        const event = ofRecord(now, at, change)
        if (event !== undefined) (events ??= []).push(event)
      }
      for (const answer of decision.answers) {
        for (const difference of driftIn(answer)) (events ??= []).push({ _tag: 'Drift', at, difference })
      }
      return events ?? NONE
    },
  }
}
