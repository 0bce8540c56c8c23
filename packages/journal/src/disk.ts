// The few things that a journal asks of a filesystem. They reject with what the system said; nothing here decides what that
// means. A port, so that tests can let any of them fail, and can crash between any two.

import type { Stats } from 'node:fs'
import { close, constants, fchmod, fdatasync, fstat, fsync, ftruncate, open, read, write } from 'node:fs'
import { link, lstat, rename, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { lockFile } from './lock.js'

/** Which file it is, and what can be seen of it from outside. */
export interface FileSeen {
  /** Device and inode. */
  readonly identity: string
  /** Its length in bytes. */
  readonly size: number
}

/** An open file. */
export interface DiskFile {
  /** Its length in bytes. */
  readonly size: () => Promise<number>
  readonly seen: () => Promise<FileSeen>
  /** At most `length` bytes; fewer only at the end of the file. */
  readonly read: (from: number, length: number) => Promise<Uint8Array>
  /** Writes all of it. */
  readonly write: (bytes: Uint8Array, at: number) => Promise<void>
  readonly truncate: (length: number) => Promise<void>
  /** Makes content and length durable. */
  readonly flushData: () => Promise<void>
  /** Makes all of it durable. */
  readonly flush: () => Promise<void>
  readonly close: () => Promise<void>
}

/** A directory or a file, as far as it matters whose it is. */
export interface Place {
  readonly isDirectory: boolean
  readonly isFile: boolean
  readonly uid: number
  /** Permission bits. */
  readonly mode: number
}

/** A filesystem. */
export interface Disk {
  /** The user that this process acts as. */
  readonly uid: () => number
  /** Never follows a link in the last component. */
  readonly look: (path: string) => Promise<Place>
  /** The file that has a name now; never follows a link in the last component. */
  readonly seen: (path: string) => Promise<FileSeen>
  /**
   * Locks a file, which is made where it is not there, until the returned function is called or the process ends; `undefined`
   * if another one has the lock, in this process or elsewhere.
   */
  readonly lock: (path: string) => Promise<(() => Promise<void>) | undefined>
  /** `create` makes a file, and empties one that is there; what may be written has mode 0600 then. None follows a link. */
  readonly open: (path: string, how: 'read' | 'change' | 'create') => Promise<DiskFile>
  /** A second name; rejects with EEXIST where that is taken. */
  readonly link: (path: string, other: string) => Promise<void>
  readonly rename: (from: string, to: string) => Promise<void>
  /** As successful where nothing is there. */
  readonly remove: (path: string) => Promise<void>
  /** Makes the names in a directory durable. */
  readonly flushDirectory: (path: string) => Promise<void>
}

const { O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC } = constants
const FLAGS = {
  read: O_RDONLY | O_NOFOLLOW,
  change: O_RDWR | O_NOFOLLOW,
  create: O_RDWR | O_NOFOLLOW | O_CREAT | O_TRUNC,
} as const
const OWN = 0o600

// The functions of descriptors: those of file handles cost several times as much a call, and a journal makes two for each
// answer.
const fd = {
  open: promisify(open),
  close: promisify(close),
  fstat: promisify(fstat),
  fchmod: promisify(fchmod),
  fsync: promisify(fsync),
  fdatasync: promisify(fdatasync),
  ftruncate: promisify(ftruncate),
  read: promisify(read),
  write: promisify(write),
}

const readAll = async (descriptor: number, from: number, length: number): Promise<Uint8Array> => {
  const bytes = Buffer.allocUnsafe(length)
  let had = 0
  while (had < length) {
    const { bytesRead } = await fd.read(descriptor, bytes, had, length - had, from + had)
    if (bytesRead === 0) break
    had += bytesRead
  }
  return bytes.subarray(0, had)
}

const writeAll = async (descriptor: number, bytes: Uint8Array, at: number): Promise<void> => {
  for (let had = 0; had < bytes.length;) {
    const { bytesWritten } = await fd.write(descriptor, bytes, had, bytes.length - had, at + had)
    had += bytesWritten
  }
}

const seenOf = ({ dev, ino, size }: Stats): FileSeen => ({ identity: `${dev}:${ino}`, size })

const fileOf = (descriptor: number): DiskFile => ({
  size: async () => (await fd.fstat(descriptor)).size,
  seen: async () => seenOf(await fd.fstat(descriptor)),
  read: (from, length) => readAll(descriptor, from, length),
  write: (bytes, at) => writeAll(descriptor, bytes, at),
  truncate: (length) => fd.ftruncate(descriptor, length),
  flushData: () => fd.fdatasync(descriptor),
  flush: () => fd.fsync(descriptor),
  close: () => fd.close(descriptor),
})

/** The filesystem of this process. */
export const nodeDisk: Disk = {
  uid: () => process.geteuid?.() ?? 0,
  look: async (path) => {
    const seen = await lstat(path)
    return { isDirectory: seen.isDirectory(), isFile: seen.isFile(), uid: seen.uid, mode: seen.mode & 0o7777 }
  },
  seen: async (path) => seenOf(await lstat(path)),
  lock: lockFile,
  open: async (path, how) => {
    const descriptor = await fd.open(path, FLAGS[how], OWN)
    if (how !== 'read') await fd.fchmod(descriptor, OWN)
    return fileOf(descriptor)
  },
  link,
  rename,
  remove: (path) => rm(path, { force: true }),
  flushDirectory: async (path) => {
    const descriptor = await fd.open(path, O_RDONLY | O_DIRECTORY)
    try {
      await fd.fsync(descriptor)
    } finally {
      await fd.close(descriptor)
    }
  },
}
