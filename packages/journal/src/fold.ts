// Facts that are kept while they are read: as they are as long as they are few, and from then on as the records that they
// make, so that reading a journal takes memory for what it says and not for how often it was said.

import type { Fact } from '@mountkeeper/core'
import { emptyMemory, remember, snapshotOf } from '@mountkeeper/core'

/** So many facts are kept as they are. */
export const KEPT_FACTS_MAX = 10_000

/** Takes facts, oldest first. */
export interface Fold {
  readonly take: (fact: Fact) => void
  /** Facts that say the same as those that were taken: they themselves, or a snapshot. */
  readonly facts: () => readonly Fact[]
}

/** Begins with none. */
export const createFold = (keptMax: number = KEPT_FACTS_MAX): Fold => {
  const memory = emptyMemory()
  let isFolded = false
  let kept: Fact[] = []
  const foldKept = (): void => {
    isFolded = true
    for (const fact of kept) remember(memory, fact)
    kept = []
  }
  return {
    take: (fact) => {
      if (isFolded) {
        remember(memory, fact)
        return
      }
      kept.push(fact)
      if (kept.length > keptMax) foldKept()
    },
    facts: () => (isFolded ? [...snapshotOf(memory)] : kept),
  }
}
