// What a manager that ends leaves on its host, for people: every mountpoint with something of ours, and what still runs.

import type { Host, Phase } from '@mountkeeper/core'
import type { Running } from './runner.js'

/** One mountpoint, or the host itself, as a stopped manager leaves it. */
export interface LeftBehind {
  /** Absent for the host's own effect, discovery. */
  readonly mountpoint: string | undefined
  readonly phase: Phase
  /** How many attachments hold it. */
  readonly holders: number
  /** What was started there and has not ended. */
  readonly running?: Running['effect']['_tag']
  /** The effect has passed its deadline. */
  readonly overdue?: true
  /** A process of it that may still live. */
  readonly pid?: number
}

const runningPart = ({ effect, overdue, pid }: Running): Pick<LeftBehind, 'running' | 'overdue' | 'pid'> => ({
  running: effect._tag,
  ...(overdue ? { overdue } : {}),
  ...(pid === undefined ? {} : { pid }),
})

/** Everything that is left, mountpoints in the order of their records; one line for each effect that still runs. */
export const leftBehind = (host: Host, running: readonly Running[]): readonly LeftBehind[] => {
  const at = (mountpoint: string | undefined): Pick<LeftBehind, 'mountpoint' | 'phase' | 'holders'> => {
    const entry = mountpoint === undefined ? undefined : host.mountpoints.get(mountpoint)
    return { mountpoint, phase: entry?.record.phase ?? 'absent', holders: entry?.holders.count ?? 0 }
  }
  const lines = running.map((each) => ({
    ...at(each.effect._tag === 'Discover' ? undefined : each.effect.mountpoint),
    ...runningPart(each),
  }))
  const shown = new Set(lines.map(({ mountpoint }) => mountpoint))
  const quiet = [...host.mountpoints].filter(([path, { record }]) => !shown.has(path) && record.phase !== 'absent')
  return [...lines, ...quiet.map(([path]) => at(path))]
}
