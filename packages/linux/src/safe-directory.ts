// Safe directories by their path: for what a manager is given at its start, such as its state directory. A directory is judged by
// an open descriptor, and each from `/` on: who can rename one of them can put another in its place.

import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { MayEnter } from './descriptor.js'
import { close, resolve } from './descriptor.js'
import { stopText } from './reach.js'
import type { Trust, Unsafe } from './trust.js'

/** Why a path was not found to be safe. */
export type NotSafe =
  { readonly _tag: 'Unsafe'; readonly unsafe: Unsafe } | { readonly _tag: 'Unreached'; readonly why: string }

/**
 * Whether a directory or a file, and each directory from `/` to it, is safe; gives its path without links, which are followed,
 * for in a safe directory no other user made them. Then no other user can change what the path leads to. For what a manager uses at
 * its start: looks up on any filesystem unless `mayEnter` forbids it.
 */
export const safePath = (path: string, trust: Trust, mayEnter: MayEnter = () => true): Either<NotSafe, string> => {
  const reached = resolve(path, { mayEnter, trust, end: 'safe' })
  if (isLeft(reached)) {
    const { unsafe } = reached.left
    return left(unsafe === undefined ? { _tag: 'Unreached', why: stopText(reached.left) } : { _tag: 'Unsafe', unsafe })
  }
  close(reached.right.place.fd)
  return right(reached.right.path)
}
