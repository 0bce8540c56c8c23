// Who holds what, one request after the other (L1, L6), with names that would collide if they were only joined (L4).

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { numRuns, seed } from '../corpus.js'
import { A, attach, detach, serve, stage, statusOf, TMPFS } from './stage.js'

const names = fc.constantFrom('v', 'v c', 'c', 'c v', '["v"]', 'v","c', '😀', 'v/c')
const step = fc.record({ op: fc.constantFrom('attach', 'attach', 'detach'), volume: names, consumer: names })

test('L1 L4 L6: one request after the other, holders are exactly the set of those who came and did not leave', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 24 }), (steps) => {
      const on = stage()
      const holders = new Map<string, readonly [string, string]>()
      for (const { op, volume, consumer } of steps) {
        const key = JSON.stringify([volume, consumer])
        const was = holders.has(key)
        const answer = serve(on, op === 'attach' ? attach(TMPFS, volume, consumer) : detach(volume, consumer))
        if (op === 'attach') {
          const mount = holders.size === 0 ? 'mounted' : 'shared'
          expect(answer).toMatchObject({ ok: true, result: { holder: was ? 'already-held' : 'added', mount } })
          holders.set(key, [volume, consumer])
        } else {
          holders.delete(key)
          const holder = was ? 'removed' : 'not-held'
          const mount = holders.size > 0 ? 'held' : was ? 'unmounted' : 'absent'
          expect(answer).toMatchObject({ ok: true, result: { holder, holdersLeft: holders.size, mount } })
        }
        const shown = (statusOf(on)?.holders ?? []).map((each) => JSON.stringify([each.volume, each.consumer]))
        expect(shown.sort()).toEqual([...holders.keys()].sort())
        expect([...on.simulation.model.mounts.values()].filter(({ by }) => by === 'us')).toHaveLength(
          Math.min(1, holders.size),
        )
      }
      expect(on.history.breaches).toEqual([])
    }),
    { numRuns: numRuns(300), seed: seed() },
  )
})

test('L1: a release ends all of its consumer and of no other', () => {
  const on = stage()
  for (const [volume, consumer] of [
    ['v', 'c'],
    ['w', 'c'],
    ['v', 'd'],
  ] as const)
    serve(on, attach(TMPFS, volume, consumer))
  serve(on, attach(TMPFS, 'v', 'c', '/srv/mounts/b'))
  const answer = serve(on, { op: 'release', consumer: 'c' })
  expect(answer).toMatchObject({ ok: true, result: { attachments: [{}, {}, {}] } })
  expect(statusOf(on)?.holders).toMatchObject([{ volume: 'v', consumer: 'd' }])
  expect(statusOf(on, '/srv/mounts/b')).toBeUndefined()
  expect(serve(on, { op: 'release', consumer: 'c' })).toMatchObject({ ok: true, result: { attachments: [] } })
  expect(statusOf(on, A)?.holders).toHaveLength(1)
})
