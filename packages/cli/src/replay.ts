// `mountkeeper replay`: folds the inputs of a trace through the core again. The same inputs have to lead to the same
// decisions, byte for byte (L46); the first line that differs is the bug, or the change of behaviour.

import { createReadStream } from 'node:fs'
import type { Trace, TraceDecision, TraceError, TraceLine } from '@mountkeeper/codec'
import { decodeTraceHeader, decodeTraceLine, encodeTraceLine, traceDecision, traceErrorText } from '@mountkeeper/codec'
import type { Host } from '@mountkeeper/core'
import { apply, decide, restore } from '@mountkeeper/core'
import * as E from 'fp-ts/lib/Either.js'
import type { ExitCode } from './exit.js'
import { fileProblem, harmless, linesOf, usageFailure } from 'mountkeeper/parts'
import { EXIT } from './exit.js'
import type { Streams } from './streams.js'
import { fail } from './streams.js'

/** A status of a large host is one line. */
const TRACE_LINE_BYTES_MAX = 256 * 1_024 * 1_024

/** A line whose decision is another one now. */
interface Differing {
  /** In the file; the head is line 1. */
  readonly line: number
  /** Such as `effects[0]`. */
  readonly where: string
  readonly input: string
  readonly recorded: string
  readonly now: string
}

type Folded = { readonly _tag: 'Same' } | ({ readonly _tag: 'Differs' } & Differing)

/** The parts of a decision as they are written, so that what is compared is what was recorded. */
const written = (
  n: number,
  input: TraceLine['input'],
  decision: TraceDecision,
): { readonly input: unknown; readonly decision: Record<keyof TraceDecision, unknown[]> } =>
  JSON.parse(encodeTraceLine({ n, input, decision })) as {
    input: unknown
    decision: Record<keyof TraceDecision, unknown[]>
  }

const PARTS = ['facts', 'effects', 'answers'] as const

const absent = 'nothing'
const shown = (part: unknown): string => (part === undefined ? absent : harmless(JSON.stringify(part)))

/** Decides one line again, and applies what was decided. */
const foldLine = (host: Host, recorded: TraceLine): Folded => {
  const { n, input } = recorded
  const line = n + 1
  const before = written(n, input, recorded.decision)
  const differs = (where: string, was: string, now: string): Folded => ({
    _tag: 'Differs',
    line,
    where,
    input: shown(before.input),
    recorded: was,
    now,
  })
  try {
    const decision = decide(host, input)
    const after = written(n, input, traceDecision(decision))
    for (const part of PARTS) {
      const longest = Math.max(before.decision[part].length, after.decision[part].length)
      for (let index = 0; index < longest; index += 1) {
        const was = shown(before.decision[part][index])
        const now = shown(after.decision[part][index])
        if (was !== now) return differs(`${part}[${index}]`, was, now)
      }
    }
    apply(host, decision)
    return { _tag: 'Same' }
  } catch (error) {
    return differs(
      'decision',
      shown(before.decision),
      `a defect: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

type Outcome =
  | { readonly _tag: 'Same'; readonly inputs: number }
  | ({ readonly _tag: 'Differs' } & Differing)
  | { readonly _tag: 'Unreadable'; readonly error: TraceError }

const foldAll = async (path: string): Promise<Outcome> => {
  let host: Host | undefined
  let inputs = 0
  for await (const read of linesOf(createReadStream(path), TRACE_LINE_BYTES_MAX)) {
    if (read._tag === 'Unreadable') return { _tag: 'Unreadable', error: { line: read.number, error: read.error } }
    if (host === undefined) {
      const header: E.Either<TraceError, Trace['header']> = decodeTraceHeader(read.text)
      if (E.isLeft(header)) return { _tag: 'Unreadable', error: header.left }
      host = restore(header.right.settings, header.right.facts)
      continue
    }
    const recorded = decodeTraceLine(read.text, read.number)
    if (E.isLeft(recorded)) return { _tag: 'Unreadable', error: recorded.left }
    const folded = foldLine(host, recorded.right)
    if (folded._tag === 'Differs') return folded
    inputs += 1
  }
  if (host !== undefined) return { _tag: 'Same', inputs }
  const empty = decodeTraceHeader('')
  return E.isLeft(empty) ? { _tag: 'Unreadable', error: empty.left } : { _tag: 'Same', inputs }
}

/** Folds a trace again, and gives the result. */
export const replay = async (path: string, streams: Streams): Promise<ExitCode> => {
  let outcome: Outcome
  try {
    outcome = await foldAll(path)
  } catch (error) {
    return fail(streams, usageFailure(`${path} ${fileProblem(error)}; give a file that run --trace wrote`))
  }
  const { stdout } = streams
  switch (outcome._tag) {
    case 'Unreadable':
      return fail(streams, usageFailure(`${path}: ${traceErrorText(outcome.error)}; it is not a trace of this version`))
    case 'Same':
      stdout.write(`${harmless(path)}: ${outcome.inputs} inputs, every decision is the same\n`)
      return EXIT.ok
    case 'Differs':
      stdout.write(
        `${harmless(path)}: line ${outcome.line} differs in ${outcome.where}\n` +
          `  input     ${outcome.input}\n  recorded  ${outcome.recorded}\n  now       ${outcome.now}\n`,
      )
      return EXIT.refused
  }
}
