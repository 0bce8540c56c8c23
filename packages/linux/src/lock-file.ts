// The file that a manager locks in a directory of its own. Only who may open it can hold its lock, so that no other process
// has to be judged. It is never removed: two managers would then lock two files of one name.

import { closeSync, constants, fchmodSync, fstatSync, lstatSync, openSync, statSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from 'fp-ts/lib/Either.js'
import { errnoOf, majorMinor } from './descriptor.js'

/** Its name, in each managed root and in the state directory. */
export const LOCK_FILE = '.mountkeeper-lock'

const OWN = 0o600
const PERMISSIONS = 0o7777

/** The lock file of a directory. */
export const lockFileIn = (directory: string): string =>
  directory === '/' ? `/${LOCK_FILE}` : `${directory}/${LOCK_FILE}`

/** `major:minor:inode` as /proc/locks writes it: device numbers in hexadecimal (proc_locks(5)). */
export const lockName = ({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string => {
  const [major, minor] = majorMinor(dev).map((number) => number.toString(16).padStart(2, '0'))
  return `${major}:${minor}:${ino.toString()}`
}

/** The name of what is at a path; a link in the last component is followed. Absent where nothing can be seen. */
export const lockNameOf = (path: string): string | undefined => {
  try {
    return lockName(statSync(path, { bigint: true }))
  } catch {
    return undefined
  }
}

/**
 * Whether only root or this user can have made and can open a file. Anyone else can make one of this name in a sticky directory,
 * such as /tmp, and lock it.
 */
const isClosed = ({ uid, mode }: BigIntStats): boolean =>
  (uid === 0n || Number(uid) === (process.geteuid?.() ?? 0)) && (mode & 0o077n) === 0n

/** The name of the lock file of a directory; absent where that has none that proves anything. */
export const lockFileName = (directory: string): string | undefined => {
  try {
    const seen = lstatSync(lockFileIn(directory), { bigint: true })
    return seen.isFile() && isClosed(seen) ? lockName(seen) : undefined
  } catch {
    return undefined
  }
}

const unfit = (path: string, own: number): string | undefined => {
  const seen = lstatSync(path)
  if (!seen.isFile()) return `${path} is no file, and the lock is taken there: move it away`
  return seen.uid === own
    ? undefined
    : `${path} belongs to user ${seen.uid}, not to ${own}: remove it, or chown ${own} ${path}`
}

/** Makes the lock file of a directory where there is none, closed to others; says why it cannot be used. */
export const makeLockFile = (directory: string): Either<string, string> => {
  const path = lockFileIn(directory)
  // For reading: on a filesystem that has become read-only what is there can still be locked, and the journal says the rest.
  const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
  try {
    const fd = openSync(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, OWN)
    try {
      const why = unfit(path, process.geteuid?.() ?? 0)
      if (why !== undefined) return left(why)
      const seen = fstatSync(fd, { bigint: true })
      // Whatever the umask was.
      if ((Number(seen.mode) & PERMISSIONS) !== OWN) fchmodSync(fd, OWN)
      return right(lockName(seen))
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ELOOP' || errno === 'EISDIR' || errno === 'ENXIO') {
      return left(`${path} is no file, and the lock is taken there: move it away`)
    }
    if (errno === 'EROFS') {
      return left(`${path} cannot be made: its filesystem is read-only (EROFS); mount it for writing, then start again`)
    }
    return left(`${path} cannot be opened (${errno}): let this user write there`)
  }
}
