// The watch compares the mount table with the records: what is news, how often it is said, and at what cost.
import type { Identity, RecordedLayers } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { beginSlices } from '../src/slices.js'
import type { TableNews } from '../src/table-news.js'
import { createTableNews } from '../src/table-news.js'

const ROOT = '/srv/mounts'

const layer = (mountId: number, flags = 'rw'): Identity => ({
  mountId,
  device: `0:${mountId}`,
  fstype: 'tmpfs',
  source: 'layer',
  root: '/',
  flags: [flags],
})
const lineOf = ({ mountId, flags }: Identity, target: string): string =>
  `${mountId} 1 0:${mountId} / ${target} ${flags.join()} shared:1 - tmpfs layer rw`

/** A manager with records and a table to compare them with; counts what is asked of either. */
interface World {
  readonly records: Map<string, RecordedLayers>
  lines: string[]
  news: TableNews
  /** Called when the table is being read. */
  meanwhile: () => void
  readonly counts: { readings: number; lines: number; recorded: number }
}

const world = (roots: readonly string[] = [ROOT]): World => {
  const records = new Map<string, RecordedLayers>()
  const counts = { readings: 0, lines: 0, recorded: 0 }
  const manager = {
    mountpoints: () => records.keys(),
    recorded: (mountpoint: string): RecordedLayers | undefined => {
      counts.recorded += 1
      return records.get(mountpoint)
    },
  }
  const made: World = { records, counts, lines: [], meanwhile: () => undefined, news: undefined as never }
  made.news = createTableNews(manager, roots, (_, take) => {
    counts.readings += 1
    counts.lines += made.lines.length
    made.lines.forEach(take)
    made.meanwhile()
    return Promise.resolve()
  })
  return made
}

const at = (name: string): string => `${ROOT}/${name}`
const record = ({ records, lines }: World, name: string, ours = layer(7)): void => {
  records.set(at(name), { ours, others: [], atRest: true })
  lines.push(lineOf(ours, at(name).replace(' ', '\\040')))
}
const compare = async ({ news }: World): Promise<readonly string[]> => (await news.compare(beginSlices())).news

describe('what is news', () => {
  test('nothing, where the table shows what is on record', async () => {
    const one = world()
    record(one, 'a')
    record(one, 'with space', layer(8))
    one.records.set(at('vacant'), { ours: undefined, others: [], atRest: true })
    one.lines.push(lineOf(layer(9), '/srv/elsewhere'), lineOf(layer(10), at('unknown')))
    expect(await compare(one)).toEqual([])
  })
  test('a layer that is on record and not there, also if no reading ever showed it', async () => {
    const one = world()
    one.records.set(at('a'), { ours: layer(7), others: [], atRest: true })
    expect(await compare(one)).toEqual([at('a')])
  })
  test.each([
    ['another layer in its place', [lineOf(layer(8), at('a'))]],
    ['a layer on top', [lineOf(layer(7), at('a')), lineOf(layer(8), at('a'))]],
    ['its own directory, deleted meanwhile', [lineOf(layer(7), at('a')).replace(' / ', ' ///deleted ')]],
    ['another directory of the same filesystem', [lineOf(layer(7), at('a')).replace(' / ', ' /b ')]],
    ['one more that cannot be read', [lineOf(layer(7), at('a')), `x ${lineOf(layer(8), at('a')).slice(2)}`]],
    ['other flags', [lineOf(layer(7, 'ro'), at('a'))]],
    ['a line that cannot be read', [lineOf(layer(7), at('a')).replace(' - ', ' ')]],
  ])('%s', async (_, lines) => {
    const one = world()
    record(one, 'a')
    record(one, 'b', layer(20))
    one.lines = [lineOf(layer(20), at('b')), ...lines]
    expect(await compare(one)).toEqual([at('a')])
  })
  test('the layers of others may stand in any order', async () => {
    const one = world()
    one.records.set(at('a'), { ours: layer(7), others: [layer(8)], atRest: true })
    one.lines = [lineOf(layer(8), at('a')), lineOf(layer(7), at('a'))]
    expect(await compare(one)).toEqual([])
  })
  test('lines elsewhere are not kept, whatever their path begins with', async () => {
    const one = world()
    record(one, 'a')
    const elsewhere = `${ROOT}-2/a`
    one.records.set(elsewhere, { ours: layer(8), others: [], atRest: true })
    one.lines.push(lineOf(layer(8), elsewhere))
    // Its line was not kept, so that its record counts as not there.
    expect(await compare(one)).toEqual([elsewhere])
    one.lines.push(lineOf(layer(9), ROOT))
    expect(await compare(one)).toEqual([at('a')])
  })
  test('of several roots, what is below the one that is covered', async () => {
    const one = world([ROOT, '/srv/others'])
    record(one, 'a')
    one.records.set('/srv/others/a', { ours: layer(8), others: [], atRest: true })
    one.lines.push(lineOf(layer(8), '/srv/others/a'))
    expect(await compare(one)).toEqual([])
    one.lines.push(lineOf(layer(9), '/srv/others'))
    expect(await compare(one)).toEqual(['/srv/others/a'])
  })
  test('a root that is covered, or a directory above it: all that is below', async () => {
    for (const covered of [ROOT, '/srv', '/']) {
      const one = world()
      record(one, 'a')
      record(one, 'b', layer(8))
      expect(await compare(one)).toEqual([])
      one.lines.push(lineOf(layer(30), covered))
      expect(await compare(one)).toEqual([at('a'), at('b')])
      expect(await compare(one)).toEqual([])
      one.lines.pop()
      expect(await compare(one)).toEqual([at('a'), at('b')])
    }
  })
})

describe('how often it is said', () => {
  test('once, until the lines or the record change', async () => {
    const one = world()
    record(one, 'a')
    one.lines = []
    expect(await compare(one)).toEqual([at('a')])
    expect(await compare(one)).toEqual([])
    // Looked at, and nothing could be seen: the record is another object and says the same.
    one.records.set(at('a'), { ours: { ...layer(7) }, others: [], atRest: true })
    expect(await compare(one)).toEqual([])
    one.lines = [lineOf(layer(8), at('a'))]
    expect(await compare(one)).toEqual([at('a')])
    one.records.set(at('a'), { ours: layer(9), others: [], atRest: true })
    expect(await compare(one)).toEqual([at('a')])
  })
  test('not while something is under way; it is compared again afterwards', async () => {
    const one = world()
    // One thing alone changes of each: the others are the same objects.
    const others: readonly Identity[] = []
    const [begun, over] = [layer(8), layer(12)]
    one.records.set(at('before'), { ours: layer(7), others, atRest: false })
    one.records.set(at('begins'), { ours: begun, others, atRest: true })
    one.records.set(at('ended'), { ours: layer(9), others, atRest: true })
    one.records.set(at('gone'), { ours: layer(10), others, atRest: true })
    const ours = layer(11)
    one.records.set(at('joined'), { ours, others, atRest: true })
    one.records.set(at('over'), { ours: over, others, atRest: false })
    one.meanwhile = () => {
      one.records.set(at('begins'), { ours: begun, others, atRest: false })
      one.records.set(at('ended'), { ours: undefined, others, atRest: true })
      one.records.delete(at('gone'))
      one.records.set(at('joined'), { ours, others: [layer(20)], atRest: true })
      one.records.set(at('over'), { ours: over, others, atRest: true })
    }
    expect(await one.news.compare(beginSlices())).toEqual({
      news: [],
      moving: ['before', 'begins', 'ended', 'joined', 'over'].map(at),
    })
  })
})

test('F6: whatever changed, the table is read once, each of its lines is taken once, and no record is searched for', async () => {
  const one = world()
  const size = 3_000
  for (let index = 0; index < size; index += 1) record(one, `a${index}`, layer(100 + index))
  expect(await compare(one)).toEqual([])
  one.lines = []
  one.counts.readings = one.counts.lines = one.counts.recorded = 0
  for (let index = 0; index < size; index += 1) one.lines.push(lineOf(layer(10_000 + index), at(`a${index}`)))
  expect(await compare(one)).toHaveLength(size)
  expect(one.counts).toEqual({ readings: 1, lines: size, recorded: 2 * size })
})

test('the time of all slices counts, not that of the pauses', async () => {
  let now = 0
  const slices = beginSlices(() => now)
  expect(slices.pause()).toBeUndefined()
  now += 7
  const pause = slices.pause()
  expect(pause).toBeDefined()
  now += 1_000
  await pause
  now += 2
  expect(slices.busyMs()).toBe(9)
})
