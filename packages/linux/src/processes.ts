// Processes as /proc shows them: whether a command has ended with all that it started, and whether one of an earlier life of
// the manager still runs. Numbers are those of this process's pid namespace, also where /proc is that of an outer one.

import { readFileSync, readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { errnoOf } from './descriptor.js'

/** One process. */
export interface Process {
  /** Its name in /proc. */
  readonly entry: string
  readonly pid: number
  readonly group: number
  readonly session: number
  /** Its parent, as /proc numbers it. */
  readonly parentEntry: string
}

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'latin1')
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
const ownDepth = (): number => field(textOf('/proc/self/status') ?? '', 'NSpid').split(/\s+/).length - 1

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

const processOf = (entry: string, depth: number): Process | undefined => {
  const status = textOf(`/proc/${entry}/status`)
  if (status === undefined) return undefined
  if (isDead(status) && !hasLiveThread(entry)) return undefined
  return {
    entry,
    pid: numberAt(status, 'NSpid', depth),
    group: numberAt(status, 'NSpgid', depth),
    session: numberAt(status, 'NSsid', depth),
    parentEntry: field(status, 'PPid'),
  }
}

/** All processes that live and that we can see; zombies are not among them. About 20 us each. */
export const processes = (): readonly Process[] => {
  const depth = ownDepth()
  return entries('/proc').flatMap((entry) => processOf(entry, depth) ?? [])
}

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

const belongs = (process: Process, leader: number): boolean => process.group === leader || process.session === leader

/**
 * What carries the data of a FUSE daemon and stays in the session of the command that started it, although the daemon has left
 * that: it lives as long as the mount (measured with sshfs 3.7), and by itself can mount nothing.
 */
const CARRIERS: ReadonlySet<string> = new Set(['ssh'])

const carries = ({ entry }: Process): boolean => CARRIERS.has(basename(vectorOfProcess(entry)[0] ?? ''))

/** Whether a process group can be signalled, or at least exists. */
const groupExists = (leader: number): boolean => {
  try {
    process.kill(-leader, 0)
    return true
  } catch (error) {
    return errnoOf(error) === 'EPERM'
  }
}

/**
 * Whether any process lives in the group or the session that `leader` made. A process that left both, as a FUSE daemon does,
 * is not counted, nor is the `ssh` that it keeps there. Where /proc hides the processes of others, a group that still exists
 * counts as living.
 */
export const anyLives = (leader: number): boolean => {
  // Most often it is the leader itself that lives: that costs no search of all processes, of which many may be waited for.
  if (processOf(String(leader), ownDepth())?.pid === leader) return true
  const seen = processes()
  if (seen.some((one) => belongs(one, leader) && !carries(one))) return true
  // With hidepid not even init is seen; a group of zombies alone is the other case, and there init is seen.
  return !seen.some((one) => one.pid === 1) && groupExists(leader)
}

/** What lives of a leader's group and session, as far as it can be seen: the command, and its helpers. */
export const membersOf = (leader: number): readonly Process[] => processes().filter((one) => belongs(one, leader))

const POLL_FIRST_MS = 5
const POLL_CEILING_MS = 1_000

/** Resolves when nothing of the leader's group and session lives; it may never. Keeps no process running by itself. */
export const allEnded = async (leader: number): Promise<void> => {
  for (let delayMs = POLL_FIRST_MS; anyLives(leader); delayMs = Math.min(delayMs * 2, POLL_CEILING_MS)) {
    await new Promise<void>((wake) => setTimeout(wake, delayMs).unref())
  }
}
