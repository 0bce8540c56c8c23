// What is wrong is refused where it comes in, and nothing follows from it (L19, L39); queues are bounded (L25); the
// propagation of the roots is reported (L44).

import type { Filesystem } from '@mountkeeper/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { act, ask } from '../../src/index.js'
import { numRuns, seed } from '../corpus.js'
import { A, attach, detach, endAll, serve, stage, tagOf, TMPFS } from './stage.js'

const part = fc.constantFrom('a', 'b', 'c', 'd e', '.', '..', '', 'b c', '\n', '\u0000', '\u007f', 'é', 'x'.repeat(256))
const path = fc
  .tuple(
    fc.constantFrom('', '/', '/srv/mounts', '/srv/mounts/', '/srv/mounts/', '/srv/mounts/', '/srv', '/srv/mountsx/'),
    fc.array(part, { maxLength: 4 }),
  )
  .map(([start, parts]) => start + parts.join('/'))

/** One spelling for one place, below the root: by a rule of its own. */
const isCanonical = (text: string): boolean =>
  text.startsWith('/srv/mounts/') &&
  text
    .slice(1)
    .split('/')
    .every((name) => name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255) &&
  !/[\u0000-\u001f\u007f-\u009f]/.test(text)

test('L19: a path that is not canonical is refused to every caller, and nothing is done', () => {
  const counts = { good: 0, bad: 0 }
  fc.assert(
    fc.property(path, (mountpoint) => {
      const on = stage()
      const before = on.started.length
      const request = ask(on.simulation, attach(TMPFS, 'v', 'c', mountpoint))
      const answer = on.answers.find((each) => each.request === request)
      counts[isCanonical(mountpoint) ? 'good' : 'bad'] += 1
      if (isCanonical(mountpoint)) {
        expect(answer).toBeUndefined()
        return
      }
      expect(['Invalid', 'NotManaged']).toContain(answer && tagOf(answer))
      expect(on.started).toHaveLength(before)
      expect(serve(on, { op: 'status' })).toMatchObject({ result: { mountpoints: [] } })
      expect(serve(on, detach('v', 'c', mountpoint)).ok).toBe(false)
    }),
    { numRuns: numRuns(1_000), seed: seed() },
  )
  expect(Math.min(counts.good, counts.bad)).toBeGreaterThan(20)
})

describe('L39: what is not listed is refused', () => {
  const wrong: readonly (readonly [string, Partial<Filesystem>])[] = [
    ['a type', { type: 'ext4', source: '/dev/sdb' }],
    ['a type that begins with no', { type: 'nofs' }],
    ['a type that is a property of every object', { type: 'constructor' }],
    ['a source', { type: 'bind', source: '/etc' }],
    ['a source above what is listed', { type: 'bind', source: '/srv/exports/../../etc' }],
    ['a source that looks like an option', { source: '-o' }],
    ['a source that is a tag', { source: 'UUID=1' }],
    ['an option', { options: ['context=x'] }],
    ['two options in one', { options: ['size=1m,suid'] }],
    ['suid', { options: ['suid'] }],
    ['dev', { options: ['dev'] }],
    ['too many options', { options: Array.from({ length: 65 }, () => 'size=1m') }],
  ]

  test.each(wrong)('%s', (_what, filesystem) => {
    const on = stage()
    expect(serve(on, attach({ ...TMPFS, ...filesystem }))).toMatchObject({ ok: false, error: { _tag: 'Invalid' } })
    expect([on.started, on.simulation.durable.map(({ _tag }) => _tag)]).toEqual([[], ['HostCameUp']])
  })
})

test('L25: a queue takes as many as its limit, refuses the next, and takes more when some have been served', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 8 }), (limit, asked) => {
      const on = stage({ limits: { waitingPerMountpoint: limit } })
      for (let count = 0; count < asked; count += 1) ask(on.simulation, attach(TMPFS, `v${count}`))
      const refused = on.answers.filter((answer) => !answer.ok)
      expect(refused).toHaveLength(Math.max(0, asked - limit))
      expect(refused.every((answer) => tagOf(answer) === 'Overloaded')).toBe(true)
      endAll(on.simulation)
      expect(serve(on, attach(TMPFS, 'later')).ok).toBe(true)
    }),
    { numRuns: 50, seed: seed() },
  )
})

test.each(['shared', 'private'] as const)('L44: a root that is %s', (propagation) => {
  const on = stage({}, propagation)
  const warnings = propagation === 'shared' ? [] : [{ _tag: 'PropagationNotShared' }]
  expect(serve(on, { op: 'host-up' })).toMatchObject({ ok: true, result: { warnings } })
  expect(on.simulation.durable[0]).toMatchObject({ _tag: 'HostCameUp', mountNamespace: on.simulation.model.own })
})

test('L31: a stop leaves every mount, and what is being served goes on', () => {
  const on = stage()
  serve(on, attach())
  const served = ask(on.simulation, attach(TMPFS, 'w', 'c', '/srv/mounts/b'))
  const waiting = ask(on.simulation, detach('w', 'c', '/srv/mounts/b'))
  act(on.simulation, { _tag: 'Stop', how: 'drain' })
  endAll(on.simulation)
  const told = (request: number) => on.answers.filter((each) => each.request === request).map(tagOf)
  expect([told(served), told(waiting)]).toEqual([['Attached'], ['Cancelled']])
  expect(on.simulation.model.mounts.size).toBe(3)
  act(on.simulation, { _tag: 'Stop', how: 'hard' })
  expect(on.simulation.model.mounts.size).toBe(3)
  expect(on.started).not.toContain(`Unmount ${A}`)
})
