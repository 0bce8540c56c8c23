// A simulation: the core, the model host and what is under way between them, driven as the contract with the core demands
// and with every choice made from outside. Nothing in it is random, and nothing waits.

import type {
  Answer,
  Decision,
  Discover,
  Effect,
  EffectId,
  Fact,
  Host,
  Input,
  MountpointEffect,
  Request,
  RequestId,
  Settings,
  Wait,
} from '@mountkeeper/core'
import { apply, decide, emptyHost, grantable, requestId } from '@mountkeeper/core'
import type { Wording } from '../execute.js'
import { usualWording } from '../execute.js'
import type { ModelHost } from '../model/host.js'

/** An effect that was started and has not ended. */
export interface Flight {
  readonly effect: MountpointEffect | Discover
  /** Its deadline, and after that the end of its processes, if that is known. */
  readonly dueAt: number | undefined
  readonly overdue: boolean
  /** Of an overdue one: whether it will have done its work. */
  readonly worked: boolean
}

/** A delay that runs. */
export interface Delaying {
  readonly effect: Wait
  readonly dueAt: number
}

/** Work of a command that has ended and that no look can see yet. */
export interface Unseen {
  readonly effect: MountpointEffect
  readonly dueAt: number
}

/** A request that is not decided yet. */
export interface Open {
  readonly request: RequestId
  readonly body: Request
  readonly dueAt: number
}

/** What one decision lets out once its facts are durable. */
export interface Parcel {
  readonly facts: readonly Fact[]
  readonly effects: readonly Effect[]
  readonly answers: readonly Answer[]
}

/** What happens in a simulation, in order; oracles and transcripts are made from it. */
export type Happening =
  | { readonly _tag: 'Asked'; readonly request: RequestId; readonly body: Request }
  | { readonly _tag: 'Decided'; readonly input: Input; readonly decision: Decision; readonly isEcho: boolean }
  /** The core is as the decision has made it. */
  | { readonly _tag: 'Applied'; readonly decision: Decision }
  | { readonly _tag: 'Durable'; readonly facts: readonly Fact[] }
  | { readonly _tag: 'Started'; readonly effect: Effect }
  | { readonly _tag: 'Told'; readonly answer: Answer }
  /**
   * A command has changed the host, or was about to. `checked`: after a look of its own; `unchecked`: later, on whatever was
   * there by then; `late`: it has ended before, and becomes visible now; `faulty`: it did what it was not to do.
   */
  | {
      readonly _tag: 'Acted'
      readonly effect: MountpointEffect
      readonly before: ModelHost
      readonly after: ModelHost
      readonly how: 'checked' | 'unchecked' | 'late' | 'faulty'
    }
  | { readonly _tag: 'Interfered'; readonly before: ModelHost; readonly after: ModelHost }
  | { readonly _tag: 'Crashed'; readonly reboot: boolean }

/** What a crash leaves of the facts. */
export interface Survived {
  /** How many of the decisions that were not durable turn out to be, oldest first. */
  readonly parcels: number
  /** What recovery reads: the durable facts, and those of these decisions, as they were or shortened. */
  readonly facts: readonly Fact[]
}

/**
 * A medium for facts that loses power: it gets what is durable, what is not, and how many decisions the run would let survive
 * where nothing is written in a form of its own.
 */
export type Medium = (durable: readonly Fact[], parcels: readonly Parcel[], kept: number) => Survived

/** Facts survive as they are. */
export const plainMedium: Medium = (durable, parcels, kept) => ({
  parcels: kept,
  facts: [...durable, ...parcels.slice(0, kept).flatMap(({ facts }) => facts)],
})

/** Hears what happens, with the simulation as it is then. Changes nothing. */
export type Watch = (happening: Happening, simulation: Simulation) => void

/** What a simulation is made of. */
export interface SimulationOptions {
  readonly settings: Settings
  readonly model: ModelHost
  /** `at once`: facts are durable when they are decided. `behind`: when an action says so. */
  readonly journal?: 'at once' | 'behind'
  readonly words?: Wording
  /** By default facts survive as they are. */
  readonly medium?: Medium
  readonly watch?: Watch
}

/** A simulation; it belongs to the caller that made it and is changed in place. */
export interface Simulation {
  readonly settings: Settings
  readonly journal: 'at once' | 'behind'
  readonly words: Wording
  readonly medium: Medium
  readonly watch: Watch
  core: Host
  model: ModelHost
  /** Virtual time, ms. */
  at: number
  flights: Flight[]
  delays: Delaying[]
  unseen: Unseen[]
  open: Open[]
  /** Decided and not durable. */
  parcels: Parcel[]
  durable: Fact[]
  /** Inputs of this life that came from effects, newest last, for echoes; bounded. */
  past: Input[]
  nextRequest: number
  /** A stop was asked for in this life. */
  stopping: boolean
  /** The manager has ended: nothing is decided any more. */
  ended: boolean
}

const BEGIN_AT = 1_000
const PAST_MAX = 32
const GRANTS_MAX = 10_000

/** A manager that has just been started on this host, with an empty journal. */
export const newSimulation = (options: SimulationOptions): Simulation => ({
  settings: options.settings,
  journal: options.journal ?? 'at once',
  words: options.words ?? usualWording,
  medium: options.medium ?? plainMedium,
  watch: options.watch ?? (() => undefined),
  core: emptyHost(options.settings),
  model: options.model,
  at: BEGIN_AT,
  flights: [],
  delays: [],
  unseen: [],
  open: [],
  parcels: [],
  durable: [],
  past: [],
  nextRequest: 1,
  stopping: false,
  ended: false,
})

const start = (simulation: Simulation, effect: Effect): void => {
  simulation.watch({ _tag: 'Started', effect }, simulation)
  if (effect._tag !== 'Wait') {
    const dueAt = simulation.at + effect.deadlineMs
    simulation.flights.push({ effect, dueAt, overdue: false, worked: false })
    return
  }
  const replaced = simulation.delays.find((each) => each.effect.mountpoint === effect.mountpoint)
  if (replaced !== undefined) {
    remember(simulation, elapsed(simulation, replaced.effect))
    simulation.delays.splice(simulation.delays.indexOf(replaced), 1)
  }
  simulation.delays.push({ effect, dueAt: simulation.at + effect.delayMs })
}

/** Lets the oldest decisions out: their facts are durable now. */
export const letOut = (simulation: Simulation, count: number): void => {
  for (const parcel of simulation.parcels.splice(0, count)) {
    for (const fact of parcel.facts) simulation.durable.push(fact)
    if (parcel.facts.length > 0) simulation.watch({ _tag: 'Durable', facts: parcel.facts }, simulation)
    for (const answer of parcel.answers) simulation.watch({ _tag: 'Told', answer }, simulation)
    for (const effect of parcel.effects) start(simulation, effect)
  }
}

const remember = (simulation: Simulation, input: Input): void => {
  simulation.past.push(input)
  if (simulation.past.length > PAST_MAX) simulation.past.shift()
}

const decideOne = (simulation: Simulation, input: Input, isEcho: boolean): void => {
  const decision = decide(simulation.core, input)
  simulation.watch({ _tag: 'Decided', input, decision, isEcho }, simulation)
  apply(simulation.core, decision)
  simulation.watch({ _tag: 'Applied', decision }, simulation)
  if (decision.then.answers.length > 0) {
    const answered = new Set(decision.then.answers.map(({ request }) => request))
    simulation.open = simulation.open.filter(({ request }) => !answered.has(request))
  }
  const {
    append: facts,
    then: { effects, answers },
  } = decision
  if (facts.length > 0 || effects.length > 0 || answers.length > 0) simulation.parcels.push({ facts, effects, answers })
}

/** Feeds one input and all that a driver owes after it: grants, and what may leave. */
export const feed = (simulation: Simulation, input: Input, how: 'echo' | 'itself' = 'itself'): void => {
  if (simulation.ended) return
  if (how === 'itself' && (input._tag === 'Outcome' || input._tag === 'Ended')) remember(simulation, input)
  decideOne(simulation, input, how === 'echo')
  let grants = 0
  for (let next = grantable(simulation.core); next !== undefined; next = grantable(simulation.core)) {
    grants += 1
    if (grants > GRANTS_MAX) throw new Error(`grantable names mountpoints for ever, now ${next}`)
    decideOne(simulation, { _tag: 'Granted', at: simulation.at, mountpoint: next }, false)
  }
  if (simulation.journal === 'at once') letOut(simulation, simulation.parcels.length)
}

/** A caller asks; the number of the request. */
export const ask = (simulation: Simulation, body: Request): RequestId => {
  const request = requestId(simulation.nextRequest)
  simulation.nextRequest += 1
  if (simulation.ended) return request
  simulation.watch({ _tag: 'Asked', request, body }, simulation)
  const dueAt = simulation.at + (body.deadlineMs ?? simulation.settings.deadlinesMs.request)
  simulation.open.push({ request, body, dueAt })
  feed(simulation, { _tag: 'Requested', at: simulation.at, request, body })
  return request
}

/** Where an effect runs; absent for the host's own. */
export const mountpointOf = (effect: Effect): string | undefined =>
  effect._tag === 'Discover' ? undefined : effect.mountpoint

/** The end of a delay. */
export const elapsed = (simulation: Simulation, effect: Wait): Input => ({
  _tag: 'Outcome',
  at: simulation.at,
  effect: effect.effect,
  mountpoint: effect.mountpoint,
  found: { _tag: 'Elapsed' },
})

/** Whether an effect is under way in this life, so that an outcome of it is none of the foreign ones. */
export const isAwaited = (simulation: Simulation, effect: EffectId): boolean =>
  simulation.flights.some((flight) => flight.effect.effect === effect) ||
  simulation.delays.some((delay) => delay.effect.effect === effect)
