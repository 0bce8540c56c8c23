// The canonical form of a state: two states with the same form have the same future, whatever they are called. It is a list
// of small numbers, hashed on the way.
//
// - Effect ids, request ids and mount ids appear as the order in which they appear; of a request id that is only compared
//   (`lookedFor`, `failedFor`) counts how many of those that wait came before it, since all later ones are larger.
// - Wall clock, instance, generation (but for "of the next one"), texts, command errors and what is only shown in answers are
//   left out: no decision reads them. So are the ids that holders were asked for under, which only choose between two words of
//   an answer. The back-off appears as the delay that comes next.
// - Attachments are symmetric, because the core compares their names for equality and nothing else, and because holders are a
//   set: each is a word of bits (held, claimed, certain, where in the queue), and the words are sorted, within a consumer and
//   then the consumers. Where the order of holders does count (policy `lost: remount` claims for any one of them) this would
//   not be sound, and no configuration sets it. Filesystems of one type are symmetric for the same reason: they are numbered in
//   order of appearance. Mountpoints are not made symmetric: slots are granted in their order.
//
// A test holds this against the core: states that are merged lead to the same states.

import type { Attachment, Entry, Filesystem, Host, Identity, Settings } from '@mountkeeper/core'
import { requestId } from '@mountkeeper/core'
import type { Fifo, Mountpoint, Work } from '@mountkeeper/core/state'
import { GOAL_WORDS, findHolder, mountingOf, namesOf, refusalOf, rollingBack } from '@mountkeeper/core/state'
import type { Configuration } from './configuration.js'
import type { Bits, Form } from './form.js'
import { appearing, beginForm, bitsOfForm, put, putFlag, putSource, putWord } from './form.js'
import type { Flying, Layer, Model, Pending, Place } from './model.js'
import { pathOf, placeIndex } from './model.js'

const putFilesystem = (form: Form, filesystem: Filesystem | undefined): void => putSource(form, filesystem?.source)

const putIdentity = (form: Form, identity: Identity | undefined): void => {
  if (identity === undefined) {
    put(form, -1)
    return
  }
  put(form, appearing(form.mountIds, identity.mountId))
  putSource(form, identity.source)
  putFlag(form, identity.flags.length > 1)
}

const putIdentities = (form: Form, identities: readonly Identity[]): void => {
  put(form, identities.length)
  for (const identity of identities) putIdentity(form, identity)
}

const putIntent = (form: Form, intent: Mountpoint['intent']): void => {
  if (intent === undefined) {
    put(form, 0)
    return
  }
  put(form, (intent.found._tag === 'NoDirectory' ? 1 : 2) | (intent.explains === undefined ? 0 : 4))
  putIdentities(form, intent.layersBefore)
}

const putEffect = (form: Form, effect: number | undefined): void =>
  put(form, effect === undefined ? -1 : appearing(form.effects, effect))

const cameBefore = ({ waiting }: Mountpoint, request: number): number =>
  waiting.reduce((sum, each) => (each.request <= request ? sum + 1 : sum), 0)

const isLooking = ({ inFlight }: Mountpoint): boolean => inFlight?.kind === 'Look' || inFlight?.kind === 'Probe'

/**
 * Whether what is in flight serves those that its look was for: a look, a probe of what is shared, and, where that may happen,
 * a command that ends with something in the way that only a person can change.
 */
const servesByLook = ({ inFlight, work }: Mountpoint, { inTheWay }: Configuration['allowed']): boolean => {
  if (inFlight === undefined) return false
  if (inFlight.kind === 'Probe') return mountingOf(work)?.proving === undefined
  return inFlight.kind === 'Look' || inTheWay
}

const putWork = (form: Form, allowed: Configuration['allowed'], record: Mountpoint, work: Work | undefined): void => {
  if (work === undefined) {
    put(form, 0)
    return
  }
  const [mounting, rolling, refusal] = [mountingOf(work), rollingBack(work), refusalOf(work)]
  const remount = mounting?._tag === 'Remount' || rolling?.remount === true
  putWord(form, GOAL_WORDS[work.goal._tag])
  put(form, work.request === undefined ? 0 : 2 + record.waiting.findIndex((each) => each.request === work.request))
  put(form, servesByLook(record, allowed) ? cameBefore(record, work.lookedFor) : 0)
  // A survey may have put the look before a probe in doubt.
  putFlag(form, record.inFlight?.kind === 'Probe' && work.lookedFor === requestId(0))
  put(form, work.attempts)
  put(
    form,
    (work.granted ? 1 : 0) |
      (work.settled ? 2 : 0) |
      (remount ? 4 : 0) |
      ((mounting ?? rolling)?.keepDirectory === true ? 8 : 0) |
      (work.goal._tag === 'ProbeForReconcile' ? 16 : 0) |
      (mounting?.proving === undefined ? 0 : 32),
  )
  putWord(form, refusal === undefined || remount ? refusal?._tag : 'other')
  if (rolling !== undefined) put(form, cameBefore(record, rolling.failedFor))
  if (mounting?.proving !== undefined) put(form, cameBefore(record, mounting.proving.lookedFor))
  putWord(form, mounting?.replacing === 'vacant' ? 'vacant layer' : mounting?.replacing)
  putFlag(form, work.goal._tag === 'Detach')
}

const putWaiting = (form: Form, { waiting }: Mountpoint, generation: number): void => {
  put(form, waiting.length)
  for (const each of waiting) {
    putWord(form, each.op)
    putFlag(form, each.generation > generation)
    putFilesystem(form, each.filesystem)
  }
}

/** The back-off as the delay that comes next: no decision reads more of it. */
const nextDelay = ({ backOffMs }: Mountpoint, { delaysMs }: Settings): number =>
  backOffMs === 0 ? delaysMs.backOffFirst : Math.min(backOffMs * 2, delaysMs.backOffCeiling)

/** The reasons that decide something; of the others only that there is one. */
const DECISIVE: ReadonlySet<string> = new Set(['KeptByPolicy', 'Stacked', 'Refused', 'Moved'])

const putRecord = (form: Form, { allowed }: Configuration, host: Host, record: Mountpoint | undefined): void => {
  if (record === undefined) {
    put(form, -7)
    return
  }
  putWord(form, record.phase)
  putFilesystem(form, record.filesystem)
  putIdentity(form, record.layer)
  putFlag(form, (record.seen?.flags.length ?? 0) > 1)
  putFlag(form, record.adopted)
  putFlag(form, record.covered)
  putFlag(form, record.elsewhere !== undefined)
  putWord(form, record.directory)
  putIntent(form, record.intent)
  putFlag(form, record.claim !== undefined)
  putWaiting(form, record, host.generation)
  putWork(form, allowed, record, record.work)
  putWord(form, record.inFlight?.kind)
  putEffect(form, record.inFlight?.effect)
  put(form, record.overdue.length)
  for (const { kind, effect } of record.overdue) {
    putWord(form, kind)
    putEffect(form, effect)
  }
  putWord(form, record.wait?.why)
  putEffect(form, record.wait?.effect)
  putWord(form, record.slot)
  putSource(form, record.lane)
  putFlag(form, record.slot === 'wanted' && record.background)
  put(form, nextDelay(record, host.settings))
  put(form, record.unknown === undefined ? 0 : record.unknown.why === 'UnsafeParent' ? 2 : 1)
  putWord(form, record.unresolved?.kind)
  putFlag(form, record.unresolved?.kind === 'Mount' && record.unresolved.error !== undefined)
  const reason = record.reason?._tag
  putWord(form, reason === undefined || DECISIVE.has(reason) ? reason : 'other')
}

/** What recovery would begin with. */
const putDurable = (form: Form, record: Mountpoint | undefined): void => {
  if (record === undefined) {
    put(form, -7)
    return
  }
  putFilesystem(form, record.filesystem)
  putIdentity(form, record.layer)
  putWord(form, record.directory)
  putIntent(form, record.intent)
  putFlag(form, record.claim !== undefined)
  putWord(form, record.unresolved?.kind)
}

const putLayer = (form: Form, layer: Layer | undefined): void => {
  putIdentity(form, layer?.identity)
  putWord(form, layer?.by)
  putSource(form, layer?.of)
}

const putPlace = (form: Form, place: Place, twins: boolean): void => {
  const { directory, layers, shown, mounting, certain, certainSource, relied } = place
  putWord(form, directory)
  put(form, layers.length)
  for (const layer of layers) putLayer(form, layer)
  putWord(form, shown._tag)
  if (shown._tag === 'Seen') {
    put(form, (shown.directory ? 1 : 0) | (shown.look ? 2 : 0))
    putLayer(form, shown.top)
  }
  putSource(form, certain === 0 ? '' : certainSource)
  if (twins) putFlag(form, mounting)
  putFlag(form, relied)
}

const putFlying = (form: Form, model: Model, flying: readonly Flying[], named: boolean): void => {
  put(form, flying.length)
  for (const { effect, acted, overdue } of flying) {
    putWord(form, effect._tag)
    put(form, placeIndex(model, pathOf(effect)))
    put(form, (acted ? 1 : 0) | (overdue ? 2 : 0))
    if (named) putEffect(form, effect.effect)
    if (effect._tag === 'Mount') putFilesystem(form, effect.filesystem)
    if (effect._tag === 'Wait') putWord(form, effect.why)
  }
}

const sorted = (model: Model, flying: readonly Flying[]): readonly Flying[] =>
  model.places.length < 2
    ? flying
    : flying.toSorted((a, b) => placeIndex(model, pathOf(a.effect)) - placeIndex(model, pathOf(b.effect)))

const putPending = (form: Form, host: Host, model: Model, pending: Pending): void => {
  const { request, op, place, left, looked, had } = pending
  putWord(form, op)
  put(form, place)
  for (const { record } of host.mountpoints.values()) {
    put(
      form,
      record.waiting.findIndex((each) => each.request === request),
    )
  }
  // Only a look that is under way may have begun too early; the next one begins after all that wait by then.
  const here = host.mountpoints.get(model.places[place]?.path ?? '')
  const looks = here !== undefined && isLooking(here.record)
  put(form, (left ? 1 : 0) | (looked && looks ? 2 : 0) | (had === 0 ? 0 : 4))
  if (op === 'release') putFlag(form, (host.requests.get(request)?.release?.attachments.length ?? 0) > 0)
  if (op === 'host-up') putFlag(form, host.hostUps.includes(request))
}

const putHost = (form: Form, host: Host, model: Model): void => {
  putWord(form, host.phase)
  putEffect(form, host.discovery)
  putEffect(form, host.retry)
  putWord(form, host.stopping)
  for (const { boot } of [host, model.memory.frozen]) put(form, boot === undefined ? 0 : boot === model.boot ? 1 : 2)
  for (const { apply, survey } of host.reconciles) {
    putFlag(form, apply)
    put(form, survey === undefined ? -1 : survey === host.discovery ? 1 : 2)
  }
  for (const { apply, awaiting } of host.surveyed) {
    putFlag(form, apply)
    for (const path of awaiting) put(form, placeIndex(model, path))
    put(form, -3)
  }
}

const putQueues = (form: Form, { slots }: Host, model: Model): void => {
  const putNames = (...fifos: readonly Fifo[]): void => {
    for (const fifo of fifos) for (const name of namesOf(fifo)) put(form, placeIndex(model, name))
    put(form, -3)
  }
  for (const [, lane] of slots.lanes) {
    // One stream is explored.
    putNames(...[...lane.queues.values()].map(({ requests }) => requests))
    putNames(lane.background)
  }
}

const isOf = (claim: Mountpoint['claim'], { volume, consumer }: Attachment): boolean =>
  claim !== undefined && claim.volume === volume && claim.consumer === consumer

const holds = (entry: Entry | undefined, { volume, consumer }: Attachment): boolean =>
  entry !== undefined && findHolder(entry.holders, volume, consumer) !== undefined

/** All that is true of one attachment. */
const wordOf = (host: Host, model: Model, attachment: Attachment, bit: number): number => {
  let word = 0
  for (const place of model.places) {
    const entry = host.mountpoints.get(place.path)
    const durable = model.memory.mountpoints.get(place.path)
    let here = 0
    if (holds(entry, attachment)) here |= 1
    if (holds(durable, attachment)) here |= 2
    if ((place.certain & bit) !== 0) here |= 4
    if (isOf(entry?.record.claim, attachment)) here |= 8
    if (isOf(durable?.record.claim, attachment)) here |= 16
    entry?.record.waiting.forEach((each, index) => {
      if (each.consumer === attachment.consumer && each.volumes.includes(attachment.volume)) here |= 32 << index
    })
    word = (word << 11) | here
  }
  return word
}

const byNumber = (a: number, b: number): number => a - b

const byNumbers = (a: readonly number[], b: readonly number[]): number => {
  for (let index = 0; index < a.length; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

const putAttachments = (form: Form, { attachments }: Configuration, host: Host, model: Model): void => {
  const consumers = new Map<string, number[]>()
  attachments.forEach((attachment, index) => {
    const word = wordOf(host, model, attachment, 1 << index)
    const words = consumers.get(attachment.consumer)
    if (words === undefined) consumers.set(attachment.consumer, [word])
    else words.push(word)
  })
  const all = [...consumers.values()]
  for (const words of all) if (words.length > 1) words.sort(byNumber)
  for (const words of all.sort(byNumbers)) for (const word of words) put(form, word)
}

const formOf = (configuration: Configuration, host: Host, model: Model): Form => {
  const form = beginForm()
  putHost(form, host, model)
  for (const place of model.places) {
    putRecord(form, configuration, host, host.mountpoints.get(place.path)?.record)
    putDurable(form, model.memory.mountpoints.get(place.path)?.record)
    putPlace(form, place, configuration.allowed.twins)
  }
  putFlying(form, model, sorted(model, model.flying), true)
  putFlying(form, model, sorted(model, model.orphans), false)
  putFlying(form, model, sorted(model, model.late), false)
  // What disappears late is one layer, and not whatever is on top.
  for (const { effect } of model.late) if (effect._tag === 'Unmount') putIdentity(form, effect.identity)
  for (const pending of model.pending) putPending(form, host, model, pending)
  put(form, (model.wish === 'up' ? 1 : 0) | (model.wasUp ? 2 : 0))
  putAttachments(form, configuration, host, model)
  if (model.places.length > 1) putQueues(form, host, model)
  return form
}

/** 64 bits of the canonical form of this state. */
export const bitsOf = (configuration: Configuration, host: Host, model: Model): Bits =>
  bitsOfForm(formOf(configuration, host, model))

/** Whom and what to ask for: of those that nothing distinguishes yet, the first will do. */
export interface Distinct {
  readonly attachments: readonly number[]
  readonly sources: readonly string[]
}

export const distinctIn = (configuration: Configuration, host: Host, model: Model): Distinct => {
  const { attachments, sources } = configuration
  const consumers = new Set(attachments.map((each) => each.consumer))
  const words = attachments.map((attachment, index) => wordOf(host, model, attachment, 1 << index))
  const all = attachments.map((_, index) => index)
  const named = formOf(configuration, host, model).sources
  const unnamed = sources.filter((source) => !named.includes(source))
  return {
    attachments:
      consumers.size < attachments.length ? all : all.filter((index) => words.indexOf(words[index] ?? 0) === index),
    sources: sources.filter((source) => named.includes(source) || source === unnamed[0]),
  }
}
