// A journal as bytes: what is read back is what was written, or what was written before; never anything else.

import type { Fact } from '@mountkeeper/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSalvage, createScan, encodeHead, encodeWrite, scanBytes } from '../src/index.js'
import { frame } from '../src/frame.js'
import { appends, attachFacts, held, numRuns, seed } from './facts.js'

const bytesOf = (...writes: readonly (readonly Fact[])[]): Buffer =>
  Buffer.from([encodeHead(0), ...writes.map(encodeWrite)].join(''))

const newer = (versions: object): string =>
  frame(JSON.stringify({ journal: 'mountkeeper', ...versions, snapshot: { of: 'another form' } }))

const [claimed, mounted] = attachFacts(1)
const LF = 10

/** Where each line begins; the last is the length. */
const lineBegins = (bytes: Buffer): readonly number[] => [
  0,
  ...[...bytes.keys()].filter((at) => bytes[at] === LF).map((at) => at + 1),
]

const damage = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes)
  copy[at] = copy[at]! ^ 1
  return copy
}

describe('what was written', () => {
  test('has one line for each fact, with its checksum', () => {
    const lines = bytesOf(claimed, mounted).toString().split('\n')
    expect(lines).toHaveLength(1 + 4 + 1)
    expect(lines[0]).toMatch(/^[0-9a-f]{8} \{"journal":"mountkeeper","format":3,"facts":2,"snapshot":0\}$/)
    expect(lines[1]).toMatch(/^[0-9a-f]{8} \{"_tag":"Claimed",/)
    expect(lines[2]).toMatch(/^[0-9a-f]{8} \{"part":\[1,3\],"_tag":"DirectoryMade",/)
    expect(lines[4]).toMatch(/^[0-9a-f]{8} \{"part":\[3,3\],"_tag":"Held",/)
  })

  test('is read back, however the bytes come', () => {
    fc.assert(
      fc.property(appends, fc.integer({ min: 1, max: 5_000 }), (writes, size) => {
        const bytes = bytesOf(...writes)
        const read: Fact[] = []
        const scan = createScan((fact) => read.push(fact))
        for (let at = 0; at < bytes.length; at += size) scan.push(bytes.subarray(at, at + size))
        const scanned = scan.end()
        expect(scanned).toMatchObject({ fault: undefined, wholeBytes: bytes.length, bytes: bytes.length })
        expect(read).toEqual(writes.flat())
        expect(scanned.facts).toBe(read.length)
      }),
      { numRuns: numRuns(200), seed: seed() },
    )
  })
})

describe('a last write that was torn', () => {
  const before = bytesOf(claimed, mounted, [held(1)])

  test.each([
    ['of one fact', [held(2)]],
    ['of several facts', attachFacts(2)[1]],
  ])('%s is cut, wherever it ends', (_, last) => {
    const bytes = Buffer.concat([before, Buffer.from(encodeWrite(last))])
    for (let end = before.length; end < bytes.length; end += 1) {
      const { fault, wholeBytes, read } = scanBytes(bytes.subarray(0, end))
      expect(fault?._tag, `cut at byte ${end}`).toBe(end === before.length ? undefined : 'Torn')
      expect(wholeBytes).toBe(before.length)
      expect(read).toEqual([...claimed, ...mounted, held(1)])
    }
    expect(scanBytes(bytes)).toMatchObject({ fault: undefined, lastFrom: before.length })
  })

  test('is cut, whichever of its pages did not reach the disk', () => {
    const last = [1, 2, 3, 4, 5].map((index) => held(index + 10))
    const bytes = Buffer.concat([before, Buffer.from(encodeWrite(last))])
    const begins = lineBegins(bytes).filter((at) => at >= before.length)
    for (let first = 0; first < begins.length - 1; first += 1) {
      for (let end = first + 1; end < begins.length; end += 1) {
        for (const [from, to] of [
          [begins[first]!, begins[end]!],
          [begins[first]! + 9, Math.min(begins[end]! + 9, bytes.length)],
        ] as const) {
          const copy = Buffer.from(bytes).fill(0, from, to)
          expect(scanBytes(copy), `zeros from ${from} to ${to}`).toMatchObject({
            fault: { _tag: 'Torn' },
            wholeBytes: before.length,
          })
        }
      }
    }
  })
})

describe('a line that was durable and is bad', () => {
  const writes = [claimed, mounted, [held(1)], [held(2), held(3)], [held(4)]]
  const bytes = bytesOf(...writes)
  const begins = lineBegins(bytes)
  const lastLine = begins.length - 1

  test.each(begins.slice(0, -1).map((begin, index) => ({ line: index + 1, begin })))(
    'is reported: line $line',
    ({ line, begin }) => {
      for (const at of [begin, begin + 4, begin + 8, begin + 20, begins[line]! - 1]) {
        const { fault } = scanBytes(damage(bytes, at))
        // The last line is of the last write: whether it had been durable cannot be known.
        if (line === lastLine) expect(fault, `byte ${at}`).toMatchObject({ _tag: 'Torn', line })
        else expect(fault, `byte ${at}`).toMatchObject({ _tag: 'Damaged', line })
      }
    },
  )

  test.each(begins.slice(0, -2).map((begin, index) => ({ line: index + 1, begin })))(
    'is missed: line $line',
    ({ line, begin }) => {
      const without = Buffer.concat([bytes.subarray(0, begin), bytes.subarray(begins[line])])
      const { fault, read } = scanBytes(without)
      // A write of its own leaves no trace; nothing else may go unseen.
      const isWrite = [2, 6].includes(line)
      if (isWrite) expect(read).toHaveLength(writes.flat().length - 1)
      else expect(fault?._tag).toBe('Damaged')
    },
  )

  test('in a snapshot is never treated as torn', () => {
    const snapshot = [held(1), held(2)].map((fact) => encodeWrite([fact])).join('')
    const whole = Buffer.from(encodeHead(2) + snapshot)
    expect(scanBytes(whole)).toMatchObject({ fault: undefined, facts: 2 })
    for (let end = 1; end < whole.length; end += 1) {
      expect(scanBytes(whole.subarray(0, end)).fault, `cut at byte ${end}`).toMatchObject({ _tag: 'Damaged' })
    }
    expect(scanBytes(damage(whole, whole.length - 5)).fault).toMatchObject({ _tag: 'Damaged', line: 3 })
  })

  test('leaves the others to be salvaged', () => {
    for (const [index, begin] of begins.slice(0, -1).entries()) {
      const salvage = createSalvage()
      salvage.push(damage(bytes, begin + 20))
      const { facts, lost } = salvage.end()
      expect(lost).toMatchObject([{ line: index + 1, why: 'its checksum is not that of its content' }])
      expect(facts).toEqual(writes.flat().filter((_, each) => each !== index - 1))
    }
  })

  test('in its end, by which it runs into the next one, leaves that one to be salvaged', () => {
    for (const [index, begin] of begins.slice(1, -1).entries()) {
      const salvage = createSalvage()
      salvage.push(damage(bytes, begin - 1))
      const { facts, lost } = salvage.end()
      expect(lost.map(({ line }) => line)).toEqual([index + 1])
      expect(facts).toEqual(writes.flat().filter((_, each) => each !== index - 1))
    }
  })

  test('a first line that stands elsewhere is lost as any other', () => {
    const salvage = createSalvage()
    salvage.push(Buffer.from(encodeHead(0) + encodeWrite([held(1)]) + encodeHead(0) + encodeWrite([held(2)])))
    expect(salvage.end()).toMatchObject({ facts: [held(1), held(2)], lost: [{ line: 3 }] })
  })
})

describe('a file that is no journal of this version', () => {
  test.each([
    ['nothing', '', 'Damaged', 'the file is empty'],
    ['something else', 'hello\n', 'Damaged', 'it does not begin with a checksum'],
    ['a fact at its top', encodeWrite([held(1)]), 'Damaged', 'it is not the first line of a journal'],
    ['a newer head', newer({ format: 4, facts: 1 }), 'Newer', 'a newer version wrote it: format 4'],
    [
      'newer facts',
      newer({ format: 1, facts: 3 }),
      'Newer',
      'a newer version wrote it: format 1 with facts of version 3',
    ],
  ])('%s', (_, text, _tag, why) => {
    const { fault } = scanBytes(Buffer.from(text))
    expect(fault).toMatchObject({ _tag, line: 1 })
    expect(fault?.why).toContain(why)
  })

  test('an unknown fact is no torn end', () => {
    const line = frame(JSON.stringify({ _tag: 'Exploded', at: 1 }))
    const { fault } = scanBytes(Buffer.from(encodeHead(0) + line))
    expect(fault).toMatchObject({ _tag: 'Damaged', line: 2 })
    expect(fault?.why).toContain('Exploded')
  })
})
