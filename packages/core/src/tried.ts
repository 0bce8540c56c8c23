// What the last try to repair a difference came to, for people: a difference that stays although it can be repaired says why.

import type { Difference } from './answer.js'
import { errorText } from './found.js'
import type { Mountpoint } from './mountpoint.js'

const IN_THE_WAY = 'its content is on the disk of the host itself: check it, then remove it by hand'

/** How the last try of a repair ended; absent where none has failed. */
const lastTry = ({ reason, lastError }: Mountpoint): string | undefined => {
  if (reason?._tag !== 'Refused') return undefined
  const error = reason.error ?? lastError
  return error === undefined
    ? 'the last attempt reported success, but it is still there'
    : `the last attempt failed: ${errorText(error)}`
}

/** The same difference, with what was tried about it. */
export const withLastTry = (record: Mountpoint, difference: Difference): Difference => {
  if (difference._tag !== 'vacant' && difference._tag !== 'leftover-directory') return difference
  const tried = lastTry(record)
  if (tried === undefined) return difference
  const advice = difference._tag === 'leftover-directory' ? `; ${IN_THE_WAY}` : ''
  return { ...difference, text: `${difference.text}; ${tried}${advice}` }
}
