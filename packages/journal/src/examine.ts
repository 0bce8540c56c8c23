// A journal as it is there, for those who only want to know: changes nothing, and needs no lock. Beside a manager that runs,
// the end of what is seen may be in the middle of a write.

import type { Fact } from '@mountkeeper/core'
import type { JournalFailed } from '@mountkeeper/runtime'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Disk } from './disk.js'
import { nodeDisk } from './disk.js'
import { codeOf, faultFailed, fileFailed } from './failure.js'
import { createFold } from './fold.js'
import { namesIn, unfitJournal } from './place.js'
import { scanFile } from './read.js'
import type { Scanned } from './scan.js'

/** What was seen of a journal. */
export interface Examined extends Scanned {
  readonly path: string
  /** The facts of all whole writes before a fault, or a snapshot of them where they are many. */
  readonly read: readonly Fact[]
}

/** Reads the journal of a state directory; `undefined` where there is none. */
export const examineJournal =
  (directory: string, disk: Disk = nodeDisk): TaskEither<JournalFailed, Examined | undefined> =>
  async () => {
    const path = namesIn(directory).journal
    try {
      const file = await disk.open(path, 'read')
      try {
        const fold = createFold()
        const scanned = await scanFile(file, fold.take)
        return right({ path, ...scanned, read: fold.facts() })
      } finally {
        await file.close()
      }
    } catch (error) {
      return codeOf(error) === 'ENOENT' ? right(undefined) : left(fileFailed(path, 'read', error))
    }
  }

/** The facts that a manager which started now would begin with; none where there is no journal. */
export const readJournal =
  (directory: string, disk: Disk = nodeDisk): TaskEither<JournalFailed, readonly Fact[]> =>
  async () => {
    const examined = await examineJournal(directory, disk)()
    if (examined._tag === 'Left') return examined
    const { right: seen } = examined
    if (seen === undefined) return right([])
    const { fault, path, read } = seen
    return fault === undefined || fault._tag === 'Torn' ? right(read) : left(faultFailed(path, fault))
  }

/** Why a manager of this user would not use the journal of a state directory, whatever is in it; nothing where there is none. */
export const journalProblem = (directory: string, disk: Disk = nodeDisk): Promise<JournalFailed | undefined> =>
  unfitJournal(disk, namesIn(directory))
