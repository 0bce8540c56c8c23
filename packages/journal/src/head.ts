// The first line of a journal: how to read the others. A change that older readers would misunderstand gives `JOURNAL_FORMAT`
// a new number; test-fixtures/journal keeps a file of each.

import { FACT_FORMAT } from '@mountkeeper/codec'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { frame, unframe } from './frame.js'

/** The version of the lines and what they mean together. */
export const JOURNAL_FORMAT = 3

/** What the first line says. */
export interface Head {
  readonly format: number
  /** The version of the facts. */
  readonly facts: number
  /** So many lines after it were durable before the file had its name: a crash harms none of them. */
  readonly snapshot: number
}

/** Why the first line says nothing. */
export type BadHead =
  | { readonly _tag: 'NoHead'; readonly why: string }
  /** A newer program has written it. */
  | { readonly _tag: 'Newer'; readonly why: string }

/** The first line, with its end. */
export const encodeHead = (snapshot: number): string =>
  frame(JSON.stringify({ journal: 'mountkeeper', format: JOURNAL_FORMAT, facts: FACT_FORMAT, snapshot }))

const parse = (json: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

const isCount = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && Number(value) >= least

/** Reads the first line. */
export const decodeHead = (bytes: Buffer, from: number, to: number): Either<BadHead, Head> => {
  const json = unframe(bytes, from, to)
  if (isLeft(json)) return left({ _tag: 'NoHead', why: json.left.why })
  const { journal, format, facts, snapshot } = parse(json.right)
  if (journal !== 'mountkeeper' || !isCount(format, 1) || !isCount(facts, 1)) {
    return left({ _tag: 'NoHead', why: 'it is not the first line of a journal' })
  }
  if (format > JOURNAL_FORMAT || facts > FACT_FORMAT) {
    const known = `${JOURNAL_FORMAT} and ${FACT_FORMAT}`
    const why = `a newer version wrote it: format ${format} with facts of version ${facts}, where this one knows ${known}`
    return left({ _tag: 'Newer', why })
  }
  if (!isCount(snapshot, 0)) return left({ _tag: 'NoHead', why: 'it does not say how long its snapshot is' })
  return right({ format, facts, snapshot })
}
