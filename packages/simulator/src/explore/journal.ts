// What the journal holds, kept as short as it can be: the facts that `restore` needs to give the same result host again. Where
// all of a journal would grow with every step of a run, this is one value for each state that recovery can begin from.

import type { Entry, Fact, Host, Settings } from '@mountkeeper/core'
import { restore } from '@mountkeeper/core'
import type { Mountpoint } from '@mountkeeper/core/state'
import { allHolders } from '@mountkeeper/core/state'
import type { Frozen } from './frozen.js'
import { freeze } from './frozen.js'

/** What is durable: the facts, and the host that recovery makes of them. There is one value for each such journal. */
export interface Memory {
  readonly facts: readonly Fact[]
  readonly frozen: Frozen
  readonly mountpoints: ReadonlyMap<string, Entry>
  /** What it becomes with more facts, as far as that was asked for. */
  readonly next: Map<string, Memory>
}

const journals = new WeakMap<Settings, Map<string, Memory>>()

const memoryOf = (settings: Settings, host: Host, facts: readonly Fact[]): Memory => {
  const known = journals.get(settings) ?? new Map<string, Memory>()
  journals.set(settings, known)
  const key = JSON.stringify(facts)
  const memory = known.get(key) ?? { facts, frozen: freeze(host), mountpoints: host.mountpoints, next: new Map() }
  known.set(key, memory)
  return memory
}

/**
 * Facts that lead to this record, and to nothing else that a decision reads. How often it was mounted is only shown, and under
 * which id a holder was asked for only chooses between two words of an answer.
 */
const factsOf = (record: Mountpoint, holders: ReturnType<typeof allHolders>): readonly Fact[] => {
  const { path: mountpoint, filesystem, directory, claim, intent, layer, source, adopted, unresolved } = record
  const at = 0
  return [
    ...holders.map(({ volume, consumer, since, knowledge }): Fact => {
      return { _tag: 'Held', at, mountpoint, volume, consumer, since, knowledge }
    }),
    {
      _tag: 'Recorded',
      at,
      mountpoint,
      directory,
      instance: 0,
      ...(filesystem && { filesystem }),
      ...(layer && { layer }),
      ...(source && { source }),
      ...(adopted && { adopted }),
      ...(claim && { claim }),
      ...(intent && { intent }),
      ...(unresolved && { unresolved: unresolved.kind === 'Unmount' ? 'Unmount' : 'Mount' }),
    },
  ]
}

/** The shortest journal that recovery makes the same host of. */
export const shorten = (host: Host): readonly Fact[] => {
  // Which generation it was is only shown, and one is as good as another.
  const generation = Math.min(host.generation, 1)
  const { boot, mountNamespace } = host
  const came: readonly Fact[] =
    boot === undefined || mountNamespace === undefined
      ? []
      : [{ _tag: 'HostCameUp', at: 0, generation, boot, mountNamespace }]
  return [
    ...came,
    ...[...host.mountpoints.values()].flatMap(({ record, holders }) => factsOf(record, allHolders(holders))),
  ]
}

export const emptyMemory = (settings: Settings): Memory => memoryOf(settings, restore(settings, []), [])

/** Every request has an id of its own, and so would every journal. */
const withoutIds = (fact: Fact): Fact => {
  if (fact._tag !== 'Held' || fact.id === undefined) return fact
  const { id: _id, stream: _stream, ...held } = fact
  return held
}

/** What is durable after these facts. */
export const remember = (settings: Settings, memory: Memory, recorded: readonly Fact[]): Memory => {
  if (recorded.length === 0) return memory
  const facts = recorded.map(withoutIds)
  const key = JSON.stringify(facts)
  const known = memory.next.get(key)
  if (known !== undefined) return known
  const host = restore(settings, shorten(restore(settings, [...memory.facts, ...facts])))
  const after = memoryOf(settings, host, shorten(host))
  memory.next.set(key, after)
  return after
}
