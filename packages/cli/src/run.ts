// `mountkeeper run`: from what was asked for to a session on this machine, or to one in a sandbox.

import * as E from 'fp-ts/lib/Either.js'
import type { RunArguments } from './arguments.js'
import { configurationOf, needsRoot } from './configuration-file.js'
import type { ExitCode } from './exit.js'
import { notPrivileged, thisMachine } from './machine.js'
import { openRequests, outputKind, requestStream } from './requests.js'
import { runSession } from './session.js'
import { createStopping, stopOnSignals } from './stopping.js'
import type { Streams } from './streams.js'
import { fail } from './streams.js'
import { openTrace } from './trace-file.js'

const runHere = async (asked: RunArguments, streams: Streams): Promise<ExitCode> => {
  const configuration = await configurationOf(asked)
  if (E.isLeft(configuration)) return fail(streams, configuration.left)
  const unfit = needsRoot(configuration.right) ?? notPrivileged(configuration.right)
  if (unfit !== undefined) return fail(streams, unfit)
  const requests = openRequests(asked.file)
  if (E.isLeft(requests)) return fail(streams, requests.left)
  const trace = asked.trace === undefined ? E.right(undefined) : openTrace(asked.trace)
  if (E.isLeft(trace)) return fail(streams, trace.left)
  const stopping = createStopping()
  const deaf = stopOnSignals(stopping)
  try {
    return await runSession({
      configuration: configuration.right,
      machine: await thisMachine(configuration.right),
      streams,
      input: requestStream(requests.right, streams),
      output: outputKind(asked.output, streams),
      concurrent: asked.concurrent,
      trace: trace.right === undefined ? undefined : { fd: trace.right, path: asked.trace ?? '' },
      isSandbox: false,
      stopping,
    })
  } finally {
    deaf()
  }
}

/** Serves requests; gives the exit code. */
export const run = async (asked: RunArguments, streams: Streams): Promise<ExitCode> => {
  if (!asked.sandbox) return runHere(asked, streams)
  const { runSandbox } = await import('./sandbox.js')
  return runSandbox(asked, streams)
}
