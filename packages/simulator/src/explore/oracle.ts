// Oracles: what an observer outside checks against each step. They know what was asked, answered, emitted and made durable, and
// what is really on the host; they know no record of the core. Each names the law that it asks for (laws.md of core).

import type { Answer, Attached, Attachment, Effect, Fact, Input } from '@mountkeeper/core'
import { findHolder } from '@mountkeeper/core/state'
import type { Configuration } from './configuration.js'
import type { Memory } from './journal.js'
import type { Command, Model, Pending, Place } from './model.js'
import { isChanging, pathOf, placeIndex } from './model.js'

/** A law that does not hold, in words. */
export interface Broken {
  readonly law: string
  readonly text: string
}

export type Tell = (law: string, text: string) => void

/** The attachments that the journal holds at a mountpoint, one bit each. */
export const heldInJournal = ({ attachments }: Configuration, { mountpoints }: Memory, path: string): number => {
  const entry = mountpoints.get(path)
  if (entry === undefined) return 0
  return attachments.reduce(
    (mask, { volume, consumer }, index) =>
      findHolder(entry.holders, volume, consumer) === undefined ? mask : mask | (1 << index),
    0,
  )
}

const isOnTop = ({ shown }: Place, mountId: number): boolean =>
  shown._tag === 'Seen' &&
  shown.look &&
  shown.top !== undefined &&
  shown.top.by === 'us' &&
  shown.top.identity.mountId === mountId

const isBare = ({ shown }: Place): boolean => shown._tag === 'Seen' && shown.top === undefined

/** A layer that was mounted for holders whose own is lost, and found wrong or dead: it is taken off again, and they stay lost. */
const isRollBack = ({ shown, relied }: Place): boolean => shown._tag === 'Seen' && shown.top?.by === 'us' && !relied

/** What may fly beside what, and when: L22, L23, L28. */
const judgeFlight = (model: Model, effect: Effect, place: Place, tell: Tell): void => {
  const here = model.flying.filter((each) => each.effect._tag !== 'Wait' && pathOf(each.effect) === place.path)
  const name = `${effect._tag} #${effect.effect}`
  for (const each of here) {
    if (each.overdue) tell('L23', `${name} beside ${each.effect._tag}, which is overdue`)
    else tell('L22', `${name} beside ${each.effect._tag}`)
  }
  if (!isChanging(effect)) return
  const alive = model.orphans.find((each) => pathOf(each.effect) === place.path)
  if (alive !== undefined) tell('L23', `${name} while ${alive.effect._tag} of an earlier life still runs`)
  if (!model.wasUp) tell('L28', `${name} before anything was discovered`)
}

/** An effect as it leaves: what was shown before it, what is durable, who relies on it. */
export const judgeEffect = (model: Model, memory: Memory, effect: Effect, tell: Tell): void => {
  if (effect._tag === 'Wait' || effect._tag === 'Discover') return
  const place = model.places[placeIndex(model, effect.mountpoint)]
  if (place === undefined) {
    tell('L4', `${effect._tag} at ${effect.mountpoint}, which no request named`)
    return
  }
  judgeFlight(model, effect, place, tell)
  const durable = memory.mountpoints.get(place.path)
  const claim = durable?.record.claim
  const name = `${effect._tag} #${effect.effect}`
  switch (effect._tag) {
    case 'Unmount':
      if (place.certain !== 0 && !isRollBack(place)) tell('L2', `${name} under a holder`)
      if (claim !== undefined) tell('L2', `${name} under a claim of ${claim.volume}`)
      if ((durable?.holders.count ?? 0) > 0 && !isRollBack(place))
        tell('L2', `${name} before it is durable that the last holder left`)
      if (!isOnTop(place, effect.identity.mountId))
        tell('L20', `${name} although no look showed that very layer on top`)
      if (durable?.record.unresolved?.kind !== 'Unmount') tell('L30', `${name} before its intent is durable`)
      return
    case 'Mount':
      if (!isBare(place)) tell('L6', `${name} although it was not shown that nothing is mounted`)
      if (claim === undefined) tell('L3', `${name} without a durable claim`)
      return
    case 'MakeDirectory':
      if (!isBare(place) || (place.shown._tag === 'Seen' && place.shown.directory))
        tell('L3', `${name} although it was not shown that nothing is there`)
      if (claim === undefined) tell('L3', `${name} without a durable claim`)
      return
    case 'RemoveDirectory':
      if (place.directory === 'theirs') tell('L11', `${name} of a directory that others made`)
      if (!isBare(place)) tell('L11', `${name} of what was not shown to be unmounted`)
      if (place.certain !== 0 || claim !== undefined) tell('L2', `${name} under a holder or a claim`)
      return
    case 'Look':
    case 'Probe':
  }
}

/** What an unmount did shows only now: no caller may have been answered `Attached` to that layer since. */
export const judgeAppearing = (model: Model, { of, index }: Command, tell: Tell): void => {
  const effect = model[of][index]?.effect
  if (effect?._tag !== 'Unmount') return
  const place = model.places[placeIndex(model, effect.mountpoint)]
  const isThere = place?.layers.some(({ identity }) => identity.mountId === effect.identity.mountId) === true
  // A layer that was mounted without demanded flags is not ours.
  if (isThere && place.certain !== 0 && effect.identity.flags.includes('nosuid'))
    tell('L2', `what Unmount #${effect.effect} took off disappears under a holder`)
}

/** Once it is known that only a person can go on, no request waits for a delay: a request that is not answered yet waits for a look. */
export const judgeWaiting = ({ places, pending, flying }: Model, tell: Tell): void => {
  places.forEach(({ path }, at) => {
    const here = flying.filter(({ effect }) => pathOf(effect) === path)
    const delay = here.find(({ effect }) => effect._tag === 'Wait')
    const waiting = pending.find(({ place, op }) => place === at || op === 'release')
    if (waiting === undefined || delay === undefined || here.length > 1) return
    tell('L45', `request ${waiting.request} waits for what only a person can remove`)
  })
}

const answeredFrom = (input: Input): 'look' | 'other' =>
  input._tag === 'Outcome' && (input.found._tag === 'Mounted' || input.found._tag === 'Alive') ? 'look' : 'other'

export interface Told {
  readonly configuration: Configuration
  readonly model: Model
  readonly facts: readonly Fact[]
  /** The attachments, one bit each, that this very decision answers `Attached`. */
  readonly attached: number
  readonly before: Memory
  readonly after: Memory
  readonly input: Input
  /** The effect whose outcome led here, if it was one. */
  readonly outcomeOf: Effect | undefined
}

/** Whether two attachments are the same: both names equal, compared byte for byte. */
const sameAttachment = (a: Attachment, b: Attachment): boolean => a.volume === b.volume && a.consumer === b.consumer

const isOf = ({ attachments }: Configuration, pending: Pending, named: Attachment | undefined): boolean =>
  named !== undefined &&
  attachments.some((each, index) => (pending.attachments & (1 << index)) !== 0 && sameAttachment(each, named))

const judgeAttached = (
  { model, before, after, configuration, input, outcomeOf, facts }: Told,
  pending: Pending,
  mount: Attached['mount'],
  tell: Tell,
): void => {
  const place = model.places[pending.place]
  if (place === undefined) return
  const { shown } = place
  const top = shown._tag === 'Seen' ? shown.top : undefined
  if (top === undefined || top.by !== 'us' || top.of !== pending.source)
    tell('L16', 'Attached although its layer was not shown on top')
  else if (!top.identity.flags.includes('nosuid')) tell('L16', 'Attached to a layer without the demanded flags')
  const byLook = outcomeOf?._tag === 'Look' || outcomeOf?._tag === 'Probe'
  if (byLook && answeredFrom(input) === 'look' && !pending.looked)
    tell('L21', 'Attached by a look that had begun before the request arrived')
  if (place.certain !== 0 && place.certainSource !== pending.source)
    tell('L5', `Attached to ${pending.source} while others hold ${place.certainSource}`)
  const held = heldInJournal(configuration, after, place.path) | heldInJournal(configuration, before, place.path)
  // Who leaves in the same decision was a holder all the same.
  const isMade = facts.some((fact) => fact._tag === 'Held' && isOf(configuration, pending, fact))
  if ((held & pending.attachments) === 0 && !isMade) tell('L30', 'Attached before its holder is durable')
}

const judgeRefusedAttach = (told: Told, pending: Pending, tell: Tell): void => {
  const { configuration, model, before, after, attached } = told
  const path = model.places[pending.place]?.path ?? ''
  const gained = heldInJournal(configuration, after, path) & ~heldInJournal(configuration, before, path)
  if ((gained & pending.attachments & ~attached) !== 0) tell('L7', 'a refused attach left a holder')
  const claim = after.mountpoints.get(path)?.record.claim
  const repeated = model.pending.some((each) => each.op === 'attach' && (each.attachments & pending.attachments) !== 0)
  // Before discovery a claim may be of an earlier life; it is dropped there.
  if (isOf(configuration, pending, claim) && !repeated && model.wasUp) tell('L7', 'a refused attach left a claim')
}

const judgeDetached = (
  { configuration, model, after }: Told,
  pending: Pending,
  at: number,
  answer: { readonly mount: string; readonly directory: string },
  tell: Tell,
): void => {
  const place = model.places[at]
  if (place === undefined) return
  const { shown, path } = place
  if ((heldInJournal(configuration, after, path) & pending.attachments) !== 0)
    tell('L30', 'Detached before it is durable')
  const { mount, directory } = answer
  if (mount === 'unmounted' && (shown._tag === 'Unknown' || shown.top?.by === 'us'))
    tell('L10', 'answered unmounted, and no report showed it')
  if (mount === 'vacant' && shown._tag === 'Seen' && shown.top === undefined)
    tell('L41', 'answered vacant, and the last report showed no layer')
  if (directory === 'removed' && (shown._tag === 'Unknown' || shown.directory))
    tell('L41', 'reported that the directory was removed, and no report showed it')
}

/** What no run without faults may be refused with (L48). */
const FAULTY: ReadonlySet<string> = new Set(['MountFailed', 'Foreign', 'Broken', 'Uncertain', 'Invalid', 'NotManaged'])

const isFaultless = ({ allowed }: Configuration): boolean =>
  !allowed.errors && allowed.foreignLayers === 0 && !allowed.crashes && !allowed.deadlines

/** The one answer to a request, as it leaves. */
export const judgeAnswer = (told: Told, pending: Pending, answer: Answer, tell: Tell): void => {
  const { configuration, model } = told
  if (!answer.ok) {
    if (pending.op === 'attach') judgeRefusedAttach(told, pending, tell)
    if (isFaultless(configuration) && FAULTY.has(answer.error._tag)) tell('L48', `refused ${answer.error._tag}`)
    return
  }
  const { result } = answer
  switch (result._tag) {
    case 'Attached':
      judgeAttached(told, pending, result.mount, tell)
      return
    case 'Detached':
      judgeDetached(told, pending, pending.place, result, tell)
      return
    case 'Released':
      for (const each of result.attachments) {
        judgeDetached(told, { ...pending, attachments: 0 }, placeIndex(model, each.mountpoint), each.answer, tell)
      }
      return
    case 'Up':
      if (model.wish === 'down') tell('L36', 'answered Up although the last wish is down')
      return
    default:
  }
}

/** What must be true between two steps. */
export const judgeState = (
  configuration: Configuration,
  model: Model,
  phase: string,
  isAsked: (request: Pending) => boolean,
  tell: Tell,
): void => {
  for (const place of model.places) {
    const lost = place.certain & ~heldInJournal(configuration, model.memory, place.path)
    if (lost !== 0) tell('L30', `a holder at ${place.path} would not outlive a crash`)
    const ours = place.layers.filter((layer) => layer.by === 'us').length
    if (ours > 1) tell('L6', `${ours} layers of ours at ${place.path}`)
  }
  for (const pending of model.pending) {
    if (!isAsked(pending)) tell('L45', `request ${pending.request} is forgotten, and was not answered`)
  }
  if ((phase === 'down') !== (model.wish === 'down')) tell('L36', `${phase} although the last wish is ${model.wish}`)
}
