// The journal of the runtime as a file in a state directory.

import type { Fact } from '@mountkeeper/core'
import type { Journal, JournalFailed } from '@mountkeeper/runtime'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { CompactionLimits } from './compaction.js'
import { COMPACTION_LIMITS } from './compaction.js'
import type { Disk, DiskFile } from './disk.js'
import { nodeDisk } from './disk.js'
import { codeOf, faultFailed, fileFailed, lockedFailed, notReady } from './failure.js'
import { createFold } from './fold.js'
import { JOURNAL_FORMAT } from './head.js'
import type { Names } from './place.js'
import { namesIn, unfitDirectory, unfitJournal } from './place.js'
import { scanFile } from './read.js'
import type { Scanned } from './scan.js'
import { takePlace, writeSnapshot } from './whole-file.js'
import type { ClosingHow, Writer } from './writer.js'
import { COMPACT_BYTES_MIN, COMPACT_FACTS_MIN, createWriter } from './writer.js'

/** What a journal is made of. */
export interface FileJournalOptions {
  /** Has to be there, to belong to this user and to be closed to others; it is locked while the journal is open. */
  readonly directory: string
  /** Called with a sentence on what is worth reporting and stops nothing: that a torn end was cut, that there is no room to shorten. */
  readonly notice?: (sentence: string) => void
  /** The file is made shorter from so many facts after its snapshot on; by default `COMPACT_FACTS_MIN`. */
  readonly compactFactsMin?: number
  /** The same from so many bytes after its snapshot on; by default `COMPACT_BYTES_MIN`. */
  readonly compactBytesMin?: number
  /** How its shortening is cut into steps; by default `COMPACTION_LIMITS`. */
  readonly compactionLimits?: CompactionLimits
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

/**
 * The last life may have ended between the rename that gave the file its name and the flush of the directory: then a loss of
 * power would bring back the file before it, or none, with nothing of what is appended from here on. So that is flushed again.
 */
const openOrCreate = async (disk: Disk, names: Names): Promise<DiskFile> => {
  try {
    const file = await disk.open(names.journal, 'change')
    await disk.flushDirectory(names.directory)
    return file
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

interface Begun {
  readonly file: DiskFile
  readonly durable: number
  readonly snapshot: number
  readonly snapshotBytes: number
  readonly since: number
}

/**
 * A file of an older format is rewritten: a program that knows no newer one then refuses it by its first line, and does not
 * read on in facts that it would misunderstand.
 */
const inThisFormat = async (
  disk: Disk,
  names: Names,
  facts: readonly Fact[],
  { format, ...old }: Begun & { readonly format: number | undefined },
): Promise<Begun> => {
  if (format === JOURNAL_FORMAT) return old
  const file = await disk.open(names.next, 'create')
  const durable = await writeSnapshot(file, facts.length, facts)
  await file.flush()
  await takePlace(disk, names)
  await old.file.close()
  return { file, durable, snapshot: facts.length, snapshotBytes: durable, since: 0 }
}

const open = async (options: FileJournalOptions, names: Names): Promise<Either<JournalFailed, Opened>> => {
  const { disk = nodeDisk, notice = () => undefined, compactFactsMin = COMPACT_FACTS_MIN } = options
  try {
    await disk.remove(names.next)
    const strange = await unfitJournal(disk, names)
    if (strange !== undefined) return left(strange)
    const file = await openOrCreate(disk, names)
    const fold = createFold()
    const scanned = await scanFile(file, fold.take)
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
    const facts = fold.facts()
    const begin = await inThisFormat(disk, names, facts, {
      file,
      durable: scanned.wholeBytes,
      snapshot: head?.snapshot ?? 0,
      snapshotBytes: scanned.snapshotBytes,
      since: scanned.facts - (head?.snapshot ?? 0),
      format: head?.format,
    })
    const writer = createWriter({
      disk,
      names,
      ...begin,
      compactFactsMin,
      compactBytesMin: options.compactBytesMin ?? COMPACT_BYTES_MIN,
      limits: options.compactionLimits ?? COMPACTION_LIMITS,
      notice,
    })
    return right({ facts, writer })
  } catch (error) {
    return left(fileFailed(names.journal, 'opened', error))
  }
}

/** Under the lock of the journal, which is let go of where it cannot be opened. */
const openLocked = async (options: FileJournalOptions, names: Names): Promise<Either<JournalFailed, Opened>> => {
  const { disk = nodeDisk } = options
  const unfit = await unfitDirectory(disk, names.directory)
  if (unfit !== undefined) return left(unfit)
  try {
    const unlock = await disk.lock(names.lock)
    if (unlock === undefined) return left(lockedFailed(names.directory, names.lock))
    const opened = await open(options, names)
    if (isLeft(opened)) {
      await unlock()
      return opened
    }
    const { writer, facts } = opened.right
    const close: Writer['close'] = async (how) => {
      await writer.close(how)
      await unlock()
    }
    return right({ facts, writer: { append: writer.append, close } })
  } catch (error) {
    return left(fileFailed(names.lock, 'locked', error))
  }
}

/** Makes a journal of the file `journal` in a state directory; `read` creates it where there is none. */
export const createFileJournal = (options: FileJournalOptions): FileJournal => {
  const names = namesIn(options.directory)
  let writer: Writer | undefined
  return {
    read: async () => {
      if (writer !== undefined) return left(notReady(names.journal, 'was read before'))
      const opened = await openLocked(options, names)
      if (isLeft(opened)) return opened
      ;({ writer } = opened.right)
      return right(opened.right.facts)
    },
    append: (facts) => () =>
      writer === undefined ? Promise.resolve(left(notReady(names.journal, 'was not read yet'))) : writer.append(facts),
    close: async (how) => writer?.close(how),
  }
}
