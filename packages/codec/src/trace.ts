// Traces: a run as data, one line per input with the decision it led to. The first line says how to read the others, under
// which settings the run was made, and which facts it began from; the changes are not written, they follow.

import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Answer, Decision, Effect, Fact, Input, Settings } from '@mountkeeper/core'
import { answerCodec } from './answer.js'
import type { Codec } from './decode-error.js'
import { effectCodec } from './effect.js'
import { factCodec } from './fact.js'
import { inputCodec } from './input.js'
import type { LineError } from './line.js'
import { decodeLine, encodeLine, lineErrorText } from './line.js'
import { settingsCodec } from './settings.js'
import { list, literal, record, wholeNumber } from './shape.js'

/** The version of the form of traces. */
export const TRACE_FORMAT = 1 as const

/** What a run began with. */
export interface TraceHeader {
  readonly format: typeof TRACE_FORMAT
  readonly settings: Settings
  /** The state it began from: what `recover` makes of these. */
  readonly facts: readonly Fact[]
}

/** What of a decision is recorded: everything but the changes, which follow from deciding again. */
export interface TraceDecision {
  readonly facts: readonly Fact[]
  readonly effects: readonly Effect[]
  readonly answers: readonly Answer[]
}

/** A decision as a trace holds it. */
export const traceDecision = ({ append, then: { effects, answers } }: Decision): TraceDecision => ({
  facts: append,
  effects,
  answers,
})

/** One input, and the decision it led to. */
export interface TraceLine {
  /** Grows by one from line to line; the first is 1. */
  readonly n: number
  readonly input: Input
  readonly decision: TraceDecision
}

/** A run. */
export interface Trace {
  readonly header: TraceHeader
  readonly lines: readonly TraceLine[]
}

/** A line of a trace that cannot be read: its number in the file, the first being 1, and why. */
export interface TraceError {
  readonly line: number
  readonly error: LineError
}

/** The parts of a decision that a trace holds. */
export const traceDecisionCodec: Codec<TraceDecision> = record('a decision', {
  facts: list(factCodec),
  effects: list(effectCodec),
  answers: list(answerCodec),
})

/** The first line of a trace. */
export const traceHeaderCodec: Codec<TraceHeader> = record('the head of a trace', {
  format: literal(TRACE_FORMAT),
  settings: settingsCodec,
  facts: list(factCodec),
})

/** Any other line of a trace. */
export const traceLineCodec: Codec<TraceLine> = record('a line of a trace', {
  n: wholeNumber,
  input: inputCodec,
  decision: traceDecisionCodec,
})

/** The head as a line, without its end. */
export const encodeTraceHeader = (header: TraceHeader): string => encodeLine(traceHeaderCodec, header)

/** An input and its decision as a line, without its end. */
export const encodeTraceLine = (line: TraceLine): string => encodeLine(traceLineCodec, line)

const at =
  (line: number) =>
  (error: LineError): TraceError => ({ line, error })

/** Reads the first line of a trace. */
export const decodeTraceHeader = (line: string): E.Either<TraceError, TraceHeader> =>
  pipe(decodeLine(traceHeaderCodec, line), E.mapLeft(at(1)))

/** Reads the line with the number `line` in its file, 2 or more; it has to be the input with the number before that. */
export const decodeTraceLine = (line: string, number: number): E.Either<TraceError, TraceLine> =>
  pipe(
    decodeLine(traceLineCodec, line),
    E.chain((read) =>
      read.n === number - 1
        ? E.right(read)
        : E.left<LineError>({
            _tag: 'Undecodable',
            errors: [{ _tag: 'Unfit', path: 'n', expected: String(number - 1), got: String(read.n) }],
          }),
    ),
    E.mapLeft(at(number)),
  )

/** Reads a whole trace, up to the first line that cannot be read. */
export const decodeTrace = (text: string): E.Either<TraceError, Trace> => {
  const [first = '', ...others] = text.replace(/\r?\n$/, '').split('\n')
  const header = decodeTraceHeader(first)
  if (E.isLeft(header)) return header
  const lines: TraceLine[] = []
  for (const [index, other] of others.entries()) {
    const line = decodeTraceLine(other, index + 2)
    if (E.isLeft(line)) return line
    lines.push(line.right)
  }
  return E.right({ header: header.right, lines })
}

/** What is wrong with a trace, in one line: `line 3: decision.effects[0].deadlineMs: missing; expected a whole number`. */
export const traceErrorText = ({ line, error }: TraceError): string => `line ${line}: ${lineErrorText(error)}`
