// One life of a manager as the command runs it: locks, host-up, requests, stop. Everything it acts on is given, so that
// tests run it on a model of a host.

import type { Configuration } from '@mountkeeper/codec'
import type { Fact } from '@mountkeeper/core'
import type { FileJournal } from '@mountkeeper/journal'
import type { Defect, Journal, Lock, MountManager, Observer, StopReport } from '@mountkeeper/runtime'
import { createMountManager } from '@mountkeeper/runtime'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { OutputKind } from './arguments.js'
import type { Failure, Machine, Stopping } from 'mountkeeper/parts'
import type { ExitCode } from './exit.js'
import {
  JOURNAL_PATIENCE,
  createTraceFile,
  differenceWords,
  fileProblem,
  guarded,
  leftLines,
  patiently,
  stopFailure,
} from 'mountkeeper/parts'
import { EXIT } from './exit.js'
import type { Output } from './output.js'
import { createOutput } from './output.js'
import type { Tally } from './serve.js'
import { serve } from './serve.js'
import type { Show } from './show.js'
import { isWorthTelling, showOf } from './show.js'
import type { Streams } from './streams.js'
import { complain, fail } from './streams.js'

/** What a session is run with. */
export interface Session {
  readonly configuration: Configuration
  readonly machine: Machine
  readonly streams: Streams
  readonly input: AsyncIterable<Uint8Array>
  readonly output: OutputKind
  readonly concurrent: boolean
  /** An open file, and what it is called. */
  readonly trace: { readonly fd: number; readonly path: string } | undefined
  readonly isSandbox: boolean
  readonly stopping: Stopping
}

/** More lines of drift than this are only counted. */
const DRIFT_SHOWN_MAX = 20

const both = (first: Observer, second: Observer): Observer => ({
  onBegin: (host) => {
    first.onBegin?.(host)
    second.onBegin?.(host)
  },
  onDecision: (input, decision) => {
    first.onDecision?.(input, decision)
    second.onDecision?.(input, decision)
  },
  onReport: (...all) => {
    first.onReport?.(...all)
    second.onReport?.(...all)
  },
  onAnswer: (answer) => {
    first.onAnswer?.(answer)
    second.onAnswer?.(answer)
  },
  onInventory: (news) => {
    first.onInventory?.(news)
    second.onInventory?.(news)
  },
})

/** Says what takes the host down without a request for it, and what brings it up again. */
const tellsOfInventory = (streams: Streams): Observer => {
  let isLost = false
  return {
    onInventory: (news) => {
      if (news._tag === 'Lost')
        complain(streams, `the inventory is unavailable, so the host is down until it is back: ${news.why}`)
      if (news._tag === 'Back' && isLost) complain(streams, 'the inventory is back')
      if (news._tag !== 'Changed') isLost = news._tag === 'Lost'
    },
  }
}

const defectFailure = ({ why }: Defect): Failure =>
  stopFailure(`defect: ${why}; mounts stay in place; please report it with a --trace of this run`)

const comeUp = async (manager: MountManager, session: Session): Promise<Failure | undefined> => {
  const up = await manager.hostUp()()
  if (isLeft(up)) {
    const { left } = up
    // Whatever ended the manager is the better reason.
    if (left._tag === 'Stopped') await manager.ended
    if (session.stopping.reason() !== undefined) return undefined
    return stopFailure(
      left._tag === 'DiscoveryFailed'
        ? `the host could not come up: ${left.reason}`
        : `the host could not come up: ${left._tag}`,
    )
  }
  const { drift, warnings } = up.right
  if (session.output === 'transcript') return undefined
  for (const { text } of warnings.filter((each) => isWorthTelling(each, session.isSandbox))) {
    complain(session.streams, `warning: ${text}`)
  }
  for (const each of drift.slice(0, DRIFT_SHOWN_MAX)) complain(session.streams, differenceWords(each))
  if (drift.length > DRIFT_SHOWN_MAX) complain(session.streams, `${drift.length - DRIFT_SHOWN_MAX} more differences`)
  return undefined
}

const NOTHING: Tally = { requests: 0, refused: 0, complete: false }

const exitOf = (session: Session, tally: Tally, report: StopReport): ExitCode => {
  const reason = session.stopping.reason()
  const { streams } = session
  if (reason?._tag === 'Failed') return fail(streams, reason.failure)
  if (tally.broken !== undefined)
    return fail(streams, stopFailure(`the request stream ${fileProblem(tally.broken)}; stopped reading it`))
  if (report.ending._tag === 'StoppedHard')
    return fail(
      streams,
      stopFailure('stopped immediately; requests without an answer may or may not have taken effect'),
    )
  if (reason !== undefined && !tally.complete) {
    return fail(
      streams,
      stopFailure(`stopped by ${reason.name} before the end of the requests; run again with the remaining requests`),
    )
  }
  return tally.refused === 0 ? EXIT.ok : EXIT.refused
}

const serveAll = (session: Session, manager: MountManager, show: Show, output: Output): Promise<Tally> => {
  const { limits } = session.configuration.settings
  return serve({
    input: session.input,
    // More at once would only be refused `Overloaded`.
    together: session.concurrent ? Math.min(limits.waitingPerHost, limits.waitingPerMountpoint) : 1,
    submit: manager.submit,
    reporter: show.reporter(async ({ requests }) => {
      const planned = await manager.plan(requests)()
      // Codec has read the line, and accepts nothing that the manager refuses by its shape.
      if (isLeft(planned)) throw new Error(`a plan that was read is malformed: ${planned.left.field}`)
      return planned.right
    }),
    ready: output.ready,
    stop: session.stopping.drain,
  })
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

/** What a life came to; a failure where it did not begin. */
type Life =
  | { readonly _tag: 'Lived'; readonly tally: Tally; readonly report: StopReport; readonly isUp: boolean }
  | { readonly _tag: 'NotBegun'; readonly failure: Failure }

/** From a hard stop on, answers that are known are still written; what else is served is given up, ms. */
const SERVING_PATIENCE = { hardMs: 500 }

const live = async (session: Session, output: Output, kept: FileJournal, lock: Lock): Promise<Life> => {
  const { configuration, machine, streams, stopping } = session
  const failed = (failure: Failure): void => stopping.stop({ _tag: 'Failed', failure })
  const show = showOf(session, output)
  const locked = guarded(kept, lock)
  // Only the first line of a trace needs what the journal said.
  const { journal, began } = session.trace === undefined ? { journal: locked, began: () => [] } : remembering(locked)
  const trace = session.trace && createTraceFile(session.trace.fd, session.trace.path, began, failed)
  const making = createMountManager({
    settings: configuration.settings,
    host: machine.host,
    ...(machine.inventory === undefined ? {} : { inventory: machine.inventory }),
    journal,
    timers: machine.timers,
    observer: both(trace?.observer ?? {}, both(show.observer, tellsOfInventory(streams))),
    onDefect: (defect) => {
      if (defect.of === 'manager') stopping.stopHard({ _tag: 'Failed', failure: defectFailure(defect) })
      else complain(streams, `defect: ${defect.why}; please report it with a --trace of this run`)
    },
  })()
  const made = await patiently(making, stopping, { hardMs: 0 })
  if (made._tag === 'GivenUp') return { _tag: 'NotBegun', failure: stoppedEarly(stopping) }
  if (isLeft(made.value)) return { _tag: 'NotBegun', failure: stopFailure(made.value.left.why) }
  const manager = made.value.right
  const drain = (): void => void manager.stop()
  const hard = (): void => void manager.stop({ hard: true })
  stopping.drain.addEventListener('abort', drain)
  stopping.hard.addEventListener('abort', hard)
  if (stopping.drain.aborted) drain()
  if (stopping.hard.aborted) hard()
  void manager.ended.then((ending) => {
    if (ending._tag === 'JournalFailed') failed(stopFailure(ending.why))
  })

  const watch = machine.watch?.(manager)
  const notUp = await comeUp(manager, session)
  if (notUp !== undefined) failed(notUp)
  const serving = notUp === undefined ? serveAll(session, manager, show, output) : Promise.resolve(NOTHING)
  const served = await patiently(serving, stopping, SERVING_PATIENCE)
  const tally = served._tag === 'Done' ? served.value : NOTHING
  const report = await manager.stop()
  watch?.close()
  trace?.close()
  if (notUp === undefined) show.close(tally, report)
  return { _tag: 'Lived', tally, report, isUp: notUp === undefined }
}

/** Why a run ends that was stopped before there was a manager. */
const stoppedEarly = ({ reason }: Stopping): Failure => {
  const why = reason()
  if (why?._tag === 'Failed') return why.failure
  return stopFailure(`stopped by ${why?.name ?? 'a signal'} before the host was up; nothing was changed`)
}

/** How long a reader that stands still is waited for after a stop, ms. */
const READER_PATIENCE = { drainMs: 5_000, hardMs: 0 }

/** The end of it, when nothing is held any more: a reader that stands still keeps no other manager from starting. */
const conclude = async (session: Session, output: Output, life: Life): Promise<ExitCode> => {
  const { streams, stopping } = session
  if (life._tag === 'NotBegun') return fail(streams, life.failure)
  const { isUp, report, tally } = life
  if (!isUp) return exitOf(session, tally, report)
  const flushed = await patiently(output.flushed(), stopping, READER_PATIENCE)
  if (flushed._tag === 'GivenUp') streams.abandon?.()
  for (const text of leftLines(report.leftBehind, session.isSandbox)) complain(streams, text)
  const exit = exitOf(session, tally, report)
  if (flushed._tag === 'Done' || exit === EXIT.stopped) return exit
  return fail(
    streams,
    stopFailure('stopped while the reader of stdout was blocked; the last answers are lost: run mountkeeper status'),
  )
}

/** Runs a session to its end; gives the exit code. */
export const runSession = async (session: Session): Promise<ExitCode> => {
  const { configuration, machine, streams, stopping } = session
  const { settings, adapter } = configuration
  const roots = settings.roots.map(({ path }) => path)
  const state = adapter.stateDirectory === undefined ? [] : [adapter.stateDirectory]
  const acquiring = machine.locks.acquire([...roots, ...state])()
  const acquired = await patiently(acquiring, stopping, { hardMs: 0 })
  if (acquired._tag === 'GivenUp') {
    void acquiring.then((late) => (isLeft(late) ? undefined : late.right.release()))
    return fail(streams, stoppedEarly(stopping))
  }
  const lock = acquired.value
  if (isLeft(lock)) return fail(streams, stopFailure(lock.left.why))
  const output = createOutput(streams.stdout)
  void output.closed.then((errno) =>
    stopping.stop({
      _tag: 'Failed',
      failure: stopFailure(`stdout ${errno === 'EPIPE' ? 'was closed' : `failed (${errno})`}; stopped`),
    }),
  )
  void lock.right.lost.then(() =>
    stopping.stopHard({
      _tag: 'Failed',
      failure: stopFailure('the lock was lost, so another manager may act now; stopped immediately'),
    }),
  )
  const journal = machine.journal((sentence) => complain(streams, `warning: ${sentence}`))
  const living = async (): Promise<Life> => {
    try {
      return await live(session, output, journal, lock.right)
    } finally {
      await patiently(journal.close(stopping.hard.aborted ? 'now' : 'drain'), stopping, JOURNAL_PATIENCE)
      await lock.right.release()
    }
  }
  return conclude(session, output, await living())
}
