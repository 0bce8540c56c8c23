// A manager with all that it needs around it: its locks, its journal, a trace, a watch of the mount table. Made in this order and
// taken down in the reverse one, by the command and by the library alike. The host is down at first.

import { closeSync } from 'node:fs'
import type { Configuration } from '@mountkeeper/codec'
import type { Fact } from '@mountkeeper/core'
import type { FileJournal } from '@mountkeeper/journal'
import type { Defect, Journal, Lock, MountManager, Observer } from '@mountkeeper/runtime'
import { createMountManager } from '@mountkeeper/runtime'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure } from './failure.js'
import { stopFailure } from './failure.js'
import { guarded } from './guarded-journal.js'
import type { Machine } from './machine.js'
import { combineObservers } from './observers.js'
import { JOURNAL_PATIENCE, patiently } from './patience.js'
import type { Stopping } from './stopping.js'
import { createTraceFile } from './trace-file.js'

/** What a manager is put together from. */
export interface Composition {
  readonly configuration: Configuration
  readonly machine: Machine
  /** Stops the manager; is itself stopped by a lock that is lost, a journal or a trace that cannot be written. */
  readonly stopping: Stopping
  /** Called with each warning, one sentence. */
  readonly notice: (sentence: string) => void
  readonly observer?: Observer
  /** An open file, and its name in messages. */
  readonly trace?: { readonly fd: number; readonly path: string } | undefined
  readonly onDefect?: (defect: Defect) => void
}

/** A manager, and the end of all that is around it. */
export interface Composed {
  readonly manager: MountManager
  /** Ends what is around the manager, which has to be stopped before; the locks are free when this resolves. */
  readonly close: () => Promise<void>
}

/** Why a life ends that was stopped before there was a manager. */
export const stoppedEarly = ({ reason }: Stopping): Failure => {
  const why = reason()
  if (why?._tag === 'Failed') return why.failure
  return stopFailure(`stopped by ${why?.name ?? 'a signal'} before the host was up; nothing was changed`)
}

/** The same journal, and what was read from it: kept until it is asked for, once. */
const remembering = (journal: Journal): { readonly journal: Journal; readonly began: () => readonly Fact[] } => {
  let began: readonly Fact[] = []
  const read: Journal['read'] = async () => {
    const facts = await journal.read()
    if (facts._tag === 'Right') began = facts.right
    return facts
  }
  const take = (): readonly Fact[] => {
    const facts = began
    began = []
    return facts
  }
  return { journal: { read, append: journal.append }, began: take }
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

const composeLocked = async (
  composition: Composition,
  lock: Lock,
  kept: FileJournal,
): Promise<E.Either<Failure, Composed>> => {
  const { configuration, machine, stopping, observer, onDefect } = composition
  const failed = (failure: Failure): void => stopping.stop({ _tag: 'Failed', failure })
  const locked = guarded(kept, lock)
  // Only the first line of a trace needs what the journal said.
  const { journal, began } =
    composition.trace === undefined ? { journal: locked, began: () => [] } : remembering(locked)
  const trace = composition.trace && createTraceFile(composition.trace.fd, composition.trace.path, began, failed)
  const observers = [trace?.observer, observer].filter((each) => each !== undefined)
  const end = async (): Promise<void> => {
    trace?.close()
    await patiently(kept.close(stopping.hard.aborted ? 'now' : 'drain'), stopping, JOURNAL_PATIENCE)
    await lock.release()
  }
  const making = createMountManager({
    settings: configuration.settings,
    host: machine.host,
    ...(machine.inventory === undefined ? {} : { inventory: machine.inventory }),
    journal,
    timers: machine.timers,
    observer: combineObservers(observers),
    ...(onDefect === undefined ? {} : { onDefect }),
  })()
  const made = await patiently(making, stopping, { hardMs: 0 })
  if (made._tag === 'GivenUp' || E.isLeft(made.value)) {
    const failure = made._tag === 'GivenUp' ? stoppedEarly(stopping) : stopFailure(whyOf(made.value))
    await end()
    return E.left(failure)
  }
  const manager = made.value.right
  const deaf = stopsWith(manager, stopping)
  void manager.ended.then((ending) => {
    if (ending._tag === 'JournalFailed') failed(stopFailure(ending.why))
  })
  const watch = machine.watch?.(manager)
  const close = async (): Promise<void> => {
    watch?.close()
    deaf()
    await end()
  }
  return E.right({ manager, close })
}

const whyOf = (made: Awaited<ReturnType<ReturnType<typeof createMountManager>>>): string =>
  E.isLeft(made) ? ('field' in made.left ? `${made.left.field}: ${made.left.why}` : made.left.why) : ''

/** Takes the locks, opens the journal, reads it, and watches; or leaves nothing behind. */
export const compose = async (composition: Composition): Promise<E.Either<Failure, Composed>> => {
  const { configuration, machine, stopping, notice } = composition
  const { settings, adapter } = configuration
  /** A trace that does not begin stays as it is. */
  const notBegun = (failure: Failure): E.Either<Failure, never> => {
    if (composition.trace !== undefined) closeSync(composition.trace.fd)
    return E.left(failure)
  }
  const state = adapter.stateDirectory === undefined ? [] : [adapter.stateDirectory]
  const acquiring = machine.locks.acquire([...settings.roots.map(({ path }) => path), ...state])()
  const acquired = await patiently(acquiring, stopping, { hardMs: 0 })
  if (acquired._tag === 'GivenUp') {
    void acquiring.then((late) => (E.isLeft(late) ? undefined : late.right.release()))
    return notBegun(stoppedEarly(stopping))
  }
  if (E.isLeft(acquired.value)) return notBegun(stopFailure(acquired.value.left.why))
  const lock = acquired.value.right
  void lock.lost.then(() =>
    stopping.stopHard({
      _tag: 'Failed',
      failure: stopFailure('the lock was lost, so another manager may act now; stopped immediately'),
    }),
  )
  try {
    return await composeLocked(composition, lock, machine.journal(notice))
  } catch (error) {
    await lock.release()
    throw error
  }
}
