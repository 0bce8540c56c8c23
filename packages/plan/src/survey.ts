// A survey: what a manager that came up now would know, and the differences it would report. For those who only read while
// the manager itself is elsewhere, or not running: the very transitions of a start, on a host of their own, with nothing begun.

import type {
  Difference,
  Discover,
  Discovered,
  Fact,
  Host,
  Input,
  Settings,
  Status,
  StatusPage,
} from '@mountkeeper/core'
import { apply, decide, effectId, requestId, restore } from '@mountkeeper/core'
import { applyChanges, discoverEffect, statusOfHost } from '@mountkeeper/core/state'

/** What was surveyed. */
export interface Survey {
  /** Its generation is the last one that the facts know: a survey begins none. */
  readonly status: Status
  readonly differences: readonly Difference[]
}

/** A survey that waits for what is there. */
export interface PreparedSurvey {
  /** To be run by an adapter that can look. */
  readonly discover: Discover
  /** `at`: wall clock, ms. */
  readonly conclude: (at: number, discovered: Discovered, page?: StatusPage) => Survey
}

const REQUEST = requestId(1)

/** A difference is shown with the page on which its mountpoint is, or would be if it had a record. */
const isOnPage = (path: string, { mountpoint, after }: StatusPage, { next }: Status): boolean => {
  if (mountpoint !== undefined) return path === mountpoint
  return (after === undefined || path > after) && (next === undefined || path <= next)
}

const step = (host: Host, input: Input): ReturnType<typeof decide> => {
  const decision = decide(host, input)
  apply(host, decision)
  return decision
}

/** Begins a survey of what these facts, oldest first, describe. */
export const prepareSurvey = (settings: Settings, facts: readonly Fact[]): PreparedSurvey => {
  const host = restore(settings, facts)
  const { generation } = host
  step(host, { _tag: 'Requested', at: 0, request: REQUEST, body: { op: 'host-up' } })
  const discover = discoverEffect(host, host.discovery ?? effectId(0))
  return {
    discover,
    conclude: (at, found, page = {}) => {
      // Who is about to end cleans nothing up: every mountpoint comes to rest in the phase that its record shows.
      applyChanges(host, [{ _tag: 'Host', patch: { stopping: 'drain' } }])
      const outcome = { _tag: 'Outcome', at, effect: discover.effect, mountpoint: undefined, found } as const
      const differences = step(host, outcome).then.answers.flatMap((answer) =>
        answer.ok && answer.result._tag === 'Up' ? answer.result.drift : [],
      )
      const status = { ...statusOfHost(host, page), generation }
      return { status, differences: differences.filter(({ mountpoint }) => isOnPage(mountpoint, page, status)) }
    },
  }
}
