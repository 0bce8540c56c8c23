// Starts effects and turns what becomes of them into inputs: exactly one outcome each, and exactly one `Ended` after one
// that passed its deadline and whose end is seen. It never decides anything; what it learns goes to the inbox. A port that
// breaks its promise spoils that one effect, whose outcome is then unknown.

import type { Reported } from '@mountkeeper/border'
import { readReport } from '@mountkeeper/border'
import type { Discover, Effect, EffectId, Input, MountpointEffect, Wait } from '@mountkeeper/core'
import type { Complain } from './guard.js'
import { errorWords } from './guard.js'
import type { Observer } from './observer.js'
import type { HostPort, Report, Timers } from './ports.js'

/** An effect that runs on the host. */
export interface Running {
  readonly effect: MountpointEffect | Discover
  /** Past its deadline: its outcome was given, processes of it live on. */
  readonly overdue: boolean
  /** A process of it, as far as its port has named one. */
  readonly pid: number | undefined
}

/** What a runner needs. `put` may be called at any time but never calls back. */
export interface RunnerOptions {
  readonly port: HostPort
  readonly timers: Timers
  readonly observer: Observer | undefined
  readonly put: (input: Input) => void
  /** Hears of promises that the port has broken; the effect is over for the core all the same. */
  readonly complain: Complain
}

/** Starts effects; see the head of the file. */
export interface Runner {
  readonly start: (effect: Effect) => void
  /** How many effects have not reported yet; delays and overdue effects are not among them. */
  readonly unreported: () => number
  /** Everything that runs, overdue effects last; delays are not among them. */
  readonly running: () => readonly Running[]
  /** A mount that ended without a trace is about to be looked at once more. */
  readonly isSettling: () => boolean
  /** Ends all delays without an outcome. */
  readonly callOffDelays: () => void
}

/** The host's own delay stands beside those of the mountpoints; no path is empty. */
const OF_THE_HOST = ''

const mountpointOf = (effect: MountpointEffect | Discover): string | undefined =>
  effect._tag === 'Discover' ? undefined : effect.mountpoint

const sentenceAbout = (effect: MountpointEffect | Discover, what: string): string =>
  `the host port ${what} ${effect._tag} ${mountpointOf(effect) ?? 'of the host'} (effect ${effect.effect})`

/** How long after the deadline of an effect a port may take to report, ms; then the runner gives the outcome in its stead. */
export const REPORT_GRACE_MS = 10_000

/** What changes nothing on the host needs no watch over its end. */
const changesNothing = ({ _tag }: MountpointEffect | Discover): boolean =>
  _tag === 'Look' || _tag === 'Probe' || _tag === 'Discover'

const outcomeOf = (effect: MountpointEffect | Discover, reported: Reported, at: number): Input => ({
  _tag: 'Outcome',
  at,
  effect: effect.effect,
  mountpoint: mountpointOf(effect),
  ...reported,
})

/** It is unknown what became of the effect; what is known is in the detail. */
const cannotTell = (effect: MountpointEffect | Discover, why: string): Reported =>
  effect._tag === 'Discover'
    ? { found: { _tag: 'NotDiscovered', reason: why } }
    : { found: { _tag: 'Unknown', why: 'Unreadable', detail: why } }

const TIMED_OUT: Reported = { found: { _tag: 'Unknown', why: 'TimedOut' } }

const isTimedOut = ({ found }: Reported): boolean => found._tag === 'Unknown' && found.why === 'TimedOut'

const endOf = (report: unknown): PromiseLike<unknown> | undefined => {
  try {
    if (typeof report !== 'object' || report === null) return undefined
    const { ended } = report as { readonly ended?: unknown }
    return typeof ended === 'object' && ended !== null && 'then' in ended ? (ended as PromiseLike<unknown>) : undefined
  } catch {
    return undefined
  }
}

interface Unreported {
  readonly effect: MountpointEffect | Discover
  readonly startedAt: number
  /** The latest process that the port has named. */
  pid: number | undefined
  callOffGrace: () => void
}

/** Makes a runner around a host port. */
export const createRunner = ({ port, timers, observer, put, complain }: RunnerOptions): Runner => {
  const unreported = new Map<EffectId, Unreported>()
  const overdue = new Map<EffectId, Running>()
  const delays = new Map<string, { readonly why: Wait['why']; readonly callOff: () => void }>()

  const complainAbout = (effect: MountpointEffect | Discover, what: string, cause?: unknown): string => {
    const why = sentenceAbout(effect, what)
    complain('effect', why, cause)
    return why
  }

  const putEnded = (effect: MountpointEffect | Discover): void => {
    if (!overdue.delete(effect.effect)) return
    put({ _tag: 'Ended', at: timers.now(), effect: effect.effect, mountpoint: mountpointOf(effect) })
  }

  /** Waits for the end of what is overdue. Where it cannot be seen, what could still change the host stays overdue. */
  const awaitEnd = (effect: MountpointEffect | Discover, ended: PromiseLike<unknown> | undefined): void => {
    const lost = (what: string, cause?: unknown): void => {
      complainAbout(effect, what, cause)
      if (changesNothing(effect)) putEnded(effect)
    }
    if (ended !== undefined) {
      Promise.resolve(ended).then(
        () => putEnded(effect),
        (error: unknown) => lost('lost sight of the overdue', error),
      )
    } else lost('promised no end of the timed-out')
  }

  const putOverdue = (effect: MountpointEffect | Discover, reported: Reported, pid: number | undefined): void => {
    overdue.set(effect.effect, { effect, overdue: true, pid })
    put(outcomeOf(effect, reported, timers.now()))
  }

  const reported = (one: Unreported, report: Report): void => {
    const { effect, startedAt } = one
    const at = timers.now()
    if (!settle(one)) {
      // The runner has given the outcome already; only the end is news.
      const ended = endOf(report)
      if (ended === undefined) putEnded(effect)
      else awaitEnd(effect, ended)
      return
    }
    const read = readReport(effect._tag, report)
    if ('wrong' in read) {
      const { at: where, why } = read.wrong
      const said = complainAbout(
        effect,
        `gave no report of the kind of${where === '' ? '' : ` (${where.slice(1)})`}`,
        why,
      )
      put(outcomeOf(effect, cannotTell(effect, `${said}: ${why}`), at))
      return
    }
    observer?.onReport?.(effect, report, startedAt, at)
    const ended = endOf(report)
    if (ended === undefined && (!isTimedOut(read) || effect._tag === 'Discover')) {
      put(outcomeOf(effect, read, at))
      return
    }
    if (!isTimedOut(read)) complainAbout(effect, 'found something and promised an end of')
    putOverdue(effect, isTimedOut(read) ? read : TIMED_OUT, read.error?.pid)
    awaitEnd(effect, ended)
  }

  /** Counts it as reported; false if it was before. */
  const settle = (one: Unreported): boolean => {
    one.callOffGrace()
    return unreported.delete(one.effect.effect)
  }

  const failed = (one: Unreported, error: unknown): void => {
    const { effect } = one
    const said = complainAbout(effect, 'threw instead of a report at', error)
    if (settle(one)) put(outcomeOf(effect, cannotTell(effect, `${said}: ${errorWords(error)}`), timers.now()))
    else putEnded(effect)
  }

  const run = (effect: MountpointEffect | Discover): void => {
    const startedAt = observer?.onReport === undefined ? 0 : timers.now()
    const one: Unreported = { effect, startedAt, pid: undefined, callOffGrace: () => undefined }
    unreported.set(effect.effect, one)
    one.callOffGrace = timers.after(effect.deadlineMs + REPORT_GRACE_MS, () => {
      if (!unreported.delete(effect.effect)) return
      complainAbout(effect, `did not report within ${REPORT_GRACE_MS} ms of the deadline of`)
      putOverdue(effect, TIMED_OUT, one.pid)
    })
    const started = (pid: unknown): void => {
      if (typeof pid === 'number') one.pid = pid
    }
    try {
      Promise.resolve(port.run(effect, started)).then(
        (report) => reported(one, report),
        (error: unknown) => failed(one, error),
      )
    } catch (error) {
      failed(one, error)
    }
  }

  const wait = (effect: Wait): void => {
    const of = effect.mountpoint ?? OF_THE_HOST
    // The one before it is replaced: its end would change nothing, so it is not even reported.
    delays.get(of)?.callOff()
    const elapsed = (): void => {
      delays.delete(of)
      const { effect: id, mountpoint } = effect
      put({ _tag: 'Outcome', at: timers.now(), effect: id, mountpoint, found: { _tag: 'Elapsed' } })
    }
    delays.set(of, { why: effect.why, callOff: timers.after(effect.delayMs, elapsed) })
  }

  return {
    start: (effect) => {
      observer?.onEffectStarted?.(effect)
      if (effect._tag === 'Wait') wait(effect)
      else run(effect)
    },
    unreported: () => unreported.size,
    running: () => [
      ...[...unreported.values()].map(({ effect, pid }): Running => ({ effect, overdue: false, pid })),
      ...overdue.values(),
    ],
    isSettling: () => [...delays.values()].some(({ why }) => why === 'settle'),
    callOffDelays: () => {
      for (const { callOff } of delays.values()) callOff()
      delays.clear()
    },
  }
}
