// Descriptors of directories and how to get to them: one component at a time with O_PATH|O_NOFOLLOW, the only way to look at
// a path that neither follows a link nor asks the filesystem there. The caller closes the descriptor.

import type { BigIntStats } from 'node:fs'
import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from './either.js'
import { readProcFile } from './proc-file.js'
import type { Part, Trust, Unsafe } from './trust.js'
import { isSticky, judge } from './trust.js'

/** open(2); Node does not name it. The same on x86, arm, riscv, s390x and power; not on alpha, parisc, sparc. */
const O_PATH = 0o10000000
const NOT_THROUGH = O_PATH | constants.O_NOFOLLOW

/** Symbolic links followed in one path before it is given up, as in the kernel (path_resolution(7)). */
const LINKS_MAX = 40

/** An open place. */
export interface Place {
  readonly fd: number
  /** The mount it is on. */
  readonly mountId: number
}

/** Whether anything may be looked up on the mount of an open place. The place is the asker's to close. */
export type MayEnter = (mountId: number, place: Place) => boolean

/** Why a walk ended early. */
export interface Stop {
  /** As far as it got, and the component that stopped it. */
  readonly path: string
  /** An errno name; `EXDEV` for a mount that may not be entered, `ELOOP` for a symbolic link, `EPERM` for what is not safe. */
  readonly errno: string
  /** Why others can exchange what is named there. */
  readonly unsafe?: Unsafe
}

/** The errno name of what a `node:fs` function threw. */
export const errnoOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : String(error)
}

/** Closes descriptors; one that cannot be closed is gone all the same (close(2)). */
export const close = (...fds: readonly number[]): void => {
  for (const fd of fds) {
    try {
      closeSync(fd)
    } catch {
      // EBADF would be a defect of ours, EIO is of no concern for O_PATH.
    }
  }
}

/** `/proc/PID` of this process as other processes see it: in a pid namespace not what `process.pid` says. */
export const ownProcess = (): string => `/proc/${readlinkSync('/proc/self')}`

/** What the kernel reports of an open descriptor; a failure is never an errno name, which would be one of the path. */
const placeOf = (fd: number): Either<string, Place> => {
  try {
    const info = readProcFile(`/proc/self/fdinfo/${fd}`)
    const mountId = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1]
    if (mountId === undefined) return left('no mnt_id in /proc/self/fdinfo, which Linux has since 3.15')
    return right({ fd, mountId: Number(mountId) })
  } catch (error) {
    return left(`/proc/self/fdinfo: ${errnoOf(error)}; /proc has to be that of this pid namespace`)
  }
}

const openPlace = (path: string, flags: number): Either<string, Place> => {
  let fd: number
  try {
    fd = openSync(path, NOT_THROUGH | flags)
  } catch (error) {
    return left(errnoOf(error))
  }
  const place = placeOf(fd)
  if (isLeft(place)) close(fd)
  return place
}

/** Opens what `name` is in an open directory, whatever it is, a symbolic link too. The filesystem there is not asked. */
export const openBelow = (directory: Place, name: string): Either<string, Place> =>
  openPlace(`/proc/self/fd/${directory.fd}/${name}`, 0)

/** Opens the root directory. */
export const openSlash = (): Either<string, Place> => openPlace('/', constants.O_DIRECTORY)

/** The components of a canonical absolute path. */
export const componentsOf = (path: string): readonly string[] => path.split('/').filter((name) => name !== '')

/** fstat(2) of an open place. Asks the filesystem: only for places on local ones. Absent if it fails. */
export const statOf = (place: Place): BigIntStats | undefined => {
  try {
    return fstatSync(place.fd, { bigint: true })
  } catch {
    return undefined
  }
}

/** `device:inode` of an open place, as text; empty where that cannot be seen. Asks the filesystem. */
export const inodeOf = (place: Place): string => {
  const stat = statOf(place)
  return stat === undefined ? '' : `${stat.dev.toString()}:${stat.ino.toString()}`
}

/** Major and minor number of a device as statx(2) packs them (makedev(3)). */
export const majorMinor = (device: bigint): readonly [major: bigint, minor: bigint] => [
  ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n),
  (device & 0xffn) | ((device >> 12n) & 0xffffff00n),
]

const isLink = (place: Place): boolean => statOf(place)?.isSymbolicLink() === true

const isStickyPlace = (place: Place): boolean => {
  const stat = statOf(place)
  return stat !== undefined && isSticky(stat)
}

/** Why a directory could not be opened at `name`: ELOOP distinguishes a symbolic link from what is no directory at all. */
const whyNot = (directory: Place, name: string, errno: string): string => {
  if (errno !== 'ENOTDIR') return errno
  const there = openBelow(directory, name)
  if (isLeft(there)) return errno
  const link = there.right.mountId === directory.mountId && isLink(there.right)
  close(there.right.fd)
  return link ? 'ELOOP' : errno
}

/** Why others can exchange a place, or what is in it; one that cannot be seen is an errno. Without `trust` all are trusted. */
const unsafeAt = (path: string, place: Place, trust: Trust | undefined, part: Part): Stop | undefined => {
  if (trust === undefined) return undefined
  const stat = statOf(place)
  const unsafe = stat === undefined ? undefined : judge(path, stat, trust, part)
  if (stat === undefined) return { path, errno: 'EIO' }
  return unsafe === undefined ? undefined : { path: unsafe.component, errno: 'EPERM', unsafe }
}

/**
 * Goes down from an open directory and follows no link. `mayEnter` is asked before anything is looked up on another mount
 * than the one before. With `trust`, each directory has to be safe, `from` and the last one too. Closes what it leaves behind,
 * `from` too.
 */
export const descend = (
  from: Place,
  path: string,
  names: readonly string[],
  mayEnter: MayEnter,
  trust?: Trust,
): Either<Stop, Place> => {
  let place = from
  let reached = path === '/' ? '' : path
  let unsafe = unsafeAt(path, from, trust, names.length === 0 ? 'end' : 'way')
  for (const [index, name] of names.entries()) {
    if (unsafe !== undefined) break
    reached = `${reached}/${name}`
    const next = openPlace(`/proc/self/fd/${place.fd}/${name}`, constants.O_DIRECTORY)
    const stopped = isLeft(next) ? whyNot(place, name, next.left) : undefined
    const entered = isLeft(next) || next.right.mountId === place.mountId || mayEnter(next.right.mountId, next.right)
    close(place.fd)
    if (isLeft(next)) return left({ path: reached, errno: stopped ?? next.left })
    place = next.right
    if (!entered) {
      close(place.fd)
      return left({ path: reached, errno: 'EXDEV' })
    }
    unsafe = unsafeAt(reached, place, trust, index === names.length - 1 ? 'end' : 'way')
  }
  if (unsafe === undefined) return right(place)
  close(place.fd)
  return left(unsafe)
}

/** Where a symbolic link leads; nowhere if it was replaced meanwhile. */
const targetOf = (directory: Place, name: string): string | undefined => {
  try {
    return readlinkSync(`/proc/self/fd/${directory.fd}/${name}`)
  } catch {
    return undefined
  }
}

/** A path with all its links followed, and what is there. */
export interface Resolved {
  readonly path: string
  readonly place: Place
}

/** How a path is resolved. */
export interface ResolveOptions {
  /** Components are looked up only on mounts that this allows; the last one may be on any. */
  readonly mayEnter: MayEnter
  /** Asked before each component is opened, by its path, where even that could wait for a server. */
  readonly mayOpen?: (path: string) => boolean
  /** Each directory in which a name is looked up has to be safe. */
  readonly trust?: Trust
  /** With `trust`: whether what the path leads to has to be a safe directory itself. */
  readonly end?: 'safe' | 'any'
}

/**
 * realpath(3) that cannot hang: links are followed by hand. The place is what the path led to, and stays so whatever is renamed
 * afterwards.
 */
export const resolve = (path: string, options: ResolveOptions): Either<Stop, Resolved> => {
  const { mayEnter, mayOpen = () => true, trust, end = 'any' } = options
  const todo = [...componentsOf(path)]
  let done: readonly string[] = []
  let links = 0
  const slash = openSlash()
  if (isLeft(slash)) return left({ path: '/', errno: slash.left })
  // Directories from `/` down to where we are, so that `..` in a link goes back the way we came.
  const open: Place[] = [slash.right]
  const here = (): Place => open.at(-1) ?? slash.right
  const pathOf = (names: readonly string[]): string => `/${names.join('/')}`
  const stop = (why: string | Stop): Either<Stop, Resolved> => {
    close(...open.map((place) => place.fd))
    return left(typeof why === 'string' ? { path: pathOf(done), errno: why } : why)
  }
  /** Whether anything may be looked up here. */
  const isEntered = (): boolean => {
    const before = open.at(-2)
    return before === undefined || here().mountId === before.mountId || mayEnter(here().mountId, here())
  }
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (name === '.') continue
    if (name === '..') {
      if (open.length > 1) close(open.pop()?.fd ?? -1)
      done = done.slice(0, -1)
      continue
    }
    if (!isEntered()) return stop('EXDEV')
    const unsafe = unsafeAt(pathOf(done), here(), trust, 'way')
    if (unsafe !== undefined) return stop(unsafe)
    const next = mayOpen(pathOf([...done, name])) ? openBelow(here(), name) : left('EXDEV')
    if (isLeft(next)) {
      done = [...done, name]
      return stop(next.left)
    }
    const isOnSameMount = next.right.mountId === here().mountId
    // What is mounted on cannot be exchanged.
    const isShared = trust !== undefined && isOnSameMount && isStickyPlace(here())
    const foreign = isShared ? unsafeAt(pathOf([...done, name]), next.right, trust, 'entry') : undefined
    if (foreign !== undefined) {
      close(next.right.fd)
      return stop(foreign)
    }
    if (isOnSameMount && isLink(next.right)) {
      close(next.right.fd)
      links += 1
      const target = targetOf(here(), name)
      if (target === undefined || links > LINKS_MAX) return stop('ELOOP')
      if (target.startsWith('/')) {
        close(...open.splice(1).map((place) => place.fd))
        done = []
      }
      todo.unshift(...componentsOf(target))
      continue
    }
    open.push(next.right)
    done = [...done, name]
  }
  if (end === 'safe') {
    if (!isEntered()) return stop('EXDEV')
    const unsafe = unsafeAt(pathOf(done), here(), trust, 'end')
    if (unsafe !== undefined) return stop(unsafe)
  }
  const place = open.pop() ?? slash.right
  close(...open.map((other) => other.fd))
  return right({ path: pathOf(done), place })
}
