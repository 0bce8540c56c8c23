// The journal of the runtime as a file in a state directory.

import type { Fact } from '@mountkeeper/core'
import type { Journal, JournalFailed } from '@mountkeeper/runtime'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { Disk, DiskFile } from './disk.js'
import { nodeDisk } from './disk.js'
import { codeOf, faultFailed, fileFailed, notReady } from './failure.js'
import type { Names } from './place.js'
import { namesIn, unfitDirectory } from './place.js'
import { scanFile } from './read.js'
import type { Scanned } from './scan.js'
import { takePlace, writeSnapshot } from './whole-file.js'
import type { ClosingHow, Writer } from './writer.js'
import { COMPACT_FACTS_MIN, createWriter } from './writer.js'

/** What a journal is made of. */
export interface FileJournalOptions {
  /** Has to be there, to belong to this user and to be closed to others; its lock is the business of whoever calls. */
  readonly directory: string
  /** Hears what is worth telling and stops nobody, in a sentence: that a torn end was cut, that there is no room to shorten. */
  readonly notice?: (sentence: string) => void
  /** The file is made shorter from so many facts after its snapshot on; by default `COMPACT_FACTS_MIN`. */
  readonly compactFactsMin?: number
  /** By default that of this process. */
  readonly disk?: Disk
}

/** A `Journal` that outlives its process. */
export interface FileJournal extends Journal {
  /**
   * Ends it. `drain`: what was appended is written before; `now`: only what is being written, for one whose lock is lost.
   * Whatever is appended later is refused.
   */
  readonly close: (how: ClosingHow) => Promise<void>
}

/** What was read, and where the rest goes. */
interface Opened {
  readonly facts: readonly Fact[]
  readonly writer: Writer
}

const createEmpty = async (disk: Disk, names: Names): Promise<void> => {
  const file = await disk.open(names.next, 'create')
  try {
    await writeSnapshot(file, 0, [])
    await file.flush()
  } finally {
    await file.close()
  }
  await takePlace(disk, names)
}

const openOrCreate = async (disk: Disk, names: Names): Promise<DiskFile> => {
  try {
    return await disk.open(names.journal, 'change')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    await createEmpty(disk, names)
    return disk.open(names.journal, 'change')
  }
}

/**
 * Makes durable what was read. The last life may have ended between its last write and the flush, or by a flush that failed:
 * then the write is in the kernel's memory alone, and maybe no longer marked as to be written. So it is written once more.
 */
const settleEnd = async (file: DiskFile, { bytes, wholeBytes, lastFrom }: Scanned): Promise<void> => {
  const last = await file.read(lastFrom, wholeBytes - lastFrom)
  if (bytes > wholeBytes) await file.truncate(wholeBytes)
  await file.write(last, lastFrom)
  await file.flush()
}

const open = async (options: FileJournalOptions, names: Names): Promise<Either<JournalFailed, Opened>> => {
  const { disk = nodeDisk, notice = () => undefined, compactFactsMin = COMPACT_FACTS_MIN } = options
  const unfit = await unfitDirectory(disk, names.directory)
  if (unfit !== undefined) return left(unfit)
  try {
    await disk.remove(names.next)
    const file = await openOrCreate(disk, names)
    const facts: Fact[] = []
    const scanned = await scanFile(file, (fact) => facts.push(fact))
    const { fault, head } = scanned
    if (fault !== undefined && fault._tag !== 'Torn') {
      await file.close()
      return left(faultFailed(names.journal, fault))
    }
    await settleEnd(file, scanned)
    if (fault !== undefined) {
      const cut = scanned.bytes - scanned.wholeBytes
      notice(
        `${names.journal}: the last write was torn at line ${fault.line} (${fault.why}); its ${cut} bytes were cut`,
      )
    }
    const snapshot = head?.snapshot ?? 0
    const since = facts.length - snapshot
    const writer = createWriter({
      disk,
      names,
      file,
      durable: scanned.wholeBytes,
      snapshot,
      since,
      compactFactsMin,
      notice,
    })
    return right({ facts, writer })
  } catch (error) {
    return left(fileFailed(names.journal, 'opened', error))
  }
}

/** Makes a journal of the file `journal` in a state directory; `read` creates it where there is none. */
export const createFileJournal = (options: FileJournalOptions): FileJournal => {
  const names = namesIn(options.directory)
  let writer: Writer | undefined
  return {
    read: async () => {
      if (writer !== undefined) return left(notReady(names.journal, 'was read before'))
      const opened = await open(options, names)
      if (isLeft(opened)) return opened
      ;({ writer } = opened.right)
      return right(opened.right.facts)
    },
    append: (facts) => () =>
      writer === undefined ? Promise.resolve(left(notReady(names.journal, 'was not read yet'))) : writer.append(facts),
    close: async (how) => writer?.close(how),
  }
}
