// A file server of a test: real processes on an address of this namespace, that can hang, go on, be slow and be killed. Whatever
// it has started is ended by its pid.

import { readFileSync, readdirSync } from 'node:fs'
import type { Filesystem } from '@mountkeeper/core'

/** A file server that a test has started. */
export interface Server {
  /** All its processes that live, the one that listens first. */
  readonly pids: () => readonly number[]
  /** What serves one of its directories. */
  readonly filesystem: Filesystem
  /** The same server, asked for something that it does not have. */
  readonly wrong: Filesystem
  /** The same, where no process listens. */
  readonly refused: Filesystem
  /** Stops all of it, as a machine that no longer answers: connections are still accepted by the kernel. */
  readonly hang: () => Promise<void>
  readonly goOn: () => void
  /** Lets it run for `runningMs` out of every `everyMs`, until it hangs, goes on, or is killed. */
  readonly slow: (runningMs: number, everyMs: number) => void
  /** Ends all of it at once, as a crash would; connections are refused from then on. */
  readonly kill: () => Promise<void>
  /** Starts it again after `kill`, where it was. */
  readonly again: () => Promise<void>
  /** Ends it for good. */
  readonly stop: () => Promise<void>
}

/** One kind of server. */
export interface ServerKind {
  readonly name: string
  /** Why it cannot be started here, if it cannot. */
  readonly why: string | undefined
  /** Starts one with a directory to export. `name` is unique in this namespace. */
  readonly start: (name: string) => Promise<Server>
}

export const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))

/** Longer than a loaded machine needs for anything that comes by itself. */
export const UNTIL_MS = 60_000

/** Waits until something holds; throws with what did not when it takes too long. */
export const until = async (holds: () => boolean, what: string, limitMs = UNTIL_MS): Promise<void> => {
  const since = performance.now()
  while (!holds()) {
    if (performance.now() - since > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`)
    await sleep(10)
  }
}

interface ProcessStat {
  readonly pid: number
  readonly parent: number
  /** Of commands that the manager runs: their own id, for each is the leader of a session. */
  readonly session: number
  readonly state: string
}

const statOf = (pid: string): ProcessStat | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name stands in parentheses and may contain anything.
    const [state = '', parent = '', , session = ''] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { pid: Number(pid), parent: Number(parent), session: Number(session), state }
  } catch {
    return undefined
  }
}

/** Every process of this namespace that is not a zombie. */
export const processes = (): readonly ProcessStat[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(statOf)
    .filter((stat) => stat !== undefined && stat.state !== 'Z' && stat.state !== 'X') as readonly ProcessStat[]

/** A process with its arguments. */
export interface Command {
  readonly pid: number
  readonly parent: number
  readonly session: number
  readonly line: string
}

/** Processes with this text in their arguments. */
export const processesWith = (text: string): readonly Command[] =>
  processes().flatMap(({ pid, parent, session }) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      return line.includes(text) && pid !== process.pid ? [{ pid, parent, session, line }] : []
    } catch {
      return []
    }
  })

/** A process and all that descends from it, as far as they live. */
export const treeOf = (top: number): readonly number[] => {
  const all = processes()
  const found = all.some(({ pid }) => pid === top) ? [top] : []
  for (let at = 0; at < found.length; at += 1) {
    found.push(...all.filter(({ parent }) => parent === found[at]).map(({ pid }) => pid))
  }
  return found
}

const signal = (pids: readonly number[], name: NodeJS.Signals): void => {
  for (const pid of pids) {
    if (pid <= 1) throw new Error(`${pid} is no process of a test`)
    try {
      process.kill(pid, name)
    } catch {
      // It has just ended.
    }
  }
}

/** A process and what it has started itself, as far as they live. */
export const withChildrenOf = (top: number): readonly number[] =>
  processes()
    .filter(({ pid, parent }) => pid === top || parent === top)
    .map(({ pid }) => pid)

/** Ends processes of a test's own, by their ids. */
export const kill = (pids: readonly number[]): void => {
  signal(pids, 'SIGKILL')
}

const stateOf = (pid: number): string | undefined => statOf(String(pid))?.state

/** What a kind of server has to say of one that runs. */
export interface Running extends Pick<Server, 'filesystem' | 'wrong' | 'refused'> {
  readonly pids: () => readonly number[]
  /** Those that `slow` may stop again and again, where not all of them bear it. */
  readonly paced?: () => readonly number[]
  readonly again: () => Promise<void>
}

/** Makes a server of processes that run. */
export const serverOf = (running: Running): Server => {
  const { pids, paced = pids } = running
  let cycle: NodeJS.Timeout | undefined
  const constant = (): void => {
    clearInterval(cycle)
    cycle = undefined
  }
  const stopped = (): boolean => pids().every((pid) => ['T', undefined].includes(stateOf(pid)))
  const end = async (): Promise<void> => {
    constant()
    for (let left = pids(); left.length > 0; left = pids()) {
      kill(left)
      await until(() => left.every((pid) => [undefined, 'Z', 'X'].includes(stateOf(pid))), 'killed')
    }
  }
  return {
    ...running,
    hang: async () => {
      constant()
      // What listens is stopped first; what it had started until then is seen by the next round.
      for (let round = 0; round < 2 || !stopped(); round += 1) {
        signal(pids(), 'SIGSTOP')
        await sleep(5)
      }
    },
    goOn: () => {
      constant()
      signal(pids(), 'SIGCONT')
    },
    slow: (runningMs, everyMs) => {
      constant()
      const turn = (): void => {
        signal(paced(), 'SIGCONT')
        setTimeout(() => {
          if (cycle !== undefined) signal(paced(), 'SIGSTOP')
        }, runningMs)
      }
      cycle = setInterval(turn, everyMs)
      turn()
    },
    kill: end,
    stop: end,
  }
}
