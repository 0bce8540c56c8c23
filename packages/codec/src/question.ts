// Questions that change nothing and that no decision answers: what is mounted somewhere, and what keeps it busy. They stand beside the
// requests, are answered beside the core, and only where the configuration of a socket lists them.

import type * as E from 'fp-ts/lib/Either.js'
import type { Codec } from './decode-error.js'
import type { LineError } from './line.js'
import { REQUEST_LINE_BYTES_MAX, decodeBoundedLine, encodeLine } from './line.js'
import { between, optional, tagged, text } from './shape.js'

/** The longest time that a question may give itself, in ms. */
export const QUESTION_MS_MAX = 60_000

/** What is mounted at a path or from a source: exactly one of them is named. */
export interface InspectRequest {
  readonly op: 'inspect'
  readonly id?: string
  readonly deadlineMs?: number
  readonly path?: string
  readonly source?: string
}

/** What keeps a mountpoint busy. */
export interface WhyRequest {
  readonly op: 'why'
  readonly id?: string
  readonly deadlineMs?: number
  readonly mountpoint: string
}

/** A question about the host or about a mountpoint; nothing is changed by it. */
export type QuestionRequest = InspectRequest | WhyRequest

const asked = { id: optional(text), deadlineMs: optional(between(1, QUESTION_MS_MAX, ' of ms')) }

/** A question. */
export const questionCodec: Codec<QuestionRequest> = tagged('op', 'a question: an object with op', {
  inspect: { ...asked, path: optional(text), source: optional(text) },
  why: { ...asked, mountpoint: text },
})

const OF_QUESTION = /"op"\s*:\s*"(?:inspect|why)"/

/** A question, if the line is one; absent for any other line. */
export const decodeQuestionLine = (line: string): E.Either<LineError, QuestionRequest> | undefined => {
  if (!OF_QUESTION.test(line.slice(0, REQUEST_LINE_BYTES_MAX))) return undefined
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || !('op' in value)) return undefined
    if (value.op !== 'inspect' && value.op !== 'why') return undefined
  } catch {
    return undefined
  }
  return decodeBoundedLine(questionCodec, line, REQUEST_LINE_BYTES_MAX)
}

/** A question as a line, without its end. */
export const encodeQuestion = (question: QuestionRequest): string => encodeLine(questionCodec, question)
