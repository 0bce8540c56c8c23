// What of a damaged journal can still be read: every line whose checksum is right, wherever it stands. What is missing between
// them, the next start settles against the mount table and the inventory; so a write counts here even in parts.

import type { Fact } from '@mountkeeper/core'
import { isRight } from 'fp-ts/lib/Either.js'
import { decodeEntry, decodeEntryAtEnd } from './frame.js'
import { decodeHead } from './head.js'
import { createSplitter } from './lines.js'
import type { Scanned } from './scan.js'

/** A line that is lost. */
export interface LostLine {
  /** The first line of the file is 1. */
  readonly line: number
  readonly why: string
}

/** What was saved, and what was not. */
export interface Salvaged {
  readonly facts: readonly Fact[]
  readonly lost: readonly LostLine[]
}

/** Reads in chunks. */
export interface Salvage {
  readonly push: (chunk: Uint8Array) => void
  readonly end: () => Salvaged
}

/** Begins to read. */
export const createSalvage = (): Salvage => {
  const facts: Fact[] = []
  const lost: LostLine[] = []
  let line = 0
  const splitter = createSplitter((bytes, from, to) => {
    line += 1
    if (bytes === undefined) {
      lost.push({ line, why: 'it is too long' })
      return
    }
    const entry = decodeEntry(bytes, from, to)
    if (isRight(entry)) {
      facts.push(entry.right.fact)
      return
    }
    const head = line === 1 ? decodeHead(bytes, from, to) : undefined
    if (head !== undefined && isRight(head)) return
    lost.push({ line, why: entry.left.why })
    const atEnd = decodeEntryAtEnd(bytes, from, to)
    if (atEnd !== undefined) facts.push(atEnd.fact)
  })
  return {
    push: splitter.push,
    end: () => {
      if (splitter.rest() > 0) lost.push({ line: line + 1, why: 'it has no end' })
      return { facts, lost }
    },
  }
}

/** Whether a journal has to be rebuilt before it can be used: one that was only torn, or that is newer, has not. */
export const isDamaged = ({ fault }: Pick<Scanned, 'fault'>): boolean => fault?._tag === 'Damaged'
