// Inventory: what an outside authority shows to be in use, against what is recorded (R6.11 to R6.14). It
// confirms holders, adds those that no record has, and makes a mount that is in use and that no record knows ours.

import type { Difference } from '../answer.js'
import type { Found } from '../found.js'
import type { Holder } from '../holders.js'
import type { Inventory, InventoryEntry } from '../input.js'
import { endHolder } from './advance.js'
import type { Draft } from './draft.js'
import { everyHolder, holdersLeft, recordFact, set } from './draft.js'
import { otherWith } from './see.js'
import { settingsOf } from './steps.js'

/** The entries by mountpoint. */
export const entriesByMountpoint = (
  inventory: Inventory | undefined,
): ReadonlyMap<string, readonly InventoryEntry[]> => {
  const by = new Map<string, InventoryEntry[]>()
  for (const entry of inventory?.entries ?? []) {
    const known = by.get(entry.mountpoint)
    if (known === undefined) by.set(entry.mountpoint, [entry])
    else known.push(entry)
  }
  return by
}

/** A mount that is in use and that no record knows becomes ours, as the table shows it; not its directory, unless we had made that. */
const adoptUsed = (draft: Draft, found: Found): void => {
  const { out, record } = draft
  if (found._tag !== 'Mounted' || record.layer !== undefined || holdersLeft(draft) > 0) return
  const [top, ...below] = found.layers
  if (top === undefined || otherWith(draft, top) !== undefined) return
  recordFact(draft, { _tag: 'Adopted', at: out.at, mountpoint: record.path, identity: top })
  set(draft, { seen: top, covered: false, foreign: below })
}

/** A holder that only the authority knows. */
const addEntry = (draft: Draft, { volume, consumer }: InventoryEntry): void => {
  const { out, record } = draft
  const held = { volume, consumer, since: out.at, knowledge: 'inventory' as const }
  recordFact(draft, { _tag: 'Held', at: out.at, mountpoint: record.path, ...held })
}

interface Matched {
  readonly confirmed: ReadonlySet<Holder>
  readonly unknown: readonly InventoryEntry[]
}

/** An entry confirms the holder of both its names, else one of the same consumer that no entry has confirmed yet. */
const match = (holders: readonly Holder[], entries: readonly InventoryEntry[]): Matched => {
  const exact = (entry: InventoryEntry): Holder | undefined =>
    holders.find((holder) => holder.volume === entry.volume && holder.consumer === entry.consumer)
  const first = new Set(entries.flatMap((entry) => exact(entry) ?? []))
  return entries
    .filter((entry) => exact(entry) === undefined)
    .reduce<Matched>(
      ({ confirmed, unknown }, entry) => {
        const other = holders.find((holder) => holder.consumer === entry.consumer && !confirmed.has(holder))
        return other === undefined
          ? { confirmed, unknown: [...unknown, entry] }
          : { confirmed: new Set([...confirmed, other]), unknown }
      },
      { confirmed: first, unknown: [] },
    )
}

const stale = (draft: Draft, holders: readonly Holder[]): readonly Difference[] => {
  if (holders.length === 0) return []
  const consumers = [...new Set(holders.map((holder) => holder.consumer))]
  const release = consumers.map((consumer) => `release ${consumer}`).join(', ')
  return [
    {
      _tag: 'stale-holder',
      mountpoint: draft.record.path,
      text: `the inventory does not show ${consumers.join(', ')}; release consumers that no longer exist: ${release}`,
      holders: holders.map(({ volume, consumer }) => ({ volume, consumer })),
    },
  ]
}

const unseenOf = (holders: readonly Holder[], { confirmed }: Matched, inventory: Inventory): readonly Holder[] =>
  holders.filter((holder) => !confirmed.has(holder) && holder.since < inventory.startedAt)

/** The holders that the inventory does not show, with nothing done about them. */
export const staleHolders = (
  draft: Draft,
  inventory: Inventory,
  entries: readonly InventoryEntry[],
): readonly Difference[] => {
  const holders = everyHolder(draft)
  return stale(draft, unseenOf(holders, match(holders, entries), inventory))
}

/** Compares one mountpoint with the inventory; returns the holders that it does not show and that are kept. */
export const compareWithInventory = (
  draft: Draft,
  found: Found,
  inventory: Inventory,
  entries: readonly InventoryEntry[],
): readonly Difference[] => {
  if (entries.length > 0) adoptUsed(draft, found)
  const holders = everyHolder(draft)
  if (draft.record.layer === undefined && holders.length === 0) return []
  const matched = match(holders, entries)
  for (const entry of matched.unknown) addEntry(draft, entry)
  const unseen = unseenOf(holders, matched, inventory)
  if (settingsOf(draft).policies.holders === 'union') return stale(draft, unseen)
  for (const { volume, consumer } of unseen) endHolder(draft, volume, consumer)
  return []
}
