// The port through which all commands are run, and its first implementation: one process per command, by execa. A result is
// how the command ended, never what it did: that is seen by a look (L15). Nothing waits for a child that cannot be killed.

import type { Readable } from 'node:stream'
import type { Change } from '@mountkeeper/exec'
import type { Clock } from './clock.js'
import { resolvesWithin, systemClock } from './clock.js'
import { COMMAND_ENVIRONMENT } from './command-environment.js'
import { errnoOf } from './descriptor.js'
import { endAll } from './ending.js'
import type { Leader } from './processes.js'
import { allEnded, anyOutlives, leaderOf } from './processes.js'

/** A command, in parts, so that a runner may do several alike in one go: its vector is `[program, …options, '--', …operands]`. */
export interface Command {
  /** Looked up in a fixed PATH. */
  readonly program: string
  readonly options: readonly string[]
  /** What comes after `--`; where there is none, neither is there a `--`. */
  readonly operands: readonly string[]
  /** `privileged` is run with the configured prefix. */
  readonly rights: 'own' | 'privileged'
  readonly deadlineMs: number
  /** A descriptor for its standard input, still the caller's to close; `/dev/null` by default. */
  readonly stdin?: number
  /** Variables beside those of every command. */
  readonly environment?: Readonly<Record<string, string>>
  /** The option whose secret one of these two is. */
  readonly secretName?: string
  /** The directory that it is started in; `/` by default. */
  readonly cwd?: string
  /** What it changes, for a runner that carries out changes rather than commands; absent if it changes nothing. */
  readonly change?: Change
  /** It cannot hang and leaves nothing behind, so that it may share a process with others; it has the rights of this process. */
  readonly quick?: boolean
  /** A quick mount as a line of fstab(5), for a runner that does several by one command. */
  readonly line?: string | undefined
  /** Others may not be done by the same command: this one's words are wanted. */
  readonly alone?: boolean
  /** It runs programs that are not ours, which may leave processes behind in groups of their own: these are searched for. */
  readonly leavesHelpers?: boolean
}

/** What a command left running in its session when it exited. */
export interface Outlived {
  /** Resolves when nothing of it lives; it may never. */
  readonly over: Promise<void>
  /** Ends it: TERM, grace, KILL. Resolves like `over`. */
  readonly end: () => Promise<void>
}

interface Ending {
  /** With the prefix; this is what was run. */
  readonly vector: readonly string[]
  /** The beginning of what it wrote, at most `STDERR_MAX` bytes. */
  readonly stderr: string
  readonly durationMs: number
  /** How long it waited for its turn before it began, which is none of its deadline. */
  readonly waitedMs?: number
}

/** How a command ended. */
export type CommandEnd =
  | (Ending & {
      readonly _tag: 'Exited'
      readonly exitStatus: number
      readonly pid: number
      /** Present where something of its session lived then. */
      readonly outlived?: Outlived
      /**
       * One command has done this and others: whether this one was done is seen by a look alone, and the status says nothing of it.
       * `succeeded` where that command as a whole said so.
       */
      readonly shared?: 'succeeded' | 'unclear'
    })
  /** Another process killed it. All that it had started has ended, too. */
  | (Ending & { readonly _tag: 'Signalled'; readonly signal: string; readonly pid: number })
  /** `why` is an errno name (`ENOENT`: no such program), or a sentence. */
  | (Ending & { readonly _tag: 'NotStarted'; readonly why: string })
  /** It passed its deadline and is being killed. `ended` resolves when nothing of it lives; it may never. */
  | (Ending & { readonly _tag: 'TimedOut'; readonly pid: number; readonly ended: Promise<void> })

/** Runs commands. Never rejects; settles at the deadline at the latest, whatever the child does. */
export interface CommandRunner {
  /** `started` is called with the process, once there is one. */
  readonly run: (command: Command, started?: (pid: number) => void) => Promise<CommandEnd>
}

/** What is set for all commands of a runner. */
export interface RunnerOptions {
  /** Put before privileged commands, and before `kill` where it is needed to end them; such as `['sudo', '-n', '--']`. */
  readonly prefix?: readonly string[]
  /** Time between TERM and KILL, ms; 2,000 by default: a FUSE daemon that is killed while it connects leaves a dead mount. */
  readonly graceMs?: number
  /** What deadlines and graces are measured with; by default the machine's own. */
  readonly clock?: Clock
}

/** Bytes of stderr that are kept; more is read and dropped, so that no command blocks on a full pipe. */
export const STDERR_MAX = 65_536

/** A daemon that inherited stderr keeps it open; its command's result does not wait for it any longer than this. */
const STDERR_GRACE_MS = 250
/** Time between TERM and KILL where nothing else is said, ms. */
export const GRACE_MS = 2_000

/** The argument vector of a command. */
export const vectorOf = (command: Command, prefix: readonly string[]): readonly string[] => [
  ...(command.rights === 'privileged' ? prefix : []),
  command.program,
  ...command.options,
  ...(command.operands.length > 0 ? ['--', ...command.operands] : []),
]

/** Keeps the beginning of a stream and lets the rest go by. */
const collect = (stream: Readable): { readonly text: () => string; readonly over: Promise<void> } => {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    if (size < STDERR_MAX) chunks.push(chunk.subarray(0, STDERR_MAX - size))
    size += chunk.length
  })
  stream.on('error', () => undefined)
  const over = new Promise<void>((done) => stream.once('close', done))
  return { text: () => Buffer.concat(chunks).toString('utf8'), over }
}

/** A child as far as it is needed here. */
interface Child {
  readonly pid: number
  readonly leader: Leader
  readonly stderr: Readable
  readonly exit: Promise<{ readonly status: number | null; readonly signal: string | null }>
  /** It no longer keeps this process running. */
  readonly release: () => void
}

type Started = { readonly _tag: 'Child'; readonly child: Child } | { readonly _tag: 'Failed'; readonly why: string }

const start = async (
  vector: readonly string[],
  { cwd = '/', stdin, environment = {} }: Pick<Command, 'cwd' | 'stdin' | 'environment'>,
): Promise<Started> => {
  const [file, ...args] = vector
  if (file === undefined) return { _tag: 'Failed', why: 'an empty argument vector' }
  // execa throws for it; and what is cut at a NUL would be another argument.
  if (vector.some((argument) => argument.includes('\0'))) return { _tag: 'Failed', why: 'an argument contains NUL' }
  // Loading it costs 85 ms, which only those pay who run a command.
  const { execa } = await import('execa')
  const subprocess = execa(file, args, {
    reject: false,
    // Its own session and group: a signal from the terminal does not reach it, and ours reach all that it starts.
    detached: true,
    // A command outlives the manager rather than being killed half-way (L31).
    cleanup: false,
    extendEnv: false,
    env: { ...environment, ...COMMAND_ENVIRONMENT },
    cwd,
    // Its types name the first ten descriptors only.
    stdin: (stdin ?? 'ignore') as 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    buffer: false,
    encoding: 'buffer',
  })
  const { pid } = subprocess
  if (pid === undefined) {
    const { code, originalMessage } = await subprocess
    return { _tag: 'Failed', why: code ?? originalMessage ?? 'it could not be started' }
  }
  // It has not been waited for yet, so that the pid is its own.
  const leader = leaderOf(pid)
  const exit = new Promise<{ status: number | null; signal: string | null }>((done) => {
    subprocess.once('exit', (status, signal) => {
      done({ status, signal })
    })
  })
  // What execa thinks of the end, once the streams are closed, is of no interest.
  subprocess.catch(() => undefined)
  const { stderr } = subprocess
  const release = (): void => {
    subprocess.unref()
    if ('unref' in stderr && typeof stderr.unref === 'function') (stderr.unref as () => void)()
  }
  return { _tag: 'Child', child: { pid, leader, stderr, exit, release } }
}

interface Followed {
  readonly vector: readonly string[]
  readonly child: Child
  readonly since: number
  readonly deadlineMs: number
  readonly leavesHelpers: boolean
  readonly clock: Clock
  readonly kill: () => Promise<void>
}

const follow = ({ vector, child, since, deadlineMs, leavesHelpers, clock, kill }: Followed): Promise<CommandEnd> => {
  const stderr = collect(child.stderr)
  const { pid, leader } = child
  const ending = (): Ending => ({ vector, stderr: stderr.text(), durationMs: clock.now() - since })
  const outlived = (): { readonly outlived?: Outlived } =>
    anyOutlives(leader, leavesHelpers) ? { outlived: { over: allEnded(leader), end: kill } } : {}
  return new Promise((settle) => {
    let status: number | null = null
    let isFinished = false
    const finish = (signal: string | null): void => {
      if (isFinished) return
      isFinished = true
      cancel()
      // A daemon may hold the other end for as long as it lives; it is read and dropped, for a closed one would kill it.
      child.release()
      if (status !== null) settle({ _tag: 'Exited', ...ending(), exitStatus: status, pid, ...outlived() })
      else settle({ _tag: 'Signalled', ...ending(), signal: signal ?? 'unknown', pid })
    }
    const cancel = clock.after(deadlineMs, () => {
      if (status !== null) {
        finish(null)
        return
      }
      isFinished = true
      settle({ _tag: 'TimedOut', ...ending(), pid, ended: kill() })
      child.release()
    })
    void child.exit.then(async (exit) => {
      status = exit.status
      // Killed from outside it may have left a helper behind, which goes on: the command has not ended before that has.
      if (status === null) await allEnded(leader)
      else await resolvesWithin(clock, stderr.over, STDERR_GRACE_MS)
      finish(exit.signal)
    })
  })
}

/** A runner that starts one process per command. */
export const execaRunner = (options: RunnerOptions = {}): CommandRunner => {
  const { prefix = [], graceMs = GRACE_MS, clock = systemClock } = options
  const run: CommandRunner['run'] = async (command, told) => {
    const vector = vectorOf(command, prefix)
    const since = clock.now()
    const notStarted = (why: string): CommandEnd => ({
      _tag: 'NotStarted',
      vector,
      stderr: '',
      durationMs: clock.now() - since,
      why,
    })
    try {
      const started = await start(vector, command)
      if (started._tag === 'Failed') return notStarted(started.why)
      const { child } = started
      told?.(child.pid)
      return await follow({
        vector,
        child,
        since,
        deadlineMs: command.deadlineMs,
        leavesHelpers: command.leavesHelpers === true,
        clock,
        kill: () => endAll({ prefix, graceMs, clock }, child.leader, child.exit),
      })
    } catch (error) {
      return notStarted(errnoOf(error))
    }
  }
  return { run }
}
