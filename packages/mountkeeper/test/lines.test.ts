import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { InputLine } from '../src/lines.js'
import { linesOf } from '../src/lines.js'

const MAX = 10

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) {
    await Promise.resolve()
    yield bytes.subarray(from, from + size)
  }
}

const read = async (bytes: Buffer | string, size = 1_000): Promise<readonly InputLine[]> => {
  const lines: InputLine[] = []
  for await (const line of linesOf(inPieces(Buffer.from(bytes), size), MAX)) lines.push(line)
  return lines
}

const text = (number: number, line: string): InputLine => ({ _tag: 'Text', number, text: line })
const tooLong = (number: number): InputLine => ({
  _tag: 'Unreadable',
  number,
  error: { _tag: 'TooLong', bytesMax: MAX },
})

describe('lines of a stream', () => {
  test.each([
    ['nothing', '', []],
    ['a line without an end', 'a', [text(1, 'a')]],
    ['lines are numbered, blank ones too', 'a\n\nb\n', [text(1, 'a'), text(2, ''), text(3, 'b')]],
    ['CR before the end belongs to the end', 'a\r\nb\r', [text(1, 'a'), text(2, 'b')]],
    ['as long as allowed', '0123456789\r\n0123456789', [text(1, '0123456789'), text(2, '0123456789')]],
    ['a byte too long, and the next line', '01234567890\nb', [tooLong(1), text(2, 'b')]],
    ['bytes count, not characters', 'äöüäö\näöüäöü', [text(1, 'äöüäö'), tooLong(2)]],
  ] as const)('%s', async (_, input, lines) => {
    for (const size of [1, 2, 3, 1_000]) expect(await read(input, size)).toEqual(lines)
  })

  test('what is not UTF-8 is no line, and says where', async () => {
    const bytes = Buffer.from([0xc3, 0xa4, 0x61, 0xff, 0x62, 0x0a, 0x63])
    expect(await read(bytes)).toEqual([
      {
        _tag: 'Unreadable',
        number: 1,
        error: { _tag: 'NotJson', position: 2, why: 'expected UTF-8, got other bytes' },
      },
      text(2, 'c'),
    ])
  })

  test('however the bytes arrive, the lines are the same', async () => {
    const line = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'ä', '\r', ' ', '€') })
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), fc.integer({ min: 1, max: 9 }), async (lines, size) => {
        const bytes = Buffer.from(lines.join('\n'))
        expect(await read(bytes, size)).toEqual(await read(bytes))
      }),
      { numRuns: 50 },
    )
  })

  test('a line without end costs no memory', async () => {
    const chunk = Buffer.alloc(65_536, 'x')
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 2_000; count += 1) {
        await Promise.resolve()
        yield chunk
      }
      yield Buffer.from('\nb')
    }
    const before = process.memoryUsage().rss
    const lines: InputLine[] = []
    for await (const each of linesOf(endless(), MAX)) lines.push(each)
    expect(lines).toEqual([tooLong(1), text(2, 'b')])
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1_048_576)
  })
})
