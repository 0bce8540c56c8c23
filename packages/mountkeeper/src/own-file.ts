// Files that the command uses by their names: a configuration, whose prefix is a program run as root, and a trace, in which
// mountpoints and consumers are. No link is followed to them, and none is used that another user has, or could have, put there.

import { closeSync, constants, fchmodSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { fileProblem } from './failure.js'

/** What is wrong with a file, in words that follow its name, with the fix; `errno` where the system said it. */
export interface Unfit {
  readonly why: string
  readonly errno?: string
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants
/** open(2); Node does not name it. */
const O_PATH = 0o10000000
const OWN = 0o600
const PERMISSIONS = 0o7777

const user = (): number => process.geteuid?.() ?? 0

const errnoOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

const unfit = (why: string): E.Either<Unfit, never> => E.left({ why })

const LINK = 'is a symbolic link, which is not followed; give the path of the file itself'

const refused = (error: unknown): E.Either<Unfit, never> => {
  const errno = errnoOf(error)
  return errno === 'ELOOP' ? E.left({ why: LINK, errno }) : E.left({ why: fileProblem(error), errno })
}

const isSame = (one: Stats, other: Stats): boolean => one.dev === other.dev && one.ino === other.ino

/** Why a configuration may not be used; it is open. */
const unfitConfiguration = async (path: string, seen: Stats): Promise<string | undefined> => {
  if (!seen.isFile())
    return `${seen.isDirectory() ? 'is a directory' : 'is not a file'}; give the configuration with --config FILE`
  const { safePath, trustFor } = await import('@mountkeeper/linux')
  const safe = safePath(path, trustFor(user()))
  if (E.isLeft(safe)) {
    if (safe.left._tag === 'Unreached') return `cannot be reached: ${safe.left.why}`
    const { why, command } = safe.left.unsafe
    return `is not safe: ${why}, and commands in it run as this user; fix it with: ${command}`
  }
  return isSame(seen, statSync(safe.right)) ? undefined : 'was replaced while it was opened; run again'
}

/**
 * Opens a configuration for reading. It has to belong to root or to this user, and no other user may be able to write it or a
 * directory on the way to it.
 */
export const openConfiguration = async (path: string): Promise<E.Either<Unfit, number>> => {
  try {
    const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    const why = await unfitConfiguration(path, fstatSync(fd)).catch(fileProblem)
    if (why === undefined) return E.right(fd)
    closeSync(fd)
    return unfit(why)
  } catch (error) {
    return refused(error)
  }
}

/** The text of a configuration that may be used. */
export const readConfiguration = async (path: string): Promise<E.Either<Unfit, string>> => {
  const opened = await openConfiguration(path)
  if (E.isLeft(opened)) return opened
  try {
    return E.right(readFileSync(opened.right, 'utf8'))
  } catch (error) {
    return refused(error)
  } finally {
    closeSync(opened.right)
  }
}

const unfitTrace = (seen: Stats): string | undefined => {
  if (seen.isDirectory()) return 'is a directory; give the path of a file that can be written'
  if (seen.uid !== user() && (seen.isFile() || seen.uid !== 0)) {
    return `belongs to user ${seen.uid}, not to ${user()}; give the path of a new file, or of a file of this user`
  }
  if (seen.isFile() && seen.nlink > 1) {
    return 'has a second hard link; give the path of a new file'
  }
  return seen.isFile() || seen.isFIFO() || seen.isCharacterDevice()
    ? undefined
    : 'is not a file; give the path of a file'
}

/** What is there is judged before it is opened for writing, and by a descriptor: a pipe of another user would be waited for. */
const openThere = (path: string): E.Either<Unfit, number> => {
  const place = openSync(path, O_PATH | O_NOFOLLOW)
  try {
    const seen = fstatSync(place)
    const why = seen.isSymbolicLink() ? LINK : unfitTrace(seen)
    if (why !== undefined) return unfit(why)
    const fd = openSync(`/proc/self/fd/${place}`, O_WRONLY)
    if (seen.isFile() && (seen.mode & PERMISSIONS) !== OWN) fchmodSync(fd, OWN)
    return E.right(fd)
  } finally {
    closeSync(place)
  }
}

/**
 * Opens a trace for writing, or creates it; what is in it stays. A file has to belong to this user and is closed to all others; a
 * pipe or a character device may be root's.
 */
export const openOwn = (path: string): E.Either<Unfit, number> => {
  try {
    const fd = openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, OWN)
    // Whatever the umask has left of it.
    fchmodSync(fd, OWN)
    return E.right(fd)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') return refused(error)
  }
  try {
    return openThere(path)
  } catch (error) {
    return refused(error)
  }
}
