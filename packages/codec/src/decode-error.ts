// What is wrong with a value from outside, as a value: where, what was expected, what was there. `decode` is the only way
// from a codec to a result; nothing here throws, whatever it is given.

import * as E from 'fp-ts/lib/Either.js'
import type { NonEmptyArray } from 'fp-ts/lib/NonEmptyArray.js'
import type * as t from 'io-ts'
import { keyStep, pathOf, shownValue } from './rendering.js'
import { nearest } from './suggestion.js'

/** A codec between a value of ours and what crosses the border as JSON. Its name reads well after `expected`. */
export type Codec<A> = t.Type<A, unknown>

/** A value of the wrong kind. */
export interface Unfit {
  readonly _tag: 'Unfit'
  /** Such as `filesystem.options[2]`; empty for the whole value. */
  readonly path: string
  readonly expected: string
  /** The value, shortened and escaped. */
  readonly got: string
  /** What was probably meant, where it was one of a few names. */
  readonly suggestion?: string
}

/** A value that has to be there and is not. */
export interface Missing {
  readonly _tag: 'Missing'
  readonly path: string
  readonly expected: string
}

/** A key that means nothing. Refused, because it is most often a misspelt one that means something. */
export interface UnknownKey {
  readonly _tag: 'UnknownKey'
  readonly path: string
  readonly suggestion?: string
}

/** One thing that is wrong with a value from outside. */
export type DecodeError = Unfit | Missing | UnknownKey

/** All that is wrong with a value, in the order of its fields. */
export type DecodeErrors = Readonly<NonEmptyArray<DecodeError>>

/** Carried by codecs of a closed set of names, and by the entry that stands for a key without a meaning. */
export interface Knowing {
  readonly known: readonly string[]
  readonly unknownKey?: true
}

const knowingOf = (type: object | undefined): Knowing | undefined =>
  type !== undefined && 'known' in type ? (type as Knowing) : undefined

const suggestionFor = (name: unknown, known: readonly string[]): string | undefined =>
  typeof name === 'string' ? nearest(name, known) : undefined

const withSuggestion = <A extends object>(error: A, suggestion: string | undefined): A =>
  suggestion === undefined ? error : { ...error, suggestion }

const decodeError = ({ context, value }: t.ValidationError): DecodeError => {
  const last = context[context.length - 1]
  const knowing = knowingOf(last?.type)
  const path = pathOf(context.map(({ key }) => key))
  const known = knowing?.known ?? []
  if (knowing?.unknownKey) {
    return withSuggestion<UnknownKey>({ _tag: 'UnknownKey', path }, suggestionFor(last?.actual, known))
  }
  const expected = last?.type.name ?? 'another value'
  if (value === undefined) return { _tag: 'Missing', path, expected }
  return withSuggestion<Unfit>({ _tag: 'Unfit', path, expected, got: shownValue(value) }, suggestionFor(value, known))
}

/** The path that a misspelt key was meant to be. */
const meantPath = ({ context }: t.ValidationError, error: DecodeError): string | undefined => {
  if (error._tag !== 'UnknownKey' || error.suggestion === undefined) return undefined
  return pathOf([...context.slice(0, -1).map(({ key }) => key), keyStep(error.suggestion)])
}

// A misspelt key is one mistake: that the right one is missing goes without saying.
const decodeErrors = (errors: t.Errors): readonly DecodeError[] => {
  const all = errors.map((error) => ({ error, read: decodeError(error) }))
  const misspelt = new Set(all.map(({ error, read }) => meantPath(error, read)))
  return all.map(({ read }) => read).filter((read) => read._tag !== 'Missing' || !misspelt.has(read.path))
}

/** A value from outside as one of ours, or all that is wrong with it. */
export const decode = <A>(codec: Codec<A>, value: unknown): E.Either<DecodeErrors, A> => {
  const decoded = codec.decode(value)
  if (E.isRight(decoded)) return decoded
  const [first, ...others] = decodeErrors(decoded.left)
  return E.left([first ?? { _tag: 'Missing', path: '', expected: codec.name }, ...others])
}

/** What is wrong, without where. */
export const decodeErrorReason = (error: DecodeError): string => {
  switch (error._tag) {
    case 'Missing':
      return `missing; expected ${error.expected}`
    case 'UnknownKey':
      return `unknown key${meant(error)}`
    case 'Unfit':
      return `expected ${error.expected}, got ${error.got}${meant(error)}`
  }
}

const meant = ({ suggestion }: { readonly suggestion?: string }): string =>
  suggestion === undefined ? '' : `; did you mean "${suggestion}"?`

/** Where and what is wrong, in one line: `filesystem.options[2]: expected a string, got 3`. */
export const decodeErrorText = (error: DecodeError): string =>
  error.path === '' ? decodeErrorReason(error) : `${error.path}: ${decodeErrorReason(error)}`

/** The first of all that is wrong, in one line, and how much more there is. */
export const decodeErrorsText = (errors: DecodeErrors): string =>
  errors.length === 1 ? decodeErrorText(errors[0]) : `${decodeErrorText(errors[0])} (and ${errors.length - 1} more)`
