// Descriptors of directories and how to get to them: one component at a time with O_PATH|O_NOFOLLOW, the only way to look at
// a path that neither follows a link nor asks the filesystem there. Whoever gets a descriptor closes it.

import type { BigIntStats } from 'node:fs'
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync } from 'node:fs'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'

/** open(2); Node does not name it. The same on x86, arm, riscv, s390x and power; not on alpha, parisc, sparc. */
const O_PATH = 0o10000000
const NOT_THROUGH = O_PATH | constants.O_NOFOLLOW

/** Symbolic links followed in one path before it is given up, as in the kernel (path_resolution(7)). */
const LINKS_MAX = 40

/** An open place. */
export interface Place {
  readonly fd: number
  /** The mount it lies on. */
  readonly mountId: number
}

/** Whether anything may be looked up on the mount of an open place. The place is the asker's to close. */
export type MayEnter = (mountId: number, place: Place) => boolean

/** Why a walk ended early. */
export interface Stop {
  /** As far as it got, and the component that stopped it. */
  readonly path: string
  /** An errno name; `EXDEV` for a mount that may not be entered, `ELOOP` for a symbolic link. */
  readonly errno: string
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

/** What the kernel tells of an open descriptor; a failure is never an errno name, which would be one of the path. */
const placeOf = (fd: number): Either<string, Place> => {
  try {
    const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')
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

/** `device:inode` of an open place, as text; empty where that cannot be told. Asks the filesystem. */
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

/** Why a directory could not be opened at `name`: ELOOP tells a symbolic link from what is no directory at all. */
const whyNot = (directory: Place, name: string, errno: string): string => {
  if (errno !== 'ENOTDIR') return errno
  const there = openBelow(directory, name)
  if (isLeft(there)) return errno
  const link = there.right.mountId === directory.mountId && isLink(there.right)
  close(there.right.fd)
  return link ? 'ELOOP' : errno
}

/**
 * Goes down from an open directory and follows no link. `mayEnter` is asked before anything is looked up on another mount
 * than the one before. Closes what it leaves behind, `from` too.
 */
export const descend = (
  from: Place,
  path: string,
  names: readonly string[],
  mayEnter: MayEnter,
): Either<Stop, Place> => {
  let place = from
  let reached = path === '/' ? '' : path
  for (const name of names) {
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
  }
  return right(place)
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

/**
 * realpath(3) that cannot hang: components are looked up only on mounts that `mayEnter` allows (the last one may lie on
 * any), and links are followed by hand. The place is what the path led to, and stays so whatever is renamed afterwards.
 * `mayOpen` is asked before each component is opened, by its path, where even that could wait for a server.
 */
export const resolve = (
  path: string,
  mayEnter: MayEnter,
  mayOpen: (path: string) => boolean = () => true,
): Either<Stop, Resolved> => {
  const todo = [...componentsOf(path)]
  let done: readonly string[] = []
  let links = 0
  const slash = openSlash()
  if (isLeft(slash)) return left({ path: '/', errno: slash.left })
  // Directories from `/` down to where we are, so that `..` in a link goes back the way we came.
  const open: Place[] = [slash.right]
  const stop = (errno: string): Either<Stop, Resolved> => {
    close(...open.map((place) => place.fd))
    return left({ path: `/${done.join('/')}`, errno })
  }
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    const here = open.at(-1) ?? slash.right
    if (name === '.') continue
    if (name === '..') {
      if (open.length > 1) close(open.pop()?.fd ?? -1)
      done = done.slice(0, -1)
      continue
    }
    const before = open.at(-2)
    if (before !== undefined && here.mountId !== before.mountId && !mayEnter(here.mountId, here)) return stop('EXDEV')
    const next = mayOpen(`/${[...done, name].join('/')}`) ? openBelow(here, name) : left('EXDEV')
    if (isLeft(next)) {
      done = [...done, name]
      return stop(next.left)
    }
    if (next.right.mountId === here.mountId && isLink(next.right)) {
      close(next.right.fd)
      links += 1
      const target = targetOf(here, name)
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
  const place = open.pop() ?? slash.right
  close(...open.map((other) => other.fd))
  return right({ path: `/${done.join('/')}`, place })
}
