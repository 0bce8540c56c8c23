// The share that one stream has of the queue of waiting requests (R9.10), whatever is asked and ends meanwhile.

import { defaultSettings } from '@mountkeeper/border'
import { breaches } from '@mountkeeper/inspect'
import { typeRule } from '@mountkeeper/types'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Answer, Host, Input, Request, Settings } from '../src/index.js'
import { apply, decide, requestId, restore } from '../src/index.js'

const defaults = defaultSettings('/m')
const hostWith = (limits: Partial<Settings['limits']>): Host => {
  const types = { ...defaults.types, nfs: typeRule('nfs', ['*:/export/*']) }
  const settings = { ...defaults, types, limits: { ...defaults.limits, ...limits } }
  const host = restore(settings, [{ _tag: 'HostCameUp', at: 1, generation: 1, boot: 'b', mountNamespace: '1' }])
  host.phase = 'up'
  return host
}

const feed = (host: Host, input: Input): readonly Answer[] => {
  const decision = decide(host, input)
  apply(host, decision)
  return decision.then.answers
}

const ask = (host: Host, body: Request, stream?: string): Answer | undefined => {
  const request = requestId(host.lastRequest + 1)
  const input = { _tag: 'Requested' as const, at: 1, request, body }
  return feed(host, stream === undefined ? input : { ...input, stream }).find((one) => one.request === request)
}

const attach = (place: number, consumer: number): Request => ({
  ...{ op: 'attach', mountpoint: `/m/${place}`, volume: 'v', consumer: `c${consumer}` },
  filesystem: { type: 'nfs', source: `nas:/export/${place}`, options: [] },
})
const detach = (place: number, consumer: number): Request => ({
  ...{ op: 'detach', mountpoint: `/m/${place}`, volume: 'v', consumer: `c${consumer}` },
})

const waitingOf = (host: Host, stream: string): number =>
  [...host.requests.values()].filter((one) => one.stream === stream).length

const isRefusedFor = (answer: Answer | undefined, limit: string): boolean =>
  answer?.ok === false && answer.error._tag === 'Overloaded' && answer.error.limit === limit

test('L36: a stream has never more waiting than its limit, and what others ask is accepted', () => {
  const step = fc.record({
    kind: fc.constantFrom('attach', 'attach', 'detach', 'deadline', 'release'),
    place: fc.nat(5),
    consumer: fc.nat(30),
    stream: fc.constantFrom('tenant', 'neighbour', undefined),
  })
  const limits = fc.record({
    waitingPerStream: fc.integer({ min: 1, max: 8 }),
    waitingPerHost: fc.integer({ min: 2, max: 16 }),
    waitingPerMountpoint: fc.integer({ min: 2, max: 8 }),
  })
  let refusals = 0
  fc.assert(
    fc.property(limits, fc.array(step, { minLength: 30, maxLength: 60 }), (given, steps) => {
      const host = hostWith(given)
      const most = Math.min(given.waitingPerStream, Math.ceil(given.waitingPerHost / 2))
      const mostHere = Math.min(most, Math.ceil(given.waitingPerMountpoint / 2))
      for (const { kind, place, consumer, stream } of steps) {
        const waiting = [...host.requests.keys()]
        if (kind === 'deadline') {
          const request = waiting[consumer % Math.max(1, waiting.length)]
          if (request !== undefined) feed(host, { _tag: 'Deadline', at: 1, request })
          continue
        }
        const had = stream === undefined ? 0 : waitingOf(host, stream)
        const fullThere = [...host.mountpoints.values()].some(
          ({ record }) =>
            record.waiting.filter((one) => host.requests.get(one.request)?.stream === stream).length >= mostHere,
        )
        const pair = (kind === 'attach' ? attach : detach)(place, consumer)
        const body: Request = kind === 'release' ? { op: 'release', consumer: `c${consumer}` } : pair
        if (isRefusedFor(ask(host, body, stream), 'waitingPerStream')) {
          refusals += 1
          expect(stream !== undefined && (had >= most || fullThere)).toBe(true)
        }
        for (const name of ['tenant', 'neighbour']) expect(waitingOf(host, name)).toBeLessThanOrEqual(most)
        expect(breaches(host)).toEqual([])
      }
    }),
    { numRuns: 300 },
  )
  expect(refusals).toBeGreaterThan(100)
})

test('beside a full stream all of another is accepted, up to its own half', () => {
  const host = hostWith({ waitingPerHost: 100 })
  const answers = Array.from({ length: 200 }, (_, index) => ask(host, attach(index, index), 'tenant'))
  expect(answers.filter((one) => isRefusedFor(one, 'waitingPerStream'))).toHaveLength(150)
  const others = Array.from({ length: 50 }, (_, index) => ask(host, attach(1_000 + index, index), 'neighbour'))
  expect(others.every((one) => one === undefined)).toBe(true)
  expect(isRefusedFor(ask(host, attach(2_000, 1)), 'waitingPerHost')).toBe(true)
})

test('a stream that waits for 512 at one mountpoint leaves the rest to others there', () => {
  const host = hostWith({})
  const answers = Array.from({ length: 600 }, (_, index) => ask(host, attach(1, index), 'tenant'))
  expect(answers.filter((one) => isRefusedFor(one, 'waitingPerStream'))).toHaveLength(88)
  expect(ask(host, attach(1, 9_999), 'neighbour')).toBeUndefined()
  expect(ask(host, attach(2, 1), 'tenant')).toBeUndefined()
})

test('settings of an older trace have no such limit', () => {
  const { waitingPerStream: _, ...limits } = defaults.limits
  const host = hostWith({})
  const older: Host = { ...host, settings: { ...host.settings, limits } }
  const answers = Array.from({ length: 600 }, (_each, index) => ask(older, attach(1, index), 'tenant'))
  expect(answers.every((one) => one === undefined)).toBe(true)
})
