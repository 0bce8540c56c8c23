// Answers as they are delivered. The number that a driver gave to a request stays inside; callers know their own `id`.

import type * as E from 'fp-ts/lib/Either.js'
import type { Answer, Invalid, Request } from '@mountkeeper/core'
import type { Codec } from './decode-error.js'
import { requestIdCodec } from './input.js'
import type { LineError } from './line.js'
import { shownJson } from './json.js'
import { decodeLine, invalidOf } from './line.js'
import { invalidCodec, refusalCodec, resultCodec } from './result.js'
import type { Fields } from './shape.js'
import { either, literal, oneOf, optional, record, text, wholeNumber } from './shape.js'

type Good = Extract<Answer, { readonly ok: true }>
type Bad = Extract<Answer, { readonly ok: false }>

/** A good answer on the wire. */
export type GoodAnswer = Omit<Good, 'request'>
/** A refusal on the wire. */
export type BadAnswer = Omit<Bad, 'request'>

/** The answer to a line that could not be read. */
export interface UnreadableAnswer {
  /** Of the request, where at least that could be read. */
  readonly id?: string
  readonly ok: false
  /** The number of the line, the first being 1. */
  readonly line: number
  readonly error: Invalid
}

/** An answer on the wire. */
export type AnswerLine = GoodAnswer | BadAnswer | UnreadableAnswer

const op: Codec<Request['op']> = oneOf({
  attach: true,
  detach: true,
  release: true,
  cancel: true,
  'host-up': true,
  'host-down': true,
  status: true,
  reconcile: true,
  retry: true,
  forget: true,
  'refuse-new': true,
  'allow-new': true,
})

const ANSWER = 'an answer: an object with ok'
const TRUTH = 'true or false'

const good: Fields<GoodAnswer> = { id: optional(text), op, ok: literal(true, TRUTH), result: resultCodec }
const bad: Fields<BadAnswer> = { id: optional(text), op: optional(op), ok: literal(false, TRUTH), error: refusalCodec }

const unreadable: Codec<UnreadableAnswer> = record(ANSWER, {
  id: optional(text),
  ok: literal(false, TRUTH),
  line: wholeNumber,
  error: invalidCodec,
})

const refused = (value: unknown): 'first' | 'second' =>
  typeof value === 'object' && value !== null && 'ok' in value && value.ok === false ? 'second' : 'first'

const numbered = (value: unknown): 'first' | 'second' =>
  typeof value === 'object' && value !== null && 'line' in value ? 'second' : 'first'

/** An answer on the wire. */
export const answerLineCodec: Codec<AnswerLine> = either(
  ANSWER,
  record<GoodAnswer>(ANSWER, good),
  either(ANSWER, record<BadAnswer>(ANSWER, bad), unreadable, numbered),
  refused,
)

/** An answer with the number of its request, for traces. */
export const answerCodec: Codec<Answer> = either(
  ANSWER,
  record<Good>(ANSWER, { request: requestIdCodec, ...good }),
  record<Bad>(ANSWER, { request: requestIdCodec, ...bad }),
  refused,
)

/** An answer as a line, without its end. */
export const encodeAnswer = (answer: Answer): string => shownJson(answerLineCodec.encode(answer))

/** The answer to a line that could not be read, as a line. `line` counts from 1. */
export const encodeUnreadable = (line: number, error: LineError): string => {
  const id = error._tag === 'Undecodable' && error.id !== undefined ? { id: error.id } : {}
  return shownJson(answerLineCodec.encode({ ...id, ok: false, line, error: invalidOf(error) }))
}

/** Reads what `encodeAnswer` and `encodeUnreadable` write. */
export const decodeAnswerLine = (line: string): E.Either<LineError, AnswerLine> => decodeLine(answerLineCodec, line)
