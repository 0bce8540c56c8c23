// One owner per root and state directory (L27). A manager locks the file `.mountkeeper-lock` in each of them. So that roots
// that contain one another are noticed whichever manager starts first and in whatever namespace, it also locks the directories
// themselves, and shares the locks of all directories above them: the kernel lets a manager above and one below not have both.
// A lock of a directory is only a hint: every process that can read the directory can take it; a lock of a file is proof.

import { accessSync, constants, statSync } from 'node:fs'
import type { Lock, Locks, NotLocked } from '@mountkeeper/runtime'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { errnoOf } from './descriptor.js'
import { lockFileIn, lockFileName, lockNameOf, makeLockFile } from './lock-file.js'
import { directoriesOf, isSeenLocked, ownerText, whoseLock } from './lock-owner.js'
import { ancestorsOf, contains, directoriesAbove, lockedAround, lockedBelow } from './lock-places.js'
import type { HeldLocks, WantedLock } from './lock-process.js'
import { safePath } from './safe-directory.js'
import type { TrustedOwners } from './trust.js'
import { mendOf, trustFor } from './trust.js'
import { LOCKS_MAX, holdLocks, isLocked } from './lock-process.js'

const notLocked = (directory: string, why: string): Either<NotLocked, never> =>
  left({ _tag: 'NotLocked', directory, why })

const NESTED = 'managed roots and state directory may not contain one another'

const inodeOf = (path: string): string => {
  const seen = statSync(path, { bigint: true, throwIfNoEntry: false })
  return seen === undefined ? path : `${seen.dev.toString()}:${seen.ino.toString()}`
}

/** Directories of one manager that contain one another or are the same, by their paths or by what is there. */
const nested = (directories: readonly string[]): NotLocked | undefined => {
  const byInode = new Map<string, string>()
  for (const directory of directories) {
    const same = byInode.get(inodeOf(directory))
    const why = `${directory} is the same directory as ${same ?? ''}: name it once`
    if (same !== undefined) return { _tag: 'NotLocked', directory, why }
    byInode.set(inodeOf(directory), directory)
  }
  for (const directory of directories) {
    const above = directories.find((other) => other !== directory && contains(other, directory))
    const found = above ?? ancestorsOf(directory).flatMap((path) => byInode.get(inodeOf(path)) ?? [])[0]
    if (found !== undefined) return { _tag: 'NotLocked', directory, why: `${directory} is in ${found}: ${NESTED}` }
  }
  return undefined
}

const unusable = (directory: string): string | undefined => {
  try {
    if (!statSync(directory).isDirectory()) return `${directory} is not a directory`
  } catch (error) {
    const code = errnoOf(error)
    return code === 'ENOENT'
      ? `${directory} does not exist; create it: install -d -m 0700 ${directory}`
      : `${directory} cannot be read (${code})`
  }
  const made = makeLockFile(directory)
  return isLeft(made) ? made.left : undefined
}

const taken = (directory: string): NotLocked => {
  const owner = ownerText(lockFileName(directory))
  const why = `${directory} belongs to another manager (${owner}): stop that one, or name another directory`
  return { _tag: 'NotLocked', directory, why }
}

const overlapping = (where: string, owner: string, directory: string): NotLocked => {
  const why = `${where} belongs to another manager (${owner}), and roots of two managers may not overlap`
  return { _tag: 'NotLocked', directory, why: `${why}: stop that one, or name another directory than ${directory}` }
}

/** A lock that is wanted, and what it is for. */
interface Wish extends WantedLock {
  /** `file`: the proof. `own`: no manager may have its root below. `above`: none may have its root there. */
  readonly kind: 'file' | 'own' | 'above'
  readonly directory: string
}

/** A directory that cannot be read cannot be locked; then only its lock file shows it. */
const isReadable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

const wishesFor = (directories: readonly string[]): readonly Wish[] => [
  ...directories.map((directory): Wish => ({
    kind: 'file',
    directory,
    path: lockFileIn(directory),
    mode: 'exclusive',
  })),
  ...directories.map((directory): Wish => ({ kind: 'own', directory, path: directory, mode: 'exclusive' })),
  ...directoriesAbove(directories)
    .filter(isReadable)
    .map((path): Wish => ({ kind: 'above', directory: path, path, mode: 'shared' })),
]

/** The directory of ours that another one is in the way of. */
const below = (where: string, directories: readonly string[]): string =>
  directories.find((directory) => contains(where, directory)) ?? directories[0] ?? where

/** Whether the lock file of a directory is locked; `unopenable` answers where that can be neither seen nor tried. */
const isManaged = async (directory: string, unopenable: boolean): Promise<boolean> => {
  const name = lockFileName(directory)
  if (name === undefined) return false
  return isSeenLocked(name) || ((await isLocked(lockFileIn(directory))) ?? unopenable)
}

const OTHERS_READ = 0o044

/** Whether others can take the lock of a directory: who can read it can. */
const isOpenToOthers = (directory: string): boolean => (statSync(directory).mode & OTHERS_READ) !== 0

/** A directory below one that is the root of a manager, by the file that only that can lock. */
const managedBelow = async (directory: string): Promise<string | undefined> => {
  const places = lockedBelow(directory)
  if (places === undefined) return `${directory}, or one of too many directories in it to be searched,`
  for (const place of places) if (await isManaged(place, false)) return place
  return undefined
}

/** What it means that another process has the lock that was wished for; nothing where it can be no manager's. */
const inTheWay = async (wish: Wish, directories: readonly string[]): Promise<NotLocked | undefined> => {
  const { kind, directory } = wish
  if (kind === 'file') return taken(directory)
  if (kind === 'above') {
    if (!(await isManaged(directory, true))) return undefined
    return overlapping(directory, ownerText(lockFileName(directory)), below(directory, directories))
  }
  const name = lockNameOf(directory)
  const whose = name === undefined ? 'a stranger' : whoseLock(name)
  if (name === undefined || whose === 'a stranger') return undefined
  const theirs =
    whose === 'unseen' && isOpenToOthers(directory)
      ? await managedBelow(directory)
      : (directoriesOf(name).find((path) => path !== directory && contains(directory, path)) ??
        `${directory}, or a directory in it,`)
  return theirs === undefined ? undefined : overlapping(theirs, ownerText(name), directory)
}

/** As long as a manager that has to give way, or has been killed, may still have its locks, ms. */
const GIVING_WAY_MS = 1_000
const GIVING_WAY_POLL_MS = 50

const poll = (): Promise<void> => new Promise((wake) => setTimeout(wake, GIVING_WAY_POLL_MS))

const hold = async (directories: readonly string[]): Promise<Either<NotLocked, HeldLocks>> => {
  let wishes = wishesFor(directories)
  const until = performance.now() + GIVING_WAY_MS
  for (;;) {
    if (wishes.length > LOCKS_MAX)
      return notLocked(directories[0] ?? '', `more than ${LOCKS_MAX} locks would be needed`)
    const answer = await holdLocks(wishes, directories)
    if (answer._tag === 'Held') return right(answer.locks)
    if (answer._tag === 'Failed') {
      return notLocked(directories[0] ?? '', `${directories.join(', ')} cannot be locked: ${answer.why}`)
    }
    const wish = wishes[answer.index]
    // The process that holds the locks of a manager outlives it until it has read the end of its input.
    if (wish?.kind === 'file' && performance.now() < until) {
      await poll()
      continue
    }
    const way = wish === undefined ? undefined : await inTheWay(wish, directories)
    if (way !== undefined) return left(way)
    // Without this one: it is a stranger's.
    wishes = wishes.filter((other) => other !== wish)
  }
}

/** A directory above ours that is another manager's root although the directory's own lock could be shared. */
const managedAbove = async (directories: readonly string[]): Promise<NotLocked | undefined> => {
  for (const above of directoriesAbove(directories)) {
    // Of two managers that start together the one above has just not got our directory, and lets go of its file.
    for (let waitedMs = 0; await isManaged(above, false); waitedMs += GIVING_WAY_POLL_MS) {
      if (waitedMs >= GIVING_WAY_MS) {
        return overlapping(above, ownerText(lockFileName(above)), below(above, directories))
      }
      await poll()
    }
  }
  return undefined
}

const managedAround = async (known: Iterable<string>, own: readonly string[]): Promise<NotLocked | undefined> => {
  for (const where of lockedAround(known, own)) {
    if (await isManaged(where, false)) {
      const why = `${where} belongs to another manager (${ownerText(lockFileName(where))})`
      const mend = 'and this one has mounted there: stop that one, or let it have another root'
      return { _tag: 'NotLocked', directory: where, why: `${why}, ${mend}` }
    }
  }
  return undefined
}

/** What the locks of a manager take into account. */
export interface LockOptions {
  /** Mountpoints that the journal knows: a manager that has one of them, or a directory above one, is in the way as well. */
  readonly known?: readonly string[]
  /** By the path of a root: users beside root and the manager who may own directories above it. */
  readonly trustedOwners?: TrustedOwners
}

/** A lock is worth nothing in a directory in whose place others can put another one. */
const unsafe = (directory: string, trustedOwners: TrustedOwners | undefined): string | undefined => {
  const safe = safePath(directory, trustFor(process.geteuid?.() ?? 0, trustedOwners, directory))
  if (!isLeft(safe) || safe.left._tag === 'Unreached') return undefined
  return `${directory} is not safe: ${safe.left.unsafe.why}; ${mendOf(safe.left.unsafe, directory)}`
}

const acquireAll = async (wanted: readonly string[], options: LockOptions): Promise<Either<NotLocked, Lock>> => {
  const { known = [], trustedOwners } = options
  // Always in one order, so that of two managers with the same directories one gets all of them.
  const directories = [...new Set(wanted)].sort()
  const inside = nested(directories)
  if (inside !== undefined) return left(inside)
  for (const directory of directories) {
    const why = unsafe(directory, trustedOwners) ?? unusable(directory)
    if (why !== undefined) return notLocked(directory, why)
  }
  const held = await hold(directories)
  if (isLeft(held)) return held
  // After locking: of two managers that begin at the same moment at least one sees the other.
  const overlap = (await managedAbove(directories)) ?? (await managedAround(known, directories))
  if (overlap !== undefined) {
    await held.right.letGo()
    return left(overlap)
  }
  let released = false
  const lost = new Promise<void>((say) => {
    void held.right.ended.then(() => {
      if (!released) say()
    })
  })
  return right({
    release: () => {
      released = true
      return held.right.letGo()
    },
    lost,
    inTheWay: (mountpoints) => managedAround(mountpoints, directories),
  })
}

/**
 * Locks of directories on this machine. All are taken or none. Refused with the pid of the owner (of the process that started
 * the one that holds the lock, from /proc/locks by device and inode), and if a directory of another manager contains one of
 * these or is in it.
 */
export const linuxLocks = (options: LockOptions = {}): Locks => ({
  acquire: (directories) => () =>
    acquireAll(directories, options).catch((error: unknown) =>
      notLocked(directories[0] ?? '', `the locks could not be taken: ${errnoOf(error)}`),
    ),
})
