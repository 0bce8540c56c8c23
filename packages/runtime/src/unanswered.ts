// The requests that were not answered yet, decided or not. Invariant: each is resolved exactly once, and leaves the table
// then; its deadline runs from the turn that accepted it to the decision that answers it.

import { requestId } from '@mountkeeper/core'
import type { Answer, Refusal, Request, RequestId } from '@mountkeeper/core'
import type { Observer } from './observer.js'
import type { Timers } from './ports.js'

interface Asked {
  /** The stream that the embedder names; none for its own requests. */
  readonly stream: string | undefined
  readonly body: Request
  readonly resolve: (answer: Answer) => void
  /** The core has answered; the answer may still wait for the disk. */
  decided: boolean
  callOffDeadline: (() => void) | undefined
}

/** As much of a request as its refusal repeats; `op` is absent where it named no operation that exists. */
export type TurnedAway = Partial<Pick<Request, 'id' | 'op'>>

/** The table of those who wait for an answer. */
export interface UnansweredTable {
  /** Gives a request its number, larger than all before, and a promise of its answer. */
  readonly ask: (body: Request, stream: string | undefined, resolve: (answer: Answer) => void) => RequestId
  /** Starts the deadline of a request that its turn has not answered. */
  readonly arm: (request: RequestId) => void
  /** The core has answered; throws when it had before, or was never asked: a defect. */
  readonly decided: (answer: Answer) => void
  /** Gives an answer to its caller; does nothing for one who was refused meanwhile. */
  readonly deliver: (answer: Answer) => void
  /** Refuses every request, decided or not, in order of asking. */
  readonly refuseAll: (error: Refusal) => void
  /** Refuses one that does not get into the table. */
  readonly turnAway: (body: TurnedAway, error: Refusal) => Answer
  readonly size: () => number
  /** How many are of this stream. */
  readonly sizeOf: (stream: string) => number
}

/** What the table needs. */
export interface UnansweredOptions {
  readonly timers: Timers
  readonly observer: Observer | undefined
  /** The largest number of a request in an earlier life that may still be known; 0 for none. */
  readonly lastRequest: number
  /** For requests that name none, ms. */
  readonly deadlineMs: number
  readonly deadlinePassed: (request: RequestId) => void
}

const refusal = (request: RequestId, { id, op }: TurnedAway, error: Refusal): Answer => ({
  request,
  ...(id === undefined ? {} : { id }),
  ...(op === undefined ? {} : { op }),
  ok: false,
  error,
})

/** Makes an empty table. */
export const createUnanswered = (options: UnansweredOptions): UnansweredTable => {
  const { timers, observer, deadlineMs, deadlinePassed } = options
  const table = new Map<RequestId, Asked>()
  const streams = new Map<string, number>()
  let last = options.lastRequest

  const count = (stream: string | undefined, by: 1 | -1): void => {
    if (stream === undefined) return
    const size = (streams.get(stream) ?? 0) + by
    if (size === 0) streams.delete(stream)
    else streams.set(stream, size)
  }

  const next = (): RequestId => {
    last += 1
    return requestId(last)
  }

  const told = (answer: Answer): void => observer?.onAnswer?.(answer)

  return {
    ask: (body, stream, resolve) => {
      const request = next()
      count(stream, 1)
      table.set(request, { stream, body, resolve, decided: false, callOffDeadline: undefined })
      return request
    },
    arm: (request) => {
      const asked = table.get(request)
      if (asked === undefined || asked.decided) return
      asked.callOffDeadline = timers.after(asked.body.deadlineMs ?? deadlineMs, () => deadlinePassed(request))
    },
    decided: ({ request, op = 'a request' }) => {
      const asked = table.get(request)
      if (asked === undefined) throw new Error(`the core answered ${op} ${request}, which is not waiting`)
      if (asked.decided) throw new Error(`the core answered ${op} ${request} twice`)
      asked.decided = true
      asked.callOffDeadline?.()
    },
    deliver: (answer) => {
      const asked = table.get(answer.request)
      if (asked === undefined) return
      table.delete(answer.request)
      count(asked.stream, -1)
      // The caller goes on in a later microtask: the observer still sees the answer first, and one that throws costs no caller
      // an answer.
      asked.resolve(answer)
      told(answer)
    },
    refuseAll: (error) => {
      const refused = [...table].map(([request, asked]) => {
        const answer = refusal(request, asked.body, error)
        asked.callOffDeadline?.()
        asked.resolve(answer)
        return answer
      })
      table.clear()
      streams.clear()
      refused.forEach(told)
    },
    turnAway: (body, error) => {
      const answer = refusal(next(), body, error)
      told(answer)
      return answer
    },
    size: () => table.size,
    sizeOf: (stream) => streams.get(stream) ?? 0,
  }
}
