// Lines one by one: what is read of one whose bytes are not as they were written, and how far its checksum reaches.

import { describe, expect, test } from 'vitest'
import { encodeWrite } from '../src/index.js'
import { checksumOf, digitsAt, endOfChecked } from '../src/checksum.js'
import { decodeEntry, decodeEntryAtEnd, frame, remainsOf, unframe } from '../src/frame.js'
import { attachFacts, held } from './facts.js'

const [, mounted] = attachFacts(1)
/** Without its end, as a reader has it. */
const lineOf = (text: string): Buffer => Buffer.from(text.replace(/\n$/, ''))
const one = lineOf(encodeWrite([held(1)]))
const parts = encodeWrite(mounted).trimEnd().split('\n').map(lineOf)

describe('the checksum of a line', () => {
  test.each([0, 1, 7, 8, 9, 15, 16, 17])('of %i bytes ends where they do', (length) => {
    const bytes = Buffer.from(`${'x'.repeat(length)}}}rest}`)
    const from = 2
    const longer = Buffer.concat([Buffer.from('{{'), bytes])
    const sum = checksumOf(longer, from, from + length + 1)
    expect(checksumOf(bytes, 0, length + 1)).toBe(sum)
    expect(endOfChecked(longer, from, longer.length, sum)).toBe(from + length + 1)
    expect(endOfChecked(longer, from, from + length + 1, sum)).toBe(from + length + 1)
    expect(endOfChecked(longer, from, from + length, sum)).toBeUndefined()
    expect(endOfChecked(longer, from, longer.length, sum ^ 1)).toBeUndefined()
  })

  test('of what does not end with a brace is none of a line', () => {
    const bytes = Buffer.from('{"a":1}]')
    expect(endOfChecked(bytes, 0, bytes.length, checksumOf(bytes, 0, bytes.length))).toBeUndefined()
    expect(endOfChecked(bytes, 0, bytes.length, checksumOf(bytes, 0, 7))).toBe(7)
  })

  test('has eight digits in lower case', () => {
    expect(digitsAt(Buffer.from('x0123456789abcdef'), 1)).toBe(0x01234567)
    expect(digitsAt(Buffer.from('x0123456789abcdef'), 9)).toBe(0x89abcdef)
    for (const wrong of ['0123456/', '0123456:', '0123456`', '0123456g', '0123456A', '0123456'])
      expect(digitsAt(Buffer.from(wrong), 0), wrong).toBe(-1)
  })
})

describe('a line', () => {
  test('is read from any place', () => {
    const inside = Buffer.concat([Buffer.from('before'), one, Buffer.from('behind')])
    const entry = decodeEntry(inside, 6, 6 + one.length)
    expect(entry).toMatchObject({ right: { fact: held(1), part: { place: 1, of: 1 } } })
    expect(decodeEntry(inside, 6, 6 + one.length + 1)).toMatchObject({ left: { isWhole: false } })
  })

  test('that is too short for a checksum, or has none, says so', () => {
    const why = 'it does not begin with a checksum'
    for (const text of ['', '0', '12345678', '12345678x', '123456789{}'])
      expect(unframe(Buffer.from(text), 0, text.length), text).toMatchObject({ left: { isWhole: false, why } })
    // Of nothing at all the checksum is right.
    expect(unframe(Buffer.from('00000000 '), 0, 9)).toMatchObject({ right: '' })
  })

  test('whose checksum is right and which is no fact is whole', () => {
    for (const json of ['{}', '7', '{', '{"part":[1,2]}', '{"part":[0,1],"_tag":"Left"}', '{"part":"x","_tag":"Left"}'])
      expect(decodeEntry(lineOf(frame(json)), 0, lineOf(frame(json)).length), json).toMatchObject({
        left: { isWhole: true, why: expect.stringMatching(/^it cannot be read: /) as string },
      })
  })

  test('of a write of several has its place, and a fact without it', () => {
    const entries = parts.map((bytes) => decodeEntry(bytes, 0, bytes.length))
    expect(entries).toMatchObject(
      mounted.map((fact, index) => ({ right: { fact, part: { place: index + 1, of: 3 } } })),
    )
  })
})

describe('what a line that cannot be read still says', () => {
  const remains = (bytes: Buffer): unknown => remainsOf(bytes, 0, bytes.length)
  const broken = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy[at] = copy[at]! ^ 1
    return copy
  }

  test('is its place, where its beginning is as it was', () => {
    expect(remains(broken(one, one.length - 2))).toEqual({ part: { place: 1, of: 1 }, hasMore: false })
    expect(remains(broken(parts[1]!, parts[1]!.length - 2))).toEqual({ part: { place: 2, of: 3 }, hasMore: false })
    expect(remains(broken(parts[1]!, 12))).toEqual({ part: undefined, hasMore: false })
    expect(remains(Buffer.from('zz'))).toEqual({ part: undefined, hasMore: false })
  })

  test('is not what stands far behind its beginning', () => {
    const far = Buffer.concat([Buffer.from('12345678 '), Buffer.alloc(40, 'x'), one.subarray(9)])
    expect(remains(far)).toMatchObject({ part: undefined })
  })

  test('is that something was written in place of its end, and not that its end is damaged', () => {
    expect(remains(one)).toMatchObject({ hasMore: false })
    expect(remains(Buffer.concat([one, Buffer.from('x')]))).toMatchObject({ hasMore: false })
    expect(remains(Buffer.concat([one, Buffer.from('xx')]))).toMatchObject({ hasMore: true })
    expect(remains(Buffer.concat([broken(one, 12), Buffer.from('xx')]))).toMatchObject({ hasMore: false })
  })
})

describe('a line that has run into the one before it', () => {
  const atEnd = (...all: readonly (Buffer | string)[]): unknown => {
    const bytes = Buffer.concat(all.map((each) => Buffer.from(each)))
    return decodeEntryAtEnd(bytes, 0, bytes.length)
  }
  const two = lineOf(encodeWrite([held(2)]))

  test('is found at its end', () => {
    expect(atEnd(one, two)).toMatchObject({ fact: held(2) })
    expect(atEnd(one, 'x', two)).toMatchObject({ fact: held(2) })
    expect(atEnd(one, 'x', one, 'y', two)).toMatchObject({ fact: held(2) })
    expect(atEnd('0', two)).toMatchObject({ fact: held(2) })
    const place = Buffer.concat([Buffer.from('behind {'), one, two, Buffer.from(' {')])
    expect(decodeEntryAtEnd(place, 8, 8 + one.length + two.length)).toMatchObject({ fact: held(2) })
  })

  test('is not the line itself, nor one that is not whole, nor one behind the end', () => {
    expect(atEnd(two)).toBeUndefined()
    expect(atEnd(one, two.subarray(1))).toBeUndefined()
    expect(atEnd(one, two, 'x')).toBeUndefined()
    const bytes = Buffer.concat([one, two])
    expect(decodeEntryAtEnd(bytes, 0, one.length)).toBeUndefined()
  })
})
