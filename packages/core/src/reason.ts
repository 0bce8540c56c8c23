// Reasons made of what a look has found.

import type { Reason } from './refusal.js'
import type { Unknown } from './found.js'

/** Why nothing is known of a mountpoint, as answers and `status` say it. */
export const reasonOf = (mountpoint: string, unknown: Unknown): Reason => {
  if (unknown.why !== 'UnsafeParent') return unknown
  const { component = mountpoint, detail: why = 'another user may change it', command } = unknown
  return { _tag: 'UnsafeParent', component, why, ...(command === undefined ? {} : { command }) }
}

/** Whether it says that our layer is not on top at its path. */
export const isInTheWay = (reason: Reason | undefined): boolean =>
  reason?._tag === 'Stacked' || reason?._tag === 'Moved'
