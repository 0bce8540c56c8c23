// One look process, as the prober sees it: it greets when it is ready, takes a line and gives a line. It keeps no manager
// running, gets no signal from the terminal, and ends when its input does.

import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { LOOK_CAPABILITIES, keeping } from './capabilities.js'
import { COMMAND_ENVIRONMENT } from './command-environment.js'

/** A look process that was started. */
export interface LookChild {
  readonly pid: number | undefined
  /** Gives it a line, which may be before its greeting. */
  readonly ask: (line: string) => void
  /** Ends its input, and so itself when it is idle. */
  readonly dismiss: () => void
  readonly kill: () => void
}

/** What is heard of it. Exactly one of `ended` and `failed` comes, once, and nothing after it. */
export interface LookChildEvents {
  /** A line, without its end; the first may be the greeting. */
  readonly line: (text: string) => void
  /** Nothing of it lives any more. */
  readonly ended: (why: string) => void
  /** It could not be started. */
  readonly failed: (why: string) => void
}

/** Starts a look process. */
export type StartLookChild = (events: LookChildEvents) => LookChild

/** Small: looks leave little garbage, and there may be several of them. */
const NODE_OPTIONS = ['--max-semi-space-size=1', '--max-old-space-size=256']

const spawned = (module: string): ChildProcessByStdio<Writable, Readable, null> => {
  const [file, ...args] = [...keeping(LOOK_CAPABILITIES), process.execPath, ...NODE_OPTIONS, module]
  return spawn(file, args, {
    cwd: '/',
    env: COMMAND_ENVIRONMENT,
    // Out of reach of the terminal's signals: it ends when its input does.
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
}

/** Starts a Node process that runs this module. */
export const startLookChild =
  (module: string): StartLookChild =>
  ({ line, ended, failed }) => {
    const child = spawned(module)
    child.unref()
    for (const stream of [child.stdin, child.stdout]) if ('unref' in stream) (stream.unref as () => void)()
    // A process that has ended is seen by its exit.
    child.stdin.on('error', () => undefined)
    child.stdout.on('error', () => undefined)
    let parts: string[] = []
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = text.split('\n')
      const torn = lines.pop() ?? ''
      for (const end of lines) {
        line([...parts, end].join(''))
        parts = []
      }
      parts.push(torn)
    })
    let over = false
    const once = (say: (why: string) => void, why: string): void => {
      if (!over) say(why)
      over = true
    }
    child.once('exit', (status, signal) => {
      once(ended, `the look process ended (${signal ?? status ?? 'unknown'})`)
    })
    child.once('error', ({ message }) => {
      once(failed, `the look process could not be started: ${message}`)
    })
    return {
      pid: child.pid,
      ask: (text) => void child.stdin.write(`${text}\n`),
      dismiss: () => void child.stdin.end(),
      kill: () => void child.kill('SIGKILL'),
    }
  }
