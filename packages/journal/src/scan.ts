// Reading a journal, from its bytes alone. The one question with two answers is what a bad line means. If all that follows it
// was written with it, no caller ever got an answer that depends on it: the end was torn off by a crash, and is truncated. If anything was written later,
// it had been durable, and was damaged since: then nothing is guessed. Laws are run over this without a disk.

import type { Fact } from '@mountkeeper/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, isRight, left, right } from 'fp-ts/lib/Either.js'
import { createFactReader } from './fact-reader.js'
import type { BadLine, Entry, Part, Remains } from './frame.js'
import { decodeEntry, decodeEntryAtEnd, remainsOf } from './frame.js'
import type { Head } from './head.js'
import { decodeHead } from './head.js'
import { createSplitter, LINE_BYTES_MAX } from './lines.js'

/** What is wrong with a journal, and at which line; the first is 1. */
export interface Fault {
  /**
   * `Torn`: its last write is not whole; what comes before is. `Damaged`: what was durable is not there any more.
   * `Newer`: nothing is wrong but that it was written by a newer version.
   */
  readonly _tag: 'Torn' | 'Damaged' | 'Newer'
  readonly line: number
  readonly why: string
}

/** What was read. */
export interface Scanned {
  readonly head: Head | undefined
  readonly bytes: number
  /** The length up to the end of the last whole write: where the next one goes. */
  readonly wholeBytes: number
  /** Where the last whole write begins: only its writer knows whether it was durable. */
  readonly lastFrom: number
  /** Where its snapshot ends. */
  readonly snapshotBytes: number
  /** Facts in whole writes. */
  readonly facts: number
  readonly fault: Fault | undefined
}

/** Reads in chunks. */
export interface Scan {
  readonly push: (chunk: Uint8Array) => void
  readonly end: () => Scanned
}

/** A write of which not all lines were read yet. */
interface Open {
  readonly of: number
  readonly facts: Fact[]
}

/** A line that cannot be read, and what is known of the write that it would have to be of. */
interface Suspect {
  readonly fault: Fault
  of: number | undefined
  /** The least place that what was read last can have in it. */
  place: number
}

type Line = Either<BadLine, Entry>

const TOO_LONG: BadLine = { isWhole: false, why: `it is longer than ${LINE_BYTES_MAX} bytes` }

const damaged = (line: number, why: string): Fault => ({ _tag: 'Damaged', line, why })

/** Whether a line may have been written together with a suspect before it; if so, the suspect knows more of its write. */
const isOfSameWrite = (suspect: Suspect, { place, of }: Part): boolean => {
  if (place <= suspect.place || place > of) return false
  if (suspect.of !== undefined && suspect.of !== of) return false
  suspect.of = of
  suspect.place = place
  return true
}

/** Begins to read; `take` hears each fact of a whole write. After a fault of kind `Damaged` or `Newer` they are worth nothing. */
export const createScan = (take: (fact: Fact) => void): Scan => {
  const reader = createFactReader()
  let head: Head | undefined
  let line = 0
  let bytes = 0
  let offset = 0
  let wholeBytes = 0
  let lastFrom = 0
  let snapshotBytes = 0
  let facts = 0
  let open: Open | undefined
  let suspect: Suspect | undefined
  let fault: Fault | undefined

  const takeHead = (buffer: Buffer, from: number, to: number): void => {
    const read = decodeHead(buffer, from, to)
    if (isRight(read)) {
      head = read.right
      wholeBytes = offset
      lastFrom = offset
      snapshotBytes = offset
    } else fault = { _tag: read.left._tag === 'Newer' ? 'Newer' : 'Damaged', line, why: read.left.why }
  }

  const takeWhole = (all: readonly Fact[]): void => {
    for (const fact of all) take(fact)
    facts += all.length
    lastFrom = wholeBytes
    wholeBytes = offset
    if (facts <= (head?.snapshot ?? 0)) snapshotBytes = offset
    open = undefined
  }

  const takeEntry = ({ part, fact }: Entry): void => {
    const { place, of } = part
    const isNext = open === undefined ? place === 1 : open.of === of && open.facts.length === place - 1
    if (!isNext) {
      fault = damaged(line, 'lines before it are missing')
      return
    }
    if (of === 1) takeWhole([fact])
    else {
      open ??= { of, facts: [] }
      open.facts.push(fact)
      if (place === of) takeWhole(open.facts)
    }
  }

  /** A line after one that cannot be read. */
  const judge = (first: Suspect, read: Line, remains: Remains | undefined): void => {
    const isLast = first.place === first.of
    const part = isRight(read) ? read.right.part : remains?.part
    if (isLast || (part !== undefined && !isOfSameWrite(first, part))) fault = first.fault
    // One that cannot be read either takes a place as well.
    else if (part === undefined) first.place += 1
  }

  const takeBad = ({ why, isWhole }: BadLine, remains: Remains | undefined): void => {
    const known = damaged(line, why)
    const place = (open?.facts.length ?? 0) + 1
    const part = remains?.part
    const of = open?.of ?? (part?.place === place ? part.of : undefined)
    const isFollowed = remains?.hasMore === true && place === of
    if (isWhole || isFollowed || line - 1 <= (head?.snapshot ?? 0)) fault = known
    else suspect = { fault: known, of, place }
  }

  const takeLine = (read: Line, remains?: Remains): void => {
    if (suspect !== undefined) judge(suspect, read, remains)
    else if (isLeft(read)) takeBad(read.left, remains)
    else takeEntry(read.right)
  }

  const takeBytes = (buffer: Buffer, from: number, to: number): void => {
    const read = decodeEntry(buffer, from, to, reader)
    takeLine(read, isLeft(read) ? remainsOf(buffer, from, to) : undefined)
    if (isRight(read) || read.left.isWhole || fault !== undefined) return
    const entry = decodeEntryAtEnd(buffer, from, to)
    if (entry !== undefined) takeLine(right(entry))
  }

  const splitter = createSplitter((buffer, from, to) => {
    line += 1
    offset += to - from + 1
    if (fault !== undefined) return
    if (buffer === undefined) takeLine(left(TOO_LONG))
    else if (line === 1) takeHead(buffer, from, to)
    else takeBytes(buffer, from, to)
  })

  const torn = (): Fault | undefined => {
    if (fault !== undefined) return fault
    if (head === undefined) return damaged(1, bytes === 0 ? 'the file is empty' : 'the first line has no end')
    if (splitter.rest() > 0) {
      line += 1
      const rest = splitter.restBytes()
      takeLine(left({ isWhole: false, why: 'it has no end' }), remainsOf(rest, 0, rest.length))
    }
    // The fault may just have been found.
    const found = fault as Fault | undefined
    if (found !== undefined) return found
    if (facts < head.snapshot)
      return damaged(line + 1, `it should stand there: ${head.snapshot} lines are its snapshot`)
    if (suspect !== undefined) return { ...suspect.fault, _tag: 'Torn' }
    if (open === undefined) return undefined
    const why = `${open.facts.length} of the ${open.of} lines that were written together are there`
    return { _tag: 'Torn', line, why }
  }

  return {
    push: (chunk) => {
      bytes += chunk.length
      splitter.push(chunk)
    },
    end: () => {
      const found = torn()
      return { head, bytes, wholeBytes, lastFrom, snapshotBytes, facts, fault: found }
    },
  }
}

/** Reads a journal that is at hand as a whole. */
export const scanBytes = (bytes: Uint8Array): Scanned & { readonly read: readonly Fact[] } => {
  const read: Fact[] = []
  const scan = createScan((fact) => read.push(fact))
  scan.push(bytes)
  return { ...scan.end(), read }
}
