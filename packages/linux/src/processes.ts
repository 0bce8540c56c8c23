// Processes as /proc shows them: whether a command has ended with all that it started, and whether one of an earlier life of
// the manager still runs. Numbers are those of this process's pid namespace, also where /proc is that of an outer one.

import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { errnoOf } from './descriptor.js'
import { readProcFile } from './proc-file.js'
import type { SearchTogether } from './process-search.js'
import { createSearch } from './process-search.js'

/** One process. */
export interface Process {
  /** Its name in /proc. */
  readonly entry: string
  readonly pid: number
  readonly group: number
  readonly session: number
  /** Its parent, as /proc numbers it. */
  readonly parentEntry: string
  /** Real and effective user. */
  readonly uids: readonly number[]
}

/** A process whose session and group are of interest, though it may have ended. */
export interface Leader {
  readonly pid: number
  /**
   * When it was started, in ticks since the boot: with it a pid means one process, however often the number is used. Absent where
   * /proc did not show it; then the pid alone has to do.
   */
  readonly started: string | undefined
}

const textOf = (path: string): string | undefined => {
  try {
    return readProcFile(path)
  } catch {
    // It ended, or is not ours to see.
    return undefined
  }
}

const entries = (path: string): readonly string[] => {
  try {
    return readdirSync(path).filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

const field = (status: string, name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''

/** How many pid namespaces deep we are below the one of /proc; the `NS` fields have one number for each. */
const readDepth = (): number => field(textOf('/proc/self/status') ?? '', 'NSpid').split(/\s+/).length - 1

let depth: number | undefined

/** A process never changes its pid namespace. */
const ownDepth = (): number => (depth ??= readDepth())

const numberAt = (status: string, name: string, depth: number): number => {
  const text = field(status, name).split(/\s+/)[depth]
  return text === undefined || text === '' ? -1 : Number(text)
}

const isDead = (status: string): boolean => /^[ZX]/.test(field(status, 'State'))

/** A process whose first thread has ended and whose others have not looks like a zombie and is none. */
const hasLiveThread = (entry: string): boolean =>
  entries(`/proc/${entry}/task`).some((thread) => {
    const status = textOf(`/proc/${entry}/task/${thread}/status`)
    return status !== undefined && !isDead(status)
  })

/** Field 22 of stat (proc_pid_stat(5)); the name in field 2 may hold spaces and parentheses. */
export const startedOf = (entry: string): string | undefined => {
  const stat = textOf(`/proc/${entry}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

const processOf = (entry: string): Process | undefined => {
  const at = ownDepth()
  const status = textOf(`/proc/${entry}/status`)
  if (status === undefined) return undefined
  if (isDead(status) && !hasLiveThread(entry)) return undefined
  return {
    entry,
    pid: numberAt(status, 'NSpid', at),
    group: numberAt(status, 'NSpgid', at),
    session: numberAt(status, 'NSsid', at),
    parentEntry: field(status, 'PPid'),
    uids: field(status, 'Uid').split(/\s+/).slice(0, 2).map(Number),
  }
}

/** A process that was started by this one and that was not waited for yet, so that its pid is still its own. */
export const leaderOf = (pid: number): Leader => {
  // Where /proc is that of an outer pid namespace, the entry of this name is another process.
  const entry = String(pid)
  const isOwn = numberAt(textOf(`/proc/${entry}/status`) ?? '', 'NSpid', ownDepth()) === pid
  return { pid, started: isOwn ? startedOf(entry) : undefined }
}

/** Whether a process was stopped by a signal, and does nothing until it is continued. */
export const isStopped = ({ pid, started }: Leader): boolean => {
  const stat = textOf(`/proc/${pid}/stat`)
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  return (state === 'T' || state === 't') && (started === undefined || fields[18] === started)
}

/**
 * Whether /proc hides processes of other users (hidepid), root's among them: then neither that a command has ended can be
 * seen, nor that one of an earlier life still runs.
 */
export const hidesProcesses = (): boolean => textOf('/proc/1/status') === undefined

/** All processes that live and that we can see; zombies are not among them. About 20 us each. */
export const processes = (): readonly Process[] => entries('/proc').flatMap((entry) => processOf(entry) ?? [])

/** The argument vector of a process; empty for kernel threads and for what has ended. */
export const vectorOfProcess = (entry: string): readonly string[] =>
  (textOf(`/proc/${entry}/cmdline`) ?? '').split('\0').slice(0, -1).map(fromLatin1)

const fromLatin1 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8')

/** The parent of a process, as /proc numbers them. Absent where it cannot be seen. */
export const parentOf = (entry: string): string | undefined => {
  const parent = field(textOf(`/proc/${entry}/status`) ?? '', 'PPid')
  return parent === '' || parent === '0' ? undefined : parent
}

/** The real and the effective user of a process; empty where it cannot be seen. */
export const usersOf = (entry: string): readonly number[] =>
  field(textOf(`/proc/${entry}/status`) ?? '', 'Uid')
    .split(/\s+/)
    .slice(0, 2)
    .filter((uid) => uid !== '')
    .map(Number)

const belongs = (process: Process, { pid }: Leader): boolean => process.group === pid || process.session === pid

/**
 * Whether a leader's pid is used by another process now. As long as anything of its group or session lives, the kernel gives
 * the number to no other process, so then nothing of them lives.
 */
const isUsedAgain = (seen: readonly Process[], { pid, started }: Leader): boolean =>
  started !== undefined && seen.some((one) => one.pid === pid && startedOf(one.entry) !== started)

/**
 * What carries the data of a FUSE daemon and stays in the session of the command that started it, although the daemon has left
 * that: it lives as long as the mount (measured with sshfs 3.7), and by itself can mount nothing. What it starts does neither.
 */
const CARRIERS: ReadonlySet<string> = new Set(['ssh'])

const isCarrier = ({ entry }: Process): boolean => CARRIERS.has(basename(vectorOfProcess(entry)[0] ?? ''))

/** Those of a group and session that may yet act at a mountpoint. */
const acting = (members: readonly Process[]): readonly Process[] => {
  const carriers = new Set(members.filter(isCarrier).map(({ entry }) => entry))
  const byEntry = new Map(members.map((one) => [one.entry, one]))
  const isCarried = (one: Process | undefined): boolean =>
    one !== undefined &&
    (carriers.has(one.entry) || (one.parentEntry !== one.entry && isCarried(byEntry.get(one.parentEntry))))
  return members.filter((one) => !isCarried(one))
}

/** Whether a process group can be signalled, or at least exists, were it of zombies alone. */
const groupExists = (leader: number): boolean => {
  try {
    process.kill(-leader, 0)
    return true
  } catch (error) {
    return errnoOf(error) === 'EPERM'
  }
}

/** What lives of a leader's group and session, as far as it can be seen: the command, and its helpers. */
const membersIn = (seen: readonly Process[], leader: Leader): readonly Process[] =>
  isUsedAgain(seen, leader) ? [] : seen.filter((one) => belongs(one, leader))

/** What lives of a leader's group and session, as far as it can be seen: the command, and its helpers. */
export const membersOf = (leader: Leader): readonly Process[] => membersIn(processes(), leader)

/**
 * Whether any process lives in the group or the session that `leader` made. A process that left both, as a FUSE daemon does,
 * is not counted, nor is the `ssh` that it keeps there. Where /proc hides the processes of others, a group that still exists
 * counts as living.
 */
export const anyLives = (leader: Leader): boolean => {
  // Most often it is the leader itself that lives: that costs no search of all processes, of which many may be waited for.
  const first = processOf(String(leader.pid))
  if (first?.pid === leader.pid) return leader.started === undefined || startedOf(first.entry) === leader.started
  return livesIn(processes(), leader)
}

const livesIn = (seen: readonly Process[], leader: Leader): boolean => {
  if (acting(membersIn(seen, leader)).length > 0) return true
  // With hidepid not even init is seen; a group of zombies alone is the other case, and there init is seen.
  return !seen.some((one) => one.pid === 1) && groupExists(leader.pid)
}

/**
 * Whether anything of a leader that has ended lives, at the cost of one system call where its group is empty: no search for
 * those of its session that made a group of their own, unless `inOtherGroups`.
 */
export const anyOutlives = (leader: Leader, inOtherGroups: boolean): boolean =>
  (inOtherGroups || groupExists(leader.pid)) && anyLives(leader)

const POLL_FIRST_MS = 5
const POLL_CEILING_MS = 1_000

const searchTogether = createSearch(processes)

/** Resolves when nothing of the leader's group and session lives; it may never. Keeps no process running by itself. */
export const allEnded = async (leader: Leader, search: SearchTogether<Process> = searchTogether): Promise<void> => {
  // As long as one that was found lives, the others are not searched for: that reads all of /proc each time.
  let found: readonly Found[] = [{ entry: String(leader.pid), started: leader.started }]
  for (let delayMs = POLL_FIRST_MS; ; delayMs = Math.min(delayMs * 2, POLL_CEILING_MS)) {
    if (!found.some((one) => isStill(one, leader))) {
      const seen = await search()
      if (!livesIn(seen, leader)) return
      found = acting(membersIn(seen, leader)).map(({ entry }) => ({ entry, started: startedOf(entry) }))
    }
    await new Promise<void>((wake) => setTimeout(wake, delayMs).unref())
  }
}

interface Found {
  readonly entry: string
  readonly started: string | undefined
}

/** Whether it lives, and has not left for a session of its own. */
const isStill = ({ entry, started }: Found, leader: Leader): boolean => {
  const now = processOf(entry)
  return now !== undefined && belongs(now, leader) && (started === undefined || startedOf(entry) === started)
}
