// What goes to stdout. A reader that is slow makes the command read slower, too; one that is gone is reported once, and what is
// written after that is dropped.

import type { Writable } from 'node:stream'

/** Writes lines to a stream. */
export interface Output {
  readonly line: (text: string) => void
  /** Resolves when so little is waiting that more may be produced; at once where the reader is gone. */
  readonly ready: () => Promise<void>
  /** Resolves when everything has been taken, or the reader is gone. */
  readonly flushed: () => Promise<void>
  /** Why nothing can be written any more: an errno name. Resolves at most once. */
  readonly closed: Promise<string>
}

/** Begins to write to a stream, which stays open at the end. */
export const createOutput = (stream: Writable): Output => {
  let gone = stream.destroyed
  const closed = new Promise<string>((resolve) => {
    const end = (error: Error & { readonly code?: string }): void => {
      gone = true
      resolve(error.code ?? error.message)
    }
    stream.on('error', end)
    if (gone) resolve('EPIPE')
  })
  const closedQuietly = closed.then(() => undefined)
  return {
    line: (text) => {
      if (!gone) stream.write(`${text}\n`)
    },
    ready: async () => {
      if (gone || !stream.writableNeedDrain) return
      await Promise.race([new Promise<void>((resolve) => stream.once('drain', resolve)), closedQuietly])
    },
    flushed: async () => {
      if (gone) return
      await Promise.race([new Promise<void>((resolve) => stream.write('', () => resolve())), closedQuietly])
    },
    closed,
  }
}
