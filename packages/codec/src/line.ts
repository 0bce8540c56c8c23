// Lines of JSON Lines: what may be wrong with one, and how that is said.

import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Invalid } from '@mountkeeper/core'
import type { Codec, DecodeErrors } from './decode-error.js'
import { decode, decodeErrorReason, decodeErrorsText } from './decode-error.js'
import type { JsonFault } from './json.js'
import { isLongerThan, parseJson, withoutMark } from './json.js'
import { grouped } from './rendering.js'

/** The longest line that is read as a request, in bytes of UTF-8 without its end (R11.1). */
export const REQUEST_LINE_BYTES_MAX = 65_536

/** Why a line could not be read. */
export type LineError =
  | { readonly _tag: 'TooLong'; readonly bytesMax: number }
  | ({ readonly _tag: 'NotJson' } & JsonFault)
  | {
      readonly _tag: 'Undecodable'
      readonly errors: DecodeErrors
      /** The `id` that the line carries all the same, for the answer. */
      readonly id?: string
    }

/** Whether a line has nothing to read. A caller that splits a text into lines skips these, and counts them. */
export const isBlankLine = (line: string): boolean => /^\uFEFF?[ \t\r\n]*$/.test(line)

const idOf = (value: unknown): { readonly id?: string } => {
  if (typeof value !== 'object' || value === null || !('id' in value)) return {}
  return typeof value.id === 'string' ? { id: value.id } : {}
}

/** A line as a value of ours. A byte order mark before it and a CR after it do not matter. */
export const decodeLine = <A>(codec: Codec<A>, line: string): E.Either<LineError, A> =>
  pipe(
    parseJson(withoutMark(line)),
    E.mapLeft((fault): LineError => ({ _tag: 'NotJson', ...fault })),
    E.chain((value) =>
      pipe(
        decode(codec, value),
        E.mapLeft((errors): LineError => ({ _tag: 'Undecodable', errors, ...idOf(value) })),
      ),
    ),
  )

/** Refuses a line that is too long before anything in it is read. */
export const decodeBoundedLine = <A>(codec: Codec<A>, line: string, bytesMax: number): E.Either<LineError, A> => {
  const read = line.replace(/\r?\n?$/, '')
  return isLongerThan(read, bytesMax) ? E.left({ _tag: 'TooLong', bytesMax }) : decodeLine(codec, read)
}

/** A value as one line, without its end. */
export const encodeLine = <A>(codec: Codec<A>, value: A): string => JSON.stringify(codec.encode(value))

const reason = (error: Exclude<LineError, { readonly _tag: 'Undecodable' }>): string =>
  error._tag === 'TooLong'
    ? `longer than ${grouped(error.bytesMax)} bytes`
    : `not JSON at character ${error.position + 1}: ${error.why}`

/** What is wrong with a line, in one line. */
export const lineErrorText = (error: LineError): string =>
  error._tag === 'Undecodable' ? decodeErrorsText(error.errors) : reason(error)

/** The refusal of a line that cannot be read; `field` is `line` where no field of it is to blame. */
export const invalidOf = (error: LineError): Invalid => {
  if (error._tag !== 'Undecodable') return { _tag: 'Invalid', field: 'line', why: reason(error) }
  const [first, ...others] = error.errors
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return { _tag: 'Invalid', field: first.path === '' ? 'line' : first.path, why: decodeErrorReason(first) + more }
}
