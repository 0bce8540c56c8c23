// `mountkeeper trace view`: one page of HTML that shows a run. The page is a file of its own, or goes to stdout.

import { closeSync, createReadStream, ftruncateSync, fstatSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import type { TraceError } from '@mountkeeper/codec'
import { decodeTraceHeader, decodeTraceLine, traceErrorText } from '@mountkeeper/codec'
import * as E from 'fp-ts/lib/Either.js'
import { fileProblem, harmless, linesOf, openOwn, stopFailure, usageFailure } from 'mountkeeper/parts'
import type { Failure } from 'mountkeeper/parts'
import type { TraceViewArguments } from './asked.js'
import type { ExitCode } from './exit.js'
import { EXIT } from './exit.js'
import { createOutput } from './output.js'
import type { Streams } from './streams.js'
import { fail } from './streams.js'
import type { Drawing } from './trace-view/drawing.js'
import { beginDrawing } from './trace-view/drawing.js'
import type { Drawn } from './trace-view/drawn.js'
import { pageOf, pageParts } from './trace-view/page.js'

/** A status of a large host is one line. */
const LINE_BYTES_MAX = 256 * 1_024 * 1_024

/** Where the build puts the parts of the page. */
const PARTS = new URL('../bundle/', import.meta.url)

const unreadable = (path: string, error: TraceError): E.Either<Failure, never> =>
  E.left(usageFailure(`${path}: ${traceErrorText(error)}; it is not a trace of this version`))

const read = async (path: string): Promise<E.Either<Failure, Drawn>> => {
  let drawing: Drawing | undefined
  try {
    for await (const line of linesOf(createReadStream(path), LINE_BYTES_MAX)) {
      if (line._tag === 'Unreadable') return unreadable(path, { line: line.number, error: line.error })
      if (drawing === undefined) {
        const header = decodeTraceHeader(line.text)
        if (E.isLeft(header)) return unreadable(path, header.left)
        drawing = beginDrawing(header.right)
        continue
      }
      const next = decodeTraceLine(line.text, line.number)
      if (E.isLeft(next)) return unreadable(path, next.left)
      drawing.add(next.right)
    }
  } catch (error) {
    return E.left(usageFailure(`${path} ${fileProblem(error)}; give a file that run --trace wrote`))
  }
  if (drawing !== undefined) return E.right(drawing.done(basename(path)))
  return E.left(usageFailure(`${path} is empty; give a file that run --trace wrote`))
}

/** Writes a page with what a trace names: only its owner may read it. */
const write = (path: string, page: string): E.Either<Failure, void> => {
  const opened = openOwn(path)
  if (E.isLeft(opened)) return E.left(usageFailure(`--output ${path} ${opened.left.why}`))
  const fd = opened.right
  try {
    if (fstatSync(fd).isFile()) ftruncateSync(fd, 0)
    const bytes = Buffer.from(page)
    for (let from = 0; from < bytes.length;) from += writeSync(fd, bytes, from)
    return E.right(undefined)
  } catch (error) {
    return E.left(stopFailure(`--output ${path} ${fileProblem(error)}; free disk space or give another file`))
  } finally {
    closeSync(fd)
  }
}

/** Writes the page of a trace. */
export const traceView = async ({ trace, output }: TraceViewArguments, streams: Streams): Promise<ExitCode> => {
  if (output === undefined && streams.isTerminal) {
    return fail(streams, usageFailure('the page would go to this terminal; give its file with --output FILE'))
  }
  const drawn = await read(trace)
  if (E.isLeft(drawn)) return fail(streams, drawn.left)
  const page = pageOf(drawn.right, pageParts(PARTS))
  if (output === undefined) {
    const stdout = createOutput(streams.stdout)
    stdout.line(page.trimEnd())
    await stdout.flushed()
    return EXIT.ok
  }
  const written = write(output, page)
  if (E.isLeft(written)) return fail(streams, written.left)
  const { inputs, lanes } = drawn.right
  streams.stdout.write(`${harmless(output)}: ${inputs} inputs at ${lanes.length - 1} mountpoints\n`)
  return EXIT.ok
}
