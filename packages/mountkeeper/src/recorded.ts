// What is recorded, for those who only read: the facts in the state directory, none where none is configured.

import type { Configuration } from '@mountkeeper/codec'
import type { Fact } from '@mountkeeper/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure } from './failure.js'
import { stopFailure } from './failure.js'

/** The facts that a manager which started now would begin with, oldest first. */
export const recordedFacts = async ({ adapter }: Configuration): Promise<E.Either<Failure, readonly Fact[]>> => {
  const { stateDirectory } = adapter
  if (stateDirectory === undefined) return E.right([])
  const { readJournal } = await import('@mountkeeper/journal')
  const facts = await readJournal(stateDirectory)()
  return E.isLeft(facts) ? E.left(stopFailure(facts.left.why)) : facts
}
