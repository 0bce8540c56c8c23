// The journal in memory takes memory for what it says, and says the same after it was made shorter.

import type { Fact } from '@mountkeeper/core'
import { snapshot } from '@mountkeeper/core'
import { expect, test } from 'vitest'
import { createMemoryJournal } from '../src/index.js'
import { SHORTEN_FACTS_MIN } from '../src/memory-journal.js'

const pairs = (from: number, to: number): readonly Fact[] =>
  Array.from({ length: to - from }, (_, index): readonly Fact[] => {
    const who = { at: from + index, mountpoint: '/srv/mounts/a', volume: `vol-${from + index}`, consumer: 'vm' }
    const held: Fact = { _tag: 'Held', ...who, since: who.at, knowledge: 'request' }
    return (from + index) % 1_000 === 0 ? [held] : [held, { _tag: 'Left', ...who }]
  }).flat()

test('what it keeps does not grow with what was appended, and gives the same result', async () => {
  const journal = createMemoryJournal()
  const cycles = 3 * SHORTEN_FACTS_MIN
  for (let from = 0; from < cycles; from += 100) {
    await journal.append(pairs(from, from + 100))()
    expect(journal.facts.length).toBeLessThanOrEqual(SHORTEN_FACTS_MIN)
  }
  expect(snapshot(journal.facts)).toEqual(snapshot(pairs(0, cycles)))
  expect(await journal.read()).toEqual({ _tag: 'Right', right: journal.facts })
})

test('what it begins with may be twice as long before it is made shorter', async () => {
  const earlier = Array.from(
    { length: SHORTEN_FACTS_MIN },
    (_, index): Fact => pairs(index * 1_000, index * 1_000 + 1)[0]!,
  )
  const journal = createMemoryJournal(earlier)
  const [held, left] = pairs(1, 2)
  const fill = async (to: number): Promise<void> => {
    while (journal.facts.length < to) await journal.append([held!, left!].slice(0, to - journal.facts.length))()
  }
  await fill(2 * SHORTEN_FACTS_MIN - 1)
  expect(journal.facts).toHaveLength(2 * SHORTEN_FACTS_MIN - 1)
  await journal.append([held!])()
  expect(journal.facts.length).toBeLessThan(SHORTEN_FACTS_MIN + 10)
})

test('it begins with nothing where nothing is given', () => {
  expect(createMemoryJournal().facts).toEqual([])
})
