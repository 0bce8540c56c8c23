// Commands of an earlier life of the manager that are still running: until they have ended nobody can tell what will be
// there, so their mountpoints are `Unknown { CommandAlive }` (specification, section 6, Crash). They are found once, at
// discovery: commands of this life are known, and ended, by the runner.

import { basename } from 'node:path'
import type { Process } from './processes.js'
import { anyLives, processes, vectorOfProcess } from './processes.js'

/** A command without its manager. */
interface Orphan {
  readonly pid: number
  readonly vector: readonly string[]
}

/** The orphans that were found. */
export interface Orphans {
  /** Searches again; for the beginning of a generation. */
  readonly search: () => void
  /** One sentence about a command that may yet change something at this mountpoint; absent if there is none. */
  readonly at: (mountpoint: string) => string | undefined
}

const PROGRAMS: ReadonlySet<string> = new Set(['mount', 'umount', 'mkdir', 'rmdir'])

const THROUGH_DESCRIPTOR = /^\/proc\/(\d+)\/fd\/\d+\/([^/]+)$/

/**
 * Whether this vector is one of ours, by its shape. Commands that were started through the prefix (sudo) show it first.
 * Commands of other managers, whose parent lives and holds the descriptor, are none of our business.
 */
const isOurs = (vector: readonly string[], parentEntry: string, prefix: readonly string[]): boolean => {
  const isPrefixed = prefix.length > 0 && prefix.every((argument, index) => argument === vector[index])
  const command = isPrefixed ? vector.slice(prefix.length) : vector
  if (!PROGRAMS.has(basename(command[0] ?? '')) || !command.includes('--')) return false
  const through = THROUGH_DESCRIPTOR.exec(command.at(-1) ?? '')
  return through === null || through[1] !== parentEntry
}

/** Every command is the leader of a session of its own, and so is told from one that somebody typed. */
const isOrphan = (one: Process, own: string): boolean => one.pid === one.session && one.parentEntry !== own

/** Whether a command acts on a mountpoint; one that names it by a descriptor is known by its last component only. */
const concerns = (orphan: Orphan, mountpoint: string): boolean => {
  const target = orphan.vector.at(-1) ?? ''
  if (target === mountpoint) return true
  return THROUGH_DESCRIPTOR.exec(target)?.[2] === basename(mountpoint)
}

/** `own` is this process as /proc names it. */
export const createOrphans = (prefix: readonly string[], own: string): Orphans => {
  let orphans: readonly Orphan[] = []
  return {
    search: () => {
      orphans = processes().flatMap((one) => {
        if (!isOrphan(one, own)) return []
        const vector = vectorOfProcess(one.entry)
        return isOurs(vector, one.parentEntry, prefix) ? { pid: one.pid, vector } : []
      })
    },
    at: (mountpoint) => {
      const here = orphans.filter((orphan) => concerns(orphan, mountpoint))
      const living = here.filter((orphan) => anyLives(orphan.pid))
      orphans = orphans.filter((orphan) => !here.includes(orphan) || living.includes(orphan))
      const [first] = living
      if (first === undefined) return undefined
      return `process ${first.pid} (${basename(first.vector[0] ?? '')}) of an earlier life of the manager is still running`
    },
  }
}
