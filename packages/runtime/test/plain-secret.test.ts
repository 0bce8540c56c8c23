// L38: a password that is given as plain text is masked where it comes in, and refused without being repeated.

import type { Fact, Input, Request } from '@mountkeeper/core'
import { expect, test } from 'vitest'
import { createMemoryJournal, createMountManager } from '../src/index.js'
import { createModelHost } from './model-host.js'
import { SETTINGS } from './settings.js'

const PLANTED = 'hunter2'

test.each([
  ['tmpfs', 'scratch', `password=${PLANTED}`],
  ['tmpfs', 'scratch', `Secret:${PLANTED}`],
  ['tmpfs', 'scratch', `size=1m,api_token=${PLANTED},${PLANTED}`],
  ['tmpfs', 'scratch', `user=bob%${PLANTED}`],
  ['tmpfs', `//bob:${PLANTED}@h/s`, 'ro'],
  ['tmpfs', `https://h/s?key=${PLANTED}`, 'ro'],
])('%s of %s with %s', async (type, source, option) => {
  const seen: unknown[] = []
  const facts: Fact[] = []
  const journal = createMemoryJournal()
  const created = await createMountManager({
    settings: SETTINGS,
    host: createModelHost(['/srv/mounts']),
    journal: { ...journal, append: (some) => (facts.push(...some), journal.append(some)) },
    observer: {
      onDecision: (input: Input, decision) => seen.push(input, decision),
      onAnswer: (answer) => seen.push(answer),
    },
  })()
  if (created._tag === 'Left') throw new Error(created.left.why)
  const manager = created.right
  await manager.hostUp()()
  const request = {
    mountpoint: '/srv/mounts/a',
    filesystem: { type, source, options: [option] },
    volume: 'v',
    consumer: 'c',
  }
  const answer = await manager.attach(request)()
  expect(answer).toMatchObject({ _tag: 'Left', left: { _tag: 'Invalid' } })
  const planned = await manager.plan([{ op: 'attach', ...request } satisfies Request])()
  const status = await manager.status()()
  expect(JSON.stringify([seen, facts, answer, planned, status])).not.toContain(PLANTED)
  // The request itself is not changed.
  expect(JSON.stringify(request)).toContain(PLANTED)
})
