// The probes of a reconcile (R8.4, R9.2): what is mounted, can hang and is in use is looked at under a
// slot of its server, and probed. Whether it answers is in the reconcile's answer, and decides nothing else; a dead one
// is taken off under its holders only where policy and `apply` both say so.

import { ruleOf } from '../agree.js'
import type { Difference } from '../answer.js'
import { differenceOf } from '../drift.js'
import type { Found, SourceSeen, Unknown } from '../found.js'
import { compareIdentity, layersOf } from '../found.js'
import { mountingFor } from '../goal.js'
import type { Surveyed } from '../host.js'
import type { RequestId } from '../id.js'
import type { Probed } from '../input.js'
import { withLastTry } from '../tried.js'
import type { Draft, Out } from './draft.js'
import { everyHolder, holdersLeft, phaseNow, setWork } from './draft.js'
import { noteProbed, patchHost } from './host-part.js'
import { answer } from './reply.js'
import { elsewhereOf, otherWith } from './see.js'
import { NO_REQUEST, emitLook, emitProbe, finish, settingsOf, startWork, wantSlot, whyThere } from './steps.js'

/** Whether a reconcile probes here: in use, at rest, and of a type that can hang. */
const isToBeProbed = (draft: Draft): boolean => {
  const { filesystem, waiting } = draft.record
  if (phaseNow(draft) !== 'mounted' || waiting.length > 0 || whyThere(draft) !== undefined || filesystem === undefined)
    return false
  return ruleOf(settingsOf(draft), filesystem.type).mayHang
}

/** Wants a probe here, if one is called for. */
export const wantProbe = (draft: Draft): boolean => {
  if (!isToBeProbed(draft)) return false
  startWork(draft, { _tag: 'ProbeForReconcile' })
  wantSlot(draft, true)
  return true
}

/** A layer that another record calls its own is no stranger here: that record's difference says where it is. */
const isKnownElsewhere = (draft: Draft, { _tag }: Difference, found: Found): boolean => {
  const [top] = layersOf(found)
  return _tag === 'foreign' && top !== undefined && otherWith(draft, top) !== undefined
}

/** The differences at one mountpoint; one that is lost names the holders whose handles are dead. */
export const differencesAt = (draft: Draft, found: Found, seen: SourceSeen | undefined): readonly Difference[] =>
  differenceOf(settingsOf(draft), draft.record, holdersLeft(draft), found, { elsewhere: elsewhereOf(draft), seen })
    .filter((difference) => !isKnownElsewhere(draft, difference, found))
    .map((difference) =>
      difference._tag === 'lost'
        ? { ...difference, holders: everyHolder(draft).map(({ volume, consumer }) => ({ volume, consumer })) }
        : withLastTry(draft.record, difference),
    )

/**
 * A look has shown our layer on top, and an attach is to be answered by it once its probe has ended. Where the survey has found
 * something else there since, that look serves no attach: which of the two is older is unknown, and another look decides (L35).
 */
export const doubtLook = (draft: Draft, found: Found): void => {
  const { inFlight, work, layer } = draft.record
  if (
    inFlight?.kind !== 'Probe' ||
    work?.goal._tag === 'ProbeForReconcile' ||
    layer === undefined ||
    found._tag === 'Unknown'
  )
    return
  const [top] = layersOf(found)
  if (top === undefined || compareIdentity(layer, top) !== 'same') setWork(draft, { lookedFor: NO_REQUEST })
}

/** Probes after a look that found our layer on top; else notes the differences that the look has found. */
export const probeForSurvey = (draft: Draft, found: Found, seen: SourceSeen | undefined): boolean => {
  const { layer, filesystem } = draft.record
  if (layer === undefined || whyThere(draft) !== undefined || filesystem === undefined) {
    for (const difference of differencesAt(draft, found, seen)) noteProbed(draft.out, difference)
    return false
  }
  emitProbe(draft, filesystem)
  return true
}

const awaits = (surveyed: Surveyed, path: string): boolean => surveyed.awaiting.includes(path)

/** What a probe of a reconcile has shown. */
export const onSurveyProbeEnded = (draft: Draft, probed: Probed | Unknown): void => {
  const { path: mountpoint, filesystem } = draft.record
  const source = filesystem?.source ?? ''
  if (probed._tag === 'Alive') {
    finish(draft)
    return
  }
  if (probed._tag === 'Unknown') {
    noteProbed(draft.out, { _tag: 'uncertain', mountpoint, text: `${source} does not respond now` })
    finish(draft)
    return
  }
  const { out } = draft
  const remounts = settingsOf(draft).policies.broken === 'remount'
  const how = remounts
    ? 'reconcile with apply remounts it'
    : 'detach and attach again, or set the policy broken: remount'
  noteProbed(draft.out, {
    _tag: 'broken',
    mountpoint,
    text: `is mounted but not responding (${probed.errno}); ${how}, open handles stay invalid`,
    holders: everyHolder(draft).map(({ volume, consumer }) => ({ volume, consumer })),
  })
  const applied = out.host.surveyed.some((each) => each.apply && awaits(each, mountpoint))
  // An attach that waits here probes for itself.
  if (!remounts || !applied || draft.record.waiting.length > 0 || out.phase !== 'up') {
    finish(draft)
    return
  }
  startWork(draft, { ...mountingFor('Remount'), replacing: 'broken' }, { granted: true })
  emitLook(draft)
}

const wasProbing = ({ entry, record }: Draft): boolean =>
  entry?.record.work?.goal._tag === 'ProbeForReconcile' && record.work?.goal._tag !== 'ProbeForReconcile'

/** Answers the reconciles whose last probe has ended with this decision, however it ended. */
export const answerSurveyed = (out: Out): void => {
  const { surveyed } = out.host
  if (surveyed.length === 0 || out.first === undefined) return
  const ended = new Set([out.first, ...(out.more?.values() ?? [])].filter(wasProbing).map(({ record }) => record.path))
  if (ended.size === 0) return
  const now = surveyed.map((each) => ({
    ...each,
    awaiting: each.awaiting.filter((path) => !ended.has(path)),
    differences: [...each.differences, ...out.probed.filter(({ mountpoint }) => awaits(each, mountpoint))],
  }))
  for (const { request, awaiting, differences } of now) {
    if (awaiting.length === 0) answer(out, request, { _tag: 'Reconciled', differences })
  }
  patchHost(out, { surveyed: now.filter(({ awaiting }) => awaiting.length > 0) })
}

const notProbed = (mountpoint: string): Difference => ({
  _tag: 'uncertain',
  mountpoint,
  text: 'was not probed in time',
})

/** Answers a reconcile at its deadline with what is known; false if there is no survey yet. */
export const answerUnprobed = (out: Out, request: RequestId): boolean => {
  const { surveyed } = out.host
  const mine = surveyed.find((each) => each.request === request)
  if (mine === undefined) return false
  patchHost(out, { surveyed: surveyed.filter((each) => each !== mine) })
  answer(out, request, { _tag: 'Reconciled', differences: [...mine.differences, ...mine.awaiting.map(notProbed)] })
  return true
}
