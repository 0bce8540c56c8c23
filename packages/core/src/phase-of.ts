// The phase of a record follows from the record: from what is in flight, wanted or delayed there, and otherwise from what was
// seen last. No transition writes it; a decision stamps it on the records that it changes.

import { isUnmounting, mountingOf } from './goal.js'
import type { Delay, EffectInFlight, Mountpoint, Work } from './mountpoint.js'
import type { Phase } from './phase.js'

const WHILE: Readonly<Record<EffectInFlight['kind'], Phase>> = {
  Look: 'looking',
  Probe: 'looking',
  MakeDirectory: 'making',
  Mount: 'mounting',
  Unmount: 'unmounting',
  RemoveDirectory: 'removing',
}

/** While a second look is to come: our own mount may still appear, or our own unmount show. */
const settling = ({ unresolved }: Mountpoint, work: Work, { claimed }: Delay): Phase => {
  if (unresolved?.kind !== 'Unmount') return claimed ? 'mounting' : 'uncertain'
  return isUnmounting(work) || (mountingOf(work)?.replacing ?? 'nothing') !== 'nothing' ? 'unmounting' : 'uncertain'
}

/** Where nothing is under way: what was recorded and seen last. */
const atRest = ({ unknown, unresolved, layer, directory }: Mountpoint, holders: number): Phase => {
  if (unknown !== undefined || unresolved !== undefined) return 'uncertain'
  if (layer !== undefined) return holders > 0 ? 'mounted' : 'vacant'
  if (holders > 0) return 'lost'
  return directory === 'ours' ? 'leftover' : 'absent'
}

/** Where a mountpoint with so many holders is in its life (the table of phases in R5). */
export const phaseOf = (record: Mountpoint, holders: number): Phase => {
  const { overdue, inFlight, work, slot, wait } = record
  if (overdue.length > 0 || (slot === 'overdue' && inFlight !== undefined)) return 'uncertain'
  if (inFlight !== undefined) return WHILE[inFlight.kind]
  if (work === undefined) return atRest(record, holders)
  if (slot === 'wanted') return 'looking'
  switch (wait?.why) {
    case 'settle':
      return settling(record, work, wait)
    case 'unmount-retry':
      return 'vacant'
    default:
      return 'uncertain'
  }
}
