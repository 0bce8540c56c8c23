// The manager of `reconcile --apply`: it lives as long as the repairs take, has the locks, comes up, repairs by looking first, and
// compares again. It stops as a run does: the first signal lets what is under way end, the second waits for nothing.

import type { Configuration } from '@mountkeeper/codec'
import type { Difference, Request } from '@mountkeeper/core'
import type { LeftBehind, MountManager, Timers } from '@mountkeeper/runtime'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure, Machine, Stopping } from 'mountkeeper/parts'
import { answerWords, compose, stopFailure } from 'mountkeeper/parts'

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

/** Why a repair that was stopped meanwhile ends. */
const stopped = ({ reason }: Stopping): Failure => {
  const why = reason()
  return why?._tag === 'Failed' ? why.failure : stopFailure(`stopped by ${why?.name ?? 'a signal'} ${MEANWHILE}`)
}

const MEANWHILE = 'before the repairs had ended; run reconcile --apply again for the rest'

/** Resolves when nothing is under way, when a stop is asked for, or when no caller would wait any longer. */
const settled = async (manager: MountManager, timers: Timers, limitMs: number, stop: AbortSignal): Promise<void> => {
  for (const end = timers.now() + limitMs; manager.isAtWork() && timers.now() < end && !stop.aborted;) {
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
  await settled(manager, machine.timers, configuration.settings.deadlinesMs.request, stopping.drain)
  const after = await ask(manager, { op: 'reconcile', apply: false })
  return E.isLeft(after) ? after : E.right({ before: before.right, after: after.right })
}

const live = async (manager: MountManager, repairing: Repairing): Promise<E.Either<Unrepaired, Repaired>> => {
  const { stopping } = repairing
  const repaired = await repairWith(manager, repairing)
  const wasStopped = stopping.drain.aborted
  const { ending, leftBehind } = await manager.stop()
  if (ending._tag === 'JournalFailed') return unrepaired(stopFailure(ending.why))
  if (!wasStopped) return E.isLeft(repaired) ? unrepaired(repaired.left) : repaired
  const running = leftBehind.filter((each) => each.running !== undefined)
  return unrepaired(stopped(stopping), running)
}

/** Repairs what can be repaired. */
export const repair = async (repairing: Repairing): Promise<E.Either<Unrepaired, Repaired>> => {
  // What others do meanwhile is seen by the comparison that ends it.
  const { watch: _unused, ...machine } = repairing.machine
  const release = machine.timers.hold?.()
  try {
    const composed = await compose({ ...repairing, machine })
    if (E.isLeft(composed)) return unrepaired(composed.left)
    const { manager, close } = composed.right
    return await live(manager, repairing).finally(close)
  } finally {
    release?.()
  }
}
