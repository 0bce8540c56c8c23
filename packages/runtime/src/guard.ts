// Functions of an embedder, called so that what they do wrong ends nothing: an error is reported, and who goes on making errors
// is no longer called. A promise that is rejected later counts like a throw.

import type { Observer } from './observer.js'
import type { Timers } from './ports.js'
import { createSystemTimers } from './timers.js'

/** Who broke a promise. Only a defect of the `manager` itself ends it. */
export type DefectOf = 'manager' | 'effect' | 'observer' | 'listener' | 'inventory' | 'timers'

/** Hears who broke which promise. */
export type Complain = (of: Exclude<DefectOf, 'manager'>, why: string, cause: unknown) => void

/** Errors after which an observer or a listener is no longer called. */
export const ERRORS_MAX = 3

/** What an error says; whatever was thrown, this does not throw. */
export const errorWords = (error: unknown): string => {
  try {
    return error instanceof Error ? error.message : String(error)
  } catch {
    return 'a value that cannot be shown'
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

/** Calls one embedder's functions until there were too many errors. */
const createGuard = (of: 'observer' | 'listener', who: string, complain: Complain, over: () => void) => {
  let errors = 0
  const failed = (error: unknown): void => {
    errors += 1
    if (errors > ERRORS_MAX) return
    const last = errors === ERRORS_MAX ? `; it has thrown ${ERRORS_MAX} times and is no longer called` : ''
    if (errors === ERRORS_MAX) over()
    complain(of, `${who} threw: ${errorWords(error)}${last}`, error)
  }
  return (call: () => unknown): void => {
    if (errors >= ERRORS_MAX) return
    try {
      const result = call()
      if (isThenable(result)) void Promise.resolve(result).then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }
}

const HOOKS: readonly (keyof Observer)[] = [
  'onBegin',
  'onDecision',
  'onEffectStarted',
  'onReport',
  'onAnswer',
  'onInventory',
]

type Hook = (...all: unknown[]) => unknown

/** An observer whose errors have no effect; hooks that are absent stay absent. */
export const guardedObserver = (observer: Observer | undefined, complain: Complain): Observer | undefined => {
  if (observer === undefined) return undefined
  const guard = createGuard('observer', 'an observer', complain, () => undefined)
  const guarded: Partial<Record<keyof Observer, Hook>> = {}
  for (const name of HOOKS) {
    guard(() => {
      const hook = observer[name] as Hook | undefined
      if (typeof hook !== 'function') return
      guarded[name] = (...all) => guard(() => hook.apply(observer, all))
    })
  }
  // Each hook passes on exactly what it is given.
  return guarded
}

/** A listener whose errors have no effect; `over` is called when it is no longer called. */
export const guardedListener = <Event>(
  listener: (event: Event) => void,
  complain: Complain,
  over: () => void,
): ((event: Event) => void) => {
  const guard = createGuard('listener', 'a listener', complain, over)
  return (event) => guard(() => listener(event))
}

/** Timers that go on where those of an embedder fail. */
export const soundTimers = (timers: Timers, complain: Complain): Timers => {
  const own = createSystemTimers()
  const broken = (what: string, cause: unknown): void => complain('timers', `the timers ${what}`, cause)
  const { hold } = timers
  return {
    now: () => {
      try {
        const now = timers.now()
        if (Number.isFinite(now)) return now
        broken(`give the time ${errorWords(now)}, which is not a time`, undefined)
      } catch (error) {
        broken(`do not give the time: ${errorWords(error)}`, error)
      }
      return own.now()
    },
    after: (delayMs, call) => {
      try {
        return timers.after(delayMs, call)
      } catch (error) {
        broken(`did not accept a delay: ${errorWords(error)}`, error)
        return own.after(delayMs, call)
      }
    },
    ...(hold === undefined ? {} : { hold: () => hold() }),
  }
}
