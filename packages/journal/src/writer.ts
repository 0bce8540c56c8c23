// Appending. One write and its flush are under way at a time, and everything that is appended meanwhile goes with the next
// one. Invariant: an append resolves well only after its facts, and all before them, were flushed without an error; after the
// first error nothing is tried again, because a second flush that succeeds says nothing about what the first one has lost.

import type { Fact } from '@mountkeeper/core'
import type { JournalFailed } from '@mountkeeper/runtime'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { CompactionLimits, Shorter } from './compaction.js'
import { compact, copyBehind } from './compaction.js'
import type { Disk, DiskFile } from './disk.js'
import { codeOf, faultFailed, fileFailed, notReady, notShortened, strangeFailed, unwritable } from './failure.js'
import { encodeWrite } from './frame.js'
import type { Names } from './place.js'
import { takePlace } from './whole-file.js'

/**
 * From so many facts on that a snapshot would leave out a part of, the file is made shorter; and only when they are more than
 * the snapshot they come after, so that a fact is written about twice however long the manager lives. Reading so many takes
 * a tenth of a second (see the benchmark).
 */
export const COMPACT_FACTS_MIN = 10_000

/** The same in bytes, for facts that are long: a file is at most about so long, or twice its snapshot. */
export const COMPACT_BYTES_MIN: number = 16 * 1024 * 1024

/** Whether what may be written comes from here on, or only what was asked for before. */
export type ClosingHow = 'drain' | 'now'

/** Appends to a file. */
export interface Writer {
  readonly append: (facts: readonly Fact[]) => Promise<Either<JournalFailed, void>>
  readonly close: (how: ClosingHow) => Promise<void>
}

/** What a writer begins with. */
export interface WriterOptions {
  readonly disk: Disk
  readonly names: Names
  readonly file: DiskFile
  /** The length of the file: all of it is durable. */
  readonly durable: number
  /** How many facts come first as a snapshot, and how many after it. */
  readonly snapshot: number
  readonly snapshotBytes: number
  readonly since: number
  readonly compactFactsMin: number
  readonly compactBytesMin: number
  readonly limits: CompactionLimits
  readonly notice: (sentence: string) => void
}

interface Waiting {
  readonly facts: readonly Fact[]
  readonly resolve: (result: Either<JournalFailed, void>) => void
}

/** What is done for tidiness only: a failure of it does no harm. */
const quietly = (work: Promise<void>): Promise<void> => work.catch(() => undefined)

const DURABLE: Either<JournalFailed, void> = right(undefined)

/** Makes a writer; the file is its own from now on. */
export const createWriter = ({ disk, names, notice, limits, ...begin }: WriterOptions): Writer => {
  const { compactFactsMin, compactBytesMin } = begin
  let { file, durable, since, snapshotBytes } = begin
  let limit = Math.max(compactFactsMin, begin.snapshot)
  let limitBytes = Math.max(compactBytesMin, snapshotBytes)
  let waiting: Waiting[] = []
  let failure: JournalFailed | undefined
  let isClosing = false
  let working: Promise<void> | undefined
  let compacting: Promise<void> | undefined
  /** How many facts there were when the compaction began that is under way. */
  let sinceThen = 0
  let shorter: Shorter | undefined

  const fail = (why: JournalFailed): void => {
    failure ??= why
    const refused = waiting
    waiting = []
    for (const { resolve } of refused) resolve(left(failure))
  }

  const giveUp = async (error: unknown): Promise<void> => {
    limit = since * 2
    limitBytes = (durable - snapshotBytes) * 2
    compacting = undefined
    notice(notShortened(names.journal, error))
    // What stays of it is removed at the next start.
    await quietly(disk.remove(names.next))
  }

  const shorten = async (): Promise<void> => {
    try {
      const goesOn = (): boolean => !isClosing && failure === undefined
      const compacted = await compact({ disk, names, file, durable: () => durable, goesOn, limits })
      if (compacted._tag === 'Ready') {
        shorter = compacted.shorter
        work()
      } else if (compacted._tag === 'Damaged') fail(faultFailed(names.journal, compacted.fault))
      else await quietly(disk.remove(names.next))
    } catch (error) {
      await giveUp(error)
    }
  }

  /** The rest of the journal goes behind its snapshot, and both become the journal. Nothing is appended meanwhile. */
  const replace = async (ready: Shorter): Promise<void> => {
    shorter = undefined
    try {
      const { bytes } = await copyBehind(file, ready, durable, limits)
      if (bytes > ready.bytes) await ready.file.flushData()
      await takeOver(ready, bytes)
    } catch (error) {
      await quietly(ready.file.close())
      await giveUp(error)
    }
  }

  const takeOver = async (ready: Shorter, bytes: number): Promise<void> => {
    try {
      await takePlace(disk, names)
    } catch (error) {
      // Which of the two files is the journal now, only the next start can show.
      fail(fileFailed(names.journal, 'replaced by a shorter one', error))
      return
    }
    const old = file
    file = ready.file
    durable = bytes
    since -= sinceThen
    limit = Math.max(compactFactsMin, ready.snapshot)
    ;({ snapshotBytes } = ready)
    limitBytes = Math.max(compactBytesMin, snapshotBytes)
    compacting = undefined
    await quietly(old.close())
  }

  /** Why what is written now would not be what the next start reads. */
  const strange = async (): Promise<JournalFailed | undefined> => {
    const wrong = (what: string): JournalFailed => strangeFailed(names.journal, what)
    const own = await file.seen()
    try {
      const named = await disk.seen(names.journal)
      if (named.identity !== own.identity) return wrong('is another file than the one that is being written')
    } catch (error) {
      return wrong(`does not lead to the file that is being written any more (${codeOf(error)})`)
    }
    if (own.size === durable) return undefined
    return wrong(`has ${own.size} bytes where ${durable} were written: something else writes to it`)
  }

  /** Gives how many bytes were made durable. */
  const writeOne = async (facts: readonly Fact[]): Promise<Either<JournalFailed, number>> => {
    let bytes: Buffer
    try {
      bytes = Buffer.from(encodeWrite(facts))
    } catch (error) {
      return left(unwritable(names.journal, error))
    }
    try {
      const wrong = await strange()
      if (wrong !== undefined) return left(wrong)
      await file.write(bytes, durable)
      await file.flushData()
      return right(bytes.length)
    } catch (error) {
      return left(fileFailed(names.journal, 'written', error))
    }
  }

  const writeWaiting = async (): Promise<void> => {
    const together = waiting
    waiting = []
    const facts = together.flatMap((each) => each.facts)
    const written = await writeOne(facts)
    if (isLeft(written)) {
      fail(written.left)
      for (const { resolve } of together) resolve(written)
      return
    }
    durable += written.right
    since += facts.length
    for (const { resolve } of together) resolve(DURABLE)
    const isShort = since < limit && durable - snapshotBytes < limitBytes
    if (isShort || compacting !== undefined || isClosing) return
    sinceThen = since
    compacting = shorten()
  }

  const step = (): Promise<void> | undefined => {
    if (failure !== undefined) return undefined
    if (shorter !== undefined && !isClosing) return replace(shorter)
    return waiting.length > 0 ? writeWaiting() : undefined
  }

  const workOn = async (): Promise<void> => {
    // What is appended in the same turn goes together.
    await Promise.resolve()
    for (let next = step(); next !== undefined; next = step()) await next
    working = undefined
  }

  const work = (): void => {
    working ??= workOn()
  }

  return {
    append: (facts) =>
      new Promise((resolve) => {
        if (failure !== undefined || isClosing) {
          resolve(left(failure ?? notReady(names.journal, 'is closed')))
          return
        }
        waiting.push({ facts, resolve })
        work()
      }),
    close: async (how) => {
      if (isClosing) return
      isClosing = true
      if (how === 'now') fail(notReady(names.journal, 'is closed'))
      await compacting
      await working
      if (shorter !== undefined) {
        await quietly(shorter.file.close())
        await quietly(disk.remove(names.next))
      }
      await quietly(file.close())
    },
  }
}
