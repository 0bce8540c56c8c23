// The share of one stream, and of one consumer in it: it invents consumers and servers that never answer, and others are served
// all the same.

import { defaultSettings } from '@mountkeeper/border'
import { breaches } from '@mountkeeper/inspect'
import { typeRule } from '@mountkeeper/types'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sizeOf } from '../src/fifo.js'
import type { Decision, Found, Host, Input, Request, Settings } from '../src/index.js'
import { apply, decide, grantable, requestId, restore } from '../src/index.js'
import { LOCAL_LANE } from '../src/lane.js'

const defaults = defaultSettings('/m')
const types = { ...defaults.types, nfs: typeRule('nfs', ['*:/export/*']) }
const SETTINGS: Settings = { ...defaults, types }

const newHost = (slots: Partial<Settings['slots']> = {}): Host => {
  const settings = { ...SETTINGS, slots: { ...SETTINGS.slots, ...slots } }
  const host = restore(settings, [{ _tag: 'HostCameUp', at: 1, generation: 1, boot: 'b', mountNamespace: '1' }])
  host.phase = 'up'
  return host
}

/** Feeds an input, then all grants; gives the mountpoints that got a slot. */
const feed = (host: Host, input: Input): readonly string[] => {
  apply(host, decide(host, input))
  const granted: string[] = []
  for (let next = grantable(host); next !== undefined; next = grantable(host)) {
    granted.push(next)
    apply(host, decide(host, { _tag: 'Granted', at: 1, mountpoint: next }))
  }
  expect(breaches(host)).toEqual([])
  return granted
}

let requests = 0
const attach = (host: Host, name: string, server: string, consumer: string, stream?: string): readonly string[] => {
  requests += 1
  const filesystem = { type: server === 'local' ? 'tmpfs' : 'nfs', source: `${server}:/export/a`, options: [] }
  const body = { op: 'attach' as const, mountpoint: `/m/${name}`, filesystem, volume: name, consumer }
  const input = { _tag: 'Requested' as const, at: 1, request: requestId(requests), body }
  return feed(host, stream === undefined ? input : { ...input, stream })
}

/** No operation has or wants a slot any more, and nothing of them is remembered. */
const expectNothingLeft = ({ slots }: Host): void => {
  const servers = [...slots.lanes.keys()].filter((name) => name !== LOCAL_LANE)
  expect([slots.streams.size, servers.length, slots.hangingHeld]).toEqual([0, 0, 0])
  const local = [...(slots.lanes.get(LOCAL_LANE)?.queues ?? [])].filter(([, { requests }]) => sizeOf(requests) > 0)
  expect(local).toEqual([])
  expect([slots.turns, slots.localTurns, slots.withBackground].map(sizeOf)).toEqual([0, 0, 0])
}

/** The look at a mountpoint ends, and shows this. */
const look = (host: Host, name: string, found: Found): readonly string[] => {
  const effect = host.mountpoints.get(`/m/${name}`)?.record.inFlight?.effect
  if (effect === undefined) throw new Error(`nothing is in flight at ${name}`)
  return feed(host, { _tag: 'Outcome', at: 1, effect, mountpoint: `/m/${name}`, found })
}

/** The look at a mountpoint is inconclusive, which ends the attach's first slot. */
const hangUp = (host: Host, name: string): readonly string[] => look(host, name, { _tag: 'Unknown', why: 'TimedOut' })

describe('one consumer with 64 servers that hang', () => {
  const begin = (): { readonly host: Host; readonly first: readonly string[] } => {
    const host = newHost()
    const first = Array.from({ length: 64 }, (_, index) => attach(host, `t${index}`, `server${index}`, 'tenant')).flat()
    return { host, first }
  }

  test('has all slots while no other consumer waits', () => {
    const { first } = begin()
    expect(first).toHaveLength(16)
  })

  test('gets no slot before a neighbour, whose request came later, once it has more than half', () => {
    const { host } = begin()
    expect(attach(host, 'n', 'nas', 'neighbour')).toEqual([])
    // The first slot that is free is the neighbour's, and not that of 48 requests before it.
    expect(hangUp(host, 't15')).toEqual(['/m/n'])
  })

  test('has half of the slots while many others wait', () => {
    const { host } = begin()
    for (let index = 0; index < 16; index += 1) attach(host, `n${index}`, `nas${index}`, `neighbour${index}`)
    const granted = Array.from({ length: 8 }, (_, index) => hangUp(host, `t${15 - index}`)).flat()
    expect(granted).toEqual(Array.from({ length: 8 }, (_, index) => `/m/n${index}`))
    const held = [...host.mountpoints.values()].filter(({ record }) => record.slot === 'held')
    expect(held.filter(({ record }) => record.path.startsWith('/m/t'))).toHaveLength(8)
  })

  test('leaves nothing behind in the counts when all is over', () => {
    const { host } = begin()
    for (const { request } of [...host.requests.values()]) feed(host, { _tag: 'Deadline', at: 1, request })
    for (let round = 0; round < 200; round += 1) {
      const held = [...host.mountpoints.values()].find(({ record }) => record.inFlight?.kind === 'Look')
      if (held === undefined) break
      feed(host, {
        _tag: 'Outcome',
        at: 1,
        effect: held.record.inFlight?.effect,
        mountpoint: held.record.path,
        found: { _tag: 'NoDirectory' },
      } as Input)
    }
    expectNothingLeft(host)
  })
})

const streamOf = (path: string): string => path.slice('/m/'.length, '/m/'.length + 1)

const heldBy = (host: Host, stream: string): number =>
  [...host.mountpoints.values()].filter(({ record }) => record.slot === 'held' && streamOf(record.path) === stream)
    .length

describe('one stream that invents 64 consumers and 64 servers that hang', () => {
  const begin = (
    slots: Partial<Settings['slots']> = {},
  ): { readonly host: Host; readonly first: readonly string[] } => {
    const host = newHost(slots)
    const first = Array.from({ length: 64 }, (_, at) => attach(host, `t${at}`, `server${at}`, `consumer${at}`, 't'))
    return { host, first: first.flat() }
  }

  test('has no more than its limit while no other stream asks, and another stream is served at once', () => {
    const { host, first } = begin()
    expect(first).toHaveLength(12)
    expect(attach(host, 'n', 'nas', 'neighbour', 'n')).toEqual(['/m/n'])
    expect(attach(host, 'o', 'nas', 'operator')).toEqual(['/m/o'])
  })

  test('has every slot where no limit is set, and none more before a neighbour whose request came later', () => {
    const { host, first } = begin({ perStream: 16 })
    expect(first).toHaveLength(16)
    expect(attach(host, 'n', 'nas', 'neighbour', 'n')).toEqual([])
    expect(hangUp(host, 't15')).toEqual(['/m/n'])
  })

  test('has half of the slots while another stream asks as much', () => {
    const { host } = begin()
    for (let at = 0; at < 64; at += 1) attach(host, `n${at}`, `nas${at}`, `neighbour${at}`, 'n')
    for (let at = 11; at >= 0; at -= 1) hangUp(host, `t${at}`)
    expect([heldBy(host, 't'), heldBy(host, 'n')]).toEqual([8, 8])
  })

  test('is not held up by its own limit when a slot of it ends', () => {
    const { host } = begin()
    expect(hangUp(host, 't0')).toEqual(['/m/t12'])
  })

  test('leaves the slots of local types to other streams in turn', () => {
    const host = newHost({ local: 1 })
    expect(attach(host, 't0', 'local', 'c', 't')).toEqual(['/m/t0'])
    for (let at = 1; at < 9; at += 1) attach(host, `t${at}`, 'local', 'c', 't')
    expect(attach(host, 'n', 'local', 'neighbour', 'n')).toEqual([])
    expect(hangUp(host, 't0')).toEqual(['/m/t1'])
    expect(hangUp(host, 't1')).toEqual(['/m/n'])
    expect(hangUp(host, 'n')).toEqual(['/m/t2'])
  })
})

test('a request that gets no slot of its stream until its time is over is refused by the name of that limit', () => {
  const host = newHost({ perStream: 1 })
  attach(host, 't0', 'server0', 'c', 't')
  attach(host, 't1', 'server1', 'c', 't')
  const { answers } = decide(host, { _tag: 'Deadline', at: 2, request: requestId(requests) }).then
  expect(answers).toMatchObject([{ ok: false, error: { _tag: 'Overloaded', limit: 'slots.perStream', value: 1 } }])
})

test('an id is that of its stream: another one may choose the same, and does not withdraw it', () => {
  const host = newHost()
  const ask = (stream: string, body: Request): Decision => {
    requests += 1
    const decision = decide(host, { _tag: 'Requested', at: 1, request: requestId(requests), body, stream })
    apply(host, decision)
    return decision
  }
  const filesystem = { type: 'nfs', source: 'nas:/export/a', options: [] }
  const asked = { op: 'attach' as const, filesystem, volume: 'v', consumer: 'c', id: 'same' }
  expect(ask('a', { ...asked, mountpoint: '/m/a' }).then.answers).toEqual([])
  expect(ask('b', { ...asked, mountpoint: '/m/b' }).then.answers).toEqual([])
  expect(ask('b', { ...asked, mountpoint: '/m/c' }).then.answers).toMatchObject([{ ok: false, error: { field: 'id' } }])
  expect(ask('c', { op: 'cancel', target: 'same' }).then.answers).toMatchObject([{ error: { _tag: 'NotFound' } }])
  ask('b', { op: 'cancel', target: 'same' })
  expect([...host.requests.values()].map(({ stream }) => stream)).toEqual(['a'])
  expect(breaches(host)).toEqual([])
})

test('L25 L32: whatever the streams ask, no slot stays free, none is given beyond a limit, and nothing is left in the end', () => {
  const asked = fc.record({ stream: fc.constantFrom('a', 'b', 'c'), server: fc.nat(5), local: fc.boolean() })
  const act = fc.oneof({ weight: 3, arbitrary: asked }, { weight: 1, arbitrary: fc.record({ ends: fc.nat(40) }) })
  const limits = fc.record({
    hanging: fc.integer({ min: 1, max: 9 }),
    perServer: fc.integer({ min: 1, max: 3 }),
    perStream: fc.integer({ min: 1, max: 9 }),
    local: fc.integer({ min: 1, max: 2 }),
  })
  const held = (host: Host): readonly string[] =>
    [...host.mountpoints.values()].flatMap(({ record }) => (record.slot === 'held' ? [record.path.slice(3)] : []))
  fc.assert(
    fc.property(limits, fc.array(act, { maxLength: 40 }), (slots, acts) => {
      const host = newHost(slots)
      for (const [at, each] of acts.entries()) {
        if ('ends' in each) {
          const all = held(host)
          const name = all[each.ends % Math.max(1, all.length)]
          // A file is in the way: the attach is refused.
          if (name !== undefined) look(host, name, { _tag: 'Obstacle', kind: 'file' })
        } else {
          const { stream, server, local } = each
          attach(host, `${stream}${at}`, local ? 'local' : `server${server}`, `consumer${at % 2}`, stream)
        }
      }
      for (const { request } of [...host.requests.values()]) feed(host, { _tag: 'Deadline', at: 2, request })
      for (let [name] = held(host); name !== undefined; [name] = held(host)) {
        look(host, name, { _tag: 'NoDirectory' })
      }
      const wanting = [...host.mountpoints.values()].filter(({ record }) => record.slot !== 'none')
      expect(wanting).toEqual([])
      expectNothingLeft(host)
    }),
  )
})
