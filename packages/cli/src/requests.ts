// Where requests come from, and how results go out when nothing is said about it.

import { createReadStream, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import * as E from 'fp-ts/lib/Either.js'
import type { OutputKind } from './arguments.js'
import type { Failure } from './exit.js'
import { fileProblem, usageFailure } from './exit.js'
import type { Streams } from './streams.js'

/** Opens the file of requests; absent for stdin. */
export const openRequests = (file: string | undefined): E.Either<Failure, number | undefined> => {
  if (file === undefined || file === '-') return E.right(undefined)
  const wrong = (problem: string): E.Either<Failure, never> =>
    E.left(usageFailure(`${file} ${problem}; name a file of requests, or - for stdin`))
  try {
    const fd = openSync(file, 'r')
    return fstatSync(fd).isDirectory() ? wrong('is a directory') : E.right(fd)
  } catch (error) {
    return wrong(fileProblem(error))
  }
}

/**
 * An open descriptor as a stream. A pipe is polled: a read that blocks a thread would keep the process from ending for as
 * long as nobody writes.
 */
export const streamOf = (fd: number): Readable => {
  const stat = fstatSync(fd)
  return stat.isFIFO() || stat.isSocket()
    ? new Socket({ fd, readable: true, writable: false })
    : createReadStream('', { fd })
}

/** What was opened, as a stream. */
export const requestStream = (fd: number | undefined, streams: Streams): Readable =>
  fd === undefined ? streams.stdin : streamOf(fd)

/** A terminal gets a transcript, anything else JSON Lines. */
export const outputKind = (asked: OutputKind | undefined, { isTerminal }: Streams): OutputKind =>
  asked ?? (isTerminal ? 'transcript' : 'json')
