// The command of an effect, as text. A trace holds what was decided; the argument vector of a command that failed is in its outcome,
// that of any other is built here from the effect, without the flags that one host needs and another does not.

import type { Effect, Mount, Unmount } from '@mountkeeper/core'
import { optionText } from '@mountkeeper/core'
import { commandWords, durationWords } from 'mountkeeper/parts'

const HOW: Readonly<Record<Unmount['how'], readonly string[]>> = { plain: [], force: ['-f'], lazy: ['-l'] }

const WAITS = {
  settle: 'the host to settle',
  'unmount-retry': 'the next unmount',
  'back-off': 'the next attempt',
  'keep-mounted': 'the end of the time that it stays mounted',
  'discovery-retry': 'the next discovery',
} as const

const mountVector = ({ filesystem: { type, source }, options, mountpoint }: Mount): readonly string[] => {
  const asked = options.map(optionText)
  const all = type === 'bind' && !asked.includes('bind') ? ['bind', ...asked] : asked
  const typed = type === 'bind' ? [] : ['-t', type]
  return ['mount', ...typed, ...(all.length === 0 ? [] : ['-o', all.join(',')]), '--', source, mountpoint]
}

/** What an effect runs, or what it waits for; empty for a look, which runs no command. */
export const effectCommand = (effect: Effect): string => {
  switch (effect._tag) {
    case 'MakeDirectory':
      return commandWords(['mkdir', '-m', '0700', '--', effect.mountpoint])
    case 'RemoveDirectory':
      return commandWords(['rmdir', '--', effect.mountpoint])
    case 'Mount':
      return commandWords(mountVector(effect))
    case 'Unmount':
      return commandWords(['umount', ...HOW[effect.how], '--', effect.mountpoint])
    case 'Wait':
      return `${durationWords(effect.delayMs)}, for ${WAITS[effect.why]}`
    case 'Look':
    case 'Probe':
    case 'Discover':
      return ''
  }
}
