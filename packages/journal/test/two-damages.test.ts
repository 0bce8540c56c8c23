// Two damages at any bytes, line ends included: what was durable is never counted as torn, and so never cut.

import type { Fact } from '@mountkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeHead, encodeWrite, scanBytes } from '../src/index.js'
import { attachFacts, held, numRuns, seed } from './facts.js'

const [claimed, mounted] = attachFacts(1)
const LF = 10

/** The bytes of these writes, and where the last one begins: all before it was durable when that was written. */
const fileOf = (writes: readonly (readonly Fact[])[]): { readonly bytes: Buffer; readonly lastFrom: number } => {
  const before = Buffer.from([encodeHead(0), ...writes.slice(0, -1).map(encodeWrite)].join(''))
  return { bytes: Buffer.concat([before, Buffer.from(encodeWrite(writes.at(-1)!))]), lastFrom: before.length }
}

const FILES = [
  [[held(1)], [held(2)], [held(3)]],
  [claimed, mounted, [held(1)]],
  [[held(1)], mounted, [held(2), held(3)]],
  [mounted, [held(1), held(2)], [held(3), held(4)]],
  [[held(1), held(2)], [held(3)], [held(4), held(5), held(6)]],
].map(fileOf)

/** The places where a reader can be led astray, and the others: the ends of lines and what is around them, more often. */
const nearEnds = (bytes: Buffer): readonly number[] =>
  [...bytes.keys()].filter((at) => bytes[at] === LF).flatMap((at) => [at - 1, at, at + 1, at + 9, at + 10])

const cases = fc.constantFrom(...FILES).chain((file) => {
  const any = fc.nat({ max: file.bytes.length - 1 })
  const near = fc.constantFrom(...nearEnds(file.bytes).filter((at) => at < file.bytes.length))
  const place = fc.oneof(any, near)
  // A byte is a space, the end of a line, or anything.
  const value = fc.oneof(fc.constantFrom(0, LF, 32, 0x7b, 0x7d), fc.nat({ max: 255 }))
  const end = fc.oneof({ weight: 3, arbitrary: fc.constant(file.bytes.length) }, any)
  return fc.record({ file: fc.constant(file), first: fc.tuple(place, value), second: fc.tuple(place, value), end })
})

/**
 * Whether a damaged byte is where a line says which place in its write it has. Then two lines that cannot be read may as well be
 * one write that was torn: this cannot be known.
 */
const isOfPlace = (bytes: Buffer, at: number): boolean => {
  const begin = bytes.lastIndexOf(LF, at - 1) + 1
  return at - begin >= 9 && at - begin < 24
}

test('a damage before the last write is never counted as torn, with another one or a torn end', () => {
  let judged = 0
  fc.assert(
    fc.property(cases, ({ file: { bytes, lastFrom }, first, second, end }) => {
      const copy = Buffer.from(bytes)
      // A torn end is a damage as well.
      const damages = end < bytes.length ? [first] : [first, second]
      for (const [at, value] of damages) copy[at] = value
      const durable = copy.subarray(0, lastFrom)
      // Where nothing of the last write is left, it cannot be known that there was one.
      fc.pre(!durable.equals(bytes.subarray(0, lastFrom)) && end > lastFrom)
      const isLastWhole = end === bytes.length && copy.subarray(lastFrom).equals(bytes.subarray(lastFrom))
      fc.pre(isLastWhole || !damages.some(([at]) => isOfPlace(bytes, at)))
      judged += 1
      expect(scanBytes(copy.subarray(0, end)).fault?._tag).toBe('Damaged')
    }),
    { numRuns: numRuns(5_000), seed: seed() },
  )
  expect(judged).toBe(numRuns(5_000))
})

/** A byte of each line that is damaged: of its checksum, of its content behind its place, and its end. */
const KINDS = {
  checksum: (begin: number, _end: number): number => begin + 3,
  content: (_begin: number, end: number): number => end - 3,
  end: (_begin: number, end: number): number => end - 1,
}
type Kind = keyof typeof KINDS

test('any two lines that are damaged in any way are judged by whether a later write is there', () => {
  for (const { bytes, lastFrom } of FILES) {
    const begins = [0, ...[...bytes.keys()].filter((at) => bytes[at] === LF).map((at) => at + 1)]
    const lines = begins.slice(0, -1).map((begin, index) => ({ line: index + 1, begin, end: begins[index + 1]! }))
    const places = lines.flatMap(({ line, begin, end }) =>
      (Object.keys(KINDS) as Kind[]).map((kind) => ({ line, kind, at: KINDS[kind](begin, end) })),
    )
    for (const first of places) {
      for (const second of places.slice(places.indexOf(first))) {
        const copy = Buffer.from(bytes)
        copy[first.at]! ^= 1
        if (second !== first) copy[second.at]! ^= 1
        const where = `${first.kind} of line ${first.line}, ${second.kind} of line ${second.line}`
        const { fault, wholeBytes } = scanBytes(copy)
        expect({ _tag: fault?._tag, line: fault?.line }, where).toEqual({
          _tag: first.at < lastFrom ? 'Damaged' : 'Torn',
          line: first.line,
        })
        if (first.at >= lastFrom) expect(wholeBytes, where).toBe(lastFrom)
      }
    }
  }
})
