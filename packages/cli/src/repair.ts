// The manager of `reconcile --apply`: it lives as long as the repairs take, has the locks, comes up, repairs by looking first, and
// compares again. It stops as a run does: the first signal lets what is under way end, the second waits for nothing.

import type { Configuration } from '@mountkeeper/codec'
import type { Difference, Host, Request } from '@mountkeeper/core'
import type { FileJournal } from '@mountkeeper/journal'
import type { LeftBehind, Lock, MountManager, Timers } from '@mountkeeper/runtime'
import { createMountManager } from '@mountkeeper/runtime'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure, Machine, Stopping } from 'mountkeeper/parts'
import { JOURNAL_PATIENCE, answerWords, guarded, patiently, stopFailure } from 'mountkeeper/parts'

/** How often it is asked whether the repairs have ended, ms. */
const LOOK_EVERY_MS = 50

/** What a repair is made with. */
export interface Repairing {
  readonly configuration: Configuration
  readonly machine: Machine
  readonly stopping: Stopping
  /** Called with what is worth reporting meanwhile. */
  readonly notice: (sentence: string) => void
}

/** The differences that were found first, and those that are left. */
export interface Repaired {
  readonly before: readonly Difference[]
  readonly after: readonly Difference[]
}

/** Why there is no such pair, and which commands still run. */
export interface Unrepaired {
  readonly failure: Failure
  readonly running: readonly LeftBehind[]
}

const unrepaired = (failure: Failure, running: readonly LeftBehind[] = []): E.Either<Unrepaired, never> =>
  E.left({ failure, running })

/** Why a repair that was stopped ends. */
const stopped = ({ reason }: Stopping, when: string): Failure => {
  const why = reason()
  return why?._tag === 'Failed' ? why.failure : stopFailure(`stopped by ${why?.name ?? 'a signal'} ${when}`)
}

const BEFORE = 'before the host was up; nothing was changed'
const MEANWHILE = 'before the repairs had ended; run reconcile --apply again for the rest'

const isAtWork = (host: Host): boolean =>
  [...host.mountpoints.values()].some(({ record }) => record.work !== undefined || record.inFlight !== undefined)

/** Resolves when nothing is under way, when a stop is asked for, or when no caller would wait any longer. */
const settled = async (host: Host, timers: Timers, limitMs: number, stop: AbortSignal): Promise<void> => {
  for (const end = timers.now() + limitMs; isAtWork(host) && timers.now() < end && !stop.aborted;) {
    await new Promise<void>((next) => void timers.after(LOOK_EVERY_MS, next))
  }
}

type Told = E.Either<Failure, readonly Difference[]>

/** Asks, and takes the differences out of the answer. */
const ask = async ({ submit }: MountManager, request: Request): Promise<Told> => {
  const answer = await submit(request)
  if (!answer.ok) return E.left(stopFailure(`cannot compare the host: ${answerWords(answer).text}`))
  const { result } = answer
  if (result._tag === 'Up') return E.right(result.drift)
  return E.right(result._tag === 'Reconciled' ? result.differences : [])
}

const repairWith = async (
  manager: MountManager,
  { configuration, machine, stopping }: Repairing,
): Promise<E.Either<Failure, Repaired>> => {
  const before = await ask(manager, { op: 'host-up' })
  if (E.isLeft(before)) return before
  const asked = await ask(manager, { op: 'reconcile', apply: true })
  if (E.isLeft(asked)) return asked
  await settled(manager.state, machine.timers, configuration.settings.deadlinesMs.request, stopping.drain)
  const after = await ask(manager, { op: 'reconcile', apply: false })
  return E.isLeft(after) ? after : E.right({ before: before.right, after: after.right })
}

/** Stops a manager as it is asked to; the returned function ends that. */
const stopsWith = (manager: MountManager, { drain, hard }: Stopping): (() => void) => {
  const onDrain = (): void => void manager.stop()
  const onHard = (): void => void manager.stop({ hard: true })
  drain.addEventListener('abort', onDrain)
  hard.addEventListener('abort', onHard)
  if (drain.aborted) onDrain()
  if (hard.aborted) onHard()
  return () => {
    drain.removeEventListener('abort', onDrain)
    hard.removeEventListener('abort', onHard)
  }
}

const live = async (
  repairing: Repairing,
  journal: FileJournal,
  lock: Lock,
): Promise<E.Either<Unrepaired, Repaired>> => {
  const { configuration, machine, stopping } = repairing
  const making = createMountManager({
    settings: configuration.settings,
    host: machine.host,
    ...(machine.inventory === undefined ? {} : { inventory: machine.inventory }),
    journal: guarded(journal, lock),
    timers: machine.timers,
  })()
  const made = await patiently(making, stopping, { hardMs: 0 })
  if (made._tag === 'GivenUp') return unrepaired(stopped(stopping, BEFORE))
  if (E.isLeft(made.value)) return unrepaired(stopFailure(made.value.left.why))
  const manager = made.value.right
  const deaf = stopsWith(manager, stopping)
  const repaired = await repairWith(manager, repairing)
  const wasStopped = stopping.drain.aborted
  const { ending, leftBehind } = await manager.stop()
  deaf()
  if (ending._tag === 'JournalFailed') return unrepaired(stopFailure(ending.why))
  if (!wasStopped) return E.isLeft(repaired) ? unrepaired(repaired.left) : repaired
  const running = leftBehind.filter((each) => each.running !== undefined)
  return unrepaired(stopped(stopping, MEANWHILE), running)
}

/** Repairs what can be repaired. */
export const repair = async (repairing: Repairing): Promise<E.Either<Unrepaired, Repaired>> => {
  const { configuration, machine, stopping, notice } = repairing
  const { settings, adapter } = configuration
  const state = adapter.stateDirectory === undefined ? [] : [adapter.stateDirectory]
  const acquiring = machine.locks.acquire([...settings.roots.map(({ path }) => path), ...state])()
  const acquired = await patiently(acquiring, stopping, { hardMs: 0 })
  if (acquired._tag === 'GivenUp') {
    void acquiring.then((late) => (E.isLeft(late) ? undefined : late.right.release()))
    return unrepaired(stopped(stopping, BEFORE))
  }
  const lock = acquired.value
  if (E.isLeft(lock)) return unrepaired(stopFailure(lock.left.why))
  void lock.right.lost.then(() =>
    stopping.stopHard({
      _tag: 'Failed',
      failure: stopFailure('the lock was lost, so another manager may act now; stopped immediately'),
    }),
  )
  const journal = machine.journal(notice)
  const release = machine.timers.hold?.()
  try {
    return await live(repairing, journal, lock.right)
  } finally {
    release?.()
    await patiently(journal.close(stopping.hard.aborted ? 'now' : 'drain'), stopping, JOURNAL_PATIENCE)
    await lock.right.release()
  }
}
