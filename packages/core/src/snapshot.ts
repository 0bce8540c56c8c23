// Snapshots: few facts in place of many. Whatever `restore` makes of a journal it makes of its snapshot as well, followed by
// the same facts or by none.

import type { Fact } from './fact.js'
import { allHolders } from './holders.js'
import type { Memory, Remembered } from './remember.js'
import { emptyMemory, remember } from './remember.js'

const recorded = ({ record, since }: Remembered): Fact => {
  const { path, filesystem, layer, source, adopted, directory, instance, claim, intent, unresolved } = record
  return {
    _tag: 'Recorded',
    at: since,
    mountpoint: path,
    directory,
    instance,
    ...(filesystem === undefined ? {} : { filesystem }),
    ...(layer === undefined ? {} : { layer }),
    ...(source === undefined ? {} : { source }),
    ...(adopted ? { adopted } : {}),
    ...(claim === undefined ? {} : { claim }),
    ...(intent === undefined ? {} : { intent }),
    // Facts show no other command that may have been under way.
    ...(unresolved === undefined ? {} : { unresolved: unresolved.kind === 'Unmount' ? 'Unmount' : 'Mount' }),
  }
}

/** The fewest facts that say what a memory holds, one at a time: there may be a million of them. */
export function* snapshotOf({ cameUp, mountpoints }: Memory): Generator<Fact, void, undefined> {
  if (cameUp !== undefined) yield cameUp
  for (const [mountpoint, remembered] of mountpoints) {
    const at = remembered.since
    // Before the record: `Held` ends a claim.
    for (const { volume, consumer, since, knowledge, id, stream } of allHolders(remembered.holders)) {
      const held: Fact = { _tag: 'Held', at, mountpoint, volume, consumer, since, knowledge }
      yield id === undefined ? held : { ...held, id, ...(stream === undefined ? {} : { stream }) }
    }
    yield recorded(remembered)
  }
}

/** How many facts `snapshotOf` gives. */
export const snapshotSize = ({ cameUp, mountpoints }: Memory): number => {
  let size = (cameUp === undefined ? 0 : 1) + mountpoints.size
  for (const { holders } of mountpoints.values()) size += holders.count
  return size
}

/** The fewest facts that `restore` makes the same host of. */
export const snapshot = (facts: readonly Fact[]): readonly Fact[] => {
  const memory = emptyMemory()
  for (const fact of facts) remember(memory, fact)
  return [...snapshotOf(memory)]
}
