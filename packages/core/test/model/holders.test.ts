// L1: holders are a set of attachments, whatever their number; held against a plain map, through every way they are stored.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Holder } from '../../src/index.js'
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

const sorted = (holders: Iterable<Holder>): readonly string[] =>
  [...holders].map(({ volume, consumer, since }) => JSON.stringify([volume, consumer, since])).sort()

test('L1: holders are a set, of one, a few or many', () => {
  fc.assert(
    fc.property(ways, (steps) => {
      const holders = noHolders()
      const model = new Map<string, Holder>()
      steps.forEach(({ volume, consumer, leaves }, since) => {
        const key = JSON.stringify([volume, consumer])
        if (leaves && model.delete(key)) {
          removeHolder(holders, volume, consumer)
        } else if (!model.has(key)) {
          const holder: Holder = { volume, consumer, since, knowledge: 'request', id: undefined }
          model.set(key, holder)
          addHolder(holders, holder)
        }
        expect(holders.count).toBe(model.size)
        expect(sorted(allHolders(holders))).toEqual(sorted(model.values()))
        expect(findHolder(holders, volume, consumer)).toBe(model.get(key))
        for (const each of CONSUMERS) {
          const own = [...model.values()].filter((holder) => holder.consumer === each)
          expect(sorted(holdersOf(holders, each))).toEqual(sorted(own))
          for (const name of VOLUMES)
            expect(findHolder(holders, name, each)).toBe(model.get(JSON.stringify([name, each])))
        }
        const any = anyHolder(holders)
        expect(any === undefined ? model.size === 0 : [...model.values()].includes(any)).toBe(true)
      })
    }),
    { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) },
  )
})
