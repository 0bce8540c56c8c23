// The driver of the core. A turn takes what is in the inbox, decides and applies each input, sends the facts to the journal,
// and when they and all before them are durable delivers the answers and starts the effects. Everything else (reports,
// timers, callers) only puts inputs into the inbox; only a turn and the hard end call `decide`.

import { apply, decide, grantable } from '@mountkeeper/core'
import type { Answer, Host, Input, Refusal, Request } from '@mountkeeper/core'
import type { HostEvent } from './events.js'
import type { Complain } from './guard.js'
import { guardedObserver, soundTimers } from './guard.js'
import type { Owed } from './drain.js'
import { createDrain } from './drain.js'
import type { Inbox } from './inbox.js'
import { createInbox } from './inbox.js'
import type { Defect, Ending, Life } from './life.js'
import { crashOrWarn, createLife } from './life.js'
import type { LeftBehind } from './left-behind.js'
import { leftBehind } from './left-behind.js'
import type { Observer } from './observer.js'
import type { Outbox, Parcel } from './outbox.js'
import { createOutbox } from './outbox.js'
import type { HostPort, Journal, Timers } from './ports.js'
import type { Runner } from './runner.js'
import { createRunner } from './runner.js'
import type { Subscriptions } from './subscriptions.js'
import { createSubscriptions } from './subscriptions.js'
import type { Core } from './turn.js'
import { createTurn } from './turn.js'
import type { TurnedAway, UnansweredTable } from './unanswered.js'
import { createUnanswered } from './unanswered.js'

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

/** How long a stop waits after the last answer for effects to end, ms. */
export const STOP_GRACE_MS = 5_000
/** Unanswered attaches, detaches and releases, decided or not, for each one that the core lets wait. */
const UNANSWERED_PER_WAITING_MAX = 2

const CORE: Core = { decide, apply, grantable }

const mayWait = ({ op }: Request): boolean => op === 'attach' || op === 'detach' || op === 'release'

/** Why a request cannot be kept until it is decided. */
const fullTable = (
  { limits }: Host['settings'],
  unanswered: UnansweredTable,
  stream: string | undefined,
): Refusal | undefined => {
  const { waitingPerHost, waitingPerStream = waitingPerHost } = limits
  const most = UNANSWERED_PER_WAITING_MAX * waitingPerHost
  const mostOfStream = UNANSWERED_PER_WAITING_MAX * Math.min(waitingPerStream, Math.ceil(waitingPerHost / 2))
  if (unanswered.size() >= most) return { _tag: 'Overloaded', limit: 'unansweredPerHost', value: most }
  if (stream === undefined || unanswered.sizeOf(stream) < mostOfStream) return undefined
  return { _tag: 'Overloaded', limit: 'unansweredPerStream', value: mostOfStream }
}

/**
 * Decided so that the host and the trace show it. What it leads to is dropped, and so is all that waits for the disk: a hard stop is a
 * crash that informs its callers, and recovery starts from what is durable.
 */
const decideHardStop = (core: Core, host: Host, observer: Observer | undefined, at: number): void => {
  const input: Input = { _tag: 'Stopped', at, how: 'hard' }
  const decision = core.decide(host, input)
  observer?.onDecision?.(input, decision)
  core.apply(host, decision)
}

interface Leaving {
  readonly life: Life
  readonly unanswered: UnansweredTable
  readonly subscriptions: Subscriptions
  readonly runner: Runner
}

/** Lets out what has become durable. */
const leave = ({ answers, events, effects }: Parcel, { life, unanswered, subscriptions, runner }: Leaving): void => {
  for (const answer of answers) unanswered.deliver(answer)
  for (const event of events) subscriptions.deliver(event)
  for (const effect of effects) {
    // An answer that was delivered may have led to a hard stop: nothing more leaves.
    if (!life.isGoingOn()) return
    runner.start(effect)
  }
}

const owedBy = (unanswered: UnansweredTable, outbox: Outbox, inbox: Inbox, runner: Runner): Owed => ({
  owing: unanswered.size() > 0 || outbox.waiting() > 0 || inbox.size() > 0,
  unreported: runner.unreported() > 0,
  // Of what no caller waits for, only a settling mount is worth a delay: it says whether a layer of ours stays.
  running: () => runner.running().length > 0 || runner.isSettling(),
})

/** Starts a loop around a host. It lives until it is stopped, its journal fails, or a defect ends it. */
export const createLoop = (options: LoopOptions): Loop => {
  const { host, onDefect = crashOrWarn, core = CORE } = options
  const life = createLife(onDefect, {
    before: () => {
      inbox.clear()
      outbox.shut()
      runner.callOffDelays()
      drain.callOff()
    },
    after: () => unanswered.refuseAll({ _tag: 'Stopped' }),
  })
  const { complain, guarded } = life
  const timers = soundTimers(options.timers, complain)
  const observer = guardedObserver(options.observer, complain)
  const subscriptions = createSubscriptions(complain)

  const put = (input: Input): void => {
    if (life.isGoingOn()) inbox.put(input)
  }

  const endHard = (how: Ending): void =>
    guarded('the core failed at a hard stop', () => {
      if (!life.isGoingOn()) return
      decideHardStop(core, host, observer, timers.now())
      life.end(how)
    })

  const unanswered = createUnanswered({
    timers,
    observer,
    lastRequest: host.lastRequest,
    deadlineMs: host.settings.deadlinesMs.request,
    deadlinePassed: (request) => put({ _tag: 'Deadline', at: timers.now(), request }),
  })

  const runner = createRunner({ port: options.port, timers, observer, put, complain })

  const outbox = createOutbox({
    journal: options.journal,
    leave: (parcel) => {
      guarded('the loop failed', () => leave(parcel, { life, unanswered, subscriptions, runner }))
      settle()
    },
    failed: endHard,
  })

  const takeTurn = createTurn({
    core,
    host,
    observer,
    watch: subscriptions.watch,
    decided: unanswered.decided,
    spend: () => inbox.spend(),
  })

  const inbox = createInbox(() => {
    if (!life.isGoingOn()) return
    guarded('the core failed', () => {
      const gathered = takeTurn(inbox.take)
      gathered.arrived.forEach(unanswered.arm)
      outbox.send(gathered)
    })
    settle()
  })

  const drain = createDrain(timers, () => life.end({ _tag: 'Drained' }))

  const settle = (): void => {
    if (life.isGoingOn()) drain.settle(owedBy(unanswered, outbox, inbox, runner))
  }

  observer?.onBegin?.(host)

  return {
    host,
    ended: life.ended,
    submit: (body, stream) => {
      if (!life.isGoingOn()) return Promise.resolve(unanswered.turnAway(body, { _tag: 'Stopped' }))
      const full = mayWait(body) ? fullTable(host.settings, unanswered, stream) : undefined
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
      if (life.isGoingOn()) inbox.observed(mountpoint, timers.now())
    },
    stop: ({ hard = false, graceMs = STOP_GRACE_MS } = {}) => {
      // In a microtask of its own: the caller may be an observer in the middle of a turn.
      if (hard) queueMicrotask(() => endHard({ _tag: 'StoppedHard' }))
      else if (drain.begin(graceMs)) put({ _tag: 'Stopped', at: timers.now(), how: 'drain' })
      return life.ended.then((how) => ({ ending: how, leftBehind: leftBehind(host, runner.running()) }))
    },
    subscribe: subscriptions.subscribe,
  }
}
