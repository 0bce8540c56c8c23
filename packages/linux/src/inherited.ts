// Descriptors that this process was started with. Node closes those of its own in each child, and of the inherited ones only the
// first (up to 15, and on to the first number that is free); any other would go to every command, and stay in a FUSE daemon for
// the life of its mount: a lock that a shell holds in 200, a pipe, a file that only root may read.

import { readdirSync } from 'node:fs'
import { close } from './descriptor.js'
import { readProcFile } from './proc-file.js'

/** Each child gets its own 0 to 2. */
const FIRST = 3

/** open(2), as fdinfo shows it, in octal. */
const O_CLOEXEC = 0o2000000

const goesToChildren = (fd: number): boolean => {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readProcFile(`/proc/self/fdinfo/${fd}`))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0
  } catch {
    // The one that the directory was read with.
    return false
  }
}

/** Descriptors of this process that each of its children inherits; none of them is one that Node has opened. */
export const inheritedDescriptors = (): readonly number[] =>
  readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd >= FIRST && goesToChildren(fd))

/**
 * Sees to it that what this process starts from now on inherits nothing: closes the descriptors that it would, and sets the
 * file mode mask to 077. For a process that is all manager; `keep` are descriptors that it was given on purpose.
 */
export const inheritNothing = (keep: readonly number[] = []): void => {
  process.umask(0o077)
  try {
    close(...inheritedDescriptors().filter((fd) => !keep.includes(fd)))
  } catch {
    // Without /proc nothing works, and the first look says so.
  }
}
