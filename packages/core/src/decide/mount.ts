// Mounting: an attach that has its turn, from its look to `Attached` or to a roll-back (the tables of R4, and R5).

import { ruleOf } from '../agree.js'
import type { Warning } from '../answer.js'
import type { MountFailed } from '../refusal.js'
import type { Filesystem } from '../filesystem.js'
import { optionText } from '../filesystem.js'
import type { CommandError, Found, SourceSeen } from '../found.js'
import { errorText, layersOf } from '../found.js'
import { mountingOf } from '../goal.js'
import { anyHolder } from '../holders.js'
import { sourceChange } from '../layer.js'
import { serverOf } from '../server.js'
import type { Draft } from './draft.js'
import { holdersLeft, recordFact, set, setMounting, setWork } from './draft.js'
import { succeed } from './hold.js'
import { meetForeign, meetOurs, refuseForMemory, refuseForMissing, refuseServed, refuseSharing } from './join.js'
import { rollBack } from './rollback.js'
import type { IdentifiedMount } from './see.js'
import { compareWithFound, identifyMount } from './see.js'
import {
  NO_REQUEST,
  becomeUncertain,
  emitMakeDirectory,
  emitMount,
  emitProbe,
  endClaim,
  finish,
  noteDirectory,
  noteError,
  noteUnmounted,
  releaseSlot,
  servedHead,
  settingsOf,
  shares,
  startWait,
  wantSlot,
  whyThere,
} from './steps.js'

/** Whether the work has taken its next step, or the same look has yet to serve what is wanted now. */
export type Concluded = 'done' | 'proceed'

const failed = (
  step: MountFailed['step'],
  why: string,
  found: Found,
  error: CommandError | undefined,
): MountFailed => ({ _tag: 'MountFailed', step, why, found, rollback: [], ...(error === undefined ? {} : { error }) })

/** Records the claim and begins the first changing effect (L3). */
const mountNow = (draft: Draft, filesystem: Filesystem, found: Found, seen: SourceSeen | undefined): void => {
  const { out, entry, record } = draft
  const head = servedHead(draft)
  const holder = entry === undefined ? undefined : anyHolder(entry.holders)
  const claim =
    head === undefined
      ? { volume: holder?.volume ?? '', consumer: holder?.consumer ?? '' }
      : { volume: head.volumes[0] ?? '', consumer: head.consumer }
  const layersBefore = layersOf(found)
  recordFact(draft, { _tag: 'Claimed', at: out.at, mountpoint: record.path, filesystem, ...claim, found, layersBefore })
  set(draft, { reason: undefined })
  setMounting(draft, { keepDirectory: found._tag !== 'NoDirectory', source: seen?.asked })
  if (found._tag === 'NoDirectory') emitMakeDirectory(draft)
  else emitMount(draft, filesystem)
}

/** Our layer is gone: its holders would get other data where the source leads elsewhere by now, and so nothing is mounted. */
const mountUnlessChanged = (draft: Draft, filesystem: Filesystem, found: Found, seen: SourceSeen | undefined): void => {
  const { source } = draft.record
  const changed =
    source === undefined || holdersLeft(draft) === 0
      ? undefined
      : sourceChange(settingsOf(draft), filesystem, undefined, source, seen)
  if (changed !== undefined) {
    refuseSharing(draft, filesystem, { _tag: 'Conflict', requested: filesystem, reason: changed })
  } else if (!refuseForMissing(draft, filesystem, found) && !refuseForMemory(draft, filesystem)) {
    mountNow(draft, filesystem, found, seen)
  }
}

/** What the attach that is served, or the remount for holders, wants; nothing after the deadline of its request. */
export const wanted = (draft: Draft): Filesystem | undefined =>
  servedHead(draft)?.filesystem ?? (draft.record.work?.goal._tag === 'Remount' ? draft.record.filesystem : undefined)

/** Goes on from a look, with nothing of ours under way. */
export const mountAfterLook = (draft: Draft, found: Found, source: SourceSeen | undefined): void => {
  const filesystem = wanted(draft)
  const { layer } = draft.record
  if (filesystem === undefined) {
    finish(draft)
  } else if (layer !== undefined) {
    meetOurs(draft, filesystem, layer, found, source)
  } else if (found._tag === 'Mounted') {
    meetForeign(draft, filesystem, found.layers, source)
  } else if (found._tag === 'Obstacle') {
    const why = `${draft.record.path} is not a directory but a ${found.kind}; move it away`
    refuseServed(draft, failed('directory', why, found, undefined))
  } else if (draft.record.lane !== serverOf(settingsOf(draft), filesystem)) {
    // It was another server's turn, whose layer is gone: what follows begins with a look under a slot of its own.
    releaseSlot(draft)
    wantSlot(draft, servedHead(draft) === undefined)
  } else {
    mountUnlessChanged(draft, filesystem, found, source)
  }
}

const isThere = (found: Found): boolean => found._tag === 'Directory' || found._tag === 'Mounted'

/** What was begun for a claim that has ended left nothing of ours: a fact says so, for the next life of the manager too. */
const closeIntent = (draft: Draft): void => {
  if (draft.record.intent !== undefined) noteUnmounted(draft, 'other')
}

/** The outcome of `MakeDirectory`, or a later look that shows it. */
export const onMakeDirectoryEnded = (draft: Draft, found: Found, error: CommandError | undefined): Concluded => {
  noteError(draft, error)
  const { claim, filesystem, path } = draft.record
  // No mount follows. The claim ends before the directory is recorded: where a crash lets only the first of these facts
  // survive, what is mounted there is not assumed to be ours.
  if (found._tag === 'Mounted') endClaim(draft, 'open')
  if (isThere(found)) noteDirectory(draft, 'DirectoryMade')
  if (claim === undefined || filesystem === undefined) {
    // The attach has ended before it could mount: whatever is mounted there now, others have mounted it.
    closeIntent(draft)
    return 'proceed'
  }
  if (found._tag === 'Directory') {
    emitMount(draft, filesystem)
  } else if (found._tag === 'Mounted') {
    closeIntent(draft)
    set(draft, { foreign: found.layers })
    rollBack(draft, { _tag: 'Foreign', layers: found.layers }, found, 'no layer')
  } else {
    const why = `the directory ${path} could not be created${error === undefined ? '' : `: ${errorText(error)}`}`
    rollBack(draft, failed('directory', why, found, error), found, 'no layer')
  }
  return 'done'
}

/** Nothing is there yet: a second look after `settleMs`, since a mount may become visible that late. */
const settle = (draft: Draft, error: CommandError | undefined): void => {
  setWork(draft, { settled: true })
  set(draft, { unresolved: { kind: 'Mount', error } })
  startWait(draft, 'settle', settingsOf(draft).delaysMs.settle)
}

const describe = (filesystem: Filesystem): string =>
  [`${filesystem.type} ${filesystem.source}`, ...filesystem.options.map(optionText)].join(' ')

const commandFailed = (path: string, error: CommandError): Warning => ({
  _tag: 'CommandFailed',
  text: `${path} is mounted although the command failed: ${errorText(error)}`,
})

/** Our own mount is there and right: serves the requests that wait for it. */
export const serveMounted = (draft: Draft, filesystem: Filesystem, more: readonly Warning[]): void => {
  const { work, path } = draft.record
  const mounting = mountingOf(work)
  const { error, lookedFor } = mounting?.proving ?? { error: undefined, lookedFor: draft.out.lastRequest }
  const warnings = [...(mounting?.warnings ?? []), ...more]
  const isOwn = ({ _tag }: Warning): boolean => _tag === 'SourceSpelledDifferently'
  const failure = error === undefined ? [] : [commandFailed(path, error)]
  succeed(draft, filesystem, lookedFor, {
    own: [...failure, ...warnings.filter(isOwn)],
    all: warnings.filter((each) => !isOwn(each)),
  })
}

/** Our own mount is there and right. Where its command failed and the type can hang, it has to answer first. */
const proveMounted = (
  draft: Draft,
  filesystem: Filesystem,
  error: CommandError | undefined,
  when: 'at its end' | 'late',
  warnings: readonly Warning[],
): void => {
  // What a look has shown serves only those who had arrived before it.
  const lookedFor = when === 'late' ? (draft.record.work?.lookedFor ?? NO_REQUEST) : draft.out.lastRequest
  setMounting(draft, { proving: { error, lookedFor }, warnings })
  if (error !== undefined && ruleOf(settingsOf(draft), filesystem.type).mayHang) {
    emitProbe(draft, filesystem)
  } else {
    serveMounted(draft, filesystem, [])
  }
}

/** The refusal where our own mount did not bring what was asked for. */
const mountRefusal = (
  { path }: Draft['record'],
  filesystem: Filesystem,
  seen: IdentifiedMount,
  found: Found,
  error: CommandError | undefined,
): MountFailed => {
  const refusal = (why: string): MountFailed => failed('mount', why, found, error)
  switch (seen._tag) {
    case 'Ours':
      return refusal(seen.wrong ?? '')
    case 'Nothing': {
      const said = error === undefined ? ', although the command succeeded' : `: ${errorText(error)}`
      return refusal(`nothing is mounted on ${path}${said}`)
    }
    case 'Other':
    case 'Stacked':
      return refusal(`the mount that is there now is not ${describe(filesystem)}; check it and unmount it by hand`)
  }
}

/** The outcome of `Mount`, or a later look that shows it. `late`: the command had passed its deadline, or died with us. */
export const onMountEnded = (
  draft: Draft,
  found: Found,
  error: CommandError | undefined,
  source: SourceSeen | undefined,
  when: 'at its end' | 'late',
): Concluded => {
  noteError(draft, error)
  const { work, intent, directory } = draft.record
  if (intent?.found._tag === 'NoDirectory' && directory !== 'ours' && isThere(found)) {
    noteDirectory(draft, 'DirectoryMade')
  }
  // A layer that shows later than at the end of the command may be of any process, unless it is as expected.
  const exited = error === undefined && when === 'at its end' ? 'well' : 'unseen'
  const seen = identifyMount(draft, found, source, exited)
  if (seen._tag === 'Nothing' && work?.settled === false && (error === undefined || when === 'late')) {
    settle(draft, error)
    return 'done'
  }
  const { claim, filesystem } = draft.record
  if (claim === undefined || filesystem === undefined) {
    closeIntent(draft)
    return 'proceed'
  }
  if (seen._tag === 'Ours' && seen.wrong === undefined) {
    proveMounted(draft, filesystem, error, when, seen.warnings)
  } else if (seen._tag === 'Stacked') {
    rollBack(draft, { _tag: 'Foreign', layers: draft.record.foreign }, found, 'no layer')
  } else {
    const refusal = mountRefusal(draft.record, filesystem, seen, found, error)
    rollBack(draft, refusal, found, seen._tag === 'Ours' ? 'layer' : 'no layer')
  }
  return 'done'
}

/** The unmount of a vacant or broken layer, after which a mount was to follow. One attempt. */
export const onReplacingEnded = (
  draft: Draft,
  found: Found,
  error: CommandError | undefined,
  source: SourceSeen | undefined,
): void => {
  const unknown = compareWithFound(draft, found, 'us')
  if (unknown !== undefined) {
    becomeUncertain(draft, unknown)
    return
  }
  noteError(draft, error)
  const filesystem = wanted(draft)
  const { work, layer } = draft.record
  if (layer === undefined || filesystem === undefined) {
    setMounting(draft, { replacing: 'nothing', broken: undefined })
    setWork(draft, { attempts: 0 })
    mountAfterLook(draft, found, source)
    return
  }
  const there = whyThere(draft)
  const reason = there ?? ({ _tag: 'Refused', error } as const)
  // A layer of the same filesystem that changed may owe its being there to the very attach that is refused now: a detach that
  // was about to unmount it has left it for that one. So it is cleaned up at once.
  const isSame = shares(draft, filesystem, draft.record.filesystem)
  set(draft, { reason: there === undefined && isSame ? undefined : reason })
  refuseServed(draft, mountingOf(work)?.broken ?? { _tag: 'Conflict', requested: filesystem, vacant: true, reason })
}
