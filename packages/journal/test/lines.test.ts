// Lines that are too long, files that end early, first lines that are nearly right: what a damaged disk can hold.

import { describe, expect, test } from 'vitest'
import type { DiskFile } from '../src/index.js'
import { createSalvage, createScan, encodeHead, encodeWrite, scanBytes } from '../src/index.js'
import { frame } from '../src/frame.js'
import { LINE_BYTES_MAX, createSplitter } from '../src/lines.js'
import { readChunks } from '../src/read.js'
import { held } from './facts.js'

/** The lines that a splitter gives, and what it has left. */
const split = (...chunks: readonly Uint8Array[]): { lines: (string | undefined)[]; rest: number; kept: string } => {
  const lines: (string | undefined)[] = []
  const splitter = createSplitter((bytes, from, to) => lines.push(bytes?.toString('latin1', from, to)))
  chunks.forEach(splitter.push)
  return { lines, rest: splitter.rest(), kept: splitter.restBytes().toString('latin1') }
}

const long = (bytes: number): Buffer => Buffer.alloc(bytes, 'x')

describe('lines', () => {
  test('come whole, however they are cut, the empty ones too', () => {
    const text = Buffer.from('\none\n\ntwo\nrest')
    const whole = { lines: ['', 'one', '', 'two'], rest: 4, kept: 'rest' }
    expect(split(text)).toEqual(whole)
    for (let at = 0; at <= text.length; at += 1) expect(split(text.subarray(0, at), text.subarray(at))).toEqual(whole)
  })

  test('are given up when they are longer than any of ours, and the next one is read', () => {
    const half = long(LINE_BYTES_MAX / 2)
    expect(split(half, half, Buffer.from('\na\n'))).toMatchObject({ lines: [half.toString().repeat(2), 'a'] })
    expect(split(half, half, Buffer.from('y'), half, Buffer.from('\na\nb'))).toEqual({
      lines: [undefined, 'a'],
      rest: 1,
      kept: 'b',
    })
    expect(split(half, half, Buffer.from('y'), half)).toEqual({ lines: [], rest: half.length * 3 + 1, kept: '' })
  })
})

describe('a line without end in a journal', () => {
  const before = Buffer.from(encodeHead(0) + encodeWrite([held(1)]))
  const endless = [before, long(LINE_BYTES_MAX + 1)]

  test('at its end is torn, and before a later write damaged', () => {
    expect(scanBytes(Buffer.concat(endless))).toMatchObject({
      fault: { _tag: 'Torn', line: 3 },
      wholeBytes: before.length,
      read: [held(1)],
    })
    // It comes in pieces: only so it is too long before its end is there.
    const scan = createScan(() => undefined)
    for (const each of [...endless, Buffer.from('\n'), Buffer.from(encodeWrite([held(2)]))]) scan.push(each)
    expect(scan.end().fault).toEqual({ _tag: 'Damaged', line: 3, why: `it is longer than ${LINE_BYTES_MAX} bytes` })
  })

  test('is lost, and what comes after it is saved', () => {
    const salvage = createSalvage()
    for (const each of [...endless, Buffer.from('\n'), Buffer.from(`${encodeWrite([held(2)])}cut`)]) salvage.push(each)
    expect(salvage.end()).toEqual({
      facts: [held(1), held(2)],
      lost: [
        { line: 3, why: 'it is too long' },
        { line: 5, why: 'it has no end' },
      ],
    })
  })
})

test('bad lines take time by their number, and not by its square', () => {
  // A search behind each of them through all that follows took 7 s.
  const bytes = Buffer.concat([Buffer.from(encodeHead(0)), Buffer.from(`${'x'.repeat(12)}\n`.repeat(200_000))])
  const began = performance.now()
  const salvage = createSalvage()
  salvage.push(bytes)
  expect(salvage.end().lost).toHaveLength(200_000)
  expect(performance.now() - began).toBeLessThan(3_000)
})

describe('a first line', () => {
  const good = { journal: 'mountkeeper', format: 1, facts: 1, snapshot: 0 }
  const faultOf = (json: unknown): string | undefined => {
    const { fault } = scanBytes(Buffer.from(frame(typeof json === 'string' ? json : JSON.stringify(json))))
    return fault && `${fault._tag}: ${fault.why}`
  }

  test('that is right is read', () => {
    expect(faultOf(good)).toBeUndefined()
  })

  test.each([
    ['of another program', { ...good, journal: 'other' }],
    ['with no format', { ...good, format: undefined }],
    ['of format 0', { ...good, format: 0 }],
    ['with a format in words', { ...good, format: '1' }],
    ['with half a format', { ...good, format: 1.5 }],
    ['with facts of version 0', { ...good, facts: 0 }],
    ['that is a number', 7],
    ['that is nothing', null],
    ['that is no JSON', 'journal'],
  ])('%s is none', (_, json) => {
    expect(faultOf(json)).toBe('Damaged: it is not the first line of a journal')
  })

  test.each([-1, '0', undefined])('with a snapshot of %s lines does not say how long it is', (snapshot) => {
    expect(faultOf({ ...good, snapshot })).toBe('Damaged: it does not say how long its snapshot is')
  })
})

describe('what is missing is named', () => {
  const three = [held(1), held(2), held(3)]
  const [one = '', two = '', last = ''] = encodeWrite(three).split(/(?<=\n)/)
  test.each([
    ['a first line without its end', encodeHead(0).slice(0, -1), 'Damaged', 1, 'the first line has no end'],
    ['a line of a write', encodeHead(0) + one + last, 'Damaged', 3, 'lines before it are missing'],
    ['the first one of a write', encodeHead(0) + two + last, 'Damaged', 2, 'lines before it are missing'],
    [
      'the end of a write',
      encodeHead(0) + one + two,
      'Torn',
      3,
      '2 of the 3 lines that were written together are there',
    ],
    [
      'a line of the snapshot',
      encodeHead(3) + encodeWrite([held(1)]) + encodeWrite([held(2)]),
      'Damaged',
      4,
      'it should stand there: 3 lines are its snapshot',
    ],
    [
      'a line of another write within one',
      encodeHead(0) + one + encodeWrite([held(9)]),
      'Damaged',
      3,
      'lines before it are missing',
    ],
    [
      'the end of a write where the end of a shorter one stands',
      encodeHead(0) + one + encodeWrite([held(8), held(9)]).split(/(?<=\n)/)[1]!,
      'Damaged',
      3,
      'lines before it are missing',
    ],
  ])('%s', (_, text, _tag, line, why) => {
    expect(scanBytes(Buffer.from(text)).fault).toEqual({ _tag, line, why })
  })
})

describe('reading', () => {
  const fileOf = (content: Buffer): { readonly file: Pick<DiskFile, 'read'>; readonly asked: [number, number][] } => {
    const asked: [number, number][] = []
    const read = (from: number, length: number): Promise<Uint8Array> => {
      asked.push([from, length])
      return Promise.resolve(content.subarray(from, from + length))
    }
    return { file: { read }, asked }
  }
  const chunksOf = async (file: Pick<DiskFile, 'read'>, until: number, from?: number): Promise<string> => {
    const chunks: string[] = []
    await readChunks(file as DiskFile, until, 4, (chunk) => void chunks.push(Buffer.from(chunk).toString()), from)
    return chunks.join('|')
  }

  test('goes in chunks up to where it is to end, and asks for no more', async () => {
    const { file, asked } = fileOf(Buffer.from('0123456789'))
    expect(await chunksOf(file, 9, 1)).toBe('1234|5678')
    expect(await chunksOf(file, 9)).toBe('0123|4567|8')
    expect(asked).toEqual([
      [1, 4],
      [5, 4],
      [0, 4],
      [4, 4],
      [8, 1],
    ])
  })

  test('ends where the file does, although it was longer', async () => {
    const { file, asked } = fileOf(Buffer.from('01234'))
    expect(await chunksOf(file, 100)).toBe('0123|4')
    expect(asked).toHaveLength(3)
  })
})
