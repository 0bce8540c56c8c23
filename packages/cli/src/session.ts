// One life of a manager as the command runs it: locks, host-up, requests, stop. Everything it acts on is given, so that
// tests run it on a model of a host.

import type { Configuration } from '@mountkeeper/codec'
import type { Defect, MountManager, Observer, StopReport } from '@mountkeeper/runtime'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { Failure, Machine, Stopping } from 'mountkeeper/parts'
import {
  combineObservers,
  compose,
  differenceWords,
  fileProblem,
  leftLines,
  patiently,
  stopFailure,
} from 'mountkeeper/parts'
import type { OutputKind } from './arguments.js'
import type { ExitCode } from './exit.js'
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

/** What a life came to; a failure where it did not begin. */
type Life =
  | { readonly _tag: 'Lived'; readonly tally: Tally; readonly report: StopReport; readonly isUp: boolean }
  | { readonly _tag: 'NotBegun'; readonly failure: Failure }

/** From a hard stop on, answers that are known are still written; what else is served is given up, ms. */
const SERVING_PATIENCE = { hardMs: 500 }

const live = async (session: Session, output: Output): Promise<Life> => {
  const { configuration, machine, streams, stopping, trace } = session
  const show = showOf(session, output)
  const composed = await compose({
    configuration,
    machine,
    stopping,
    trace,
    notice: (sentence) => complain(streams, `warning: ${sentence}`),
    observer: combineObservers([show.observer, tellsOfInventory(streams)]),
    onDefect: (defect) => {
      if (defect.of === 'manager') stopping.stopHard({ _tag: 'Failed', failure: defectFailure(defect) })
      else complain(streams, `defect: ${defect.why}; please report it with a --trace of this run`)
    },
  })
  if (isLeft(composed)) return { _tag: 'NotBegun', failure: composed.left }
  const { manager, close } = composed.right
  try {
    const notUp = await comeUp(manager, session)
    if (notUp !== undefined) stopping.stop({ _tag: 'Failed', failure: notUp })
    const serving = notUp === undefined ? serveAll(session, manager, show, output) : Promise.resolve(NOTHING)
    const served = await patiently(serving, stopping, SERVING_PATIENCE)
    const tally = served._tag === 'Done' ? served.value : NOTHING
    const report = await manager.stop()
    if (notUp === undefined) show.close(tally, report)
    return { _tag: 'Lived', tally, report, isUp: notUp === undefined }
  } finally {
    await close()
  }
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
  const { streams, stopping } = session
  const output = createOutput(streams.stdout)
  void output.closed.then((errno) =>
    stopping.stop({
      _tag: 'Failed',
      failure: stopFailure(`stdout ${errno === 'EPIPE' ? 'was closed' : `failed (${errno})`}; stopped`),
    }),
  )
  return conclude(session, output, await live(session, output))
}
