// Lines of a stream of bytes, each with its number. Memory is bounded whatever comes in: of a line that is too long only the
// fact is kept, and the next one is read as if nothing had happened.

import type { LineError } from '@mountkeeper/codec'

/** A line as it was read, without its end; or why it has no text. The first line has the number 1. */
export type InputLine =
  | { readonly _tag: 'Text'; readonly number: number; readonly text: string }
  | { readonly _tag: 'Unreadable'; readonly number: number; readonly error: LineError }

const LF = 10
const CR = 13

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lossy = new TextDecoder('utf-8', { ignoreBOM: true })

/** Where bytes stop being UTF-8, in characters. */
const faultPosition = (bytes: Buffer): number => {
  const again = Buffer.from(lossy.decode(bytes))
  const differs = again.findIndex((byte, index) => byte !== bytes[index])
  return lossy.decode(bytes.subarray(0, differs < 0 ? bytes.length : differs)).length
}

const decoded = (number: number, bytes: Buffer): InputLine => {
  try {
    return { _tag: 'Text', number, text: utf8.decode(bytes) }
  } catch {
    const error: LineError = { _tag: 'NotJson', position: faultPosition(bytes), why: 'expected UTF-8, got other bytes' }
    return { _tag: 'Unreadable', number, error }
  }
}

/** Splits bytes into lines of at most `bytesMax` bytes; a last line needs no end. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<InputLine, void> {
  let number = 0
  let kept: Buffer[] = []
  let size = 0

  const keep = (piece: Buffer): void => {
    // One byte more than allowed proves that it is too long; CR before the end does not count.
    if (size <= bytesMax + 1) kept.push(piece.subarray(0, bytesMax + 2 - size))
    size += piece.length
  }

  const take = (): InputLine => {
    number += 1
    const all = kept.length === 1 && kept[0] !== undefined ? kept[0] : Buffer.concat(kept)
    const whole = size === all.length
    const line = whole && all.at(-1) === CR ? all.subarray(0, -1) : all
    kept = []
    size = 0
    return line.length > bytesMax
      ? { _tag: 'Unreadable', number, error: { _tag: 'TooLong', bytesMax } }
      : decoded(number, line)
  }

  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let from = 0
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      keep(bytes.subarray(from, end))
      from = end + 1
      yield take()
    }
    if (from < bytes.length) keep(bytes.subarray(from))
  }
  if (size > 0) yield take()
}
