// How what is overdue is ended: TERM, a grace, KILL, to helpers before the command that waits for them. Each process is named by
// itself, and is known by the time when it was started, so that nothing is signalled that has only got the same pid.

import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from './clock.js'
import { resolvesWithin } from './clock.js'
import { COMMAND_ENVIRONMENT } from './command-environment.js'
import type { Leader, Process } from './processes.js'
import { allEnded, anyLives, membersOf, startedOf, vectorOfProcess } from './processes.js'
import { SHELL_MARK } from './shell-mark.js'

type Signal = 'SIGTERM' | 'SIGKILL'

/**
 * Signals processes with the prefix's rights; that it failed shows in them, which live on. Each is named by itself, never a
 * group by a negative number: kill(1) of procps 3.3 to 4.0 reads `-TERM -1234` as process -1, that is, every process.
 */
const signalWithPrefix = async (prefix: readonly string[], pids: readonly number[], signal: Signal): Promise<void> => {
  const [file, ...before] = prefix
  const named = pids.filter((pid) => Number.isSafeInteger(pid) && pid > 1).map(String)
  if (file === undefined || named.length === 0) return
  const { execa } = await import('execa')
  const options = {
    reject: false,
    extendEnv: false,
    env: COMMAND_ENVIRONMENT,
    stdio: 'ignore',
    timeout: 5_000,
  } as const
  await execa(file, [...before, 'kill', '-s', signal.slice('SIG'.length), '--', ...named], options)
}

/** Signals each of these processes: directly, and by the prefix if there is one. */
const signalEach = async (prefix: readonly string[], pids: readonly number[], signal: Signal): Promise<void> => {
  for (const pid of pids) {
    // 1 and below would be a defect of ours, and would end every process.
    if (!Number.isSafeInteger(pid) || pid <= 1) continue
    try {
      process.kill(pid, signal)
    } catch {
      // EPERM: it runs with other rights. ESRCH: it has just ended.
    }
  }
  // Also when they could be signalled: sudo itself can be, and it does not pass everything on (measured).
  if (prefix.length > 0) await signalWithPrefix(prefix, pids, signal).catch(() => undefined)
}

/** The group as a whole, where /proc hides who is in it. */
const signalGroup = (leader: number, signal: Signal): void => {
  if (!Number.isSafeInteger(leader) || leader <= 1) return
  try {
    process.kill(-leader, signal)
  } catch {
    // EPERM or ESRCH, as above.
  }
}

const endsWith = (vector: readonly string[], end: readonly string[]): boolean =>
  end.length > 0 && end.every((argument, index) => argument === vector[vector.length - end.length + index])

/** The command that a long-lived shell has in hand waits for its helpers as one does that was started by itself. */
const isOfShell = (shell: Process | undefined, vector: readonly string[], { parentEntry }: Process): boolean =>
  vector.includes(SHELL_MARK) && parentEntry === shell?.entry

/**
 * Those to be signalled now: helpers, and the command itself (with what the prefix puts before it, or with the shell that runs it) only
 * when it has none. It waits for them, so it ends after them; and as long as it lives, a manager that is started meanwhile finds by it
 * what is still under way, and waits.
 */
const nextToEnd = (leader: Leader): readonly Process[] => {
  const living = membersOf(leader)
  const first = living.find(({ pid }) => pid === leader.pid)
  const vector = vectorOfProcess(first?.entry ?? '')
  const helpers = living.filter(
    (one) => !endsWith(vector, vectorOfProcess(one.entry)) && !isOfShell(first, vector, one),
  )
  return helpers.length > 0 ? helpers : living
}

const pidsOf = (some: readonly Process[]): readonly number[] => some.map(({ pid }) => pid)

/** Rounds of KILL that spare the command for its helpers; one that starts new helpers for ever is not spared for ever. */
const ROUNDS_MAX = 8
const ROUND_MS = 10

/** KILL, round after round, until nothing new is left to be signalled: what then still lives, the kernel holds. */
const killAll = async (prefix: readonly string[], leader: Leader): Promise<void> => {
  // By the time when they were started: one that is started meanwhile may have the pid of one that has ended.
  const signalled = new Set<string>()
  for (let round = 1; anyLives(leader); round += 1) {
    const next = round < ROUNDS_MAX ? nextToEnd(leader) : membersOf(leader)
    if (next.length === 0) signalGroup(leader.pid, 'SIGKILL')
    const known = next.map((one) => ({ one, key: `${one.entry} ${startedOf(one.entry) ?? ''}` }))
    const fresh = known.filter(({ key }) => !signalled.has(key))
    for (const { key } of fresh) signalled.add(key)
    await signalEach(prefix, pidsOf(fresh.map(({ one }) => one)), 'SIGKILL')
    if (round > ROUNDS_MAX) return
    await wait(ROUND_MS * round, undefined, { ref: false })
  }
}

/** How processes are ended. */
export interface EndingOptions {
  /** Put before `kill` where it is needed to end what runs with other rights; empty without. */
  readonly prefix: readonly string[]
  /** Time between TERM and KILL, ms. */
  readonly graceMs: number
  readonly clock: Clock
}

/** TERM, grace, KILL, to helpers before the leader that waits for them; resolves when it has exited and nothing of it lives. */
export const endAll = async (
  { prefix, graceMs, clock }: EndingOptions,
  leader: Leader,
  exit: Promise<unknown>,
): Promise<void> => {
  const ended = exit.then(() => allEnded(leader))
  const first = nextToEnd(leader)
  if (first.length === 0) signalGroup(leader.pid, 'SIGTERM')
  await signalEach(prefix, pidsOf(first), 'SIGTERM')
  await resolvesWithin(clock, ended, graceMs)
  await killAll(prefix, leader)
  await ended
}
