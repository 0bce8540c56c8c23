// The three functions of fp-ts that a look process uses: loading them from there loads eleven modules more, a fifth of the time
// that the process takes to start. The values are those of fp-ts.

import type { Either, Left } from 'fp-ts/lib/Either.js'

/** What went wrong. */
export const left = <E>(value: E): Either<E, never> => ({ _tag: 'Left', left: value })

/** The result. */
export const right = <A>(value: A): Either<never, A> => ({ _tag: 'Right', right: value })

/** Whether something went wrong. */
export const isLeft = <E>(either: Either<E, unknown>): either is Left<E> => either._tag === 'Left'
