// Where a look is done. In this process only what asks no server, which the mount table shows before any path is touched; in a
// process of its own everything else, and everything where the table is so long that reading it is the greater delay.

import type { Looker } from './gathering.js'
import { gathering, serveHere } from './gathering.js'
import type { MountTable, NotLocal } from './mount-table.js'
import { asksNobody, asksNobodyIn, notLocal, readShortTable } from './mount-table.js'
import type { Prober } from './prober.js'
import { seeDirectory } from './roots.js'

/** Some 250 mounts, read in about half a millisecond. */
const TABLE_LENGTH_MAX = 32_768
/** How long a table that was found to be longer is taken to be so, ms. */
const LONG_FOR_MS = 60_000

/** Reads the table if it is no longer than so many bytes. */
type ReadShort = (bytes: number) => MountTable | undefined

/** Gives the table while it is short, and what in it may hang. Never reads more of a long one than shows that it is long. */
const createShortTable = (read: ReadShort): (() => ShortTable | undefined) => {
  let longUntil = 0
  return () => {
    if (performance.now() < longUntil) return undefined
    try {
      const table = read(TABLE_LENGTH_MAX)
      if (table !== undefined) return { table, mayHang: notLocal(table) }
      longUntil = performance.now() + LONG_FOR_MS
      return undefined
    } catch {
      return undefined
    }
  }
}

interface ShortTable {
  readonly table: MountTable
  readonly mayHang: NotLocal
}

/** What sees without ever holding this process up. */
export interface SafeLooker {
  readonly look: Looker
  readonly directory: Prober['directory']
}

const createLook = (prober: Prober, shortTable: () => ShortTable | undefined): Looker =>
  gathering((slice) => {
    const short = shortTable()
    const [here, there] = partition(slice, ({ request }) => short !== undefined && asksNobody(short.mayHang, request))
    for (const { request, tell } of there) tell(prober.look(request))
    if (here.length > 0) serveHere(here, short?.table)
  })

const partition = <A>(all: readonly A[], isFirst: (one: A) => boolean): readonly [readonly A[], readonly A[]] => {
  const first: A[] = []
  const second: A[] = []
  for (const one of all) (isFirst(one) ? first : second).push(one)
  return [first, second]
}

/** Whether everything down to this directory, and the directory itself, is on local filesystems, as a short table shows. */
const isLocalDirectory = (read: ReadShort, path: string): boolean => {
  try {
    const table = read(TABLE_LENGTH_MAX)
    return table !== undefined && asksNobodyIn(notLocal(table), path)
  } catch {
    // Without /proc it is seen at the first step that nothing can be known.
    return true
  }
}

/**
 * A looker that cannot hang, whatever is mounted where. Looks that are asked for in the same turn of the event loop are done
 * together, in slices, with one reading of the table for each place that they are done in.
 */
export const createSafeLooker = (prober: Prober, read: ReadShort = readShortTable): SafeLooker => ({
  look: createLook(prober, createShortTable(read)),
  directory: async (role, path, trust, deadlineMs) =>
    isLocalDirectory(read, path) ? seeDirectory(role, path, trust) : prober.directory(role, path, trust, deadlineMs),
})
