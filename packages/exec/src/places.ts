// Directories by descriptors. A name is looked up only in a directory that is open, and no link is ever followed; what others
// could exchange is refused. Descriptors of parents stay open, for a command that is late goes through them.

import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync } from 'node:fs'
import type { Stats } from 'node:fs'

/** open(2); Node does not name it. */
const O_PATH = 0o10000000
const FLAGS = O_PATH | constants.O_NOFOLLOW

/** Why a path cannot be used. */
export class Refused extends Error {}

const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)

const open = (path: string, flags: number, shown: string): number => {
  try {
    return openSync(path, FLAGS | flags)
  } catch (error) {
    const errno = errnoOf(error)
    const why = errno === 'ELOOP' || errno === 'ENOTDIR' ? 'is no directory, or a symbolic link' : errno
    throw new Refused(`${shown}: ${why}`)
  }
}

/** A descriptor as this process and its children name it. */
export const nameOf = (fd: number): string => `/proc/${readlinkSync('/proc/self')}/fd/${fd}`

const mountOf = (fd: number): string => {
  const id = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
  if (id === undefined) throw new Refused('the kernel does not show the mount of a descriptor')
  return id
}

/** The flags of the mount that an open place is on. */
export const flagsOf = (fd: number): readonly string[] => {
  const id = mountOf(fd)
  const line = readFileSync('/proc/self/mountinfo', 'latin1')
    .split('\n')
    .map((each) => each.split(' '))
    .find(([each]) => each === id)
  if (line === undefined) throw new Refused('its mount is not in the mount table')
  return line[5]?.split(',') ?? []
}

const OTHERS_WRITE = 0o022
const STICKY = 0o1000

/** Only root can exchange what is named in it; `isWay`: or, in a sticky one, what belongs to root, which is judged next. */
const isSafe = (stat: Stats, isWay: boolean): boolean =>
  stat.uid === 0 && ((stat.mode & OTHERS_WRITE) === 0 || (isWay && (stat.mode & STICKY) !== 0))

/** A path of bytes that mean the same to every reader: absolute, canonical, without control characters. */
export const isCanonical = (path: string): boolean =>
  path.startsWith('/') &&
  Buffer.byteLength(path) <= 4_095 &&
  path.isWellFormed() &&
  !/[\u0000-\u001f\u007f-\u009f]/.test(path) &&
  path
    .slice(1)
    .split('/')
    .every((name) => name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255)

const componentsOf = (path: string): readonly string[] => path.split('/').filter((name) => name !== '')

/**
 * Goes down from `/`. `safe`: every directory in which something is looked up belongs to root and can be written by no other user,
 * so that the path means the same afterwards. What is at the end may be anything but a link.
 */
export const walk = (path: string, safe: boolean): number => {
  let fd = open('/', constants.O_DIRECTORY, '/')
  let reached = ''
  const names = componentsOf(path)
  try {
    for (const [index, name] of names.entries()) {
      const above = fstatSync(fd)
      if (safe && !isSafe(above, true)) throw new Refused(`${reached || '/'} can be changed by others than root`)
      reached = `${reached}/${name}`
      const isLast = index === names.length - 1
      const mount = isLast ? mountOf(fd) : ''
      const next = open(`/proc/self/fd/${fd}/${name}`, isLast ? 0 : constants.O_DIRECTORY, reached)
      closeSync(fd)
      fd = next
      if (!isLast) continue
      // The root of a mount is no link; and what is mounted is not asked where that can be avoided.
      if (mountOf(fd) === mount && fstatSync(fd).isSymbolicLink()) throw new Refused(`${reached} is a symbolic link`)
      // In a sticky directory the owner of an entry can exchange it.
      const isOwners = safe && (above.mode & OTHERS_WRITE) !== 0 && fstatSync(fd).uid !== 0
      if (isOwners) throw new Refused(`${reached} belongs to another user than root`)
    }
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Where a mountpoint is: its parent, open for good, and its name there. */
export interface Spot {
  readonly parent: number
  readonly name: string
}

/** A managed root, open for the life of this process. */
export interface Root {
  readonly path: string
  readonly fd: number
  readonly mount: string
}

/** Opens a root: a directory of root that no other user can write, reached over safe directories. */
export const openRoot = (path: string): Root => {
  const fd = walk(path, true)
  const stat = fstatSync(fd)
  if (!stat.isDirectory() || !isSafe(stat, false)) {
    closeSync(fd)
    throw new Refused(`root ${path} has to be a directory of root that no other user can write: chown root, chmod go-w`)
  }
  return { path, fd, mount: mountOf(fd) }
}

/** More parents than these are not kept open at once; each is one descriptor. */
const PARENTS_MAX = 16_384

const parents = new Map<string, number>()

/** The descriptor of a parent that is kept, this one or the one that this directory has already. Closes none that it refuses. */
const keep = (fd: number): number => {
  const stat = fstatSync(fd, { bigint: true })
  const key = `${mountOf(fd)}:${stat.dev}:${stat.ino}`
  const known = parents.get(key)
  if (known !== undefined) {
    closeSync(fd)
    return known
  }
  // Of directories that were removed nothing can be named any more.
  if (parents.size >= PARENTS_MAX) {
    for (const [each, old] of parents) {
      if (fstatSync(old).nlink !== 0) continue
      closeSync(old)
      parents.delete(each)
    }
  }
  if (parents.size >= PARENTS_MAX) {
    throw new Refused(`more than ${PARENTS_MAX} directories hold mountpoints: start the manager again`)
  }
  parents.set(key, fd)
  return fd
}

/** Finds a mountpoint: below a root, over directories of root on the root's own mount, whatever is at its name. */
export const spotOf = (roots: readonly Root[], mountpoint: string): Spot => {
  if (!isCanonical(mountpoint)) throw new Refused('the mountpoint is no canonical path')
  const root = roots.find(({ path }) => mountpoint.startsWith(`${path}/`))
  if (root === undefined) throw new Refused(`${mountpoint} is below no root`)
  const names = mountpoint.slice(root.path.length + 1).split('/')
  const name = names.pop() ?? ''
  let fd = open(`/proc/self/fd/${root.fd}/.`, constants.O_DIRECTORY, root.path)
  try {
    for (const each of names) {
      const next = open(`/proc/self/fd/${fd}/${each}`, constants.O_DIRECTORY, mountpoint)
      closeSync(fd)
      fd = next
      if (mountOf(fd) !== root.mount) throw new Refused(`${mountpoint} is on another mount than its root`)
      if (!isSafe(fstatSync(fd), false)) throw new Refused(`a directory above ${mountpoint} can be changed by others`)
    }
    return { parent: keep(fd), name }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Throws unless there is a directory at the mountpoint, or something mounted: never a link, which mount(8) would follow. */
export const checkTarget = ({ parent, name }: Spot): void => {
  const fd = open(`/proc/self/fd/${parent}/${name}`, 0, name)
  try {
    // What is mounted is not asked, for it may hang; its root is no link.
    if (mountOf(fd) === mountOf(parent) && !fstatSync(fd).isDirectory()) throw new Refused(`${name} is no directory`)
  } finally {
    closeSync(fd)
  }
}

/** The operand of a command: through the descriptor of the parent, which no rename can exchange. */
export const operandOf = ({ parent, name }: Spot): string => `${nameOf(parent)}/${name}`
