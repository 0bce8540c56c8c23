// A session of the command on a model host: lines in, lines out, and everything that can be seen from outside.

import { PassThrough, Readable, Writable } from 'node:stream'
import { defaultConfiguration, withFlags } from '@mountkeeper/codec'
import type { Configuration } from '@mountkeeper/codec'
import type { InventoryPort, Locks, Timers } from '@mountkeeper/runtime'
import { createSystemTimers } from '@mountkeeper/runtime'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { OutputKind } from '../src/arguments.js'
import type { ExitCode } from '../src/exit.js'
import type { Machine, Stopping } from 'mountkeeper/parts'
import { createStopping, forgetfulJournal } from 'mountkeeper/parts'
import { runSession } from '../src/session.js'
import type { Streams } from '../src/streams.js'
import type { ModelHost } from './model-host.js'
import { createModelHost } from './model-host.js'

export interface Sink extends Writable {
  readonly text: () => string
}

export const sink = (): Sink => {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk)
      done()
    },
  })
  return Object.assign(stream, { text: () => Buffer.concat(chunks).toString('utf8') })
}

export interface TestStreams extends Streams {
  readonly stdout: Sink
  readonly stderr: Sink
}

export const streamsWith = (environment: Streams['environment'] = {}, isTerminal = false): TestStreams => ({
  stdin: Readable.from([]),
  stdout: sink(),
  stderr: sink(),
  isTerminal,
  environment,
})

const free: Locks = {
  acquire: () => () => Promise.resolve(right({ release: () => Promise.resolve(), lost: new Promise(() => undefined) })),
}

export const taken: Locks = {
  acquire:
    ([directory = '']) =>
    () =>
      Promise.resolve(
        left({ _tag: 'NotLocked', directory, why: `${directory} belongs to another manager (pid 7): stop it` }),
      ),
}

export const configurationWith = (...allow: readonly string[]): Configuration => {
  const made = withFlags(defaultConfiguration, { roots: ['/srv/mounts'], allow })
  if (isLeft(made)) throw new Error('the flags of a test are wrong')
  return made.right
}

/** Real timers, but a wall clock that a transcript can be compared with. */
export const frozen = (): Timers => ({ ...createSystemTimers(), now: () => 1_000 })

export interface Drive {
  readonly host: ModelHost
  readonly streams: TestStreams
  readonly stopping: Stopping
  readonly send: (...lines: readonly (string | object)[]) => void
  readonly end: () => void
  readonly exit: Promise<ExitCode>
  /** What came out, each line as JSON. */
  readonly answers: () => readonly Record<string, unknown>[]
  /** Resolves when so many lines have come out. */
  readonly until: (lines: number) => Promise<void>
  /** Resolves when this text has come out. */
  readonly untilShown: (text: string) => Promise<void>
  /** Resolves when all that was sent, and its end, were read. */
  readonly isRead: Promise<unknown>
}

export interface DriveOptions {
  readonly host?: ModelHost
  readonly streams?: TestStreams
  readonly output?: OutputKind
  readonly concurrent?: boolean
  readonly isSandbox?: boolean
  readonly configuration?: Configuration
  readonly locks?: Locks
  readonly timers?: Timers
  readonly inventory?: InventoryPort
  readonly journal?: Machine['journal']
  readonly trace?: { readonly fd: number; readonly path: string }
}

const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1))

/** Begins a session. */
export const drive = (options: DriveOptions = {}): Drive => {
  const { host = createModelHost(), streams = streamsWith(), timers = createSystemTimers() } = options
  const input = new PassThrough()
  // And a turn later, when the reader has taken notice of the end.
  const isRead = new Promise((resolve) => input.once('end', () => setImmediate(resolve)))
  const stopping = createStopping()
  const exit = runSession({
    configuration: options.configuration ?? configurationWith(),
    machine: {
      host,
      locks: options.locks ?? free,
      timers,
      journal: options.journal ?? forgetfulJournal,
      inventory: options.inventory,
    },
    streams,
    input,
    output: options.output ?? 'json',
    concurrent: options.concurrent ?? false,
    trace: options.trace,
    isSandbox: options.isSandbox ?? false,
    stopping,
  })
  const lines = (): readonly string[] => streams.stdout.text().split('\n').slice(0, -1)
  return {
    host,
    streams,
    stopping,
    send: (...all) => {
      for (const line of all) input.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
    },
    end: () => {
      input.end()
    },
    exit,
    answers: () => lines().map((line) => JSON.parse(line) as Record<string, unknown>),
    until: async (count) => {
      // A test that waits without success is ended by its own limit.
      while (lines().length < count) await aMoment()
    },
    untilShown: async (text) => {
      while (!streams.stdout.text().includes(text)) await aMoment()
    },
    isRead,
  }
}

export const attach = (id: string, name = 'a', source = 'scratch'): object => ({
  op: 'attach',
  id,
  mountpoint: `/srv/mounts/${name}`,
  filesystem: { type: 'tmpfs', source, options: [] },
  volume: `vol-${id}`,
  consumer: `vm-${id}`,
})

export const detach = (id: string, of: string, name = 'a'): object => ({
  op: 'detach',
  id,
  mountpoint: `/srv/mounts/${name}`,
  volume: `vol-${of}`,
  consumer: `vm-${of}`,
})
