// What a run came to, for people.

import { MOMENTS } from './moments.js'
import type { CrashReport } from './run.js'

const count = (number: number): string => number.toLocaleString('en')

/** A few lines; a violation in full. */
export const summary = ({ tally, kills, violation, seconds, noFuse }: CrashReport): string => {
  const moments = MOMENTS.flatMap((moment) => {
    const number = tally.kills.get(moment) ?? 0
    return number === 0 ? [] : [`${moment} ${count(number)}`]
  })
  return [
    ...(violation === undefined ? [] : [`A law is broken: ${violation}`, '']),
    `${count(kills)} kills in ${count(Math.round(seconds))} s: ${moments.join(', ')}`,
    `${count(tally.requests)} requests, ${count(tally.answers)} answers, ${count(tally.recoveries)} recoveries, ` +
      `${count(tally.cleared)} times all had left`,
    `met: ${count(tally.orphans)} orphaned commands, ${count(tally.torn)} torn writes, ${count(tally.full)} full disks, ` +
      `${count(tally.readOnly)} read-only ones; locks were free within ${count(Math.ceil(tally.lockMs))} ms`,
    ...(noFuse === undefined ? [] : [`without FUSE: ${noFuse}`]),
    violation === undefined ? 'no violation' : '1 violation',
  ].join('\n')
}
