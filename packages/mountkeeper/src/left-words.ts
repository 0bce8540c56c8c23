// What a run leaves behind, for people: every mountpoint with something of ours, and what still runs.

import type { LeftBehind } from '@mountkeeper/runtime'
import { RUNNING, counted, word } from './words.js'

/** More lines than this are only counted. */
const SHOWN_MAX = 100

const words = ({ mountpoint, phase, holders, running, overdue, pid }: LeftBehind): string => {
  const what =
    running === undefined ? [] : [`${RUNNING[running]} is still running${overdue === true ? ', overdue' : ''}`]
  const who = holders === 0 ? [] : [counted(holders, 'holder')]
  const process = pid === undefined ? [] : [`pid ${pid}`]
  return [mountpoint === undefined ? 'the host' : `${word(mountpoint)} ${phase}`, ...who, ...what, ...process].join(
    ', ',
  )
}

/** In use, and nothing runs there: what a stop promises to leave as it is. */
const isInUse = ({ phase, holders, running }: LeftBehind): boolean =>
  phase === 'mounted' && holders > 0 && running === undefined

/** A line for each thing that is left. */
export const leftLines = (left: readonly LeftBehind[], isSandbox: boolean): readonly string[] => {
  const end = isSandbox ? ' (it ends with the sandbox)' : ''
  const line = (each: LeftBehind): string => `${isInUse(each) ? 'stays, in use' : 'left behind'}: ${words(each)}${end}`
  const lines = left.slice(0, SHOWN_MAX).map(line)
  return left.length > SHOWN_MAX ? [...lines, `left behind: ${left.length - SHOWN_MAX} more`] : lines
}

/** All of it in one line. */
export const leftSummary = (left: readonly LeftBehind[], isSandbox: boolean): string => {
  if (left.length === 0) return 'nothing is left: no mount, no directory, no process'
  const mountpoints = counted(new Set(left.map(({ mountpoint }) => mountpoint)).size, 'mountpoint')
  return `left ${isSandbox ? 'until the sandbox ends' : 'as they are'}: ${mountpoints}`
}
