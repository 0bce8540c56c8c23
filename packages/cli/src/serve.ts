// Requests in, answers out. In order: each line is served after the answer to the one before it, and what cannot wait for
// that (host-up, host-down, cancel) at once. Concurrently: as they are read. Every line gets its one answer.

import type { LineError, PlanRequest } from '@mountkeeper/codec'
import { REQUEST_LINE_BYTES_MAX, decodeRequestLine, isBlankLine } from '@mountkeeper/codec'
import type { Answer, Request } from '@mountkeeper/core'
import { requestId } from '@mountkeeper/core'
import * as E from 'fp-ts/lib/Either.js'
import type { InputLine } from 'mountkeeper/parts'
import { linesOf } from 'mountkeeper/parts'

/** Lines that may be read ahead of the one that is being served. */
export const READ_AHEAD_MAX = 1_024

/** A request, and the line it came from. */
export interface Ticket {
  readonly line: number
  readonly request: Request
}

/** Called with everything that is shown. */
export interface Reporter {
  /** Just before it is submitted. */
  readonly asked: (ticket: Ticket) => void
  readonly answered: (ticket: Ticket, answer: Answer) => void
  readonly unreadable: (line: number, error: LineError) => void
  /** A plan that was asked for on a line; resolves when it was shown. */
  readonly planned: (line: number, request: PlanRequest) => Promise<void>
}

/** What serving needs. */
export interface Serving {
  readonly input: AsyncIterable<Uint8Array>
  /** How many ordinary requests may be unanswered at once: one is the order of the lines. */
  readonly together: number
  readonly submit: (request: Request) => Promise<Answer>
  readonly reporter: Reporter
  /** Resolves when more may be read. */
  readonly ready: () => Promise<void>
  /** Asked before each line is read: nothing more is, once it is aborted; what was read is still answered. */
  readonly stop: AbortSignal
}

/** What became of the lines. */
export interface Tally {
  /** Lines that were answered, those that could not be read among them. */
  readonly requests: number
  readonly refused: number
  /** The input was read to its end. */
  readonly complete: boolean
  /** Why it could not be read further. */
  readonly broken?: unknown
}

type Job =
  | { readonly _tag: 'Request'; readonly ticket: Ticket }
  | { readonly _tag: 'Unreadable'; readonly line: number; readonly error: LineError }
  | { readonly _tag: 'Plan'; readonly line: number; readonly request: PlanRequest }

const isStatus = (job: Job): boolean => job._tag === 'Request' && job.ticket.request.op === 'status'

/** What is served before the lines that were read earlier. A status says what they have led to, unless nothing is in order. */
const isUrgent = (job: Job, together: number): boolean => {
  if (job._tag !== 'Request') return false
  const { op } = job.ticket.request
  return op === 'host-up' || op === 'host-down' || op === 'cancel' || (op === 'status' && together > 1)
}

const jobOf = (from: InputLine): Job => {
  const line = from.number
  if (from._tag === 'Unreadable') return { _tag: 'Unreadable', line, error: from.error }
  const read = decodeRequestLine(from.text)
  if (E.isLeft(read)) return { _tag: 'Unreadable', line, error: read.left }
  const request = read.right
  return request.op === 'plan' ? { _tag: 'Plan', line, request } : { _tag: 'Request', ticket: { line, request } }
}

const NEVER_SUBMITTED = requestId(0)

const cancelled = ({ id, op }: Request): Answer => ({
  request: NEVER_SUBMITTED,
  ...(id === undefined ? {} : { id }),
  op,
  ok: false,
  error: { _tag: 'Cancelled' },
})

/** Resolves when it is ready, or at the stop. */
const unlessStopped = (ready: () => Promise<void>, stop: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (stop.aborted) {
      resolve()
      return
    }
    const done = (): void => {
      stop.removeEventListener('abort', done)
      resolve()
    }
    stop.addEventListener('abort', done)
    ready().then(done, reject)
  })

/** Serves all of the input; resolves when every line that was read has its answer. Rejects only for a defect. */
export const serve = async ({ input, together, submit, reporter, ready, stop }: Serving): Promise<Tally> => {
  const queue: Job[] = []
  const running = new Set<Promise<void>>()
  let ordinary = 0
  let requests = 0
  let refused = 0
  let wake: (() => void) | undefined

  const count = (ok: boolean): void => {
    requests += 1
    if (!ok) refused += 1
  }

  const perform = async (job: Job): Promise<void> => {
    if (job._tag === 'Unreadable') {
      reporter.unreadable(job.line, job.error)
      count(false)
    } else if (job._tag === 'Plan') {
      await reporter.planned(job.line, job.request)
      count(true)
    } else {
      reporter.asked(job.ticket)
      // A manager that stops begins nothing new.
      const answer = stop.aborted ? cancelled(job.ticket.request) : await submit(job.ticket.request)
      reporter.answered(job.ticket, answer)
      count(answer.ok)
    }
  }

  // An answer to a status may be large: the next one is made when the reader has taken the one before it. A stop waits for
  // no reader; a status that has not been asked by then is refused.
  let bulky: Promise<void> = Promise.resolve()
  const performInTurn = (job: Job): Promise<void> => {
    const mine = bulky.then(() => unlessStopped(ready, stop)).then(() => perform(job))
    bulky = mine.catch(() => undefined)
    return mine
  }

  let defect: { readonly error: unknown } | undefined
  const start = (job: Job, done: () => void): void => {
    const work = (isStatus(job) ? performInTurn(job) : perform(job))
      .catch((error: unknown) => {
        defect ??= { error }
      })
      .finally(() => {
        running.delete(work)
        done()
        pump()
        wake?.()
      })
    running.add(work)
  }

  const pump = (): void => {
    // After a stop all that was read is taken at once, to be refused rather than forgotten.
    while (queue.length > 0 && (ordinary < together || stop.aborted)) {
      const job = queue.shift()
      if (job === undefined) return
      ordinary += 1
      start(job, () => {
        ordinary -= 1
      })
    }
  }

  const roomAhead = together === 1 ? READ_AHEAD_MAX : 1
  const isFull = (): boolean => queue.length >= roomAhead || running.size >= together + READ_AHEAD_MAX
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve
    })

  // One waiter at a time, and no race with a promise that lives as long as the run: that would keep every line it saw.
  let interrupt: (() => void) | undefined
  const isStopped = (): boolean => stop.aborted
  stop.addEventListener('abort', () => {
    interrupt?.()
    pump()
    wake?.()
  })

  const lines = linesOf(input, REQUEST_LINE_BYTES_MAX)
  const nextLine = (): Promise<IteratorResult<InputLine, void> | undefined> =>
    new Promise((resolve, reject) => {
      interrupt = () => resolve(undefined)
      lines.next().then(resolve, reject)
    })

  // A reader that stands still must not keep a stop from being heard.
  const whenReady = (): Promise<void> =>
    new Promise((resolve, reject) => {
      interrupt = resolve
      ready().then(resolve, reject)
    })

  const read = async (): Promise<Pick<Tally, 'complete' | 'broken'>> => {
    while (!isStopped()) {
      const next = await nextLine()
      if (next === undefined) break
      if (next.done === true) return { complete: true }
      const line = next.value
      if (line._tag === 'Text' && isBlankLine(line.text)) continue
      const job = jobOf(line)
      if (isUrgent(job, together)) start(job, () => undefined)
      else queue.push(job)
      pump()
      while (isFull() && !isStopped()) await change()
      if (!isStopped()) await whenReady()
    }
    return { complete: false }
  }

  const end = await read().catch((error: unknown) => ({ complete: false, broken: error }))
  pump()
  while (running.size > 0 || queue.length > 0) await change()
  if (defect !== undefined) throw defect.error
  return { requests, refused, ...end }
}
