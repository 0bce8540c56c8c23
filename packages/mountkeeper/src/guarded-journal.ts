// The journal of a manager that holds its locks: no mountpoint that it knows may belong to another manager, whose root has been
// configured above it or on it meanwhile. What it knows is known only when it was read, and nothing has been done by then.

import { snapshot } from '@mountkeeper/core'
import type { Fact } from '@mountkeeper/core'
import type { Journal, Lock } from '@mountkeeper/runtime'
import { isLeft, left } from 'fp-ts/lib/Either.js'

const mountpointsOf = (facts: readonly Fact[]): ReadonlySet<string> =>
  new Set(snapshot(facts).flatMap((fact) => ('mountpoint' in fact ? [fact.mountpoint] : [])))

/** The same journal; it fails to be read where a known mountpoint is another manager's. */
export const guarded = (journal: Journal, { inTheWay }: Pick<Lock, 'inTheWay'>): Journal => ({
  append: journal.append,
  read: async () => {
    const facts = await journal.read()
    if (isLeft(facts) || inTheWay === undefined) return facts
    const other = await inTheWay(mountpointsOf(facts.right))
    return other === undefined ? facts : left({ _tag: 'JournalFailed', why: other.why })
  },
})
