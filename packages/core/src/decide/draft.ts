// The draft of a decision: what one input leads to, while it is being worked out. Nothing outside it is written, so `decide`
// stays a function; all modules beside this one are transitions, and this one only knows how to write them down.

import type { Answer, Difference } from '../answer.js'
import type { Change, Decision } from '../decision.js'
import type { Durable } from '../durable.js'
import { NOTHING_DURABLE } from '../durable.js'
import type { Effect } from '../effect.js'
import type { HoldersWriter, MountpointFact } from '../evolve.js'
import { evolve, evolveHolders } from '../evolve.js'
import type { Fact } from '../fact.js'
import type { Mounting } from '../goal.js'
import { mountingOf } from '../goal.js'
import type { Holder } from '../holders.js'
import { allHolders, findHolder, holdersOf } from '../holders.js'
import type { Entry, Host, Stopping, Unanswered } from '../host.js'
import type { EffectId, RequestId } from '../id.js'
import { effectId } from '../id.js'
import type { Mountpoint, Work } from '../mountpoint.js'
import { absentMountpoint, copyMountpoint } from '../mountpoint.js'
import { phaseOf } from '../phase-of.js'
import type { HostPhase, Phase } from '../phase.js'

/** What leaves with the decision, and the little of the host that changes on the way to it. */
export interface Out {
  readonly host: Host
  readonly at: number
  /** The stream of the request that is being decided about. */
  readonly stream: string
  changes: readonly Change[]
  facts: readonly Fact[]
  effects: readonly Effect[]
  answers: readonly Answer[]
  nextEffect: EffectId
  lastRequest: RequestId
  phase: HostPhase
  generation: number
  stopping: Stopping
  /** How many requests of the present generation this decision accepts, less those it answers. */
  unansweredNow: number
  /** The request this decision accepts, and releases that got on. */
  accepted: Unanswered | undefined
  progressed: Map<RequestId, Unanswered> | undefined
  /** What probes that a reconcile waits for have shown to be wrong. */
  probed: readonly Difference[]
  /** The mountpoints under this decision: nearly always one. */
  first: Draft | undefined
  more: Map<string, Draft> | undefined
}

/** One mountpoint under a decision. `record` is replaced by `set`, holders are overlaid until the draft is closed. */
export interface Draft {
  readonly out: Out
  readonly entry: Entry | undefined
  record: Mountpoint
  /** Where the input shows our layer, if it is not at its path. */
  elsewhere: string | undefined
  /** What the input shows to be mounted below the source of a bind. */
  submounts: readonly string[]
  /** Where the input shows that the program which mounts what is asked for is missing. */
  missingHelper: string | undefined
  /** A path that what is asked for needs, and that the input shows not to exist. */
  missingSource: string | undefined
  isOwn: boolean
  added: readonly Holder[]
  removed: Map<string, Set<string>> | undefined
  removedCount: number
}

export const NOTHING: readonly never[] = []

/** The list with one more. Most decisions have none or one of each kind, and lists of one are a tenth of an empty one's growth. */
export const added = <Each>(list: readonly Each[], each: Each): readonly Each[] => {
  if (list.length === 0) return [each]
  ;(list as Each[]).push(each)
  return list
}

export const startOut = (host: Host, at: number, stream: string): Out => ({
  host,
  at,
  stream,
  changes: NOTHING,
  facts: NOTHING,
  effects: NOTHING,
  answers: NOTHING,
  nextEffect: host.nextEffect,
  lastRequest: host.lastRequest,
  phase: host.phase,
  generation: host.generation,
  stopping: host.stopping,
  unansweredNow: host.unansweredNow,
  accepted: undefined,
  progressed: undefined,
  probed: NOTHING,
  first: undefined,
  more: undefined,
})

/** The managed root that a path is under, if any. */
export const rootOf = (host: Host, path: string): string | undefined => {
  for (const root of host.settings.roots) {
    if (path.startsWith(root.path) && path.charCodeAt(root.path.length) === 47 && path.length > root.path.length + 1) {
      return root.path
    }
  }
  return undefined
}

/** The draft of a mountpoint: the same one however often it is opened in one decision. */
export const openDraft = (out: Out, path: string): Draft => {
  const { first } = out
  if (first?.record.path === path) return first
  const known = out.more?.get(path)
  if (known !== undefined) return known
  const entry = out.host.mountpoints.get(path)
  const record = entry === undefined ? absentMountpoint(path, rootOf(out.host, path), out.at) : entry.record
  const draft: Draft = {
    out,
    entry,
    record,
    elsewhere: undefined,
    submounts: NOTHING,
    missingHelper: undefined,
    missingSource: undefined,
    isOwn: entry === undefined,
    added: NOTHING,
    removed: undefined,
    removedCount: 0,
  }
  if (first === undefined) {
    out.first = draft
  } else {
    out.more ??= new Map()
    out.more.set(path, draft)
  }
  return draft
}

const own = (draft: Draft): ReturnType<typeof copyMountpoint> => {
  if (!draft.isOwn) {
    draft.record = copyMountpoint(draft.record)
    draft.isOwn = true
  }
  return draft.record
}

/**
 * Writes fields of the record that are not durable: those follow from facts, and the phase follows from the record. The record
 * is the draft's own copy, made once: a transition that needs the value of before reads it first. (Copying at each step was a quarter
 * of the cost of a decision.)
 */
export const set = <Key extends Exclude<keyof Mountpoint, keyof Durable | 'phase' | 'since'>>(
  draft: Draft,
  patch: Pick<Mountpoint, Key>,
): void => {
  const record = own(draft)
  for (const key in patch) record[key] = patch[key]
}

export const setWork = (draft: Draft, patch: Partial<Work>): void => {
  if (draft.record.work !== undefined) set(draft, { work: { ...draft.record.work, ...patch } })
}

/** Writes what a mount remembers; where no mount is under way, nothing. */
export const setMounting = (draft: Draft, patch: Partial<Omit<Mounting, '_tag'>>): void => {
  const goal = mountingOf(draft.record.work)
  if (goal !== undefined) setWork(draft, { goal: { ...goal, ...patch } })
}

const isRemoved = (draft: Draft, volume: string, consumer: string): boolean =>
  draft.removed !== undefined && (draft.removed.get(consumer)?.has(volume) ?? false)

/** The holder of that name as of this point of the decision. */
export const holderOf = (draft: Draft, volume: string, consumer: string): Holder | undefined => {
  for (const holder of draft.added) if (holder.volume === volume && holder.consumer === consumer) return holder
  if (draft.entry === undefined || isRemoved(draft, volume, consumer)) return undefined
  return findHolder(draft.entry.holders, volume, consumer)
}

export const holdersLeft = (draft: Draft): number =>
  (draft.entry?.holders.count ?? 0) + draft.added.length - draft.removedCount

/** What a consumer holds here as of this point. */
export const heldBy = (draft: Draft, consumer: string): readonly Holder[] => {
  const before = draft.entry === undefined ? [] : holdersOf(draft.entry.holders, consumer)
  return [
    ...before.filter((holder) => !isRemoved(draft, holder.volume, consumer)),
    ...draft.added.filter((holder) => holder.consumer === consumer),
  ]
}

/** All who hold as of this point. */
export const everyHolder = (draft: Draft): readonly Holder[] => {
  const before = draft.entry === undefined ? [] : allHolders(draft.entry.holders)
  return [...before.filter((holder) => !isRemoved(draft, holder.volume, holder.consumer)), ...draft.added]
}

/** Ends a holder that is there as of this point. */
const removeFromHolders = (draft: Draft, volume: string, consumer: string): void => {
  const index = draft.added.findIndex((holder) => holder.volume === volume && holder.consumer === consumer)
  if (index >= 0) {
    draft.added = draft.added.filter((_, at) => at !== index)
    return
  }
  draft.removed ??= new Map()
  const volumes = draft.removed.get(consumer) ?? new Set()
  volumes.add(volume)
  draft.removed.set(consumer, volumes)
  draft.removedCount += 1
}

/** Lays changes over the holders of the entry; `closeDraft` makes them the decision's. */
const OVER_THE_SET: HoldersWriter<Draft> = {
  add: (draft, holder) => {
    draft.added = added(draft.added, holder)
  },
  remove: removeFromHolders,
  clear: (draft) => {
    for (const { volume, consumer } of everyHolder(draft)) removeFromHolders(draft, volume, consumer)
  },
}

/** The phase of the record as of this point of the decision. */
export const phaseNow = (draft: Draft): Phase => phaseOf(draft.record, holdersLeft(draft))

/** Stamps the phase that the decision has led to; `since` is when it began. */
const stampPhase = (draft: Draft): void => {
  const phase = phaseNow(draft)
  if (phase !== draft.record.phase) Object.assign(own(draft), { phase, since: draft.out.at })
}

/** The decision comes through a phase: the one after it is new, also where it has the name of the one before. */
export const passThrough = (draft: Draft, phase: Phase): void => {
  if (draft.record.phase !== phase) own(draft).since = draft.out.at
}

/** Nothing is known, wanted or done there: no record is kept. */
const isNothing = (record: Mountpoint): boolean => record.phase === 'absent' && record.waiting.length === 0

/** Writes the mountpoint's part of the decision. */
const closeDraft = (draft: Draft): void => {
  stampPhase(draft)
  const { out, record, entry } = draft
  const { path } = record
  if (draft.removed !== undefined) {
    for (const [consumer, volumes] of draft.removed) {
      for (const volume of volumes) change(out, { _tag: 'HolderRemoved', path, volume, consumer })
    }
  }
  if (isNothing(record)) {
    if (entry !== undefined) change(out, { _tag: 'Record', path, record: undefined })
    return
  }
  if (record !== entry?.record) change(out, { _tag: 'Record', path, record })
  for (const holder of draft.added) change(out, { _tag: 'HolderAdded', path, holder })
}

/** Records a fact about this mountpoint, and what it makes of the durable part of the record and of its holders. */
export const recordFact = (draft: Draft, fact: MountpointFact): void => {
  const patch = evolve(draft.record, holdersLeft(draft), fact)
  draft.out.facts = added(draft.out.facts, fact)
  evolveHolders(OVER_THE_SET, draft, fact)
  if (patch !== undefined) Object.assign(own(draft), patch)
}

/** Facts say nothing more of this mountpoint: neither does its record, while requests still wait there. */
export const endRecord = (draft: Draft): void => {
  Object.assign(own(draft), NOTHING_DURABLE)
}

export const emit = (out: Out, effect: Effect): void => {
  out.effects = added(out.effects, effect)
}

export const change = (out: Out, value: Change): void => {
  out.changes = added(out.changes, value)
}

export const takeEffectId = (out: Out): EffectId => {
  const taken = out.nextEffect
  out.nextEffect = effectId(taken + 1)
  return taken
}

/** The decision: what the mountpoints under it came to, and everything that leaves with it. */
export const closeOut = (out: Out): Decision => {
  const { host, first, more } = out
  if (first !== undefined) closeDraft(first)
  if (more !== undefined) for (const draft of more.values()) closeDraft(draft)
  if (out.nextEffect !== host.nextEffect || out.lastRequest !== host.lastRequest) {
    change(out, { _tag: 'Counted', nextEffect: out.nextEffect, lastRequest: out.lastRequest })
  }
  return { changes: out.changes, append: out.facts, then: { answers: out.answers, effects: out.effects } }
}
