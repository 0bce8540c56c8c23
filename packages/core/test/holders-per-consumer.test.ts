// The limit of holders of one consumer: exact whatever comes and goes, and as cheap for a consumer that has many (L42).
import { defaultSettings } from '@mountkeeper/border'
import { breaches } from '@mountkeeper/inspect'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import type { Fact, Host, Input, Settings } from '../src/index.js'
import { apply, decide, requestId, restore } from '../src/index.js'

const LIMIT = 3

const settings: Settings = {
  ...defaultSettings('/m'),
  limits: { ...defaultSettings('/m').limits, holdersPerConsumer: LIMIT },
}

const held = (mountpoint: string, volume: string): Fact => ({
  _tag: 'Held',
  at: 1,
  mountpoint,
  volume,
  consumer: 'c',
  since: 1,
  knowledge: 'request',
})

/** A host that is up, and where the consumer holds these. */
const upWith = (facts: readonly Fact[]): Host => {
  const host = restore(settings, facts)
  const up = decide(host, { _tag: 'Requested', at: 2, request: requestId(1), body: { op: 'host-up' } })
  apply(host, up)
  const [discover] = up.then.effects
  if (discover === undefined) throw new Error('no discovery')
  const paths = [...host.mountpoints.keys()]
  const outcome: Input = {
    _tag: 'Outcome',
    at: 3,
    effect: discover.effect,
    mountpoint: undefined,
    found: {
      _tag: 'Discovered',
      boot: 'b',
      mountNamespace: '1',
      roots: [{ path: '/m', mountId: 1, directory: '0:1', propagation: 'shared' }],
      mountpoints: paths.map((mountpoint) => ({ mountpoint, found: { _tag: 'Directory' as const } })),
    },
  }
  apply(host, decide(host, outcome))
  return host
}

const attach = (host: Host, mountpoint: string, volume: string) =>
  decide(host, {
    _tag: 'Requested',
    at: 4,
    request: requestId(host.lastRequest + 1),
    body: {
      op: 'attach',
      mountpoint,
      filesystem: { type: 'tmpfs', source: 'scratch', options: [] },
      volume,
      consumer: 'c',
    },
  })

const place = fc.record({ mountpoint: fc.constantFrom('/m/a', '/m/b', '/m/c'), volume: fc.constantFrom('v', 'w', 'x') })
const change = fc.record({ place, leaves: fc.boolean() })

test('L1: a consumer is refused from the limit on, whatever has come and gone before', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const now = new Set<string>()
      const facts: Fact[] = []
      for (const { place: at, leaves } of changes) {
        const name = `${at.mountpoint} ${at.volume}`
        if (leaves === now.has(name)) {
          facts.push(leaves ? { ...at, _tag: 'Left', at: 1, consumer: 'c' } : held(at.mountpoint, at.volume))
          if (leaves) now.delete(name)
          else now.add(name)
        }
      }
      const host = upWith(facts)
      expect(breaches(host)).toEqual([])
      const refused = attach(host, '/m/d', 'v').then.answers.some(
        (answer) => !answer.ok && answer.error._tag === 'Overloaded' && answer.error.limit === 'holdersPerConsumer',
      )
      expect(refused).toBe(now.size >= LIMIT)
    }),
  )
})

test('L42: an attach looks at no more mountpoints for a consumer that has a thousand of them', () => {
  const looks = (count: number): number => {
    const host = upWith(Array.from({ length: count }, (_, at) => held(`/m/p${at}`, 'v')))
    const spy = vi.spyOn(host.mountpoints, 'get')
    expect(attach(host, '/m/new', 'v').then.answers).toHaveLength(1)
    return spy.mock.calls.length
  }
  expect(looks(1_000)).toBe(looks(10))
})
