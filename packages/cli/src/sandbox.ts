// `run --sandbox`, the outer side: opens what is named by paths, then starts this command again in a mount and pid namespace
// of its own and passes on signals and the exit code. When the namespace ends everything in it ends, mounts and daemons too.

import { spawn, spawnSync } from 'node:child_process'
import { readlinkSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import type { RunArguments } from './arguments.js'
import { configurationFailure, openConfiguration, openTrace, stopFailure, usageFailure } from 'mountkeeper/parts'
import type { Failure } from 'mountkeeper/parts'
import type { ExitCode } from './exit.js'
import { EXIT } from './exit.js'
import { ignoresHangUp } from './hang-up.js'
import { openRequests } from './requests.js'
import type { Handover } from './sandbox-place.js'
import { SANDBOX_TOP, SANDBOX_VARIABLE } from './sandbox-place.js'
import { runInside } from './sandbox-inside.js'
import type { Streams } from './streams.js'
import { fail } from './streams.js'

const OWN = ['--fork', '--pid', '--kill-child', '--propagation', 'private']
const PROC = '--mount-proc'

/** From the most rights to the fewest; a container whose /proc is covered in places refuses a fresh one. */
const WAYS: readonly (readonly string[])[] = [
  ...(process.getuid?.() === 0
    ? [
        ['-m', PROC, ...OWN],
        ['-m', ...OWN],
      ]
    : []),
  ['-Urm', PROC, ...OWN],
  ['-Urm', ...OWN],
]

/** Where namespaces hang, nothing can be tried, ms. */
const TRY_MS = 10_000

const MEND =
  'run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1; where AppArmor restricts them, kernel.apparmor_restrict_unprivileged_userns=0)'

const findWay = (): E.Either<Failure, readonly string[]> => {
  let said = ''
  for (const way of WAYS) {
    const { error, status, stderr } = spawnSync('unshare', [...way, 'true'], {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: TRY_MS,
    })
    if (error !== undefined && 'code' in error && error.code === 'ENOENT') {
      return E.left(stopFailure('unshare is not installed; install util-linux'))
    }
    if (status === 0) return E.right(way)
    said = stderr.trim().split('\n')[0] ?? said
  }
  return E.left(stopFailure(`cannot create namespaces (${said}); ${MEND}`))
}

const topMissing = (): Failure | undefined => {
  try {
    if (statSync(SANDBOX_TOP).isDirectory()) return undefined
  } catch {
    // Said below.
  }
  return stopFailure(
    `${SANDBOX_TOP} does not exist, and the sandbox mounts on it; create it as root: mkdir ${SANDBOX_TOP}`,
  )
}

const placesUnfit = ({ roots, stateDirectory }: RunArguments): Failure | undefined =>
  roots.length > 0 === (stateDirectory !== undefined)
    ? undefined
    : usageFailure(
        '--root and --state-dir must be given together in a sandbox, or neither; without them the sandbox creates both',
      )

interface Opened {
  readonly requests: number | undefined
  readonly configuration: number | undefined
  readonly trace: number | undefined
}

const open = async ({ file, config, trace }: RunArguments): Promise<E.Either<Failure, Opened>> => {
  const requests = openRequests(file)
  if (E.isLeft(requests)) return requests
  const configuration = config === undefined ? E.right(undefined) : await openConfiguration(config)
  if (E.isLeft(configuration)) return E.left(configurationFailure(config ?? '', configuration.left))
  const traced = trace === undefined ? E.right(undefined) : openTrace(trace)
  if (E.isLeft(traced)) return traced
  return E.right({ requests: requests.right, configuration: configuration.right, trace: traced.right })
}

/** Descriptors of the child, in order; the first three are its standard streams. */
const handOver = (opened: Opened): { readonly fds: readonly number[]; readonly handover: Handover } => {
  const fds: number[] = []
  const give = (fd: number | undefined): number | undefined => {
    if (fd === undefined) return undefined
    fds.push(fd)
    return FIRST_FREE + fds.length - 1
  }
  const numbers = {
    requests: give(opened.requests),
    configuration: give(opened.configuration),
    trace: give(opened.trace),
  }
  const handover = { outside: readlinkSync('/proc/self/ns/mnt'), control: CONTROL, ...numbers }
  return { fds, handover: JSON.parse(JSON.stringify(handover)) as Handover }
}

const CONTROL = 3
const FIRST_FREE = 4

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * The namespace's init is a shell: it waits for orphans, which would otherwise stay as zombies, and says how the command
 * ended. An interrupt from the terminal reaches it, too, and is not its business.
 */
const INIT = ['sh', '-c', 'trap : INT TERM HUP; "$@"; exit $?', 'mountkeeper-sandbox']

const codeOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + (signal === null ? 0 : constants.signals[signal])

const start = (
  way: readonly string[],
  opened: Opened,
  environment: Streams['environment'],
): Promise<number | Failure> => {
  const { fds, handover } = handOver(opened)
  const main = fileURLToPath(new URL('./main.js', import.meta.url))
  const command = [process.execPath, ...process.execArgv, main, ...process.argv.slice(2)]
  const child = spawn('unshare', [...way, ...INIT, ...command], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', ...fds],
    env: { ...environment, [SANDBOX_VARIABLE]: JSON.stringify(handover) },
  })
  const control = child.stdio[CONTROL]
  // A terminal signals the whole group, and a second signal is another wish than the first: only this side counts them.
  const isHangUpIgnored = ignoresHangUp(environment)
  const pass = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGHUP' && isHangUpIgnored) return
    if (control instanceof Writable) control.write(`${signal}\n`)
  }
  control?.on('error', () => undefined)
  for (const signal of SIGNALS) process.on(signal, pass)
  return new Promise((resolve) => {
    const end = (how: number | Failure): void => {
      for (const signal of SIGNALS) process.off(signal, pass)
      resolve(how)
    }
    child.on('error', ({ message }) => end(stopFailure(`the sandbox cannot be started: ${message}`)))
    child.on('exit', (code, signal) => end(codeOf(code, signal)))
  })
}

const runOutside = async (asked: RunArguments, streams: Streams): Promise<ExitCode> => {
  const unfit = placesUnfit(asked) ?? topMissing()
  if (unfit !== undefined) return fail(streams, unfit)
  const opened = await open(asked)
  if (E.isLeft(opened)) return fail(streams, opened.left)
  const way = findWay()
  if (E.isLeft(way)) return fail(streams, way.left)
  const end = await start(way.right, opened.right, streams.environment)
  if (typeof end !== 'number') return fail(streams, end)
  if (end <= EXIT.stopped) return end as ExitCode
  return fail(streams, stopFailure(`the sandbox ended with ${end}; its mounts are gone`))
}

/** Runs in a sandbox of its own; called again inside of it, it serves. */
export const runSandbox = (asked: RunArguments, streams: Streams): Promise<ExitCode> => {
  const handover = streams.environment[SANDBOX_VARIABLE]
  return handover === undefined ? runOutside(asked, streams) : runInside(asked, streams, handover)
}
