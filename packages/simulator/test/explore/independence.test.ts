// The lift from one mountpoint to any number of them: a decision reads and writes one record. Compared with every decision on
// the way through the states of two mountpoints: without the other one it is the same, and it says nothing of the other one.
// Left out are the inputs that are about several mountpoints by their nature: releases, cancels, the host's own, and whatever
// comes while the host drains, since the last answer of all begins the discovery.
import { expect, test } from 'vitest'
import type { Decision, Host, Input } from '@mountkeeper/core'
import { decide } from '@mountkeeper/core'
import * as explorer from '../../src/explore/index.js'

const placeOf = (host: Host, input: Input): string | undefined => {
  switch (input._tag) {
    case 'Requested':
      return input.body.op === 'attach' || input.body.op === 'detach' ? input.body.mountpoint : undefined
    case 'Deadline':
      return host.requests.get(input.request)?.mountpoint
    case 'Stopped':
      return undefined
    case 'Outcome':
    case 'Ended':
    case 'Granted':
    case 'Observed':
      return input.mountpoint
  }
}

/** The host as if there were nothing but this mountpoint. */
const alone = (host: Host, path: string): Host => {
  const frozen = explorer.freeze(host)
  return explorer.thaw(host.settings, {
    ...frozen,
    queues: undefined,
    entries: frozen.entries.filter(({ record }) => record.path === path),
    requests: frozen.requests.filter(({ mountpoint }) => mountpoint === path),
  })
}

const isAbout = (path: string, { changes, append, then }: Decision, host: Host, input: Input): boolean =>
  changes.every((change) => !('path' in change) || change.path === path) &&
  append.every((fact) => 'mountpoint' in fact && fact.mountpoint === path) &&
  then.effects.every((effect) => 'mountpoint' in effect && effect.mountpoint === path) &&
  then.answers.every(
    ({ request }) =>
      host.requests.get(request)?.mountpoint === path || (input._tag === 'Requested' && input.request === request),
  )

/** Which of the slots were all taken is shown by the host as it is. */
const withoutLimit = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && '_tag' in value && value._tag === 'Overloaded'
    ? { _tag: value._tag }
    : value

test('a decision reads and writes one record', () => {
  let compared = 0
  let beside = 0
  const checked: explorer.Decide = (host, input) => {
    const decision = decide(host, input)
    const path = placeOf(host, input)
    if (path === undefined || host.phase === 'draining') return decision
    compared += 1
    if (host.mountpoints.size > 1) beside += 1
    const without = decide(alone(host, path), input)
    const same = JSON.stringify(decision, withoutLimit) === JSON.stringify(without, withoutLimit)
    if (!same || !isAbout(path, decision, host, input))
      expect({ input, decision }).toEqual({ input, decision: without })
    return decision
  }
  const exploration = explorer.beginExploration(explorer.BESIDE, { decide: checked })
  explorer.goOn(exploration, 150_000)
  expect(exploration.finding).toBeUndefined()
  console.log(`independence: ${compared} decisions, ${beside} of them beside another mountpoint`)
  expect(beside).toBeGreaterThan(20_000)
}, 600_000)
