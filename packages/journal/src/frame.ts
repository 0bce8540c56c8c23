// The form of a line: `crc32 SP json LF`, the checksum over the JSON in eight hexadecimal digits. What is written together
// becomes durable together, and counts at recovery as a whole or not at all; so each line of a write of several facts begins
// with its place in it, `"part":[2,3]`. One that has no part is a whole write.

import { encodeFact } from '@mountkeeper/codec'
import type { Fact } from '@mountkeeper/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, isRight, left, right } from 'fp-ts/lib/Either.js'
import { checksumOf, digitsAt, endOfChecked } from './checksum.js'
import type { FactReader } from './fact-reader.js'
import { readFact } from './fact-reader.js'

/** Where a line stands in what was written with it: the first of three is `[1, 3]`. */
export interface Part {
  readonly place: number
  readonly of: number
}

/** One line that was read. */
export interface Entry {
  readonly part: Part
  readonly fact: Fact
}

/** Why a line was not. `isWhole`: it is as it was written, so that no crash is to blame. */
export interface BadLine {
  readonly isWhole: boolean
  readonly why: string
}

const DIGITS = 8
const SPACE = 32
const ALONE: Part = { place: 1, of: 1 }

const checksum = (json: string): string => {
  const bytes = Buffer.from(json)
  return checksumOf(bytes, 0, bytes.length).toString(16).padStart(DIGITS, '0')
}

/** JSON as a line, with its end. */
export const frame = (json: string): string => `${checksum(json)} ${json}\n`

/** The JSON of a line, if its checksum is right. */
export const unframe = (bytes: Buffer, from: number, to: number): Either<BadLine, string> => {
  const begin = from + DIGITS + 1
  if (begin > to || bytes[begin - 1] !== SPACE)
    return left({ isWhole: false, why: 'it does not begin with a checksum' })
  if (digitsAt(bytes, from) !== checksumOf(bytes, begin, to)) {
    return left({ isWhole: false, why: 'its checksum is not that of its content' })
  }
  return right(bytes.toString('utf8', begin, to))
}

/** Facts as they are written together: all of them count at recovery, or none. */
export const encodeWrite = (facts: readonly Fact[]): string => {
  const of = facts.length
  const lines = facts.map((fact, index) => {
    const json = encodeFact(fact)
    return frame(of === 1 ? json : `{"part":[${index + 1},${of}],${json.slice(1)}`)
  })
  return lines.join('')
}

const PART_BEGIN = '{"part"'
const PART = /^\{"part":\[([1-9]\d*),([1-9]\d*)\],/

const unreadable = (why: string): Either<BadLine, never> => left({ isWhole: true, why: `it cannot be read: ${why}` })

const partOf = (json: string): Part => {
  if (!json.startsWith(PART_BEGIN)) return ALONE
  const [, place, of] = PART.exec(json) ?? []
  return place === undefined || of === undefined ? ALONE : { place: Number(place), of: Number(of) }
}

const ALONE_BEGIN = '{"_tag"'
const PART_BYTES_MAX = 40

/** What a line that cannot be read still says of its place, and whether something was written behind it, in place of its end. */
export interface Remains {
  readonly part: Part | undefined
  readonly hasMore: boolean
}

/** What can be seen at the beginning of a line that cannot be read. */
export const remainsOf = (bytes: Buffer, from: number, to: number): Remains => {
  const begin = from + DIGITS + 1
  const json = bytes.toString('latin1', begin, Math.min(to, begin + PART_BYTES_MAX))
  const end = endOfChecked(bytes, begin, to, digitsAt(bytes, from))
  const part = json.startsWith(ALONE_BEGIN) ? ALONE : PART.test(json) ? partOf(json) : undefined
  // One byte more is the end of the line itself, damaged.
  return { part, hasMore: end !== undefined && end + 1 < to }
}

/** Reads a line of a fact. */
export const decodeEntry = (
  bytes: Buffer,
  from: number,
  to: number,
  read: FactReader = readFact,
): Either<BadLine, Entry> => {
  const json = unframe(bytes, from, to)
  if (isLeft(json)) return json
  const part = partOf(json.right)
  const fact = read(part === ALONE ? json.right : json.right.replace(PART, '{'))
  return isLeft(fact) ? unreadable(fact.left) : right({ part, fact: fact.right })
}

const OPENING = ' {'

/** The line that a bad one ends with, where the end of the line before it is what was damaged. */
export const decodeEntryAtEnd = (bytes: Buffer, from: number, to: number): Entry | undefined => {
  // Of this line alone: a search through all that comes after it, once for each bad line, would take the square of their number.
  const line = bytes.subarray(0, to)
  for (let at = line.indexOf(OPENING, from + DIGITS + 1); at >= 0; at = line.indexOf(OPENING, at + 1)) {
    const entry = decodeEntry(bytes, at - DIGITS, to)
    if (isRight(entry)) return entry.right
  }
  return undefined
}
