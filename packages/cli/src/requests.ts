// Where requests come from, and how results go out when nothing is said about it.

import { createReadStream, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import * as E from 'fp-ts/lib/Either.js'
import type { OutputKind } from './arguments.js'
import type { Failure } from 'mountkeeper/parts'
import { fileProblem, usageFailure } from 'mountkeeper/parts'
import type { Streams } from './streams.js'

const STDIN = 0

/** A directory in place of stdin would read as empty. */
const isStdinDirectory = (): boolean => {
  try {
    return fstatSync(STDIN).isDirectory()
  } catch {
    return false
  }
}

/** Opens the file of requests; absent for stdin. */
export const openRequests = (file: string | undefined): E.Either<Failure, number | undefined> => {
  const isStdin = file === undefined || file === '-'
  const wrong = (problem: string): E.Either<Failure, never> =>
    E.left(usageFailure(`${isStdin ? 'stdin' : file} ${problem}; give a file of requests, or - for stdin`))
  if (isStdin) return isStdinDirectory() ? wrong('is a directory') : E.right(undefined)
  try {
    const fd = openSync(file, 'r')
    return fstatSync(fd).isDirectory() ? wrong('is a directory') : E.right(fd)
  } catch (error) {
    return wrong(fileProblem(error))
  }
}

/**
 * An open descriptor as a stream. A pipe is polled: a read that blocks a thread would keep the process from ending for as
 * long as no process writes.
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
