// What embedders give to a simulated host: settings of their own come up, and a misspelt fault is refused at once.

import { defaultSettings } from '@mountkeeper/border'
import { typeRule } from '@mountkeeper/types'
import { describe, expect, test } from 'vitest'
import type { Injection, ThirdPartyAct } from '../src/index.js'
import { createSimulatedHost } from '../src/index.js'

describe('settings of one’s own', () => {
  test('come up with their roots, and take attaches', async () => {
    const host = createSimulatedHost({ settings: defaultSettings('/data/vols', '/data/more/vols') })
    const manager = await host.start()
    for (const root of ['/data/vols', '/data/more/vols']) {
      const disk = { mountpoint: `${root}/a`, volume: 'v', consumer: 'c' }
      const filesystem = { type: 'tmpfs', source: 't', options: [] }
      expect(await manager.attach({ ...disk, filesystem })()).toMatchObject({ right: { mount: 'mounted' } })
    }
  })

  test('have the directories to bind that their lists name', async () => {
    const defaults = defaultSettings('/data/vols')
    const types = { ...defaults.types, bind: typeRule('bind', ['/data/images/', '/data/one', '/data/*/x']) }
    const manager = await createSimulatedHost({ settings: { ...defaults, types } }).start()
    for (const [name, source] of [
      ['a', '/data/images'],
      ['b', '/data/one'],
    ] as const) {
      const disk = { mountpoint: `/data/vols/${name}`, volume: 'v', consumer: 'c' }
      const filesystem = { type: 'bind', source, options: [] }
      expect(await manager.attach({ ...disk, filesystem })()).toMatchObject({ right: { mount: 'mounted' } })
    }
  })
})

const NONE = { _tag: 'None' }

const INJECTIONS: readonly (readonly [given: unknown, said: string])[] = [
  [undefined, 'expected { effect, fault }'],
  [{ effect: 'mount', fault: NONE }, 'there is no effect "mount"; it is one of Look, MakeDirectory, Mount'],
  [{ effect: 'Mount' }, 'expected an object with _tag'],
  [{ effect: 'Mount', fault: { _tag: 'fails' } }, 'there is no "fails"; its _tag is one of None, Fails'],
  [{ effect: 'Mount', fault: { _tag: 'toString' } }, 'there is no "toString"'],
  [{ effect: 'Mount', fault: { _tag: 'Fails' } }, 'Fails lacks worked'],
  [{ effect: 'Mount', fault: NONE, path: '/x' }, '"path" means nothing'],
  [{ effect: 'Mount', fault: NONE, times: 0 }, 'times is not a whole number above 0'],
  [{ effect: 'Mount', fault: NONE, mountpoint: 7 }, 'mountpoint is no path'],
]

test.each(INJECTIONS)('the injection %j is refused with a sentence', (given, said) => {
  expect(() => createSimulatedHost().inject(given as Injection)).toThrow(said)
})

const ACTS: readonly (readonly [given: unknown, said: string])[] = [
  [{}, 'there is no undefined; its _tag is one of Mounts'],
  [{ _tag: 'Mount', path: '/x' }, 'there is no "Mount"'],
  [{ _tag: 'Unmounts', path: '/x' }, 'Unmounts lacks how'],
]

test.each(ACTS)('the act %j is refused with a sentence', (given, said) => {
  const host = createSimulatedHost()
  const before = host.model()
  expect(() => host.interfere(given as ThirdPartyAct)).toThrow(said)
  expect(host.model()).toBe(before)
})
