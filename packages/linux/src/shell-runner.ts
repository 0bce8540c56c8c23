// Runs commands that cannot hang through a long-lived shell, which starts a process in half of the time that this one takes, and costs it
// almost nothing. Commands that may hang, that leave helpers or that need the prefix go to another runner. What a deadline ends is the
// shell with all that it runs; others go on in the next one.

import { constants } from 'node:os'
import type { Clock } from './clock.js'
import { systemClock } from './clock.js'
import type { Command, CommandEnd, CommandRunner } from './command-runner.js'
import { GRACE_MS, vectorOf } from './command-runner.js'
import { endAll } from './ending.js'
import type { LineEnd, Shell, ShellStarted } from './shell.js'
import { startShell } from './shell.js'
import { isUnquotable } from './shell-line.js'
import type { Joined } from './together.js'
import { TOGETHER_MAX, createWorth, join, keyOf } from './together.js'

/** How a shell runner is set up. */
export interface ShellRunnerOptions {
  /** Runs all that the shell may not, and everything where no shell can be started. */
  readonly other: CommandRunner
  /** Time between TERM and KILL, ms. */
  readonly graceMs?: number
  readonly clock?: Clock
  /** A shell that had nothing to do for so long is ended, ms; 30,000 by default. */
  readonly idleMs?: number
  /** Starts a shell; for tests. */
  readonly start?: () => Promise<ShellStarted>
}

const IDLE_MS = 30_000
/** Another shell is started for what waits when those there are have been busy with one command for so long, ms. */
const SLOW_MS = 100
/** Shells that commands are given to, those that are being ended not among them. */
const SHELLS_MAX = 4
/** How often a command is given to a shell that ends before it has begun, before it gets a process of its own. */
const LOST_MAX = 3

const NOT_FOUND = 127
const NOT_EXECUTABLE = 126
/** A shell adds this to the number of the signal that has ended a command. */
const BY_SIGNAL = 128

const SIGNALS: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
)

interface Waiting {
  readonly command: Command
  readonly told: ((pid: number) => void) | undefined
  readonly settle: (end: CommandEnd | Promise<CommandEnd>) => void
  readonly askedAt: number
  lost: number
}

interface Busy {
  readonly since: number
}

type Base = Pick<CommandEnd, 'vector' | 'stderr' | 'durationMs' | 'waitedMs'>

const ofStatus = (base: Base, status: number, pid: number): CommandEnd => {
  if (status === NOT_FOUND) return { _tag: 'NotStarted', ...base, why: 'ENOENT' }
  if (status === NOT_EXECUTABLE) return { _tag: 'NotStarted', ...base, why: base.stderr.trim() || 'EACCES' }
  // None of these programs ends with such a status by itself.
  const signal = SIGNALS.get(status - BY_SIGNAL)
  if (signal !== undefined) return { _tag: 'Signalled', ...base, signal, pid }
  return { _tag: 'Exited', ...base, exitStatus: status, pid }
}

/** A runner that gives to a shell what cannot hang. */
export const shellRunner = (options: ShellRunnerOptions): CommandRunner => {
  const { other, graceMs = GRACE_MS, clock = systemClock, idleMs = IDLE_MS, start = startShell } = options
  let waiting: Waiting[] = []
  const worth = createWorth()
  let isPumping = false
  /** The one that rested last at the end. */
  const idle: Shell[] = []
  const busy = new Map<Shell, Busy>()
  const restedAt = new WeakMap<Shell, number>()
  let sweeping: NodeJS.Timeout | undefined
  let starting = 0
  let pumpAgain: (() => void) | undefined

  const sweep = (): void => {
    sweeping = undefined
    const now = performance.now()
    while (idle[0] !== undefined && now - (restedAt.get(idle[0]) ?? 0) >= idleMs) idle.shift()?.dismiss()
    if (idle.length > 0) sweepLater()
  }

  const sweepLater = (): void => {
    sweeping ??= setTimeout(sweep, idleMs).unref()
  }

  const rest = (shell: Shell): void => {
    busy.delete(shell)
    if (shell.isGone()) return
    restedAt.set(shell, performance.now())
    idle.push(shell)
    sweepLater()
  }

  const nextIdle = (): Shell | undefined => {
    for (let shell = idle.pop(); shell !== undefined; shell = idle.pop()) if (!shell.isGone()) return shell
    return undefined
  }

  const again = (some: readonly Waiting[]): void => {
    for (const one of some) {
      one.lost += 1
      if (one.lost >= LOST_MAX) one.settle(other.run(one.command, one.told))
    }
    waiting.unshift(...some.filter(({ lost }) => lost < LOST_MAX))
  }

  const endOf = (base: Base, end: LineEnd, pid: number): CommandEnd => {
    if (end._tag === 'Status') return ofStatus(base, end.status, pid)
    if (end.signal !== undefined) return { _tag: 'Signalled', ...base, signal: end.signal, pid }
    return { _tag: 'NotStarted', ...base, why: end.stderr.trim() || 'the shell that runs commands ended' }
  }

  const concluded = (some: readonly Waiting[], end: LineEnd, since: number, pid: number): void => {
    const durationMs = clock.now() - since
    if (end._tag === 'Lost' && !end.begun) {
      again(some)
      return
    }
    for (const one of some) {
      const waitedMs = Math.max(0, since - one.askedAt)
      const base = { vector: vectorOf(one.command, []), stderr: end.stderr, durationMs, waitedMs }
      if (some.length === 1) one.settle(endOf(base, end, pid))
      else {
        const shared = end._tag === 'Status' && end.status === 0 ? 'succeeded' : 'unclear'
        one.settle({ _tag: 'Exited', ...base, stderr: '', exitStatus: 0, pid, shared })
      }
    }
  }

  const give = (shell: Shell, some: readonly Waiting[], { vector, close }: Joined): void => {
    const since = clock.now()
    const { pid } = shell.leader
    busy.set(shell, { since })
    let isOver = false
    const cancel = clock.after(Math.min(...some.map(({ command }) => command.deadlineMs)), () => {
      if (isOver) return
      isOver = true
      busy.delete(shell)
      const stderr = shell.stderr()
      // Nothing more is written to it: it ends when the command has ended, and is ended like one.
      shell.dismiss()
      const ended = endAll({ prefix: [], graceMs, clock }, shell.leader, shell.exit)
      void ended.then(close)
      const durationMs = clock.now() - since
      for (const one of some) {
        one.settle({ _tag: 'TimedOut', vector: vectorOf(one.command, []), stderr, durationMs, pid, ended })
      }
      pump()
    })
    void shell.run(vector).then((end) => {
      if (isOver) return
      isOver = true
      cancel()
      close()
      rest(shell)
      const durationMs = clock.now() - since
      if (end._tag === 'Status' && some[0]?.command.line !== undefined) worth.tookMs(some.length, durationMs)
      concluded(some, end, since, pid)
      pump()
    })
    for (const one of some) one.told?.(pid)
  }

  /** The command that has waited longest, and those that can be done with it. */
  const takeNext = (): readonly Waiting[] => {
    const [first] = waiting
    if (first === undefined) return []
    const key = keyOf(first.command)
    const fit: Waiting[] = []
    if (key !== undefined) {
      for (const one of waiting) {
        if (fit.length < TOGETHER_MAX && keyOf(one.command) === key) fit.push(one)
      }
    }
    const isPaid = first.command.line === undefined || worth.isWorth(fit.length)
    const taken = new Set(fit.length > 1 && isPaid ? fit : [first])
    waiting = waiting.filter((one) => !taken.has(one))
    return [...taken]
  }

  const giveNext = (shell: Shell): void => {
    const some = takeNext()
    const [first, ...more] = some
    if (first === undefined) return
    const joined = more.length === 0 ? undefined : join(some.map(({ command }) => command))
    if (joined === undefined) waiting.unshift(...more)
    const alone = { vector: vectorOf(first.command, []), close: () => undefined }
    give(shell, joined === undefined ? [first] : some, joined ?? alone)
  }

  /** All that waits gets processes of its own. */
  const giveAway = (): void => {
    for (const one of waiting.splice(0)) one.settle(other.run(one.command, one.told))
  }

  const startOne = (): void => {
    starting += 1
    void start().then(
      (started) => {
        starting -= 1
        if (started._tag === 'Failed') giveAway()
        else rest(started.shell)
        pump()
      },
      () => {
        starting -= 1
        giveAway()
      },
    )
  }

  const isSlow = ({ since }: Busy): boolean => clock.now() - since >= SLOW_MS

  const mayStart = (): boolean => starting === 0 && busy.size < SHELLS_MAX && [...busy.values()].every(isSlow)

  const pump = (): void => {
    pumpAgain?.()
    pumpAgain = undefined
    while (waiting.length > 0) {
      const shell = nextIdle()
      if (shell === undefined) break
      giveNext(shell)
    }
    if (waiting.length === 0) return
    if (mayStart()) startOne()
    else if (starting === 0) pumpAgain = clock.after(SLOW_MS, pump)
  }

  return {
    run: (command, told) => {
      if (command.quick !== true || isUnquotable(vectorOf(command, []))) return other.run(command, told)
      return new Promise((settle) => {
        waiting.push({ command, told, settle, askedAt: clock.now(), lost: 0 })
        // What is asked for in the same turn may be done together.
        if (isPumping) return
        isPumping = true
        setImmediate(() => {
          isPumping = false
          pump()
        })
      })
    },
  }
}
