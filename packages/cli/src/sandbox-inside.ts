// `run --sandbox`, the inner side: makes /srv as the sandbox has it, then serves as any other run. It hears of signals only
// from the outer side, which counts them; when that side is gone, nothing is worth finishing.

import { accessSync, constants, mkdirSync, readlinkSync, writeFileSync } from 'node:fs'
import type { Configuration } from '@mountkeeper/codec'
import { withAllowed } from '@mountkeeper/codec'
import * as E from 'fp-ts/lib/Either.js'
import type { RunArguments } from './arguments.js'
import { configurationOf, createStopping, linesOf, stopFailure, thisMachine } from 'mountkeeper/parts'
import type { Failure, Stopping } from 'mountkeeper/parts'
import type { ExitCode } from './exit.js'
import { outputKind, requestStream, streamOf } from './requests.js'
import type { Handover } from './sandbox-place.js'
import {
  SANDBOX_EXAMPLE,
  SANDBOX_ROOT,
  SANDBOX_SOURCE,
  SANDBOX_STATE,
  SANDBOX_TOP,
  SANDBOX_VARIABLE,
} from './sandbox-place.js'
import { runSession } from './session.js'
import type { Streams } from './streams.js'
import { fail } from './streams.js'

const PRIVATE = 0o700
const MOUNT_MS = 10_000

/** Where commands are looked up; the runner's own PATH. */
const DIRECTORIES = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

const mayRun = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const isInstalled = (program: string): boolean => DIRECTORIES.some((directory) => mayRun(`${directory}/${program}`))

/** The outer side says each signal on a line of its own. */
const hearControl = async (fd: number, stopping: Stopping): Promise<void> => {
  try {
    for await (const line of linesOf(streamOf(fd), 64)) {
      if (line._tag === 'Text') stopping.stop({ _tag: 'Signal', name: line.text })
    }
  } catch {
    // As its end.
  }
  stopping.stopHard({ _tag: 'Failed', failure: stopFailure('the process that started the sandbox has ended') })
}

/** The tmpfs is mounted by the adapter's own runner: all that it loads is then loaded while /srv is still the host's. */
const makePlaces = async (): Promise<Failure | undefined> => {
  const { execaRunner } = await import('@mountkeeper/linux')
  const end = await execaRunner().run({
    program: 'mount',
    options: ['-t', 'tmpfs', '-o', 'mode=0755,nosuid,nodev'],
    operands: ['mountkeeper-sandbox', SANDBOX_TOP],
    rights: 'own',
    deadlineMs: MOUNT_MS,
  })
  if (end._tag !== 'Exited' || end.exitStatus !== 0) {
    return stopFailure(
      `the sandbox cannot mount over ${SANDBOX_TOP} (${end.stderr.trim().split('\n')[0] ?? end._tag}); run as root`,
    )
  }
  for (const path of [SANDBOX_ROOT, SANDBOX_STATE, SANDBOX_SOURCE, SANDBOX_EXAMPLE]) mkdirSync(path, { mode: PRIVATE })
  writeFileSync(`${SANDBOX_EXAMPLE}/hello.txt`, 'A file of the sandbox: a bind mount of this directory shows it.\n')
  return undefined
}

const allowed = (configuration: Configuration): Configuration => {
  const pattern = `${SANDBOX_SOURCE}/`
  const bind = withAllowed(configuration.settings.types, { type: 'bind', pattern })
  const types = isInstalled('bindfs') ? withAllowed(bind, { type: 'fuse.bindfs', pattern }) : bind
  return {
    settings: { ...configuration.settings, types },
    // Inside, this is root; and no domain of the host has its disks here, whatever their paths are.
    adapter: { ...configuration.adapter, prefix: [], exec: [], inventory: null },
  }
}

const serveInside = async (asked: RunArguments, streams: Streams, handover: Handover): Promise<ExitCode> => {
  const stopping = createStopping()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  void hearControl(handover.control, stopping)
  const places = asked.roots.length > 0 ? asked : { ...asked, roots: [SANDBOX_ROOT], stateDirectory: SANDBOX_STATE }
  const opened = handover.configuration === undefined ? undefined : `/proc/self/fd/${handover.configuration}`
  const configuration = await configurationOf(places, opened)
  if (E.isLeft(configuration)) return fail(streams, configuration.left)
  const inside = allowed(configuration.right)
  const { control, requests, trace } = handover
  const machine = await thisMachine(
    inside,
    [control, requests, trace].filter((fd) => fd !== undefined),
  )
  const unfit = await makePlaces()
  if (unfit !== undefined) return fail(streams, unfit)
  return runSession({
    configuration: inside,
    machine,
    streams,
    input: requestStream(handover.requests, streams),
    output: outputKind(asked.output, streams),
    concurrent: asked.concurrent,
    trace: handover.trace === undefined ? undefined : { fd: handover.trace, path: asked.trace ?? '' },
    isSandbox: true,
    stopping,
  })
}

/** Serves inside of a sandbox that the outer side has made. */
export const runInside = async (asked: RunArguments, streams: Streams, text: string): Promise<ExitCode> => {
  // Commands that are started from here are in no sandbox of their own making.
  Reflect.deleteProperty(process.env, SANDBOX_VARIABLE)
  const handover = JSON.parse(text) as Handover
  if (readlinkSync('/proc/self/ns/mnt') === handover.outside) {
    return fail(streams, stopFailure(`${SANDBOX_VARIABLE} is set, but this is not a sandbox; unset it`))
  }
  return serveInside(asked, streams, handover)
}
