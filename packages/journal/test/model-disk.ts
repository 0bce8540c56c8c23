// A filesystem in memory that knows what is durable and what is not. It can lose power before any of its operations, any of them
// can fail, and its process can be killed while it stays. As on Linux, a flush that fails drops what it should have made durable:
// the content is still read back, and no later flush writes it unless it was written once more.

import type { Disk, DiskFile, FileSeen } from '../src/index.js'

interface Inode {
  content: Buffer
  durable: Buffer
  /** What the next flush does to what is durable, in order. */
  dirty: ((durable: Buffer) => Buffer)[]
}

type Names = Map<string, Inode>

/** What of the things that were not made durable survives a loss of power. */
export interface Surviving {
  readonly content: boolean
  readonly names: boolean
}

export interface ModelDisk extends Disk {
  /** What was done so far, each with its place. */
  readonly done: readonly string[]
  /** Power is lost before this operation: it and all later ones never end. */
  crashBefore: number
  /** This operation, and no other, fails. */
  failAt: number
  /** With this. */
  code: string
  readonly names: () => readonly string[]
  readonly content: (path: string) => Buffer | undefined
  /** The same disk for the next process, after this one was killed or has ended: what is not durable is still there to be read. */
  readonly restarted: () => ModelDisk
  /** The same disk after power came back. */
  readonly after: (surviving: Surviving) => ModelDisk
}

const NEVER = Number.POSITIVE_INFINITY

export const systemError = (code: string): Error => Object.assign(new Error(code), { code })

const overwrite = (content: Buffer, bytes: Uint8Array, at: number): Buffer => {
  const grown = Buffer.alloc(Math.max(content.length, at + bytes.length))
  content.copy(grown)
  grown.set(bytes, at)
  return grown
}

let inodes = 0
const numbers = new WeakMap<Inode, number>()
const seenOf = (inode: Inode): FileSeen => {
  const number = numbers.get(inode) ?? (inodes += 1)
  numbers.set(inode, number)
  return { identity: String(number), size: inode.content.length }
}

const change = (inode: Inode, how: (bytes: Buffer) => Buffer): void => {
  inode.content = how(inode.content)
  inode.dirty.push(how)
}

export const createModelDisk = (begin: Names = new Map(), beginDurable: Names = begin): ModelDisk => {
  const names = new Map(begin)
  let durableNames = new Map(beginDurable)
  const done: string[] = []
  const locked = new Set<string>()

  const step = async (what: string): Promise<void> => {
    await Promise.resolve()
    const index = done.length
    if (index >= disk.crashBefore) return new Promise(() => undefined)
    done.push(what)
    if (index === disk.failAt) throw systemError(disk.code)
  }

  const inodeOf = (path: string): Inode => {
    const inode = names.get(path)
    if (inode === undefined) throw systemError('ENOENT')
    return inode
  }

  const fileOf = (path: string, inode: Inode): DiskFile => {
    const flush = async (): Promise<void> => {
      const dirty = done.length < disk.crashBefore ? inode.dirty.splice(0) : []
      await step(`flush ${path}`)
      for (const how of dirty) inode.durable = how(inode.durable)
    }
    return {
      size: () => Promise.resolve(inode.content.length),
      seen: () => Promise.resolve(seenOf(inode)),
      read: (from, length) => Promise.resolve(Buffer.from(inode.content.subarray(from, from + length))),
      write: async (bytes, at) => {
        // A write that fails may have written a part of it.
        const own = Buffer.from(bytes)
        if (done.length === disk.failAt) {
          change(inode, (content) => overwrite(content, own.subarray(0, own.length / 2), at))
        }
        await step(`write ${path}`)
        change(inode, (content) => overwrite(content, own, at))
      },
      truncate: async (length) => {
        await step(`truncate ${path}`)
        change(inode, (content) => content.subarray(0, length))
      },
      flushData: flush,
      flush,
      close: () => Promise.resolve(),
    }
  }

  const disk: ModelDisk = {
    done,
    crashBefore: NEVER,
    failAt: NEVER,
    code: 'EIO',
    uid: () => 0,
    seen: (path) => Promise.resolve().then(() => seenOf(inodeOf(path))),
    lock: (path) => {
      if (locked.has(path)) return Promise.resolve(undefined)
      locked.add(path)
      return Promise.resolve(() => {
        locked.delete(path)
        return Promise.resolve()
      })
    },
    look: (path) => {
      const isFile = path.includes('/journal')
      return Promise.resolve({ isDirectory: !isFile, isFile, uid: 0, mode: 0o700 })
    },
    open: async (path, how) => {
      if (how !== 'create') return fileOf(path, inodeOf(path))
      await step(`create ${path}`)
      const made = names.get(path) ?? { content: Buffer.alloc(0), durable: Buffer.alloc(0), dirty: [] }
      change(made, () => Buffer.alloc(0))
      names.set(path, made)
      return fileOf(path, made)
    },
    link: async (path, other) => {
      await step(`link ${path} ${other}`)
      if (names.has(other)) throw systemError('EEXIST')
      names.set(other, inodeOf(path))
    },
    rename: async (from, to) => {
      await step(`rename ${from} ${to}`)
      names.set(to, inodeOf(from))
      names.delete(from)
    },
    remove: async (path) => {
      await step(`remove ${path}`)
      names.delete(path)
    },
    flushDirectory: async (path) => {
      await step(`flush ${path}`)
      durableNames = new Map(names)
    },
    names: () => [...names.keys()].sort(),
    content: (path) => names.get(path)?.content,
    restarted: () => createModelDisk(names, durableNames),
    after: (surviving) => {
      const kept = surviving.names ? names : durableNames
      return createModelDisk(
        new Map(
          [...kept].map(([path, inode]) => {
            const content = surviving.content ? inode.content : inode.durable
            return [path, { content, durable: content, dirty: [] }]
          }),
        ),
      )
    },
  }
  return disk
}
