// The driver of the core. A turn takes what is in the inbox, decides and applies each input, sends the facts to the journal,
// and when they and all before them are durable delivers the answers and starts the effects. Everything else (reports,
// timers, callers) only puts inputs into the inbox; only a turn and the hard end call `decide`.

import { apply, decide, grantable } from '@mountkeeper/core'
import type { Answer, Decision, Effect, Fact, Host, Input, Refusal, Request, RequestId } from '@mountkeeper/core'
import type { EventWatch, HostEvent } from './events.js'
import { createEventWatch } from './events.js'
import type { Complain, DefectOf } from './guard.js'
import { errorWords, guardedListener, guardedObserver, soundTimers } from './guard.js'
import type { LeftBehind } from './left-behind.js'
import { leftBehind } from './left-behind.js'
import type { Observer } from './observer.js'
import type { Parcel } from './outbox.js'
import { createOutbox } from './outbox.js'
import type { HostPort, Journal, JournalFailed, Timers } from './ports.js'
import { createRunner } from './runner.js'
import type { TurnedAway } from './unanswered.js'
import { createUnanswered } from './unanswered.js'

/** The three functions of the core that a loop calls; tests put scripted ones in their place. */
export interface Core {
  readonly decide: (host: Host, input: Input) => Decision
  readonly apply: (host: Host, decision: Decision) => void
  readonly grantable: (host: Host) => string | undefined
}

/** A broken promise. One of the `manager` itself ends it, for nothing can be trusted then; any other has ended nothing. */
export interface Defect {
  readonly _tag: 'Defect'
  /** Who broke it: the core or the loop, a host port at one effect, an observer, a listener, the inventory, the timers. */
  readonly of: DefectOf
  /** One sentence: who broke which promise. */
  readonly why: string
  readonly cause: unknown
}

/** Why a loop has ended. */
export type Ending = { readonly _tag: 'Drained' } | { readonly _tag: 'StoppedHard' } | JournalFailed | Defect

/** How to stop: by default what is being served is awaited. */
export interface StopOptions {
  /** Refuse all unanswered at once and start nothing more. Also cuts short a stop that is under way. */
  readonly hard?: boolean
  /** How long effects that no caller waits for may take to end after the last answer, ms; by default `STOP_GRACE_MS`. */
  readonly graceMs?: number
}

/** What a stop came to. Mounts stay as they are, in any case (L31). */
export interface StopReport {
  readonly ending: Ending
  readonly leftBehind: readonly LeftBehind[]
}

/** What a loop is made of. */
export interface LoopOptions {
  /** Belongs to the loop from now on, which changes it in place. */
  readonly host: Host
  readonly port: HostPort
  readonly journal: Pick<Journal, 'append'>
  readonly timers: Timers
  readonly observer?: Observer | undefined
  /**
   * Hears of each defect; of one that ends the manager when all unanswered were refused. By default that one is thrown where
   * no caller can catch it, a crash, and any other is a warning of the process.
   */
  readonly onDefect?: ((defect: Defect) => void) | undefined
  /** By default the real one. */
  readonly core?: Core | undefined
}

/** A way to submit a request, in the name of a stream (a domain of trust) or, without one, of the embedder itself. */
export type SubmitRequest = (body: Request, stream?: string) => Promise<Answer>

/** A running loop. */
export interface Loop {
  /**
   * Exactly one answer for each request, at its deadline at the latest as long as the journal gets through; never rejects.
   * Refused `Overloaded` when more callers wait than the core could let wait, and `Stopped` after the end.
   */
  readonly submit: SubmitRequest
  /** The one answer to a request that cannot be submitted, because it is malformed. */
  readonly turnAway: (body: TurnedAway, error: Refusal) => Answer
  /** Something was seen at a mountpoint without being asked for; leads to a look at most, to one for a burst of them. */
  readonly observed: (mountpoint: string) => void
  readonly stop: (options?: StopOptions) => Promise<StopReport>
  /** Resolves when the loop has ended, whatever ended it. */
  readonly ended: Promise<Ending>
  /** Hears events from now on; the returned function ends that. A listener that throws `ERRORS_MAX` times hears no more. */
  readonly subscribe: (listener: (event: HostEvent) => void) => () => void
  /** Passes on a broken promise of what stands between a port and the loop. */
  readonly complain: Complain
  /** The observer, guarded. */
  readonly observer: Observer | undefined
  /** The host as it is now, for those who only read: it is ahead of the disk. */
  readonly host: Host
}

/** Inputs that are taken in a row before everything else in the process has its chance. */
export const INPUTS_PER_RUN_MAX = 1_024
/** How long a stop waits after the last answer for effects to end, ms. */
export const STOP_GRACE_MS = 5_000
/** Grants in a row; a core that names mountpoints for ever is a defect. */
const GRANTS_PER_INPUT_MAX = 1_000_000
/** Unanswered attaches, detaches and releases, decided or not, for each one that the core lets wait. */
const UNANSWERED_PER_WAITING_MAX = 2

const CORE: Core = { decide, apply, grantable }

const crashOrWarn = ({ of, why, cause }: Defect): void => {
  if (of !== 'manager') {
    process.emitWarning(why, { type: 'MountkeeperDefect' })
    return
  }
  setImmediate(() => {
    throw new Error(why, { cause })
  })
}

const mayWait = ({ op }: Request): boolean => op === 'attach' || op === 'detach' || op === 'release'

/** What a turn gathers before it leaves. */
interface Draft {
  readonly facts: Fact[]
  readonly answers: Answer[]
  readonly events: HostEvent[]
  readonly effects: Effect[]
  readonly arrived: RequestId[]
}

/** Starts a loop around a host. It lives until it is stopped, its journal fails, or a defect ends it. */
export const createLoop = (options: LoopOptions): Loop => {
  const { host, onDefect = crashOrWarn, core = CORE } = options
  const { waitingPerHost, waitingPerStream = waitingPerHost } = host.settings.limits
  const unansweredMax = UNANSWERED_PER_WAITING_MAX * waitingPerHost
  const unansweredOfStreamMax = UNANSWERED_PER_WAITING_MAX * Math.min(waitingPerStream, Math.ceil(waitingPerHost / 2))
  const listeners = new Set<(event: HostEvent) => void>()
  let watch: EventWatch | undefined
  let inbox: Input[] = []
  /** Mountpoints with an observation in the inbox: one look will do for all of them. */
  const seen = new Set<string>()
  let scheduled = false
  let budget = INPUTS_PER_RUN_MAX
  let letGo: (() => void) | undefined
  let stopping: { readonly graceMs: number; callOffGrace?: () => void } | undefined
  let ending: Ending | undefined
  let resolveEnded: (how: Ending) => void
  const ended = new Promise<Ending>((resolve) => {
    resolveEnded = resolve
  })

  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    if (budget > 0) {
      queueMicrotask(turn)
      return
    }
    setImmediate(() => {
      budget = INPUTS_PER_RUN_MAX
      turn()
    })
  }

  const tell = (found: Defect): void => {
    try {
      onDefect(found)
    } catch {
      crashOrWarn({ ...found, of: 'listener', why: `onDefect threw at: ${found.why}` })
    }
  }

  /** Of others: the manager goes on. */
  const complain: Complain = (of, why, cause) => {
    if (ending === undefined) tell({ _tag: 'Defect', of, why, cause })
  }

  const timers = soundTimers(options.timers, complain)
  const observer = guardedObserver(options.observer, complain)

  const put = (input: Input): void => {
    if (ending !== undefined) return
    inbox.push(input)
    schedule()
  }

  const end = (how: Ending): void => {
    if (ending !== undefined) return
    ending = how
    inbox = []
    outbox.shut()
    runner.callOffDelays()
    stopping?.callOffGrace?.()
    letGo?.()
    resolveEnded(how)
    unanswered.refuseAll({ _tag: 'Stopped' })
  }

  const defect = (why: string, cause: unknown): void => {
    const found: Defect = { _tag: 'Defect', of: 'manager', why, cause }
    end(found)
    tell(found)
  }

  const guarded = (what: string, act: () => void): void => {
    try {
      act()
    } catch (error) {
      defect(`${what}: ${errorWords(error)}`, error)
    }
  }

  const endHard = (how: Ending): void =>
    guarded('the core failed at a hard stop', () => {
      if (ending !== undefined) return
      // Decided so that the host and the trace show it. What it leads to is dropped, and so is all that waits for the disk:
      // a hard stop is a crash that informs its callers, and recovery starts from what is durable.
      const input: Input = { _tag: 'Stopped', at: timers.now(), how: 'hard' }
      const decision = core.decide(host, input)
      observer?.onDecision?.(input, decision)
      core.apply(host, decision)
      end(how)
    })

  const unanswered = createUnanswered({
    timers,
    observer,
    lastRequest: host.lastRequest,
    deadlineMs: host.settings.deadlinesMs.request,
    deadlinePassed: (request) => put({ _tag: 'Deadline', at: timers.now(), request }),
  })

  /** Why a request cannot be kept until it is decided. */
  const fullTable = (stream: string | undefined): Refusal | undefined => {
    if (unanswered.size() >= unansweredMax) {
      return { _tag: 'Overloaded', limit: 'unansweredPerHost', value: unansweredMax }
    }
    if (stream === undefined || unanswered.sizeOf(stream) < unansweredOfStreamMax) return undefined
    return { _tag: 'Overloaded', limit: 'unansweredPerStream', value: unansweredOfStreamMax }
  }

  const runner = createRunner({ port: options.port, timers, observer, put, complain })

  const leave = ({ answers, events, effects }: Parcel): void =>
    guarded('the loop failed', () => {
      for (const answer of answers) unanswered.deliver(answer)
      for (const event of events) for (const listener of [...listeners]) listener(event)
      for (const effect of effects) {
        // An answer that was delivered may have led to a hard stop: nothing more leaves.
        if (ending !== undefined) return
        runner.start(effect)
      }
    })

  const outbox = createOutbox({
    journal: options.journal,
    leave: (parcel) => {
      leave(parcel)
      settle()
    },
    failed: endHard,
  })

  const step = (input: Input, draft: Draft): void => {
    budget -= 1
    if (input._tag === 'Observed') seen.delete(input.mountpoint)
    const decision = core.decide(host, input)
    observer?.onDecision?.(input, decision)
    if (watch !== undefined) for (const event of watch.seen(host, input.at, decision)) draft.events.push(event)
    core.apply(host, decision)
    for (const fact of decision.append) draft.facts.push(fact)
    for (const effect of decision.then.effects) draft.effects.push(effect)
    for (const answer of decision.then.answers) {
      unanswered.decided(answer)
      draft.answers.push(answer)
    }
    if (input._tag === 'Requested') draft.arrived.push(input.request)
  }

  const grant = (at: number, draft: Draft): void => {
    let grants = 0
    for (let next = core.grantable(host); next !== undefined; next = core.grantable(host)) {
      grants += 1
      if (grants > GRANTS_PER_INPUT_MAX) throw new Error(`grantable names mountpoints for ever, now ${next}`)
      step({ _tag: 'Granted', at, mountpoint: next }, draft)
    }
  }

  const takeTurn = (): void => {
    const draft: Draft = { facts: [], answers: [], events: [], effects: [], arrived: [] }
    let taken = 0
    for (let input = inbox[0]; input !== undefined && budget > 0; input = inbox[taken]) {
      taken += 1
      step(input, draft)
      grant(input.at, draft)
    }
    inbox = taken === inbox.length ? [] : inbox.slice(taken)
    if (inbox.length > 0) schedule()
    draft.arrived.forEach(unanswered.arm)
    outbox.send(draft)
  }

  const turn = (): void => {
    scheduled = false
    if (ending !== undefined) return
    guarded('the core failed', takeTurn)
    settle()
  }

  /** Keeps the process alive exactly while there is a reason, and ends a drain that is done. */
  const settle = (): void => {
    if (ending !== undefined) return
    const owing = unanswered.size() > 0 || outbox.waiting() > 0 || inbox.length > 0
    if (owing || stopping !== undefined || runner.unreported() > 0) letGo ??= timers.hold?.()
    else if (letGo !== undefined) {
      letGo()
      letGo = undefined
    }
    if (stopping === undefined || owing) return
    // Of what no caller waits for, only a settling mount is worth a delay: it says whether a layer of ours stays.
    if (runner.running().length === 0 && !runner.isSettling()) end({ _tag: 'Drained' })
    else stopping.callOffGrace ??= timers.after(stopping.graceMs, () => end({ _tag: 'Drained' }))
  }

  observer?.onBegin?.(host)

  return {
    host,
    ended,
    submit: (body, stream) => {
      if (ending !== undefined) return Promise.resolve(unanswered.turnAway(body, { _tag: 'Stopped' }))
      const full = mayWait(body) ? fullTable(stream) : undefined
      if (full !== undefined) return Promise.resolve(unanswered.turnAway(body, full))
      return new Promise((resolve) => {
        const request = unanswered.ask(body, stream, resolve)
        const input = { _tag: 'Requested', at: timers.now(), request, body } as const
        put(stream === undefined ? input : { ...input, stream })
      })
    },
    complain,
    observer,
    turnAway: unanswered.turnAway,
    observed: (mountpoint) => {
      if (seen.has(mountpoint)) return
      seen.add(mountpoint)
      put({ _tag: 'Observed', at: timers.now(), mountpoint })
    },
    stop: ({ hard = false, graceMs = STOP_GRACE_MS } = {}) => {
      // In a microtask of its own: the caller may be an observer in the middle of a turn.
      if (hard) queueMicrotask(() => endHard({ _tag: 'StoppedHard' }))
      else if (stopping === undefined) {
        stopping = { graceMs }
        put({ _tag: 'Stopped', at: timers.now(), how: 'drain' })
      }
      return ended.then((how) => ({ ending: how, leftBehind: leftBehind(host, runner.running()) }))
    },
    subscribe: (listener) => {
      if (typeof listener !== 'function') throw new TypeError('events.subscribe: expected a function')
      const unsubscribe = (): void => {
        listeners.delete(own)
        if (listeners.size === 0) watch = undefined
      }
      // Each subscription is its own, even of the same function.
      const own = guardedListener(listener, complain, unsubscribe)
      listeners.add(own)
      watch ??= createEventWatch()
      return unsubscribe
    },
  }
}
