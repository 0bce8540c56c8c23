// The faults of `simulate --faults`, in words for its help. A kind that the simulator has and this table has not is a type error.

import type { FaultKind } from '@mountkeeper/simulator'

/** Each kind, and what happens. */
export const FAULT_WORDS: Readonly<Record<FaultKind, string>> = {
  fails: 'a command fails, with or without an effect',
  'does-nothing': 'a command exits 0 without an effect',
  late: 'the effect of a command becomes visible later',
  hangs: 'a command times out',
  'cannot-tell': 'looking fails',
  'wrong-filesystem': 'something else is mounted',
  respelled: 'the mount table spells the source differently',
  'missing-flag': 'mounted without nosuid',
  twice: 'two layers appear at once',
  unchecked: 'a command of an earlier manager still runs and acts later',
  dead: 'the filesystem is mounted but does not respond',
  'third-party': 'another program mounts, unmounts, writes, stops servers',
  crash: 'the manager is killed',
  reboot: 'the machine restarts',
  echo: 'outcomes are reported twice',
}

const isKind = (word: string): word is FaultKind => Object.hasOwn(FAULT_WORDS, word)

/** The kinds in a list such as `hangs,late`, or `none`; otherwise the word that is no kind. */
export const readFaults = (text: string): readonly FaultKind[] | { readonly unknown: string } => {
  if (text === 'none') return []
  const words = text.split(',').map((word) => word.trim())
  const unknown = words.find((word) => !isKind(word))
  return unknown === undefined ? words.filter(isKind) : { unknown }
}
