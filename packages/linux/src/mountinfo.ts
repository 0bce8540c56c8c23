// The kernel's mount table as text: `/proc/self/mountinfo`, parsed exactly (L18, proc_pid_mountinfo(5)). Fields are split on
// single spaces and lines on `\n` only: CR, VT and the like stand in paths unescaped, and a source may be empty. Text becomes
// a string without loss: bytes that are no UTF-8 turn into lone surrogates, so that no two paths look alike.

import type { Identity, RootSeen } from '@mountkeeper/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from './either.js'

/** One mount as the table shows it, unescaped. */
export interface TableLine {
  readonly mountId: number
  /** The mount it is mounted on; of a stack at one path, each layer is the parent of the one above. */
  readonly parentId: number
  /** `major:minor` of the filesystem. */
  readonly device: string
  /** The directory of the filesystem that forms the root of this mount. Not a path for namespace files (`net:[…]`). */
  readonly root: string
  /** Where it is mounted, as this process sees it. */
  readonly target: string
  /** Flags of this mount, not of its superblock. */
  readonly flags: readonly string[]
  /** The optional fields as they stand: `shared:N`, `master:N`, `propagate_from:N`, `unbindable`, and what may yet come. */
  readonly tags: readonly string[]
  readonly fstype: string
  /** Empty where the mount was made with an empty one. */
  readonly source: string
  /** Options of the superblock; a filesystem may have escaped commas in them in its own way, so they are not split. */
  readonly superOptions: string
}

/** What is wrong with a line. `Torn`: the text ends within it. */
export type MalformedWhy = 'TooFewFields' | 'MountId' | 'ParentId' | 'Device' | 'Target' | 'NoSeparator' | 'Torn'

/** A line that no kernel writes; the other lines are parsed all the same. */
export interface MalformedLine {
  readonly _tag: 'MalformedLine'
  /** Counted from 1. */
  readonly line: number
  readonly why: MalformedWhy
  /** The line, bytes as latin1. */
  readonly text: string
}

/** A whole table, in the order of the file, which proves nothing. */
export interface MountInfo {
  readonly lines: readonly TableLine[]
  readonly malformed: readonly MalformedLine[]
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const decodeStrictly = (bytes: Uint8Array): string | undefined => {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

const isContinuation = (byte: number | undefined, least = 0x80, most = 0xbf): boolean =>
  byte !== undefined && byte >= least && byte <= most

/** How many bytes the sequence of UTF-8 has that stands at this place; 0 where none does (The Unicode Standard, table 3-7). */
const sequenceAt = (bytes: Uint8Array, at: number): number => {
  const lead = bytes[at] ?? 0
  const second = bytes[at + 1]
  if (lead < 0x80) return 1
  if (lead < 0xc2 || lead > 0xf4) return 0
  if (lead < 0xe0) return isContinuation(second) ? 2 : 0
  const isSecond = isContinuation(second, SECOND_LEAST[lead], SECOND_MOST[lead])
  if (!isSecond || !isContinuation(bytes[at + 2])) return 0
  if (lead < 0xf0) return 3
  return isContinuation(bytes[at + 3]) ? 4 : 0
}

/** Where fewer bytes than usual may follow: neither longer than needed, nor halves of surrogate pairs, nor beyond U+10FFFF. */
const SECOND_LEAST: Readonly<Partial<Record<number, number>>> = { 0xe0: 0xa0, 0xf0: 0x90 }
const SECOND_MOST: Readonly<Partial<Record<number, number>>> = { 0xed: 0x9f, 0xf4: 0x8f }

/**
 * UTF-8 to text; a byte that belongs to no valid sequence becomes U+DC00 + byte, which no valid text contains. Whatever the bytes
 * are, it takes time by their number: others choose them.
 */
const textOfBytes = (bytes: Uint8Array): string => {
  const whole = decodeStrictly(bytes)
  if (whole !== undefined) return whole
  let text = ''
  let from = 0
  for (let at = 0; at < bytes.length;) {
    const length = sequenceAt(bytes, at)
    if (length === 0) {
      if (at > from) text += strict.decode(bytes.subarray(from, at))
      text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
      from = at + 1
    }
    at += Math.max(1, length)
  }
  return text + strict.decode(bytes.subarray(from))
}

const ASCII_UNESCAPED = /^[\x00-\x5b\x5d-\x7f]*$/

/** A field as the kernel wrote it (latin1) to text: octal escapes to bytes, bytes to text. */
const unescaped = (field: string): string => {
  if (ASCII_UNESCAPED.test(field)) return field
  const bytes = field.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )
  return textOfBytes(Buffer.from(bytes, 'latin1'))
}

const wholeNumber = (text: string): number | undefined => {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}

/** Parses one line without its newline, bytes as latin1. Never throws. */
export const parseTableLine = (text: string): Either<MalformedWhy, TableLine> => {
  const fields = text.split(' ')
  const [id = '', parent = '', device = '', root = '', target = '', flags = ''] = fields
  // `-` alone ends the tags; no tag looks like it, and what stands before cannot be reached by the search.
  const separator = fields.indexOf('-', 6)
  if (fields.length < 7) return left('TooFewFields')
  if (separator < 0) return left('NoSeparator')
  if (fields.length < separator + 4) return left('TooFewFields')
  const mountId = wholeNumber(id)
  const parentId = wholeNumber(parent)
  if (mountId === undefined) return left('MountId')
  if (parentId === undefined) return left('ParentId')
  if (!/^\d+:\d+$/.test(device)) return left('Device')
  if (!target.startsWith('/')) return left('Target')
  return right({
    mountId,
    parentId,
    device,
    root: unescaped(root),
    target: unescaped(target),
    flags: flags.split(','),
    tags: fields.slice(6, separator),
    fstype: unescaped(fields[separator + 1] ?? ''),
    source: unescaped(fields[separator + 2] ?? ''),
    // The last field; a filesystem that forgets to escape a space keeps it.
    superOptions: unescaped(fields.slice(separator + 3).join(' ')),
  })
}

/** Parses a whole table as read from the kernel. Never throws; a bad line is reported with its number. */
export const parseMountInfo = (bytes: Uint8Array): MountInfo => {
  const texts = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1').split('\n')
  const torn = texts.pop() ?? ''
  const lines: TableLine[] = []
  const malformed: MalformedLine[] = []
  texts.forEach((text, index) => {
    const parsed = parseTableLine(text)
    if (parsed._tag === 'Right') lines.push(parsed.right)
    else malformed.push({ _tag: 'MalformedLine', line: index + 1, why: parsed.left, text })
  })
  if (torn !== '') malformed.push({ _tag: 'MalformedLine', line: texts.length + 1, why: 'Torn', text: torn })
  return { lines, malformed }
}

/** The identity that is recorded of a mount. */
export const identityOf = (line: TableLine): Identity => ({
  mountId: line.mountId,
  device: line.device,
  fstype: line.fstype,
  source: line.source,
  root: line.root,
  flags: line.flags,
  // The kernel writes `ro` or `rw` before the options that the filesystem has of its own.
  superblock: /^ro(,|$)/.test(line.superOptions) ? 'ro' : 'rw',
})

/**
 * How mounts made on this one spread (mount_namespaces(7)). A mount that is shared and slave at once counts as shared: what
 * is unmounted here goes elsewhere too.
 */
export const propagationOf = (line: TableLine): RootSeen['propagation'] => {
  if (line.tags.some((tag) => tag.startsWith('shared:'))) return 'shared'
  if (line.tags.some((tag) => tag.startsWith('master:'))) return 'slave'
  return line.tags.includes('unbindable') ? 'unbindable' : 'private'
}
