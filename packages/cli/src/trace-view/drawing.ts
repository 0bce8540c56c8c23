// Reads a run into what the page draws. Requests, effects, answers and holders are those that the trace records; only when a request
// began to be served is no part of it, and is taken from the same decisions, made again.

import type { TraceHeader, TraceLine } from '@mountkeeper/codec'
import type { Answer, Effect, EffectId, Fact, Host, Input, Outcome, Request, RequestId } from '@mountkeeper/core'
import { apply, decide, restore } from '@mountkeeper/core'
import {
  EFFECT_NAMES,
  answerWords,
  attachmentWords,
  commandWords,
  endWords,
  foundWords,
  requestWords,
  word,
} from 'mountkeeper/parts'
import { effectCommand } from './command.js'
import type { Drawn, DrawnEffect, DrawnRequest, Lane, Moment } from './drawn.js'

/** A run that is being read. */
export interface Drawing {
  readonly add: (line: TraceLine) => void
  readonly done: (name: string) => Drawn
}

interface Texts {
  readonly of: (text: string) => number
  readonly all: readonly string[]
}

const createTexts = (): Texts => {
  const places = new Map<string, number>()
  const all: string[] = []
  return {
    of: (text) => {
      const known = places.get(text)
      if (known !== undefined) return known
      places.set(text, all.length)
      return all.push(text) - 1
    },
    all,
  }
}

const emptyLane = (path?: string): Lane => ({
  ...(path === undefined ? {} : { path }),
  ...{ requests: [], effects: [], holders: [], marks: [] },
})

const isOf = (answer: Answer, request: RequestId): boolean => answer.request === request

/** Only a path that is managed has a lane; what was refused for its path is shown with the host. */
const isOutside = (answer: Answer): boolean =>
  !answer.ok && (answer.error._tag === 'NotManaged' || answer.error._tag === 'Invalid')

const laneOf = (body: Request, request: RequestId, answers: readonly Answer[]): string | undefined => {
  if (body.op === 'status' || !('mountpoint' in body)) return undefined
  return answers.some((answer) => isOf(answer, request) && isOutside(answer)) ? undefined : body.mountpoint
}

const effectLane = (effect: Effect): string | undefined => ('mountpoint' in effect ? effect.mountpoint : undefined)

const lastOf = (moments: readonly Moment[]): number => moments.reduce((last, { at }) => Math.max(last, at), 0)

/** Begins with the head of a trace. */
export const beginDrawing = ({ settings, facts }: TraceHeader): Drawing => {
  const texts = createTexts()
  const host = emptyLane()
  const lanes = new Map<string, Lane>()
  const unanswered = new Map<RequestId, DrawnRequest>()
  const inFlight = new Map<EffectId, DrawnEffect>()
  const overdue = new Map<EffectId, DrawnEffect>()
  let again: Host | undefined = restore(settings, facts)
  let inputs = 0
  const ends: [Moment, Moment] = [
    { n: 0, at: Infinity },
    { n: 0, at: 0 },
  ]

  const lane = (path: string | undefined): Lane => {
    if (path === undefined) return host
    const known = lanes.get(path) ?? emptyLane(path)
    lanes.set(path, known)
    return known
  }

  const holders = (fact: Fact, at: Moment): void => {
    switch (fact._tag) {
      case 'Held':
      case 'Left':
        lane(fact.mountpoint).holders.push({ at, holder: texts.of(attachmentWords(fact)), added: fact._tag === 'Held' })
        return
      case 'Forgotten':
        lane(fact.mountpoint).holders.push({ at, holder: texts.of('all') })
        return
      case 'Adopted':
        lane(fact.mountpoint).marks.push({ at, words: texts.of('adopted: mounted by others, ours from now on') })
        return
      case 'Unmounted':
        if (fact.by === 'other')
          lane(fact.mountpoint).marks.push({ at, words: texts.of('lost: unmounted by another program') })
        return
      default:
        return
    }
  }

  /** Makes the decision again: what it changes says whose turn it is. */
  const served = (input: Input, at: Moment): void => {
    if (again === undefined) return
    try {
      const decision = decide(again, input)
      apply(again, decision)
      for (const change of decision.changes) {
        const work = change._tag === 'Record' ? change.record?.work : undefined
        const request = work?.granted === true && work.request !== undefined ? unanswered.get(work.request) : undefined
        if (request !== undefined) request.served ??= at
      }
    } catch {
      // Another version made this trace: its decisions are shown, and not made again.
      again = undefined
    }
  }

  const answer = (given: Answer, at: Moment): void => {
    const request = unanswered.get(given.request)
    if (request === undefined) return
    unanswered.delete(given.request)
    const { verb, text, more } = answerWords(given)
    request.to = at
    request.verb = texts.of(verb)
    request.answer = texts.of(text)
    if (more.length > 0) request.more = more.map(texts.of)
    if (!given.ok) request.isRefused = true
  }

  const outcome = ({ effect, found, error }: Outcome, at: Moment): void => {
    const drawn = inFlight.get(effect)
    if (drawn === undefined) return
    inFlight.delete(effect)
    drawn.to = at
    drawn.found = texts.of(foundWords(found))
    if (error !== undefined) {
      drawn.error = texts.of(endWords(error))
      if (error.command.length > 0) drawn.command = texts.of(commandWords(error.command))
    }
    if (found._tag !== 'Unknown' || found.why !== 'TimedOut') return
    drawn.isOverdue = true
    overdue.set(effect, drawn)
  }

  const take = (input: Input, answers: readonly Answer[], at: Moment): void => {
    switch (input._tag) {
      case 'Requested': {
        const { body, request } = input
        const words = [body.op, requestWords(body)].filter((part) => part !== '').join('  ')
        const label = body.id === undefined ? `request ${request}` : word(body.id)
        const drawn: DrawnRequest = { from: at, label: texts.of(label), words: texts.of(words) }
        unanswered.set(request, drawn)
        lane(laneOf(body, request, answers)).requests.push(drawn)
        return
      }
      case 'Outcome':
        outcome(input, at)
        return
      case 'Ended': {
        const drawn = overdue.get(input.effect)
        overdue.delete(input.effect)
        if (drawn !== undefined) drawn.ended = at
        return
      }
      case 'Observed':
        lane(input.mountpoint).marks.push({ at, words: texts.of('seen: the mount table has changed here') })
        return
      case 'Deadline':
        return
      case 'Stopped':
        host.marks.push({ at, words: texts.of(`the manager is to end: ${input.how}`) })
        return
      case 'Granted':
        return
    }
  }

  for (const fact of facts) holders(fact, { n: 0, at: 0 })

  return {
    add: ({ n, input, decision }) => {
      const at: Moment = { n, at: input.at }
      inputs = n
      ends[0] = { n, at: Math.min(ends[0].at, input.at) }
      ends[1] = { n, at: lastOf([ends[1], at]) }
      take(input, decision.answers, at)
      served(input, at)
      for (const fact of decision.facts) holders(fact, at)
      for (const effect of decision.effects) {
        const drawn: DrawnEffect = {
          from: at,
          kind: EFFECT_NAMES[effect._tag],
          command: texts.of(effectCommand(effect)),
        }
        inFlight.set(effect.effect, drawn)
        lane(effectLane(effect)).effects.push(drawn)
      }
      for (const given of decision.answers) answer(given, at)
    },
    done: (name) => ({
      name,
      inputs,
      from: inputs === 0 ? 0 : ends[0].at,
      to: ends[1].at,
      roots: settings.roots.map(({ path }) => path),
      lanes: [host, ...[...lanes.values()].sort((a, b) => ((a.path ?? '') < (b.path ?? '') ? -1 : 1))],
      texts: texts.all,
    }),
  }
}
