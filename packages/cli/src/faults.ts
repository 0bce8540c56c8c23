// The faults of `simulate --faults`, in words for its help. A kind that the simulator has and this table has not is a type error.

import type { FaultKind } from '@mountkeeper/simulator'

/** Each kind, and what happens. */
export const FAULT_WORDS: Readonly<Record<FaultKind, string>> = {
  fails: 'a command fails, having done its work or not',
  'does-nothing': 'it exits 0 with nothing done',
  late: 'what it did is seen later',
  hangs: 'it passes its deadline',
  'cannot-tell': 'nobody can look',
  'wrong-filesystem': 'something else is mounted',
  respelled: 'the mount table spells the source differently',
  'missing-flag': 'without nosuid',
  twice: 'two layers at once',
  unchecked: 'it runs on whatever is there by then',
  dead: 'mounted, and does not answer',
  'third-party': 'somebody else mounts, unmounts, writes, stops servers',
  crash: 'the manager dies',
  reboot: 'the machine does',
  echo: 'outcomes that come again',
}

const isKind = (word: string): word is FaultKind => Object.hasOwn(FAULT_WORDS, word)

/** The kinds in a list such as `hangs,late`, or `none`; otherwise the word that is no kind. */
export const readFaults = (text: string): readonly FaultKind[] | { readonly unknown: string } => {
  if (text === 'none') return []
  const words = text.split(',').map((word) => word.trim())
  const unknown = words.find((word) => !isKind(word))
  return unknown === undefined ? words.filter(isKind) : { unknown }
}
