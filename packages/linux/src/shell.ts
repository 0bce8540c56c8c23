// One long-lived sh(1) that runs commands, one at a time, as they are written to its standard input. Invariant: it is never given a
// second line before the first has ended, so that after the end of this process, by whatever, at most the command in hand goes on; then
// the shell reads the end of its input and ends as well.

import { randomBytes } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { basename } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { SHELL_CAPABILITIES, keeping } from './capabilities.js'
import { COMMAND_ENVIRONMENT } from './command-environment.js'
import { STDERR_MAX } from './command-runner.js'
import { ownProcess } from './descriptor.js'
import type { Leader } from './processes.js'
import { allEnded, isStopped, leaderOf } from './processes.js'
import { SHELL_MARK } from './shell-mark.js'
import { FIRST_LINE, commandLine } from './shell-line.js'

/** What became of a line. */
export type LineEnd =
  | { readonly _tag: 'Status'; readonly status: number; readonly stderr: string }
  /** The shell has ended, and nothing of it lives. What has not begun was never run, and never will be. */
  | { readonly _tag: 'Lost'; readonly begun: boolean; readonly signal: string | undefined; readonly stderr: string }

/** A shell that runs. */
export interface Shell {
  readonly leader: Leader
  /** Runs a command. Not to be called while another one runs. */
  readonly run: (vector: readonly string[]) => Promise<LineEnd>
  /** What the command in hand has written so far. */
  readonly stderr: () => string
  /** Ends when the command in hand has ended, or now. */
  readonly dismiss: () => void
  /** Resolves when the shell has exited. */
  readonly exit: Promise<unknown>
  /** Whether it has exited, or will when it has done what it does. */
  readonly isGone: () => boolean
}

export type ShellStarted =
  { readonly _tag: 'Shell'; readonly shell: Shell } | { readonly _tag: 'Failed'; readonly why: string }

/** dash starts a command without copying itself (vfork), in four fifths of the time of bash. */
const SHELLS = ['/bin/dash', '/usr/bin/dash', '/bin/sh']

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const NONCE_BYTES = 16
/** So often it is looked whether a shell that does not answer was stopped, ms. */
const STOPPED_MS = 1_000
/** What its descendants keep open of its output is read no longer than this after their end, ms. */
const OUTPUT_GRACE_MS = 250
/** Longer than the mark of an end. */
const MARK_MAX = 128

/** What a shell has written: the text of the command in hand, and its marks. */
const createReader = (nonce: string, status: (number: number, status: number, stderr: string) => void) => {
  let text = ''
  let begun = 0
  const take = (chunk: Buffer): void => {
    text += chunk.toString('latin1')
    for (let at = text.indexOf(nonce); at >= 0; at = text.indexOf(nonce)) {
      const end = text.indexOf('\n', at)
      if (end < 0) return
      const [, kind, number, code] = text.slice(at, end).split(' ')
      const before = text.slice(0, at)
      text = text.slice(end + 1)
      if (kind === 'b') begun = Number(number)
      else status(Number(number), Number(code), toText(before))
    }
    // The beginning is kept, and of the rest what may be the beginning of a mark.
    if (text.length > STDERR_MAX + MARK_MAX) text = text.slice(0, STDERR_MAX) + text.slice(-MARK_MAX)
  }
  return { take, hasBegun: (number: number) => begun >= number, text: () => toText(text) }
}

const toText = (latin1: string): string => Buffer.from(latin1, 'latin1').subarray(0, STDERR_MAX).toString('utf8')

const keepRunning = (streams: readonly object[], keeps: boolean): void => {
  const change = keeps ? 'ref' : 'unref'
  for (const stream of streams) if (change in stream) (stream as Record<typeof change, () => void>)[change]()
}

/** Waits, but not for ever. */
const within = (awaited: Promise<unknown>, limitMs: number): Promise<void> =>
  new Promise((settle) => {
    const timer = setTimeout(settle, limitMs)
    void awaited.then(() => {
      clearTimeout(timer)
      settle()
    })
  })

/** Starts a shell. */
export const startShell = async (): Promise<ShellStarted> => {
  const vector = [SHELLS.find(isProgram) ?? 'sh', '-s', SHELL_MARK, basename(ownProcess())]
  const [file = 'sh', ...args] = [...keeping(SHELL_CAPABILITIES), ...vector]
  const { execa } = await import('execa')
  const nonce = randomBytes(NONCE_BYTES).toString('hex')
  const subprocess = execa(file, args, {
    reject: false,
    // Its own session: a signal from the terminal does not reach it, and ours reach all that it starts.
    detached: true,
    // The command in hand outlives the manager rather than being killed half-way (L31); so the shell does, until then.
    cleanup: false,
    extendEnv: false,
    env: COMMAND_ENVIRONMENT,
    cwd: '/',
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    encoding: 'buffer',
  })
  const { pid } = subprocess
  if (pid === undefined) {
    const { code, originalMessage } = await subprocess
    return { _tag: 'Failed', why: code ?? originalMessage ?? 'it could not be started' }
  }
  subprocess.catch(() => undefined)
  return { _tag: 'Shell', shell: shellOf(pid, nonce, subprocess) }
}

/** As much of a child process as is needed here. */
interface Child {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  readonly once: (event: 'exit', heard: (status: number | null, signal: NodeJS.Signals | null) => void) => unknown
}

interface Line {
  readonly number: number
  readonly settle: (end: LineEnd) => void
}

const shellOf = (pid: number, nonce: string, child: Child): Shell => {
  const leader = leaderOf(pid)
  const { stdin, stdout, stderr } = child
  const handles = [child, stdin, stdout, stderr]
  let line: Line | undefined
  let number = 0
  let gone = false
  /** What it says of itself: that it could start no process, for example. */
  let said = ''

  const settle = (end: LineEnd): void => {
    const ended = line
    line = undefined
    keepRunning(handles, false)
    ended?.settle(end)
  }
  const reader = createReader(nonce, (ended, status, text) => {
    if (line?.number === ended) settle({ _tag: 'Status', status, stderr: text })
  })
  stdin.on('error', () => undefined)
  stdout.on('error', () => undefined)
  stdout.on('data', reader.take)
  const closed = new Promise<void>((done) => stdout.once('close', done))
  stderr.on('error', () => undefined)
  stderr.on('data', (chunk: Buffer) => {
    if (said.length < STDERR_MAX) said += chunk.toString('utf8')
  })
  const exit = new Promise<string | undefined>((done) => {
    child.once('exit', (_, signal) => {
      gone = true
      done(signal ?? undefined)
    })
  })
  void exit.then(async (signal) => {
    const owed = line
    if (owed === undefined) return
    // What it had begun goes on without it, and has not ended before that has.
    await allEnded(leader)
    await within(closed, OUTPUT_GRACE_MS)
    if (line !== owed) return
    const begun = reader.hasBegun(owed.number)
    settle({ _tag: 'Lost', begun, signal, stderr: begun ? reader.text() || said : said })
  })
  stdin.write(FIRST_LINE)
  keepRunning(handles, false)

  /** One that was stopped from outside would take all that follows with it: it is killed, and what has not begun is run elsewhere. */
  const watch = (watched: Line): void => {
    const timer = setInterval(() => {
      if (line !== watched) clearInterval(timer)
      else if (isStopped(leader)) process.kill(pid, 'SIGKILL')
    }, STOPPED_MS)
    timer.unref()
  }

  return {
    leader,
    exit,
    stderr: () => (line !== undefined && reader.hasBegun(line.number) ? reader.text() : ''),
    isGone: () => gone,
    dismiss: () => {
      gone = true
      stdin.end()
      keepRunning(handles, false)
    },
    run: (vector) =>
      new Promise((done) => {
        number += 1
        line = { number, settle: done }
        keepRunning(handles, true)
        watch(line)
        stdin.write(commandLine(vector, nonce, number))
      }),
  }
}
