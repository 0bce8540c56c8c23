// Recovery from a snapshot is recovery from all the facts it stands for, over the facts of random runs: shortened at the end,
// in the middle, and twice.

import type { Fact, Host } from '@mountkeeper/core'
import { emptyMemory, remember, restore, snapshot, snapshotSize } from '@mountkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { play, simulatedSettings } from '../src/index.js'
import { numRuns, runs, seed } from './corpus.js'

/** A host with the order in its maps, which recovery keeps as well. */
const inOrder = (host: Host): unknown =>
  JSON.parse(
    JSON.stringify(host, (_, value: unknown) => (value instanceof Map || value instanceof Set ? [...value] : value)),
  )

test('restore of a snapshot is restore of the facts', () => {
  const kinds = new Set<Fact['_tag']>()
  let shortened = 0
  fc.assert(
    fc.property(runs, fc.nat(), fc.nat(), (run, one, other) => {
      const facts: Fact[] = []
      play(run, (happening) => {
        if (happening._tag === 'Durable') facts.push(...happening.facts)
      })
      for (const { _tag } of facts) kinds.add(_tag)
      const settings = simulatedSettings(run.settings)
      const whole = inOrder(restore(settings, facts))
      const first = one % (facts.length + 1)
      const second = first + (other % (facts.length + 1 - first))
      const once = snapshot(facts.slice(0, first))
      if (once.length < first) shortened += 1
      const memory = emptyMemory()
      for (const fact of facts.slice(0, first)) remember(memory, fact)
      expect(once).toHaveLength(snapshotSize(memory))
      const twice = snapshot([...once, ...facts.slice(first, second)])
      expect(inOrder(restore(settings, snapshot(facts)))).toEqual(whole)
      expect(inOrder(restore(settings, [...once, ...facts.slice(first)]))).toEqual(whole)
      expect(inOrder(restore(settings, [...twice, ...facts.slice(second)]))).toEqual(whole)
    }),
    { numRuns: numRuns(2_000), seed: seed() },
  )
  expect([...kinds].sort()).toEqual(
    [
      ...['Adopted', 'ClaimEnded', 'Claimed', 'DirectoryKept', 'DirectoryMade', 'DirectoryRemoved', 'Forgotten'],
      ...['Held', 'HostCameUp', 'Left', 'Mounted', 'Unmounted', 'Unmounting'],
    ].sort(),
  )
  expect(shortened).toBeGreaterThan(100)
})
