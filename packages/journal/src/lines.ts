// Bytes into lines, however they come in chunks. A file that was damaged may hold a line without end: only so much of one is
// kept, and what is longer counts as a line that cannot be read.

/** No line of a journal is nearly as long, in bytes. */
export const LINE_BYTES_MAX: number = 4 * 1024 * 1024

/** Hears of one line: its bytes from `from` to `to`, without its end; none where it was too long to be kept. */
export type TakeLine = (bytes: Buffer | undefined, from: number, to: number) => void

/** Splits chunks. */
export interface Splitter {
  readonly push: (chunk: Uint8Array) => void
  /** How many bytes came after the last end of a line. */
  readonly rest: () => number
  /** These bytes; none where they are too many to be kept. */
  readonly restBytes: () => Buffer
}

const LF = 10
const NOTHING = Buffer.alloc(0)

/** Gives each whole line to `take`, in order. */
export const createSplitter = (take: TakeLine): Splitter => {
  let kept: Buffer = NOTHING
  let dropped = 0

  const keep = (bytes: Buffer): void => {
    if (dropped > 0 || bytes.length > LINE_BYTES_MAX) {
      dropped += bytes.length
      kept = NOTHING
    } else kept = bytes
  }

  return {
    push: (chunk) => {
      const more = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      const bytes = kept.length === 0 ? more : Buffer.concat([kept, more])
      let from = 0
      for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
        if (dropped > 0) take(undefined, 0, 0)
        else take(bytes, from, end)
        dropped = 0
        from = end + 1
      }
      keep(bytes.subarray(from))
    },
    rest: () => kept.length + dropped,
    restBytes: () => kept,
  }
}
