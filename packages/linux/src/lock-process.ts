// The process that holds the locks of a manager, by flock(2). It ends when its stdin does: at once when the manager dies, even
// by SIGKILL. Not time-based, and not left behind. All locks are those of one process: flock(1) becomes the next flock(1), and
// the last one a shell that waits.

import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { LOCK_CAPABILITIES, keeping } from './capabilities.js'
import { COMMAND_ENVIRONMENT } from './command-environment.js'
import { errnoOf } from './descriptor.js'
import { LOCK_MARK } from './lock-owner.js'

/** One lock to be taken. */
export interface WantedLock {
  readonly path: string
  readonly mode: 'exclusive' | 'shared'
}

/** Locks that are held. */
export interface HeldLocks {
  /** Lets go of all of them; resolves when the process has ended, or does not end although it was killed. */
  readonly letGo: () => Promise<void>
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<void>
}

/** What became of the wish: `Taken` names the lock that another process has. */
export type HoldAnswer =
  | { readonly _tag: 'Held'; readonly locks: HeldLocks }
  | { readonly _tag: 'Taken'; readonly index: number }
  | { readonly _tag: 'Failed'; readonly why: string }

/** Says that the locks are held, and waits for the end of stdin. */
const SCRIPT = 'echo held; read -r _'

/** flock(1) ends with this and the number of the lock when another process has that. */
const TAKEN = 100

/** More locks than these in one vector cannot be distinguished. */
export const LOCKS_MAX = 150

/** A process that does not say within this time that it holds the locks is given up, ms. */
const ACQUIRE_MS = 10_000

/** A process that was asked to end and does not (because it is stopped, for example) is killed after this time, ms. */
const ASKED_MS = 500

/** One that does not end although it was killed is left to the kernel, ms. */
const KILLED_MS = 1_000

const START: Readonly<Record<string, string>> = {
  ENOENT: 'flock is not installed: install util-linux',
  ENOTDIR: 'flock is not installed: install util-linux',
}

const within = (ended: Promise<void>, limitMs: number): Promise<boolean> =>
  new Promise((settle) => {
    const timer = setTimeout(() => settle(false), limitMs)
    void ended.then(() => {
      clearTimeout(timer)
      settle(true)
    })
  })

const vectorOf = (locks: readonly WantedLock[], directories: readonly string[]): readonly string[] => [
  ...locks.flatMap(({ path, mode }, index) => [
    'flock',
    mode === 'exclusive' ? '-x' : '-s',
    '-n',
    '-E',
    String(TAKEN + index),
    '--no-fork',
    path,
  ]),
  'sh',
  '-c',
  SCRIPT,
  LOCK_MARK,
  ...directories,
]

const heldBy = (child: ChildProcess, ended: Promise<void>): HeldLocks => {
  // The manager's life does not depend on it.
  child.unref()
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    if (stream !== null && 'unref' in stream && typeof stream.unref === 'function') (stream.unref as () => void)()
  }
  return {
    ended,
    letGo: async () => {
      child.ref()
      child.stdin?.end()
      if (await within(ended, ASKED_MS)) return
      child.kill('SIGKILL')
      await within(ended, KILLED_MS)
    },
  }
}

/** Takes these locks, all or none. `directories` stand in the vector of the process, for people. */
export const holdLocks = (locks: readonly WantedLock[], directories: readonly string[]): Promise<HoldAnswer> =>
  new Promise((settle) => {
    const [file = '', ...args] = [...keeping(LOCK_CAPABILITIES), ...vectorOf(locks, directories)]
    // Its own session: an interrupt from the terminal ends neither it nor, with the locks, the order of the stop.
    const child = spawn(file, args, { stdio: 'pipe', detached: true, cwd: '/', env: COMMAND_ENVIRONMENT })
    child.stdin.on('error', () => undefined)
    const ended = new Promise<void>((done) => {
      child.once('exit', () => done())
      child.once('error', () => done())
    })
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      settle({ _tag: 'Failed', why: `flock did not answer within ${ACQUIRE_MS} ms` })
    }, ACQUIRE_MS)
    const answer = (what: HoldAnswer): void => {
      clearTimeout(timer)
      settle(what)
    }
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.length < 1_024) said += chunk.toString('utf8')
    })
    child.stdout.once('data', () => answer({ _tag: 'Held', locks: heldBy(child, ended) }))
    child.once('error', (error) => {
      const errno = errnoOf(error)
      answer({ _tag: 'Failed', why: START[errno] ?? errno })
    })
    child.once('close', (code) => {
      const index = (code ?? 0) - TAKEN
      if (index >= 0 && index < locks.length) answer({ _tag: 'Taken', index })
      else answer({ _tag: 'Failed', why: said.trim() || `flock ended with ${String(code)}` })
    })
  })

/** The file is opened for reading only, and never made. */
const TEST = 'exec 3<"$0" && exec flock -s -n -E 100 3'

/** Whether a file is locked exclusively by any process; undefined where it cannot be opened. */
export const isLocked = (path: string): Promise<boolean | undefined> =>
  new Promise((settle) => {
    const child = spawn('sh', ['-c', TEST, path], { stdio: 'ignore', cwd: '/', env: COMMAND_ENVIRONMENT })
    const timer = setTimeout(() => child.kill('SIGKILL'), ACQUIRE_MS)
    const answer = (code: number | null): void => {
      clearTimeout(timer)
      settle(code === TAKEN ? true : code === 0 ? false : undefined)
    }
    child.once('error', () => answer(null))
    child.once('exit', answer)
  })
