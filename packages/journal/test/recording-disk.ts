// A disk that writes down what is asked of another one, in order, and judges the order: a file gets a name only after its bytes are
// durable, the directory is flushed before anything is built on a name, and nothing is acknowledged before it is durable.

import { basename } from 'node:path'
import type { Disk, DiskFile } from '../src/index.js'

export interface RecordingDisk extends Disk {
  /** What changed the disk, by the names that files had then. */
  readonly done: string[]
  /** What was in the wrong order. */
  readonly wrong: string[]
  /** Called where something is acknowledged, or its end believed. */
  readonly acknowledged: () => void
}

interface Node {
  name: string
  dirty: boolean
}

export const createRecordingDisk = (disk: Disk): RecordingDisk => {
  const done: string[] = []
  const wrong: string[] = []
  const nodes = new Map<string, Node>()
  /** Names that changed since the directory was flushed. */
  let changed = false

  const nodeOf = (path: string): Node => {
    const node = nodes.get(path) ?? { name: basename(path), dirty: false }
    nodes.set(path, node)
    return node
  }
  const judge = (isRight: boolean, what: string): void => {
    if (!isRight) wrong.push(`${what}, after ${done.join(', ')}`)
  }
  const did = (what: string): void => void done.push(what)

  const recorded = (node: Node, file: DiskFile): DiskFile => ({
    ...file,
    write: async (bytes, at) => {
      judge(node.name !== 'journal' || !changed, 'written while its name was not durable')
      judge(node.name !== 'journal' || !node.dirty || done.at(-1) === 'truncate journal', 'two writes without a flush')
      node.dirty = true
      await file.write(bytes, at)
      // One of nothing is no system call.
      if (bytes.length > 0) did(`write ${node.name}`)
    },
    truncate: async (length) => {
      node.dirty = true
      await file.truncate(length)
      did(`truncate ${node.name}`)
    },
    flushData: async () => {
      await file.flushData()
      node.dirty = false
      did(`fdatasync ${node.name}`)
    },
    flush: async () => {
      await file.flush()
      node.dirty = false
      did(`fsync ${node.name}`)
    },
  })

  return {
    ...disk,
    done,
    wrong,
    acknowledged: () => {
      for (const [path, node] of nodes)
        if (basename(path) === 'journal') judge(!node.dirty, 'acknowledged before the flush')
      judge(!changed, 'acknowledged while the name of the journal was not durable')
    },
    open: async (path, how) => {
      const file = await disk.open(path, how)
      if (how === 'create') {
        judge(basename(path) === 'journal.new', `${basename(path)} emptied in its place`)
        nodes.set(path, { name: basename(path), dirty: true })
        did(`create ${basename(path)}`)
      }
      return recorded(nodeOf(path), file)
    },
    link: async (path, other) => {
      await disk.link(path, other)
      changed = true
      did(`link ${basename(path)} ${basename(other)}`)
    },
    rename: async (from, to) => {
      const node = nodeOf(from)
      judge(!node.dirty, 'renamed before its bytes were flushed')
      judge(!changed, 'renamed before the name that is kept aside was durable')
      await disk.rename(from, to)
      nodes.delete(from)
      node.name = basename(to)
      nodes.set(to, node)
      changed = true
      did(`rename ${basename(from)} ${basename(to)}`)
    },
    remove: async (path) => {
      await disk.remove(path)
      did(`unlink ${basename(path)}`)
    },
    flushDirectory: async (path) => {
      await disk.flushDirectory(path)
      changed = false
      did('fsync directory')
    },
  }
}
