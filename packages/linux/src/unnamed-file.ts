// A new file without a name in memory: for what a program has to read from a file, and that is to be gone when no process has it open.

import { closeSync, constants, openSync, statfsSync } from 'node:fs'
import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from './either.js'

/** open(2), without O_DIRECTORY, which differs between machines. With O_EXCL nothing can give the file a name later. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY
const UNNAMED = O_TMPFILE | constants.O_EXCL | constants.O_RDWR

/** statfs(2) of tmpfs; no other filesystem is sure to keep a file off the disk. */
const TMPFS = 0x01021994

const MEMORY = ['/dev/shm', '/run', '/tmp']

/** Opens one, for this process alone; says where a tmpfs is missing. */
export const unnamedFile = (): Either<string, number> => {
  for (const directory of MEMORY) {
    try {
      const fd = openSync(directory, UNNAMED, 0o600)
      if (statfsSync(`/proc/self/fd/${fd}`).type === TMPFS) return right(fd)
      closeSync(fd)
    } catch {
      // The next one may do.
    }
  }
  return left(`no tmpfs in ${MEMORY.join(', ')} takes a file without a name: mount one at /dev/shm`)
}
