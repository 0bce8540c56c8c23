// Feeding: one input through the core, under the eyes of the oracles. What a driver owes (apply, journal, grants) is done here;
// what is answered and emitted is judged before it is believed.

import type { Answer, Decision, Effect, Fact, Host, HostPhase, Input, Outcome, Phase } from '@mountkeeper/core'
import { apply, decide, effectId, grantable } from '@mountkeeper/core'
import type { Mountpoint } from '@mountkeeper/core/state'
import { allHolders } from '@mountkeeper/core/state'
import { breaches, breachesOfFacts, showAnswer, showEffect, showFact, showInput } from '@mountkeeper/inspect'
import type { Configuration } from './configuration.js'
import { remember } from './journal.js'
import { noteAnswer, noteMounted } from './keep.js'
import type { Flying, Model, Place } from './model.js'
import { UNKNOWN, isChanging, pathOf, placeIndex, withPlace } from './model.js'
import type { Broken, Tell, Told } from './oracle.js'
import { judgeAnswer, judgeEffect, judgeState } from './oracle.js'

/** The core under exploration: a wrapper around it plants a bug. */
export type Decide = (host: Host, input: Input) => Decision

/** The phases of the host and of its mountpoints, and the records of these. */
export interface Phases {
  readonly host: HostPhase
  readonly places: readonly Phase[]
  readonly records: readonly { readonly path: string; readonly record: Mountpoint | undefined }[]
}

/** Sees every decision after it was applied. `of`: the effect whose outcome the input is. */
export type Watch = (input: Input, of: Effect | undefined, before: Phases, after: Phases) => void

export interface Explored {
  readonly configuration: Configuration
  readonly decide: Decide
  readonly watch: Watch | undefined
}

/** A step under way. */
export interface Run {
  readonly explored: Explored
  host: Host
  model: Model
  readonly broken: Broken[]
  /** How many facts there were, and of how many the journal keeps (all, unless a crash comes between them). */
  facts: number
  readonly kept: number
  readonly log: string[] | undefined
}

/** No decision reads the time, so that it may stand still. */
export const AT = 0

const CLOSES: ReadonlySet<Fact['_tag']> = new Set(['Claimed', 'Mounted', 'Unmounted', 'ClaimEnded', 'Forgotten'])

const teller =
  (run: Run): Tell =>
  (law, text) => {
    run.broken.push({ law, text })
  }

const say = (run: Run, text: () => string): void => {
  run.log?.push(text())
}

const phasesOf = (host: Host, places: readonly Place[]): Phases => ({
  host: host.phase,
  places: places.map(({ path }) => host.mountpoints.get(path)?.record.phase ?? 'absent'),
  records: places.map(({ path }) => ({ path, record: host.mountpoints.get(path)?.record })),
})

const noteMounting = (run: Run, index: number, mounting: boolean): void => {
  const place = run.model.places[index]
  if (place !== undefined && place.mounting !== mounting)
    run.model = withPlace(run.model, index, { ...place, mounting })
}

/** A claim begins without a `Mount`; a fact that closes its intent says what the one did that was emitted. */
const noteFact = (run: Run, fact: Fact): void => {
  const isOpen = fact._tag === 'ClaimEnded' && fact.intent === 'open'
  if (fact._tag !== 'HostCameUp' && CLOSES.has(fact._tag) && !isOpen)
    noteMounting(run, placeIndex(run.model, fact.mountpoint), false)
}

/** That what is durable was written by facts alone, at every mountpoint. */
const judgeFacts = (run: Run): void => {
  const { mountpoints } = run.model.memory
  for (const { path } of run.model.places) {
    const folded = mountpoints.get(path)
    const instance = run.host.mountpoints.get(path)?.record.instance ?? 0
    // How often it was mounted is left out of the journals of the explorer.
    const facts = folded && { record: { ...folded.record, instance }, holders: allHolders(folded.holders) }
    for (const { law, text } of breachesOfFacts(run.host, path, facts))
      run.broken.push({ law, text: `${path}: ${text}` })
  }
}

const noteEffect = (run: Run, effect: Effect): void => {
  judgeEffect(run.model, run.model.memory, effect, teller(run))
  say(run, () => `    effect ${showEffect(effect)}`)
  const { flying, pending } = run.model
  const path = pathOf(effect)
  const place = placeIndex(run.model, path)
  // A new delay takes the place of the old one.
  const others =
    effect._tag === 'Wait'
      ? flying.filter((each) => each.effect._tag !== 'Wait' || pathOf(each.effect) !== path)
      : flying
  run.model = { ...run.model, flying: [...others, { effect, acted: false, overdue: false }] }
  if (effect._tag === 'Mount') noteMounting(run, place, true)
  if (effect._tag === 'Look') {
    const looked = pending.map((each) =>
      each.op === 'attach' && each.place === place && !each.looked ? { ...each, looked: true } : each,
    )
    run.model = { ...run.model, pending: looked }
  }
  const at = run.model.places[place]
  if (at !== undefined && isChanging(effect) && at.shown._tag === 'Seen' && at.shown.look) {
    run.model = withPlace(run.model, place, { ...at, shown: { ...at.shown, look: false } })
  }
}

/** Delays that no request waits for any more; that their end changes nothing is checked against the core. */
export const dropDeadWaits = (run: Run): void => {
  const { host, explored } = run
  const isDead = ({ effect }: Flying): boolean =>
    effect._tag === 'Wait' &&
    effect.mountpoint !== undefined &&
    host.mountpoints.get(effect.mountpoint)?.record.wait?.effect !== effect.effect
  if (!run.model.flying.some(isDead)) return
  for (const { effect } of run.model.flying.filter(isDead)) {
    const late = explored.decide(host, {
      _tag: 'Outcome',
      at: AT,
      effect: effect.effect,
      mountpoint: pathOf(effect),
      found: { _tag: 'Elapsed' },
    })
    if (!isNothing(late))
      run.broken.push({ law: 'L35', text: `the end of a dead ${showEffect(effect)} changes something` })
  }
  run.model = { ...run.model, flying: run.model.flying.filter((each) => !isDead(each)) }
}

const isNothing = ({ changes, append, then }: Decision): boolean =>
  changes.length + append.length + then.effects.length + then.answers.length === 0

type Context = Omit<Told, 'configuration' | 'model' | 'after'>

const takeAnswer = (run: Run, answer: Answer, context: Context): void => {
  say(run, () => `    answer ${showAnswer(answer)}`)
  if (answer.op === 'cancel' || answer.op === 'host-down') return
  const pending = run.model.pending.find((each) => each.request === answer.request)
  if (pending === undefined) {
    run.broken.push({ law: 'L45', text: `request ${answer.request} was not asked, or was answered before` })
    return
  }
  run.model = { ...run.model, pending: run.model.pending.filter((each) => each !== pending) }
  const { model, explored } = run
  const told = { ...context, configuration: explored.configuration, model, after: model.memory }
  judgeAnswer(told, pending, answer, teller(run))
  run.model = noteAnswer(run.model, pending, answer)
}

const attachedBy = ({ pending }: Model, { then: { answers } }: Decision): number =>
  pending.reduce((mask, { op, request, attachments }) => {
    const isTold = op === 'attach' && answers.some((answer) => answer.request === request && answer.ok)
    return isTold ? mask | attachments : mask
  }, 0)

/** One input: decided, applied, made durable; then what leaves with it is judged, and believed. */
export const feed = (run: Run, input: Input, outcomeOf?: Effect): void => {
  const { host, explored } = run
  const { settings } = explored.configuration
  const before = explored.watch === undefined ? undefined : phasesOf(host, run.model.places)
  say(run, () => `  ${showInput(input)}`)
  const decision = explored.decide(host, input)
  apply(host, decision)
  if (before !== undefined) explored.watch?.(input, outcomeOf, before, phasesOf(host, run.model.places))
  const durable = run.model.memory
  const kept = decision.append.slice(0, Math.max(0, run.kept - run.facts))
  run.facts += decision.append.length
  if (kept.length > 0) run.model = { ...run.model, memory: remember(settings, durable, kept) }
  for (const fact of kept) {
    if (fact._tag === 'Mounted' || fact._tag === 'Adopted') run.model = noteMounted(run.model, fact.mountpoint)
    say(run, () => `    fact ${showFact(fact)}`)
    noteFact(run, fact)
  }
  if (kept.length < decision.append.length) return
  judgeFacts(run)
  if (host.phase === 'up' && !run.model.wasUp) run.model = { ...run.model, wasUp: true }
  if (decision.then.answers.length > 0) {
    const attached = attachedBy(run.model, decision)
    for (const answer of decision.then.answers)
      takeAnswer(run, answer, { before: durable, input, outcomeOf, facts: kept, attached })
  }
  for (const effect of decision.then.effects) noteEffect(run, effect)
  for (const { law, at, text } of breaches(host)) run.broken.push({ law, text: `${at}: ${text}` })
}

/** Gives the slots that are free, if that is not left to a step of its own. */
export const grantAll = (run: Run): void => {
  if (run.explored.configuration.allowed.grants === 'at any time') return
  let granted = 0
  for (let next = grantable(run.host); next !== undefined; next = grantable(run.host)) {
    granted += 1
    if (granted > 16) {
      run.broken.push({ law: 'L25', text: `granting never ends at ${next}` })
      return
    }
    feed(run, { _tag: 'Granted', at: AT, mountpoint: next })
  }
}

/** What was shown serves the decision it leads to, and no later one: but for a look whose probe is under way. */
export const forgetShown = (run: Run): void => {
  const keeps = ({ path }: Place): boolean => run.host.mountpoints.get(path)?.record.inFlight?.kind === 'Probe'
  if (!run.model.places.some((place) => place.shown._tag === 'Seen' && !keeps(place))) return
  const places = run.model.places.map((place) => (keeps(place) ? place : { ...place, shown: UNKNOWN }))
  run.model = { ...run.model, places }
}

/** What must hold between two steps. */
export const judge = (run: Run): void => {
  const { host, explored, model } = run
  const foreign: Outcome = {
    _tag: 'Outcome',
    at: AT,
    effect: effectId(host.nextEffect + 1000),
    mountpoint: model.places[0]?.path,
    found: { _tag: 'NoDirectory' },
  }
  if (!isNothing(explored.decide(host, foreign)))
    run.broken.push({ law: 'L22', text: 'a foreign outcome changes something' })
  judgeState(explored.configuration, model, host.phase, ({ request }) => host.requests.has(request), teller(run))
}

export const decideAsItIs: Decide = decide
