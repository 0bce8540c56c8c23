// What the journal holds, kept as short as it can be: the facts that `restore` needs to come to the same host again. Where
// all of a journal would grow with every step of a run, this is one value for each state that recovery can begin from.

import type { Entry, Fact, Found, Host, Mountpoint, Settings } from '@mountkeeper/core'
import { allHolders, restore } from '@mountkeeper/core'
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

const DIRECTORY: Found = { _tag: 'Directory' }

type Shortened = Omit<Mountpoint, 'since'>

const claimed = (record: Shortened, claim: Mountpoint['claim'], intent: Mountpoint['intent']): readonly Fact[] =>
  record.filesystem === undefined
    ? []
    : [
        {
          _tag: 'Claimed',
          at: 0,
          mountpoint: record.path,
          filesystem: record.filesystem,
          volume: claim?.volume ?? '',
          consumer: claim?.consumer ?? '',
          found: intent?.found ?? DIRECTORY,
          layersBefore: intent?.layersBefore ?? [],
        },
      ]

/** Facts that lead to this record, and to nothing else that recovery reads. */
const factsOf = (record: Shortened, holders: ReturnType<typeof allHolders>): readonly Fact[] => {
  const { path: mountpoint, claim, intent, layer, unresolved } = record
  const at = 0
  const ended: Fact = { _tag: 'ClaimEnded', at, mountpoint, volume: '', consumer: '', intent: 'settled' }
  const settledClaim = intent === undefined ? claim : undefined
  const facts: Fact[] = holders.map(({ volume, consumer, since, knowledge }) => ({
    _tag: 'Held',
    at,
    mountpoint,
    volume,
    consumer,
    since,
    knowledge,
  }))
  facts.push(...claimed(record, settledClaim, undefined))
  if (record.directory === 'ours') facts.push({ _tag: 'DirectoryMade', at, mountpoint })
  if (layer !== undefined) facts.push({ _tag: 'Mounted', at, mountpoint, identity: layer })
  else if (record.filesystem !== undefined) facts.push({ _tag: 'Unmounted', at, mountpoint, by: 'other' })
  if (settledClaim === undefined) facts.push(ended)
  if (intent !== undefined) {
    facts.push(...claimed(record, claim, intent))
    if (claim === undefined) facts.push({ ...ended, intent: 'open' })
  }
  if (unresolved?.kind === 'Unmount' && layer !== undefined) {
    facts.push({ _tag: 'Unmounting', at, mountpoint, identity: layer })
  }
  return facts
}

/** The shortest journal that recovery makes the same host of. */
export const shorten = (host: Host): readonly Fact[] => {
  // Which generation it was is only told, and one is as good as another.
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

/** What is durable after these facts. */
export const remember = (settings: Settings, memory: Memory, facts: readonly Fact[]): Memory => {
  if (facts.length === 0) return memory
  const key = JSON.stringify(facts)
  const known = memory.next.get(key)
  if (known !== undefined) return known
  const host = restore(settings, shorten(restore(settings, [...memory.facts, ...facts])))
  const after = memoryOf(settings, host, shorten(host))
  memory.next.set(key, after)
  return after
}
