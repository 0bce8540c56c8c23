// Where a look is done. In this process only what asks nobody, which the mount table shows before any path is touched; in a
// process of its own everything else, and everything where the table is so long that reading it is the greater delay.

import type { Looker } from './look.js'
import { gathering, serveHere } from './look.js'
import type { MountTable, NotLocal } from './mount-table.js'
import { asksNobody, asksNobodyIn, notLocal, readTable } from './mount-table.js'
import type { Prober } from './prober.js'
import { seeDirectory } from './roots.js'

/** Some 250 mounts, read in about half a millisecond. */
const TABLE_LENGTH_MAX = 32_768
/** How long a table that was found to be longer is taken to be so, ms. */
const LONG_FOR_MS = 60_000

/** What tells whether a look asks nobody; nothing where only the prober may say. */
const createShortTable = (read: () => MountTable): (() => NotLocal | undefined) => {
  let longUntil = 0
  return () => {
    if (performance.now() < longUntil) return undefined
    try {
      const table = read()
      if (table.text.length <= TABLE_LENGTH_MAX) return notLocal(table)
      longUntil = performance.now() + LONG_FOR_MS
      return undefined
    } catch {
      return undefined
    }
  }
}

/** What sees without ever holding this process up. */
export interface SafeLooker {
  readonly look: Looker
  readonly directory: Prober['directory']
}

/** Whether everything down to this directory, and the directory itself, is on local filesystems. */
const isLocalDirectory = (read: () => MountTable, path: string): boolean => {
  try {
    return asksNobodyIn(notLocal(read()), path)
  } catch {
    // Without /proc it is seen at the first step that nothing can be told.
    return true
  }
}

const createLook = (prober: Prober, read: () => MountTable): Looker => {
  const shortTable = createShortTable(read)
  return gathering((slice) => {
    const table = shortTable()
    const here = slice.filter(({ request }) => table !== undefined && asksNobody(table, request))
    for (const { request, tell } of slice.filter((one) => !here.includes(one))) tell(prober.look(request))
    serveHere(here)
  })
}

/**
 * A looker that cannot hang, whatever is mounted where. Looks that are asked for in the same turn of the event loop are done
 * together, in slices, with one reading of the table for each place that they are done in.
 */
export const createSafeLooker = (prober: Prober, read: () => MountTable = readTable): SafeLooker => ({
  look: createLook(prober, read),
  directory: async (role, path, uid, deadlineMs) =>
    isLocalDirectory(read, path) ? seeDirectory(role, path, uid) : prober.directory(role, path, uid, deadlineMs),
})
