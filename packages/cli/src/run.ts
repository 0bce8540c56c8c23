// `mountkeeper run`: from what was asked for to a session on this machine, or to one in a sandbox.

import type { Configuration } from '@mountkeeper/codec'
import * as E from 'fp-ts/lib/Either.js'
import type { RunArguments } from './arguments.js'
import {
  configurationOf,
  createStopping,
  needsRoot,
  notPrivileged,
  openTrace,
  stopOnSignals,
  thisMachine,
  usageFailure,
} from 'mountkeeper/parts'
import type { Failure, Machine } from 'mountkeeper/parts'
import type { ExitCode } from './exit.js'
import { ignoresHangUp } from './hang-up.js'
import { openRequests, outputKind, requestStream } from './requests.js'
import { runSession } from './session.js'
import type { Streams } from './streams.js'
import { fail } from './streams.js'

/** What makes no sense on a host that ends with the run. */
const contradiction = ({ sandbox, stateDirectory }: RunArguments): Failure | undefined => {
  if (sandbox) return usageFailure('--sandbox and --host simulator cannot be combined; use one of them')
  if (stateDirectory === undefined) return undefined
  return usageFailure(
    '--state-dir cannot be used with --host simulator, whose mounts end with the run; remove --state-dir',
  )
}

const machineOf = async ({ host }: RunArguments, configuration: Configuration): Promise<Machine> =>
  host === 'linux'
    ? thisMachine(configuration)
    : (await import('mountkeeper/simulated')).simulatedMachine(configuration)

/** Only the roots are to be locked where there is nothing that outlives the run. */
const withoutState = ({ adapter, ...rest }: Configuration): Configuration => {
  const { stateDirectory: _unused, ...others } = adapter
  return { ...rest, adapter: others }
}

const runHere = async (asked: RunArguments, streams: Streams): Promise<ExitCode> => {
  const configuration = await configurationOf(asked)
  if (E.isLeft(configuration)) return fail(streams, configuration.left)
  const isSimulated = asked.host === 'simulator'
  const unfit =
    needsRoot(configuration.right) ??
    (isSimulated ? undefined : await notPrivileged(configuration.right, 'try --sandbox'))
  if (unfit !== undefined) return fail(streams, unfit)
  const requests = openRequests(asked.file)
  if (E.isLeft(requests)) return fail(streams, requests.left)
  const trace = asked.trace === undefined ? E.right(undefined) : openTrace(asked.trace)
  if (E.isLeft(trace)) return fail(streams, trace.left)
  const stopping = createStopping()
  const deaf = stopOnSignals(stopping, ignoresHangUp(streams.environment))
  try {
    return await runSession({
      configuration: isSimulated ? withoutState(configuration.right) : configuration.right,
      machine: await machineOf(asked, configuration.right),
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
  const wrong = asked.host === 'simulator' ? contradiction(asked) : undefined
  if (wrong !== undefined) return fail(streams, wrong)
  if (!asked.sandbox) return runHere(asked, streams)
  const { runSandbox } = await import('./sandbox.js')
  return runSandbox(asked, streams)
}
