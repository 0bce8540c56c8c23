// The file of `run --trace`: one line per input, written before anything follows from it, so that after a crash the last
// line is the one that led there. Written synchronously; a file that cannot be written ends the run, not the process.

import { closeSync, fstatSync, ftruncateSync, writeSync } from 'node:fs'
import { encodeTraceHeader, encodeTraceLine, traceDecision } from '@mountkeeper/codec'
import type { Fact } from '@mountkeeper/core'
import type { Observer } from '@mountkeeper/runtime'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure } from './failure.js'
import { fileProblem, stopFailure, usageFailure } from './failure.js'
import { openOwn } from './own-file.js'

/** A trace that is being written. */
export interface TraceFile {
  readonly observer: Required<Pick<Observer, 'onBegin' | 'onDecision'>>
  readonly close: () => void
}

/**
 * Opens the file, or creates it. It is emptied when the trace begins: a run that is refused its lock destroys no trace.
 * Only its owner may read it: mountpoints and consumers are in it.
 */
export const openTrace = (path: string): E.Either<Failure, number> => {
  const opened = openOwn(path)
  if (E.isRight(opened)) return opened
  const { why, errno } = opened.left
  if (errno === undefined || errno === 'ELOOP') return E.left(usageFailure(`--trace ${path} ${why}`))
  const problem = errno === 'ENOENT' ? 'is in a directory that does not exist' : why
  return E.left(usageFailure(`--trace ${path} ${problem}; give the path of a file that can be written`))
}

/** Writes all of a text; gives how many bytes that were. */
const writeAll = (fd: number, text: string): number => {
  const bytes = Buffer.from(text)
  for (let from = 0; from < bytes.length;) from += writeSync(fd, bytes, from)
  return bytes.length
}

/** Cuts a file to a length; a pipe has nothing to cut. */
const cut = (fd: number, length: number): void => {
  if (fstatSync(fd).isFile()) ftruncateSync(fd, length)
}

/** Begins a trace of a run that starts from `facts`, which are known when it begins. `failed` is called once, when nothing more can be written. */
export const createTraceFile = (
  fd: number,
  path: string,
  facts: () => readonly Fact[],
  failed: (failure: Failure) => void,
): TraceFile => {
  let open = true
  let n = 0
  let written = 0

  const end = (): void => {
    if (!open) return
    open = false
    closeSync(fd)
  }

  /** Of a line that did not fit, nothing stays: what was written before is a whole trace, and replays. */
  const dropTorn = (): void => {
    try {
      cut(fd, written)
    } catch {
      // The reason why nothing more can be written is reported; the line stays as it is.
    }
  }

  const guarded = (write: () => void): void => {
    if (!open) return
    try {
      write()
    } catch (error) {
      dropTorn()
      end()
      failed(stopFailure(`--trace ${path} ${fileProblem(error)}; free disk space or give another file, and run again`))
    }
  }

  const put = (line: string): void =>
    guarded(() => {
      written += writeAll(fd, `${line}\n`)
    })

  return {
    observer: {
      onBegin: ({ settings }) => {
        guarded(() => cut(fd, 0))
        put(encodeTraceHeader({ format: 1, settings, facts: facts() }))
      },
      onDecision: (input, decision) => {
        n += 1
        put(encodeTraceLine({ n, input, decision: traceDecision(decision) }))
      },
    },
    close: end,
  }
}
