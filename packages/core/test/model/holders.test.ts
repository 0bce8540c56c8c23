// L1: holders are a set of attachments, whatever their number; compared with a plain map, through every way they are stored.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Holder } from '../../src/state.js'
import type { Holders } from '../../src/holders.js'
import { addHolder, allHolders, anyHolder, findHolder, holdersOf, noHolders, removeHolder } from '../../src/holders.js'

const VOLUMES = ['v', 'v c', 'w', 'x']
const CONSUMERS = ['c', 'c v', 'd', 'e', 'f', 'g']

const ways = fc.array(
  fc.record({
    volume: fc.constantFrom(...VOLUMES),
    consumer: fc.constantFrom(...CONSUMERS),
    leaves: fc.constantFrom(true, false, false),
  }),
  { maxLength: 80, size: 'max' },
)

const keyOf = (volume: string, consumer: string): string => JSON.stringify([volume, consumer])

const sorted = (holders: Iterable<Holder>): string =>
  [...holders]
    .map(({ volume, consumer, since }) => JSON.stringify([volume, consumer, since]))
    .sort()
    .join()

/** What the set shows, and what the map does: everything that can be asked. */
const shown = (holders: Holders, model: ReadonlyMap<string, Holder>): readonly (readonly [unknown, unknown])[] => {
  const any = anyHolder(holders)
  return [
    [holders.count, model.size],
    [any === undefined, model.size === 0],
    [any, any === undefined ? undefined : model.get(keyOf(any.volume, any.consumer))],
    [sorted(allHolders(holders)), sorted(model.values())],
    ...CONSUMERS.flatMap((consumer): readonly (readonly [unknown, unknown])[] => [
      [sorted(holdersOf(holders, consumer)), sorted([...model.values()].filter((each) => each.consumer === consumer))],
      ...VOLUMES.map((volume) => [findHolder(holders, volume, consumer), model.get(keyOf(volume, consumer))] as const),
    ]),
  ]
}

test('L1: holders are a set, of one, a few or many', () => {
  fc.assert(
    fc.property(ways, (steps) => {
      const holders = noHolders()
      const model = new Map<string, Holder>()
      steps.forEach(({ volume, consumer, leaves }, since) => {
        const key = keyOf(volume, consumer)
        if (leaves && model.delete(key)) {
          removeHolder(holders, volume, consumer)
        } else if (!model.has(key)) {
          const holder: Holder = { volume, consumer, since, knowledge: 'request', id: undefined }
          model.set(key, holder)
          addHolder(holders, holder)
        }
        const differs = shown(holders, model).filter(([is, shouldBe]) => is !== shouldBe)
        if (differs.length > 0) expect(differs).toEqual([])
      })
    }),
    { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) },
  )
}, 600_000)
