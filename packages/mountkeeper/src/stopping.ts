// How a run is made to stop. The first reason is the one that is reported; a second signal makes the stop a hard one.

import type { Failure } from './failure.js'

/** Why a run stops before its input does, or before its answers do. */
export type StopReason =
  { readonly _tag: 'Signal'; readonly name: string } | { readonly _tag: 'Failed'; readonly failure: Failure }

/** Something that can be stopped, and knows why. */
export interface Stopping {
  /** Aborted by the first stop. */
  readonly drain: AbortSignal
  /** Aborted when nothing is to be waited for. */
  readonly hard: AbortSignal
  /** Lets what is being served finish; a signal after it does not. */
  readonly stop: (reason: StopReason) => void
  /** Nothing more may be done, not even what was begun. */
  readonly stopHard: (reason: StopReason) => void
  readonly reason: () => StopReason | undefined
}

/** Nothing is stopped yet. */
export const createStopping = (): Stopping => {
  const drain = new AbortController()
  const hard = new AbortController()
  let first: StopReason | undefined
  const stop = (reason: StopReason): void => {
    const again = first !== undefined
    first ??= reason
    drain.abort()
    if (again && reason._tag === 'Signal') hard.abort()
  }
  return {
    drain: drain.signal,
    hard: hard.signal,
    stop,
    stopHard: (reason) => {
      stop(reason)
      hard.abort()
    },
    reason: () => first,
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Turns signals of this process into stops, until the returned function is called. A hang-up does nothing where it was ignored
 * when the process was started; Node has given it its default since, so that it takes a listener to ignore it.
 */
export const stopOnSignals = (stopping: Stopping, isHangUpIgnored: boolean): (() => void) => {
  const heard = (name: NodeJS.Signals): void => {
    if (name !== 'SIGHUP' || !isHangUpIgnored) stopping.stop({ _tag: 'Signal', name })
  }
  for (const name of SIGNALS) process.on(name, heard)
  return () => {
    for (const name of SIGNALS) process.off(name, heard)
  }
}
