// What only a person can remove: a link on the way, a directory that may not be entered, a root that is another one. Time changes
// nothing about it, so that no request waits for it: each is answered after one look (R4.10).

import type { MountFailed } from '../refusal.js'
import { isNothingLeft } from '../durable.js'
import type { Unknown } from '../found.js'
import { needsPerson, unknownText } from '../found.js'
import type { Waiting } from '../mountpoint.js'
import { abandon } from './abandon.js'
import { leavingDeadline } from './deadline.js'
import type { Draft } from './draft.js'
import { holdersLeft, set } from './draft.js'
import { refuseWaiting } from './leave.js'
import { finish } from './steps.js'
import { lookNow } from './request.js'

const inTheWay = (path: string, unknown: Unknown): MountFailed => ({
  _tag: 'MountFailed',
  step: 'directory',
  ...(unknown.component === undefined ? {} : { component: unknown.component }),
  why: `${path} cannot be reached (${unknownText(unknown)}); an administrator must fix this`,
  found: unknown,
  rollback: [],
})

/** The requests that the inconclusive look was for. */
const lookedFor = (draft: Draft): readonly Waiting[] => {
  const { work, waiting } = draft.record
  if (work === undefined) return []
  return waiting.filter(
    ({ request, generation }) =>
      generation <= draft.out.generation && (request === work.request || request <= work.lookedFor),
  )
}

/** Answers the requests that the last look was for, if only a person can change what it could not see. */
export const answerForPerson = (draft: Draft): void => {
  const { unknown } = draft.record
  if (unknown === undefined || !needsPerson(unknown)) return
  const isNothing = isNothingLeft(draft.record, holdersLeft(draft))
  for (const each of lookedFor(draft)) {
    if (each.op !== 'attach') {
      leavingDeadline(draft, each)
    } else if (isNothing) {
      refuseWaiting(draft, each, inTheWay(draft.record.path, unknown))
    } else {
      // What the attach has done is found out without it, as at its deadline; what is recorded stays.
      if (draft.record.work?.request === each.request) abandon(draft)
      refuseWaiting(draft, each, { _tag: 'Uncertain', why: unknownText(unknown) })
    }
  }
  if (isNothing && isNothingLeft(draft.record, holdersLeft(draft))) {
    finish(draft)
    set(draft, { unknown: undefined, wait: undefined, unresolved: undefined })
  } else if (draft.record.waiting.some(({ generation }) => generation <= draft.out.generation)) {
    // Asked after the look had begun: another one answers them.
    lookNow(draft)
  }
}
