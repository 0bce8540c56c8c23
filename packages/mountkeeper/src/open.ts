// A keeper in this process, in one call: checks the configuration, takes the locks, opens the journal, brings the host up, watches
// the mount table. What takes the manager down (a lost lock, a journal that fails, a defect) closes all of it.

import type { Difference, Up, Warning } from '@mountkeeper/core'
import type { Ending, LeftBehind, MountManager, Observer } from '@mountkeeper/runtime'
import * as E from 'fp-ts/lib/Either.js'
import { refusalWords } from './answer-words.js'
import type { Configured } from './checked.js'
import { checkedOptions } from './checked.js'
import type { Composed } from './composition.js'
import { compose } from './composition.js'
import { MountkeeperError } from './error.js'
import type { Failure } from './failure.js'
import { stopFailure } from './failure.js'
import type { Keeper } from './keeper.js'
import { createKeeper } from './keeper.js'
import { localBackend } from './local.js'
import type { Machine } from './machine.js'
import { notPrivileged, thisMachine } from './machine.js'
import { combineObservers } from './observers.js'
import type { Stopping } from './stopping.js'
import { createStopping } from './stopping.js'
import { openTrace } from './trace-file.js'
import { counted } from './words.js'

/** What a keeper says that is no answer. */
export interface Notice {
  /** `error`: something is refused or has ended because of it. */
  readonly level: 'warning' | 'error'
  /** One sentence. */
  readonly text: string
}

/** How a keeper is opened. */
export interface OpenOptions extends Configured {
  /** Called with each warning and error that is no answer; by default a warning of the process (`process.emitWarning`). */
  readonly log?: (notice: Notice) => void
  /** Sees every decision, start, report and answer. */
  readonly observer?: Observer
  /**
   * A file that gets one line for each input and what was decided, for `mountkeeper replay` and `mountkeeper trace view`; it has to
   * belong to this user.
   *
   * @default none
   * @example '/var/log/mountkeeper.trace'
   */
  readonly trace?: string
  /** Gives up opening. */
  readonly signal?: AbortSignal
}

/** What came of a keeper, when it has ended. */
export interface Ended {
  readonly ending: Ending
  /** What was left as it is: mountpoints with their holders, effects that still run. */
  readonly leftBehind: readonly LeftBehind[]
  /** Why it ended without having been closed; absent where it was. */
  readonly why?: string
}

/** How a keeper is closed. */
export interface CloseOptions {
  /**
   * Refuse all unanswered at once and wait for nothing. By default what is being served is awaited.
   *
   * @default false
   */
  readonly hard?: boolean
}

/** A keeper whose manager is in this process. */
export interface OpenKeeper extends Keeper {
  /** What was found when the host came up. */
  readonly up: Up
  /** Hears of mountpoints that are lost, remounted, vacant, uncertain; the returned function ends that. */
  readonly events: MountManager['events']
  /** Ends the keeper and frees its locks; every mount stays. May be called again, with `hard` to wait no longer. */
  readonly close: (options?: CloseOptions) => Promise<void>
  /** Resolves when the keeper has ended, by `close` or otherwise, and its locks are free. */
  readonly ended: Promise<Ended>
  /** The manager behind it, for drivers that need more. */
  readonly manager: MountManager
}

/** As long as a timer can be, ms. */
const AWAKE_MS = 2 ** 31 - 1

/** Keeps the process alive while something is awaited: a lock or a look may be all that runs, and neither does. */
const awake = async <T>(work: () => Promise<T>): Promise<T> => {
  const timer = setInterval(() => undefined, AWAKE_MS)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

const warnProcess = ({ text }: Notice): void => process.emitWarning(text, { type: 'MountkeeperWarning' })

const notOpened = ({ by, text }: Failure, cause?: unknown): MountkeeperError =>
  new MountkeeperError({ _tag: 'NotOpened', why: text, by }, { subject: 'open', cause })

/** Says what takes the host down without a request for it, and what brings it up again. */
const saysOfInventory = (log: (notice: Notice) => void): Observer => {
  let isLost = false
  return {
    onInventory: (news) => {
      if (news._tag === 'Lost')
        log({ level: 'error', text: `the inventory is unavailable, so the host is down until it is back: ${news.why}` })
      if (news._tag === 'Back' && isLost) log({ level: 'warning', text: 'the inventory is back' })
      if (news._tag !== 'Changed') isLost = news._tag === 'Lost'
    },
  }
}

const whyOf = ({ reason }: Stopping): string | undefined => {
  const why = reason()
  return why?._tag === 'Failed' ? why.failure.text : undefined
}

const lastly = async (composed: Composed, stopping: Stopping): Promise<Ended> => {
  const report = await composed.manager.stop()
  await composed.close()
  const why = whyOf(stopping)
  return { ...report, ...(why === undefined ? {} : { why }) }
}

const keeperOf = (composed: Composed, stopping: Stopping, up: Up, log: (notice: Notice) => void): OpenKeeper => {
  const { manager } = composed
  const ended = manager.ended.then(() => awake(() => lastly(composed, stopping)))
  void ended.then(({ why }) => {
    if (why !== undefined) log({ level: 'error', text: `the keeper has ended: ${why}` })
  })
  const close = async ({ hard = false }: CloseOptions = {}): Promise<void> => {
    void manager.stop({ hard })
    await awake(() => ended)
  }
  const keeper = createKeeper(localBackend(manager, close))
  return { ...keeper, up, close, ended, events: manager.events, manager }
}

const reasonOf = (refused: { readonly _tag: string }): string =>
  'reason' in refused ? String(refused.reason) : refusalWords(refused as Parameters<typeof refusalWords>[0]).text

/** Opens a keeper on a machine that is given, of a configuration that was checked. */
export const openOn = async (
  machine: Machine,
  configuration: Parameters<typeof compose>[0]['configuration'],
  { log = warnProcess, observer, trace, signal }: Omit<OpenOptions, keyof Configured>,
): Promise<OpenKeeper> => {
  const stopping = createStopping()
  const giveUp = (): void => stopping.stopHard({ _tag: 'Failed', failure: stopFailure('it was given up') })
  if (signal?.aborted === true) throw notOpened(stopFailure('it was given up'), signal.reason)
  const file = trace === undefined ? undefined : openTrace(trace)
  if (file !== undefined && E.isLeft(file)) throw notOpened(file.left)
  signal?.addEventListener('abort', giveUp, { once: true })
  try {
    const composed = await compose({
      configuration,
      machine,
      stopping,
      trace: file && trace !== undefined ? { fd: file.right, path: trace } : undefined,
      notice: (text) => log({ level: 'warning', text }),
      observer: combineObservers([saysOfInventory(log), ...(observer === undefined ? [] : [observer])]),
      onDefect: ({ of, why }) => {
        if (of === 'manager') stopping.stopHard({ _tag: 'Failed', failure: stopFailure(`defect: ${why}`) })
        else log({ level: 'error', text: `defect: ${why}` })
      },
    })
    if (E.isLeft(composed)) throw notOpened(composed.left, signal?.reason)
    const up = await composed.right.manager.hostUp()()
    if (E.isRight(up)) {
      tellOf(up.right, log)
      return keeperOf(composed.right, stopping, up.right, log)
    }
    void composed.right.manager.stop({ hard: true })
    const { why } = await lastly(composed.right, stopping)
    throw notOpened(stopFailure(why ?? `the host did not come up: ${reasonOf(up.left)}`), signal?.reason)
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

const tellOf = (
  { warnings, drift }: { warnings: readonly Warning[]; drift: readonly Difference[] },
  log: (notice: Notice) => void,
): void => {
  for (const { text } of warnings) log({ level: 'warning', text })
  if (drift.length > 0)
    log({ level: 'warning', text: `${counted(drift.length, 'difference')} found at start; see up.drift of the keeper` })
}

/**
 * Opens a keeper on this machine. Nothing but the mounts below its roots is touched, and it is the only one that has them.
 *
 * @example
 * ```ts
 * await using keeper = await openMountkeeper({ root: '/srv/mounts', stateDirectory: '/var/lib/mountkeeper' })
 * ```
 * @throws MountkeeperError `NotOpened`: with the sentence that the command would print. Nothing is left behind.
 */
export const openMountkeeper = (options: OpenOptions): Promise<OpenKeeper> =>
  awake(async () => {
    const configuration = await checkedOptions(options)
    if (E.isLeft(configuration)) throw notOpened(configuration.left)
    const unfit = await notPrivileged(configuration.right)
    if (unfit !== undefined) throw notOpened(unfit)
    const { lookProcessProblem } = await import('@mountkeeper/linux')
    const missing = lookProcessProblem()
    if (missing !== undefined) throw notOpened(stopFailure(missing))
    return openOn(await thisMachine(configuration.right), configuration.right, options)
  })
