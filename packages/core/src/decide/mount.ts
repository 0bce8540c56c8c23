// Mounting: an attach that has its turn, from its look to `Attached` or to a roll-back (tables in sections 4 and 5).

import { agrees, askedFlags, ruleOf } from '../agree.js'
import type { AttachError, MountFailed, Warning } from '../answer.js'
import type { Filesystem } from '../filesystem.js'
import { optionText } from '../filesystem.js'
import type { CommandError, Found, Identity, ResolvedSource } from '../found.js'
import { errorText, layersOf } from '../found.js'
import { anyHolder } from '../holders.js'
import type { Probed, Unknown } from '../input.js'
import { serverOf } from '../server.js'
import type { Draft } from './draft.js'
import { enter, holdersLeft, refuseWaiting, set, setWork, recordFact } from './draft.js'
import { noteRemountFailure, rollBack } from './rollback.js'
import { otherWith, see, seeMount } from './see.js'
import {
  NO_REQUEST,
  becomeUncertain,
  emitLook,
  emitMakeDirectory,
  emitMount,
  emitProbe,
  emitUnmount,
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
import { concludeSurveyProbe } from './survey.js'
import { adopt, share, succeed } from './hold.js'

/** Whether the work has taken its next step, or the same look has yet to serve what is wanted now. */
export type Concluded = 'done' | 'proceed'

const failed = (
  step: MountFailed['step'],
  why: string,
  found: Found,
  error: CommandError | undefined,
): MountFailed => ({ _tag: 'MountFailed', step, why, found, rollback: [], ...(error === undefined ? {} : { error }) })

/** Refuses the attach that is served, where nothing has to be rolled back. */
const refuseServed = (draft: Draft, error: AttachError): void => {
  const head = servedHead(draft)
  if (draft.record.work?.remount === true) noteRemountFailure(draft, error)
  finish(draft)
  if (head !== undefined) refuseWaiting(draft, head, error)
}

/** Records the claim and begins the first changing effect (L3). */
const mountNow = (draft: Draft, filesystem: Filesystem, found: Found): void => {
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
  setWork(draft, { keepDirectory: found._tag !== 'NoDirectory' })
  if (found._tag === 'NoDirectory') emitMakeDirectory(draft)
  else emitMount(draft, filesystem)
}

/** Something is mounted there, and none of it is ours. */
const meetForeign = (
  draft: Draft,
  filesystem: Filesystem,
  layers: readonly Identity[],
  source: ResolvedSource | undefined,
): void => {
  const settings = settingsOf(draft)
  const [top] = layers
  const adoptable =
    settings.policies.foreign === 'adopt' &&
    top !== undefined &&
    otherWith(draft, top) === undefined &&
    holdersLeft(draft) === 0 &&
    agrees(settings, filesystem, top, source, false) &&
    askedFlags(filesystem).every((flag) => top.flags.includes(flag))
  if (adoptable && servedHead(draft) !== undefined) adopt(draft, filesystem, layers, top)
  else refuseServed(draft, { _tag: 'Foreign', layers })
}

/** A layer that was adopted because it is in use: the first attach that agrees with it says what it is. */
const nameAdopted = (
  draft: Draft,
  filesystem: Filesystem,
  layer: Identity,
  source: ResolvedSource | undefined,
): void => {
  const { out, record } = draft
  const settings = settingsOf(draft)
  // A type without entry agrees with nothing that it did not mount, and so is never adopted.
  if (record.filesystem !== undefined || !agrees(settings, filesystem, layer, source, false)) return
  recordFact(draft, { _tag: 'Adopted', at: out.at, mountpoint: record.path, identity: layer, filesystem })
}

/** Our layer is at another path: whoever holds it uses it there, and a second one at this path would be other data. */
const refuseMoved = (draft: Draft, requested: Filesystem, to: string): void => {
  const { filesystem } = draft.record
  refuseServed(draft, {
    _tag: 'Conflict',
    requested,
    ...(filesystem && { mounted: filesystem }),
    ...(holdersLeft(draft) === 0 && { vacant: true as const }),
    reason: { _tag: 'Moved', to },
  })
}

/** Our layer is there: shared if it is what is asked for, replaced if it is vacant and something else is. */
const meetOurs = (draft: Draft, filesystem: Filesystem, layer: Identity, source: ResolvedSource | undefined): void => {
  const { elsewhere } = draft.record
  if (elsewhere !== undefined) {
    refuseMoved(draft, filesystem, elsewhere)
    return
  }
  nameAdopted(draft, filesystem, layer, source)
  const { record } = draft
  const { work } = record
  if (record.covered) {
    refuseServed(draft, { _tag: 'Foreign', layers: record.foreign })
  } else if (work?.replacing === 'broken') {
    emitUnmount(draft, layer, 'plain')
  } else if (!shares(draft, filesystem, record.filesystem)) {
    if (holdersLeft(draft) > 0) {
      // What is known to be another filesystem was refused before the look; this one nobody has named yet.
      refuseServed(draft, { _tag: 'Conflict', requested: filesystem })
      return
    }
    setWork(draft, { replacing: 'vacant' })
    emitUnmount(draft, layer, 'plain')
  } else if (ruleOf(settingsOf(draft), filesystem.type).mayHang) {
    emitProbe(draft, filesystem)
  } else {
    share(draft, filesystem, [])
  }
}

/** What the attach that is served, or the remount for holders, wants; nothing after the deadline of its request. */
const wanted = (draft: Draft): Filesystem | undefined =>
  servedHead(draft)?.filesystem ?? (draft.record.work?.remount === true ? draft.record.filesystem : undefined)

/** Goes on from a look, with nothing of ours under way. */
export const proceedMount = (draft: Draft, found: Found, source: ResolvedSource | undefined): void => {
  const filesystem = wanted(draft)
  const { layer } = draft.record
  if (filesystem === undefined) {
    finish(draft)
  } else if (layer !== undefined) {
    meetOurs(draft, filesystem, layer, source)
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
    mountNow(draft, filesystem, found)
  }
}

const isThere = (found: Found): boolean => found._tag === 'Directory' || found._tag === 'Mounted'

/** Nothing of ours came of what was begun for a claim that has ended: a fact says so, for the next life of the manager too. */
const closeIntent = (draft: Draft): void => {
  if (draft.record.intent !== undefined) noteUnmounted(draft, 'other')
}

/** The outcome of `MakeDirectory`, or a later look that shows it. */
export const concludeMakeDirectory = (draft: Draft, found: Found, error: CommandError | undefined): Concluded => {
  noteError(draft, error)
  const { claim, filesystem, path } = draft.record
  // No mount follows. The claim ends before the directory is recorded: where a crash lets only the first of these facts
  // survive, what is mounted there is not taken for ours.
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
    const why = `the directory ${path} could not be made${error === undefined ? '' : `: ${errorText(error)}`}`
    rollBack(draft, failed('directory', why, found, error), found, 'no layer')
  }
  return 'done'
}

/** Nothing is there yet: a second look after `settleMs`, since a mount may become visible that late. */
const settle = (draft: Draft, error: CommandError | undefined): void => {
  setWork(draft, { settled: true })
  set(draft, { unresolved: { kind: 'Mount', error } })
  enter(draft, draft.record.claim === undefined ? 'uncertain' : 'mounting')
  startWait(draft, 'settle', settingsOf(draft).delaysMs.settle)
}

const describe = (filesystem: Filesystem): string =>
  [`${filesystem.type} ${filesystem.source}`, ...filesystem.options.map(optionText)].join(' ')

/** The outcome of `Mount`, or a later look that shows it. `late`: the command had passed its deadline, or died with us. */
export const concludeMount = (
  draft: Draft,
  found: Found,
  error: CommandError | undefined,
  source: ResolvedSource | undefined,
  when: 'at its end' | 'late',
): Concluded => {
  noteError(draft, error)
  const { work, intent, directory } = draft.record
  if (intent?.found._tag === 'NoDirectory' && directory !== 'ours' && isThere(found)) {
    noteDirectory(draft, 'DirectoryMade')
  }
  const seen = seeMount(draft, found, source)
  if (seen._tag === 'Nothing' && work?.settled === false && (error === undefined || when === 'late')) {
    settle(draft, error)
    return 'done'
  }
  const { claim, filesystem, path } = draft.record
  if (claim === undefined || filesystem === undefined) {
    closeIntent(draft)
    return 'proceed'
  }
  const refusal = (why: string): MountFailed => failed('mount', why, found, error)
  switch (seen._tag) {
    case 'Ours':
      if (seen.missing.length === 0) succeed(draft, filesystem, error, when)
      else rollBack(draft, refusal(`mounted without ${seen.missing.join(', ')}, which is demanded`), found, 'layer')
      break
    case 'Nothing': {
      const said = error === undefined ? ', although the command succeeded' : `: ${errorText(error)}`
      rollBack(draft, refusal(`nothing is mounted on ${path}${said}`), found, 'no layer')
      break
    }
    case 'Other':
      rollBack(
        draft,
        refusal(`what is mounted now is not ${describe(filesystem)}; look at it and unmount it by hand`),
        found,
        'no layer',
      )
      break
    case 'Stacked':
      rollBack(draft, { _tag: 'Foreign', layers: draft.record.foreign }, found, 'no layer')
  }
  return 'done'
}

/** The unmount of a vacant or broken layer, after which a mount was to follow. One attempt. */
export const concludeReplacing = (
  draft: Draft,
  found: Found,
  error: CommandError | undefined,
  source: ResolvedSource | undefined,
): void => {
  const unknown = see(draft, found, 'us')
  if (unknown !== undefined) {
    becomeUncertain(draft, unknown)
    return
  }
  noteError(draft, error)
  const filesystem = wanted(draft)
  const { work, layer } = draft.record
  if (layer === undefined || filesystem === undefined) {
    setWork(draft, { replacing: 'nothing', cause: undefined, attempts: 0 })
    proceedMount(draft, found, source)
    return
  }
  const reason = whyThere(draft) ?? ({ _tag: 'Refused', error } as const)
  set(draft, { reason })
  refuseServed(draft, work?.cause ?? { _tag: 'Conflict', requested: filesystem, vacant: true, reason })
}

/** The probe has ended: serves those that the look before it is for, or looks again if a survey has put that look in doubt. */
const shareProbed = (draft: Draft, filesystem: Filesystem, warnings: readonly Warning[]): void => {
  const { work, overdue } = draft.record
  // Beside a probe that is overdue nobody can look: whoever waits is served after its end.
  if (work?.lookedFor === NO_REQUEST && overdue.length === 0) emitLook(draft)
  else share(draft, filesystem, warnings)
}

/** Whether the filesystem that is to be shared answers at all. */
export const concludeProbe = (draft: Draft, probed: Probed | Unknown): void => {
  const filesystem = wanted(draft)
  const { path, layer, work } = draft.record
  if (work?.probing === true) {
    concludeSurveyProbe(draft, probed)
  } else if (filesystem === undefined || layer === undefined) {
    finish(draft)
  } else if (probed._tag === 'Alive') {
    shareProbed(draft, filesystem, [])
  } else if (probed._tag === 'Unknown') {
    const text = `${filesystem.source} on ${path} does not answer now`
    shareProbed(draft, filesystem, [{ _tag: 'NotResponding', text }])
  } else if (settingsOf(draft).policies.broken === 'remount') {
    setWork(draft, { replacing: 'broken', cause: { _tag: 'Broken', errno: probed.errno } })
    emitLook(draft)
  } else {
    refuseServed(draft, { _tag: 'Broken', errno: probed.errno })
  }
}
