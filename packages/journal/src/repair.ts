// Rebuilding a damaged journal: what can be read goes to a new file, the damaged one is kept under another name. The caller
// holds the lock of the state directory. A crash at any point leaves the damaged journal or the rebuilt one.

import type { JournalFailed } from '@mountkeeper/runtime'
import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Disk } from './disk.js'
import { nodeDisk } from './disk.js'
import { examineJournal } from './examine.js'
import { codeOf, faultFailed, fileFailed, lockedFailed } from './failure.js'
import type { Names } from './place.js'
import { namesIn, unfitDirectory, unfitJournal } from './place.js'
import { readChunks } from './read.js'
import type { LostLine, Salvaged } from './salvage.js'
import { createSalvage, isDamaged } from './salvage.js'
import { takePlace, writeSnapshot } from './whole-file.js'

/** What a repair came to. */
export type Repaired =
  /** There is no journal, or none that needs it: the next start reads it as it is. */
  | { readonly _tag: 'NotNeeded' }
  | {
      readonly _tag: 'Rebuilt'
      /** Where the damaged file is now. */
      readonly kept: string
      /** How many facts the journal has now. */
      readonly facts: number
      readonly lost: readonly LostLine[]
      /** Whether it still says in which boot its mounts were made. If not, what is mounted counts as foreign. */
      readonly knowsBoot: boolean
    }

/** More files put aside than this are for a person to look at. */
const ASIDE_MAX = 1_000

const CHUNK_BYTES = 1024 * 1024

const salvage = async (disk: Disk, path: string): Promise<Salvaged> => {
  const file = await disk.open(path, 'read')
  try {
    const reading = createSalvage()
    await readChunks(file, await file.size(), CHUNK_BYTES, reading.push)
    return reading.end()
  } finally {
    await file.close()
  }
}

/** Gives the damaged file a second name that nothing has yet. */
const keepAside = async (disk: Disk, { journal, aside }: Names): Promise<string> => {
  for (let count = 1; ; count += 1) {
    try {
      await disk.link(journal, aside(count))
      return aside(count)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || count === ASIDE_MAX) throw error
    }
  }
}

const rebuild = async (disk: Disk, names: Names): Promise<Repaired> => {
  const { facts, lost } = await salvage(disk, names.journal)
  const next = await disk.open(names.next, 'create')
  try {
    await writeSnapshot(next, facts.length, facts)
    await next.flush()
  } finally {
    await next.close()
  }
  const kept = await keepAside(disk, names)
  // What is kept has its second name before it loses its first, whatever the filesystem makes durable first.
  await disk.flushDirectory(names.directory)
  await takePlace(disk, names)
  const knowsBoot = facts.some(({ _tag }) => _tag === 'HostCameUp')
  return { _tag: 'Rebuilt', kept, facts: facts.length, lost, knowsBoot }
}

/** Rebuilds the journal of a state directory if it is damaged. */
export const repairJournal =
  (directory: string, disk: Disk = nodeDisk): TaskEither<JournalFailed, Repaired> =>
  async (): Promise<Either<JournalFailed, Repaired>> => {
    const names = namesIn(directory)
    const unfit = (await unfitDirectory(disk, directory)) ?? (await unfitJournal(disk, names))
    if (unfit !== undefined) return left(unfit)
    const examined = await examineJournal(directory, disk)()
    if (examined._tag === 'Left') return examined
    const { right: seen } = examined
    if (seen?.fault?._tag === 'Newer') return left(faultFailed(names.journal, seen.fault))
    if (seen === undefined || !isDamaged(seen)) return right({ _tag: 'NotNeeded' })
    try {
      const unlock = await disk.lock(names.lock)
      if (unlock === undefined) return left(lockedFailed(directory, names.lock))
      try {
        return right(await rebuild(disk, names))
      } finally {
        await unlock()
      }
    } catch (error) {
      return left(fileFailed(names.journal, 'rebuilt', error))
    }
  }
