// A turn: inputs are decided and applied one after the other, each with the slots that it makes free; what they lead to is gathered and
// leaves together.

import type { Answer, Decision, Effect, Fact, Host, Input, RequestId } from '@mountkeeper/core'
import type { EventWatch, HostEvent } from './events.js'
import type { Observer } from './observer.js'

/** Grants in a row; a core that names mountpoints for ever is a defect. */
const GRANTS_PER_INPUT_MAX = 1_000_000

/** The three functions of the core that a loop calls; tests put scripted ones in their place. */
export interface Core {
  readonly decide: (host: Host, input: Input) => Decision
  readonly apply: (host: Host, decision: Decision) => void
  readonly grantable: (host: Host) => string | undefined
}

/** What a turn gathers before it leaves. */
export interface Gathered {
  readonly facts: Fact[]
  readonly answers: Answer[]
  readonly events: HostEvent[]
  readonly effects: Effect[]
  readonly arrived: RequestId[]
}

export interface TurnOptions {
  readonly core: Core
  readonly host: Host
  readonly observer: Observer | undefined
  readonly watch: () => EventWatch | undefined
  /** An answer was decided; it has not left. */
  readonly decided: (answer: Answer) => void
  readonly spend: () => void
}

/** Takes one turn: `take` hands out its inputs. */
export type TakeTurn = (take: (step: (input: Input) => void) => void) => Gathered

export const createTurn = ({ core, host, observer, watch, decided, spend }: TurnOptions): TakeTurn => {
  const step = (input: Input, gathered: Gathered): void => {
    spend()
    const decision = core.decide(host, input)
    observer?.onDecision?.(input, decision)
    const events = watch()
    if (events !== undefined) for (const event of events.seen(host, input.at, decision)) gathered.events.push(event)
    core.apply(host, decision)
    for (const fact of decision.append) gathered.facts.push(fact)
    for (const effect of decision.then.effects) gathered.effects.push(effect)
    for (const answer of decision.then.answers) {
      decided(answer)
      gathered.answers.push(answer)
    }
    if (input._tag === 'Requested') gathered.arrived.push(input.request)
  }

  const grant = (at: number, gathered: Gathered): void => {
    let grants = 0
    for (let next = core.grantable(host); next !== undefined; next = core.grantable(host)) {
      grants += 1
      if (grants > GRANTS_PER_INPUT_MAX) throw new Error(`grantable names mountpoints for ever, now ${next}`)
      step({ _tag: 'Granted', at, mountpoint: next }, gathered)
    }
  }

  return (take) => {
    const gathered: Gathered = { facts: [], answers: [], events: [], effects: [], arrived: [] }
    take((input) => {
      step(input, gathered)
      grant(input.at, gathered)
    })
    return gathered
  }
}
