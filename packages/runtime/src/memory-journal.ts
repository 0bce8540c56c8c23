// A journal that ends with its process: holders survive a host-down and host-up, not a crash. For tests, for hosts whose
// inventory knows everything, and as the smallest example of the port.

import { right } from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'
import { snapshot } from '@mountkeeper/core'
import type { Fact } from '@mountkeeper/core'
import type { Journal, JournalFailed } from './ports.js'

/** A `Journal` in memory, and what it holds. */
export interface MemoryJournal extends Journal {
  /**
   * Facts that say all there is to say, oldest first; the array grows with each append, and becomes a snapshot of itself when
   * it is far longer than that.
   */
  readonly facts: readonly Fact[]
}

/** No fewer facts are made shorter, which costs some milliseconds. */
export const SHORTEN_FACTS_MIN = 10_000

// One for all appends: a turn of the loop costs one promise less.
const DURABLE: Promise<Either<JournalFailed, void>> = Promise.resolve(right(undefined))

/** Makes an empty journal, or one that begins with facts of an earlier life (they are copied). Never fails. */
export const createMemoryJournal = (earlier: readonly Fact[] = []): MemoryJournal => {
  const facts = [...earlier]
  let limit = Math.max(SHORTEN_FACTS_MIN, 2 * facts.length)
  const shorten = (): void => {
    const shorter = snapshot(facts)
    facts.length = 0
    for (const fact of shorter) facts.push(fact)
    limit = Math.max(SHORTEN_FACTS_MIN, 2 * facts.length)
  }
  return {
    facts,
    read: () => Promise.resolve(right([...facts])),
    append: (more) => () => {
      for (const fact of more) facts.push(fact)
      if (facts.length >= limit) shorten()
      return DURABLE
    },
  }
}
