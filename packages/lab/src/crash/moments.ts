// When a manager is killed: anywhere, and where it hurts most. What cannot be waited for, because it never comes, ends with
// the time of the life.

import { watch } from 'node:fs'
import { BEGUN } from './ground.js'
import type { Chance } from './random.js'

/** When the kill comes. */
export const MOMENTS = [
  /** At any time after the start, before the host is up as well. */
  'starting',
  /** At any time of a life. */
  'any',
  /** With an answer just given. */
  'answer',
  /** With the journal just written: before the command that the facts are for. */
  'journal',
  /** A mount is under way. */
  'mounting',
  /** An umount is under way. */
  'unmounting',
  /** The journal is being made smaller. */
  'compaction',
  /** It was asked to stop. */
  'stopping',
  /** With the journal just written, of which a part is cut off, as if it had never come to the disk. */
  'torn',
  /** The disk of the journal is full, so that it stops by itself. */
  'full',
] as const

export type Moment = (typeof MOMENTS)[number]

/** How often each is chosen, in the order of `MOMENTS`. */
const WEIGHTS: Readonly<Record<Moment, number>> = {
  starting: 18,
  any: 16,
  answer: 16,
  journal: 18,
  mounting: 12,
  unmounting: 12,
  compaction: 8,
  stopping: 6,
  torn: 10,
  full: 4,
}

const TOTAL = Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0)

export const pickMoment = (chance: Chance): Moment => {
  let draw = chance.below(TOTAL)
  for (const moment of MOMENTS) {
    draw -= WEIGHTS[moment]
    if (draw < 0) return moment
  }
  return 'any'
}

/** What a watcher sees. */
export interface Watched {
  readonly state: string
  /** Names of this place's mountpoints begin with it. */
  readonly prefix: string
}

/** Calls `now` whenever the moment is there; the returned function ends that. Moments without a file are not for this watcher. */
export const watchFor = (moment: Moment, { state, prefix }: Watched, now: () => void): (() => void) => {
  const follow = (directory: string, concerns: (event: string, name: string) => boolean): (() => void) => {
    const watcher = watch(directory, (event, name) => {
      if (concerns(event, name ?? '')) now()
    })
    return () => watcher.close()
  }
  switch (moment) {
    case 'journal':
    case 'torn':
      return follow(state, (event) => event === 'change')
    case 'compaction':
      return follow(state, (event) => event === 'rename')
    case 'mounting':
      return follow(BEGUN, (_, name) => name.startsWith(`${prefix}-`) && name.endsWith('.mount'))
    case 'unmounting':
      return follow(BEGUN, (_, name) => name.startsWith(`${prefix}-`) && name.endsWith('.umount'))
    default:
      return () => undefined
  }
}
