// Who has a lock, as /proc/locks shows it: for the sentence that names the owner, and to leave locks of directories aside that
// are no manager's. Locks of processes in pid namespaces that this one does not see are not shown there.

import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { LOCK_FILE } from './lock-file.js'
import { parentOf, processes, usersOf, vectorOfProcess } from './processes.js'

/** In the argument vector of the process that holds the locks of a manager: so that people see what it is for. */
export const LOCK_MARK = 'mountkeeper-lock'

interface SeenLock {
  /** The process that took it, as /proc numbers it. */
  readonly entry: string
  readonly exclusive: boolean
}

const locksOf = (name: string): readonly SeenLock[] => {
  let text = ''
  try {
    text = readFileSync('/proc/locks', 'latin1')
  } catch {
    // Not compiled in, or not shown: then nothing is known of owners.
  }
  return text.split('\n').flatMap((line) => {
    const [, mode, entry, which] = /^\d+: FLOCK +\S+ +(READ|WRITE) +(-?\d+) +(\S+)/.exec(line) ?? []
    return entry === undefined || which !== name ? [] : [{ entry, exclusive: mode === 'WRITE' }]
  })
}

/** The manager that has a lock of this name: the parent of the process that took it. */
export const ownerText = (name: string | undefined): string => {
  const [lock] = name === undefined ? [] : locksOf(name)
  const owner = lock === undefined ? undefined : parentOf(lock.entry)
  return owner === undefined ? 'pid unknown' : `pid ${owner}`
}

/** The directories that the manager names which has a lock of this name, as far as they can be seen. Only for people. */
export const directoriesOf = (name: string): readonly string[] =>
  locksOf(name).flatMap(({ entry }) => {
    const vector = vectorOfProcess(entry)
    const mark = vector.indexOf(LOCK_MARK)
    return mark < 0 ? [] : vector.slice(mark + 1)
  })

/** Whether an exclusive lock of this name can be seen. */
export const isSeenLocked = (name: string): boolean => locksOf(name).some(({ exclusive }) => exclusive)

const hasLockFile = (entry: string): boolean => {
  try {
    return readdirSync(`/proc/${entry}/fd`).some((fd) =>
      readlinkSync(`/proc/${entry}/fd/${fd}`).endsWith(`/${LOCK_FILE}`),
    )
  } catch {
    // Of another user: it may be one.
    return true
  }
}

/** Whether a process that has locked a directory can be a manager's: of root or of this user, and with a lock file open. */
const isManagers = (entry: string): boolean => {
  const users = usersOf(entry)
  if (users.length === 0) return false
  const own = process.geteuid?.() ?? 0
  if (!users.every((uid) => uid === 0 || uid === own)) return false
  return hasLockFile(entry) || vectorOfProcess(entry).includes(LOCK_MARK)
}

const hasLock = (entry: string, name: string): boolean => {
  try {
    return readdirSync(`/proc/${entry}/fdinfo`).some((fd) => {
      const lines = readFileSync(`/proc/${entry}/fdinfo/${fd}`, 'latin1').split('\n')
      return lines.some((line) => line.startsWith('lock:') && line.includes(` FLOCK `) && line.includes(` ${name} `))
    })
  } catch {
    // It ended, or is of another user.
    return false
  }
}

/**
 * Whose a lock of a directory is. `unseen`: no process that has it can be seen; it may be one of another pid namespace, or the
 * descriptor may be on its way between two processes. The process that took it is not asked for alone: it may have ended, and
 * another one have the lock by a descriptor that it was started with.
 */
export const whoseLock = (name: string): 'a manager' | 'a stranger' | 'unseen' => {
  const takers = locksOf(name).flatMap(({ entry }) => (usersOf(entry).length > 0 ? [entry] : []))
  const holders = processes().flatMap(({ entry }) => (hasLock(entry, name) ? [entry] : []))
  if (takers.length + holders.length === 0) return 'unseen'
  return [...takers, ...holders].some(isManagers) ? 'a manager' : 'a stranger'
}
