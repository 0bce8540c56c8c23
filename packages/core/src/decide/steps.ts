// The steps that all transitions are made of: ask for a slot, emit an effect, wait, become uncertain, be done. None of them
// decides what comes next; the modules for mounting and unmounting do, and `advance` when nothing is left to do.

import { mountOptions, ruleOf } from '../agree.js'
import type { Reason } from '../refusal.js'
import type { UnmountHow } from '../effect.js'
import type { Filesystem } from '../filesystem.js'
import type { Goal } from '../goal.js'
import { sameFilesystem } from '../option-meaning.js'
import type { CommandError, Identity, Unknown } from '../found.js'
import type { Delay, EffectInFlight, Mountpoint, Waiting, Work } from '../mountpoint.js'
import type { RequestId } from '../id.js'
import { requestId } from '../id.js'
import { serverOf } from '../server.js'
import type { Settings } from '../settings.js'
import type { Draft } from './draft.js'
import { change, holdersLeft, passThrough, set, setWork, takeEffectId, emit, recordFact } from './draft.js'
import { unansweredOf } from './reply.js'

export const NO_REQUEST: RequestId = requestId(0)

const NOT_BEGUN: Omit<Work, 'goal'> = {
  request: undefined,
  granted: false,
  lookedFor: NO_REQUEST,
  attempts: 0,
  settled: false,
}

export const startWork = (draft: Draft, goal: Goal, patch: Partial<Omit<Work, 'goal'>> = NOT_BEGUN): void => {
  set(draft, { work: { goal, ...NOT_BEGUN, ...patch } })
}

export const settingsOf = (draft: Draft): Settings => draft.out.host.settings

/** Whether two requests may share one mount here; only attaches have a filesystem. */
export const shares = (draft: Draft, a: Filesystem | undefined, b: Filesystem | undefined): boolean =>
  a !== undefined && b !== undefined && sameFilesystem(a, b, ruleOf(settingsOf(draft), a.type).insignificant)

/** The attach that is being served, while it has not been answered. */
export const servedHead = (draft: Draft): Waiting | undefined => {
  const { work, waiting } = draft.record
  const head = waiting[0]
  return work?.request !== undefined && head?.request === work.request ? head : undefined
}

/** An attach that waits here and would share what is mounted: it makes an unmount unnecessary that follows from no failure. */
export const savingAttach = (draft: Draft): Waiting | undefined => {
  const { waiting, filesystem } = draft.record
  return waiting.find((each) => each.generation <= draft.out.generation && shares(draft, each.filesystem, filesystem))
}

/** The last look was inconclusive, or what was done there has not been seen since. */
export const isUncertain = ({ unknown, unresolved }: Mountpoint): boolean =>
  unknown !== undefined || unresolved !== undefined

/** What a layer looks like to be, for one that was adopted and that no attach has named yet. */
const shownAs = ({ fstype, source }: Identity): Filesystem => ({ type: fstype, source, options: [] })

/** Wants a slot for a look; beside what is overdue there is none to be had. */
export const wantSlot = (draft: Draft, background: boolean): void => {
  const { record } = draft
  if (record.overdue.length > 0) {
    return
  }
  const wished = servedHead(draft)?.filesystem
  const filesystem =
    record.layer === undefined ? (wished ?? record.filesystem) : (record.filesystem ?? shownAs(record.layer))
  set(draft, {
    slot: 'wanted',
    lane: filesystem === undefined ? '' : serverOf(settingsOf(draft), filesystem),
    // What is rolled back or looked after, once its caller has gone, still counts for the stream that it was begun for.
    stream: unansweredOf(draft.out, record.waiting[0]?.request ?? NO_REQUEST)?.stream ?? record.stream,
    background,
    // A look on the side does not lengthen what policy keeps.
    wait: background && record.wait?.why === 'keep-mounted' ? record.wait : undefined,
  })
}

/** Gives the slot back; what is overdue stays counted for its server. */
export const releaseSlot = (draft: Draft): void => {
  set(draft, { slot: draft.record.overdue.length > 0 ? 'overdue' : 'none' })
}

const flying = (draft: Draft, effect: EffectInFlight): void => set(draft, { inFlight: effect })

const identityOfRoot = (draft: Draft) =>
  draft.record.root === undefined ? undefined : draft.out.host.roots.get(draft.record.root)

export const emitLook = (draft: Draft): void => {
  const { out, record } = draft
  const effect = takeEffectId(out)
  setWork(draft, { lookedFor: out.lastRequest })
  const filesystem = servedHead(draft)?.filesystem ?? record.filesystem
  const { deadlinesMs } = settingsOf(draft)
  const ofType = filesystem === undefined ? undefined : deadlinesMs.perType[filesystem.type]
  const deadlineMs = ofType?.look ?? deadlinesMs.look
  emit(out, {
    _tag: 'Look',
    effect,
    mountpoint: record.path,
    filesystem,
    ...(record.layer && { layer: record.layer }),
    root: identityOfRoot(draft),
    deadlineMs,
  })
  flying(draft, { effect, kind: 'Look' })
}

export const emitProbe = (draft: Draft, filesystem: Filesystem): void => {
  const { out, record } = draft
  const effect = takeEffectId(out)
  const { deadlinesMs } = settingsOf(draft)
  const deadlineMs = deadlinesMs.perType[filesystem.type]?.probe ?? deadlinesMs.probe
  emit(out, { _tag: 'Probe', effect, mountpoint: record.path, filesystem, deadlineMs })
  flying(draft, { effect, kind: 'Probe' })
}

export const emitMakeDirectory = (draft: Draft): void => {
  const { out, record } = draft
  const effect = takeEffectId(out)
  const deadlineMs = settingsOf(draft).deadlinesMs.directory
  const root = identityOfRoot(draft)
  emit(out, { _tag: 'MakeDirectory', effect, mountpoint: record.path, root, deadlineMs })
  flying(draft, { effect, kind: 'MakeDirectory' })
}

export const emitMount = (draft: Draft, filesystem: Filesystem): void => {
  const { out, record } = draft
  const { deadlinesMs } = settingsOf(draft)
  const effect = takeEffectId(out)
  emit(out, {
    _tag: 'Mount',
    effect,
    mountpoint: record.path,
    filesystem,
    options: mountOptions(ruleOf(settingsOf(draft), filesystem.type), filesystem),
    root: identityOfRoot(draft),
    deadlineMs: deadlinesMs.perType[filesystem.type]?.mount ?? deadlinesMs.mount,
  })
  flying(draft, { effect, kind: 'Mount' })
  // An unmount that made room may have had its second look; this mount has one of its own.
  setWork(draft, { settled: false })
}

/** Takes our layer off; its fact comes with it. Only after a look that showed it on top (L20). */
export const emitUnmount = (draft: Draft, identity: Identity, how: UnmountHow): void => {
  const { out, record } = draft
  const { deadlinesMs } = settingsOf(draft)
  const { filesystem } = record
  const type = filesystem?.type ?? identity.fstype
  const effect = takeEffectId(out)
  recordFact(draft, { _tag: 'Unmounting', at: out.at, mountpoint: record.path, identity })
  emit(out, {
    _tag: 'Unmount',
    effect,
    mountpoint: record.path,
    filesystem,
    identity,
    how,
    mayHang: ruleOf(settingsOf(draft), type).mayHang,
    root: identityOfRoot(draft),
    deadlineMs: deadlinesMs.perType[type]?.unmount ?? deadlinesMs.unmount,
  })
  flying(draft, { effect, kind: 'Unmount' })
  setWork(draft, { attempts: (record.work?.attempts ?? 0) + 1, settled: false })
}

export const emitRemoveDirectory = (draft: Draft): void => {
  const { out, record } = draft
  const effect = takeEffectId(out)
  const deadlineMs = settingsOf(draft).deadlinesMs.directory
  const root = identityOfRoot(draft)
  emit(out, { _tag: 'RemoveDirectory', effect, mountpoint: record.path, root, deadlineMs })
  flying(draft, { effect, kind: 'RemoveDirectory' })
}

/** Starts a delay; the slot is given back for its length. */
export const startWait = (draft: Draft, why: Delay['why'], delayMs: number): void => {
  const { out, record } = draft
  const effect = takeEffectId(out)
  emit(out, { _tag: 'Wait', effect, mountpoint: record.path, why, delayMs })
  set(draft, { wait: { effect, why, delayMs, claimed: record.claim !== undefined } })
  releaseSlot(draft)
}

/** The next delay of the back-off: the first, then twice the last, up to the ceiling (L25). */
export const startBackOff = (draft: Draft): void => {
  const { backOffFirst, backOffCeiling } = settingsOf(draft).delaysMs
  const last = draft.record.backOffMs
  const backOffMs = last === 0 ? backOffFirst : Math.min(last * 2, backOffCeiling)
  set(draft, { backOffMs })
  startWait(draft, 'back-off', backOffMs)
}

/** A look was inconclusive: nothing destructive follows; the same work goes on with the next conclusive one (L17). */
export const becomeUncertain = (draft: Draft, unknown: Unknown): void => {
  const { out, record } = draft
  const { root } = record
  if (unknown.why === 'RootChanged' && root !== undefined && !out.host.changedRoots.has(root)) {
    change(out, { _tag: 'RootChanged', root })
  }
  set(draft, { unknown })
  passThrough(draft, 'uncertain')
  // A reconcile does not wait for a mountpoint that cannot be looked at.
  if (record.work?.goal._tag === 'ProbeForReconcile') setWork(draft, { goal: { _tag: 'Look' } })
  if (draft.record.overdue.length > 0) releaseSlot(draft)
  else startBackOff(draft)
}

/** The work has ended; `advance` decides what is next. */
export const finish = (draft: Draft): void => {
  set(draft, { work: undefined, inFlight: undefined })
  releaseSlot(draft)
}

/** Ends the claim durably, before its roll-back begins and before its refusal (L2). */
export const endClaim = (draft: Draft, intent: 'open' | 'settled'): void => {
  const { out, record } = draft
  const { claim, path } = record
  if (claim === undefined) return
  recordFact(draft, { _tag: 'ClaimEnded', at: out.at, mountpoint: path, ...claim, intent })
}

/** Nothing of ours is mounted there (any more). */
export const noteUnmounted = (draft: Draft, by: 'us' | 'other'): void => {
  const { out, record } = draft
  recordFact(draft, { _tag: 'Unmounted', at: out.at, mountpoint: record.path, by })
  // The unmount has succeeded, so that the next repair begins with the first delay again.
  set(draft, {
    seen: undefined,
    dead: undefined,
    covered: false,
    elsewhere: undefined,
    reason: undefined,
    backOffMs: 0,
  })
  if (record.wait?.why === 'keep-mounted') set(draft, { wait: undefined })
}

export const noteDirectory = (draft: Draft, tag: 'DirectoryMade' | 'DirectoryRemoved' | 'DirectoryKept'): void => {
  const { out, record } = draft
  recordFact(draft, { _tag: tag, at: out.at, mountpoint: record.path })
}

export const holdsAnything = (draft: Draft): boolean => holdersLeft(draft) > 0 || draft.record.claim !== undefined

/** Why our layer cannot be unmounted at its path: it is not on top there. */
export const whyThere = ({ record }: Draft): Reason | undefined => {
  if (record.elsewhere !== undefined) return { _tag: 'Moved', to: record.elsewhere }
  return record.covered ? { _tag: 'Stacked' } : undefined
}

/** Remembers the last thing a command said, for `status`. */
export const noteError = (draft: Draft, lastError: CommandError | undefined): void => {
  if (lastError !== undefined) set(draft, { lastError })
}

export const arrivedBefore = (waiting: Waiting, request: RequestId): boolean => waiting.request <= request
