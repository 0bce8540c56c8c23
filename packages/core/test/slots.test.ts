// The share of one consumer: it invents servers that never answer, and others are served all the same.

import { describe, expect, test } from 'vitest'
import type { Host, Input } from '../src/index.js'
import { apply, breaches, decide, defaultSettings, grantable, requestId, restore, typeRule } from '../src/index.js'

const defaults = defaultSettings('/m')
const SETTINGS = { ...defaults, types: { ...defaults.types, nfs: typeRule('nfs', ['*:/export/*']) } }

const newHost = (): Host => {
  const host = restore(SETTINGS, [{ _tag: 'HostCameUp', at: 1, generation: 1, boot: 'b', mountNamespace: '1' }])
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
const attach = (host: Host, name: string, server: string, consumer: string): readonly string[] => {
  requests += 1
  const filesystem = { type: 'nfs', source: `${server}:/export/a`, options: [] }
  const body = { op: 'attach' as const, mountpoint: `/m/${name}`, filesystem, volume: name, consumer }
  return feed(host, { _tag: 'Requested', at: 1, request: requestId(requests), body })
}

/** The look at a mountpoint says that it cannot tell, which ends the attach's first slot. */
const hangUp = (host: Host, name: string): readonly string[] => {
  const effect = host.mountpoints.get(`/m/${name}`)?.record.inFlight?.effect
  if (effect === undefined) throw new Error(`nothing is in flight at ${name}`)
  return feed(host, {
    _tag: 'Outcome',
    at: 1,
    effect,
    mountpoint: `/m/${name}`,
    found: { _tag: 'Unknown', why: 'TimedOut' },
  })
}

describe('one consumer with 64 servers that hang', () => {
  const begin = (): { readonly host: Host; readonly first: readonly string[] } => {
    const host = newHost()
    const first = Array.from({ length: 64 }, (_, index) => attach(host, `t${index}`, `server${index}`, 'tenant')).flat()
    return { host, first }
  }

  test('has all slots while nobody else waits', () => {
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
    expect([host.slots.shares.size, host.slots.within.size, host.slots.beyond.size]).toEqual([0, 0, 0])
    expect(host.slots.hangingHeld).toBe(0)
  })
})
