// The lines of mounts that are recent, without those of all the others: among 10,000 mounts the kernel takes 18 ms to write its
// table, and 0.03 ms to write what was mounted since a descriptor on it was read to its end. Since Linux 6.8 such a descriptor
// goes on where it was; before that it stays at its end, shows nothing, and the whole table is read. What it does not show proves
// nothing either: a mount may be older, or have been made before others and put in its place after them.
// Invariant: a line counts only in the burst of looks in which it was read, whose descriptors were all open before.

import { closeSync, openSync, readSync } from 'node:fs'
import type { MountTable } from './mount-table.js'
import { lineOf, tableOf } from './mount-table.js'

/** Reads the mount table, and what has come to it. */
export interface RecentMounts {
  /**
   * Begins a burst of looks when all its descriptors are open. Gives lines, as a table, in which that of a mount stands as it
   * is now, if that can be had without the others.
   */
  readonly begin: () => (mountId: number) => MountTable | undefined
  /** The whole table, read now. Throws where `/proc` is not mounted. */
  readonly readWhole: () => MountTable
  readonly close: () => void
}

/** A descriptor on the table that was read to its end. */
interface Parked {
  readonly fd: number
  /** The number of the reading: later mounts are shown by the next one. */
  at: number
}

/** As many looks at a recent mount need no whole table: a mount, its unmount and what is seen before and after take four. */
const PARKED_MAX = 8
/** Mounts of which it is known between which readings they were made. */
const FIRST_SEEN_MAX = 4_096
const CHUNK_BYTES = 65_536

const readToEnd = (fd: number): Buffer => {
  const parts: Buffer[] = []
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    let length = 0
    // The kernel gives a page at a time.
    for (let size = 1; size > 0 && length < chunk.length; length += size) {
      size = readSync(fd, chunk, length, chunk.length - length, null)
    }
    parts.push(chunk.subarray(0, length))
    if (length < chunk.length) return parts.length === 1 ? chunk.subarray(0, length) : Buffer.concat(parts)
  }
}

/** Opens the table; for tests another file. */
export type OpenTable = () => number

const openTable: OpenTable = () => openSync('/proc/self/mountinfo', 'r')

/** Reads nothing before it is asked. */
export const createRecentMounts = (open: OpenTable = openTable): RecentMounts => {
  /** The one that was read last at the end. */
  let parked: Parked[] = []
  /** By mount id, the reading that showed it first. */
  const firstSeen = new Map<number, number>()
  let readings = 0

  const readOn = (one: Parked): MountTable => {
    readings += 1
    one.at = readings
    parked = [...parked.filter((other) => other !== one), one]
    return tableOf(readToEnd(one.fd))
  }

  const remember = ({ text }: MountTable): void => {
    if (firstSeen.size > FIRST_SEEN_MAX) firstSeen.clear()
    for (const [, id] of text.matchAll(/\n(\d+) /g)) firstSeen.set(Number(id), readings)
  }

  const begin = (): ((mountId: number) => MountTable | undefined) => {
    const read: MountTable[] = []
    const showing = (mountId: number): MountTable | undefined =>
      read.find((table) => lineOf(table, mountId)._tag !== 'Missing')
    const readNews = (): void => {
      const last = parked.at(-1)
      if (last === undefined || read.length > 0) return
      const news = readOn(last)
      remember(news)
      read.push(news)
    }
    return (mountId) => {
      readNews()
      const shown = showing(mountId)
      if (shown !== undefined) return shown
      // One that was read last before this mount was made; of those the last, which has the fewest others to show.
      const first = firstSeen.get(mountId) ?? 0
      const before = parked.filter(({ at }) => at < first).at(-1)
      if (before === undefined) return undefined
      read.push(readOn(before))
      return showing(mountId)
    }
  }

  const readWhole = (): MountTable => {
    const fd = open()
    readings += 1
    const at = readings
    try {
      const table = tableOf(readToEnd(fd))
      parked.push({ fd, at })
      for (const { fd: oldest } of parked.splice(0, parked.length - PARKED_MAX)) closeSync(oldest)
      return table
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  return {
    begin,
    readWhole,
    close: () => {
      for (const { fd } of parked) closeSync(fd)
      parked = []
      firstSeen.clear()
    },
  }
}
