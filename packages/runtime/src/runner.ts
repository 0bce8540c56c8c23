// Starts effects and turns what becomes of them into inputs: exactly one outcome each, and exactly one `Ended` after one
// that passed its deadline. It never decides anything; what it learns goes to the inbox.

import type { Discover, Effect, EffectId, Input, MountpointEffect, Wait } from '@mountkeeper/core'
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
  readonly defect: (sentence: string, cause: unknown) => void
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

/** Without an end it would own its mountpoint for ever. */
const lacksEnd = (effect: MountpointEffect | Discover, { found, ended }: Report): boolean =>
  ended === undefined && found._tag === 'Unknown' && found.why === 'TimedOut' && effect._tag !== 'Discover'

const outcomeOf = (effect: MountpointEffect | Discover, report: Report, at: number): Input => {
  const { found, error, source } = report
  const mountpoint = mountpointOf(effect)
  if (error === undefined && source === undefined) {
    return { _tag: 'Outcome', at, effect: effect.effect, mountpoint, found }
  }
  return {
    _tag: 'Outcome',
    at,
    effect: effect.effect,
    mountpoint,
    found,
    ...(error === undefined ? {} : { error }),
    ...(source === undefined ? {} : { source }),
  }
}

interface Unreported {
  readonly effect: MountpointEffect | Discover
  /** The latest process that the port has named. */
  pid: number | undefined
}

/** Makes a runner around a host port. */
export const createRunner = ({ port, timers, observer, put, defect }: RunnerOptions): Runner => {
  const unreported = new Map<EffectId, Unreported>()
  const overdue = new Map<EffectId, Running>()
  const delays = new Map<string, { readonly why: Wait['why']; readonly callOff: () => void }>()

  const reported = (effect: MountpointEffect | Discover, report: Report, startedAt: number): void => {
    const at = timers.now()
    unreported.delete(effect.effect)
    try {
      observer?.onReport?.(effect, report, startedAt, at)
    } catch (error) {
      defect('an observer threw at a report', error)
      return
    }
    if (lacksEnd(effect, report)) {
      defect(sentenceAbout(effect, 'promised no end of the timed-out'), undefined)
      return
    }
    if (report.ended === undefined) {
      put(outcomeOf(effect, report, at))
      return
    }
    overdue.set(effect.effect, { effect, overdue: true, pid: report.error?.pid })
    put(outcomeOf(effect, report, at))
    report.ended.then(
      () => {
        overdue.delete(effect.effect)
        put({ _tag: 'Ended', at: timers.now(), effect: effect.effect, mountpoint: mountpointOf(effect) })
      },
      (error: unknown) => defect(sentenceAbout(effect, 'lost sight of the overdue'), error),
    )
  }

  const run = (effect: MountpointEffect | Discover): void => {
    const startedAt = observer?.onReport === undefined ? 0 : timers.now()
    const failed = (error: unknown): void => defect(sentenceAbout(effect, 'did not report but threw at'), error)
    const one: Unreported = { effect, pid: undefined }
    unreported.set(effect.effect, one)
    const started = (pid: number): void => {
      one.pid = pid
    }
    try {
      port.run(effect, started).then((report) => reported(effect, report, startedAt), failed)
    } catch (error) {
      failed(error)
    }
  }

  const wait = (effect: Wait): void => {
    const of = effect.mountpoint ?? OF_THE_HOST
    // The one before it is replaced: its end would change nothing, so it is not even told.
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
