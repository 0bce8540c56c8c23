// A journal that ends with its process: holders survive a host-down and host-up, not a crash. For tests, for hosts whose
// inventory knows everything, and as the smallest example of the port.

import { right } from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'
import type { Fact } from '@mountkeeper/core'
import type { Journal, JournalFailed } from './ports.js'

/** A `Journal` in memory, and what it holds. */
export interface MemoryJournal extends Journal {
  /** All facts so far, oldest first; the array grows with each append. */
  readonly facts: readonly Fact[]
}

// One for all appends: a turn of the loop costs one promise less.
const DURABLE: Promise<Either<JournalFailed, void>> = Promise.resolve(right(undefined))

/** Makes an empty journal, or one that begins with facts of an earlier life (they are copied). Never fails. */
export const createMemoryJournal = (earlier: readonly Fact[] = []): MemoryJournal => {
  const facts = [...earlier]
  return {
    facts,
    read: () => Promise.resolve(right([...facts])),
    append: (more) => () => {
      for (const fact of more) facts.push(fact)
      return DURABLE
    },
  }
}
