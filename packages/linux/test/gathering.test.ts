// Looks that are asked for in one turn of the event loop are done together, in slices, and each caller gets what it asked for.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createLooker, gathering, serveHere } from '../src/gathering.js'
import type { LookRequest, Seen } from '../src/look.js'

const base = realpathSync(mkdtempSync(join(tmpdir(), 'mountkeeper-gathering-')))
mkdirSync(join(base, 'there'))
afterAll(() => rmSync(base, { recursive: true }))

const at = (mountpoint: string): LookRequest => ({
  mountpoint,
  root: undefined,
  filesystem: undefined,
  rule: { appears: { _tag: 'Growth' }, sourceIsPath: false, pathOptions: [] },
  trust: { uid: process.getuid!(), owners: [] },
  server: '',
  mayBe: 'anything',
  deadlineMs: 1_000,
})

test('64 looks are a slice, each slice has a turn of its own, and each is answered by what it asked', async () => {
  const sizes: number[] = []
  let turns = 0
  const look = gathering((slice) => {
    sizes.push(slice.length)
    const turn = turns
    for (const { request, tell } of slice)
      tell({ found: { _tag: 'Obstacle', kind: 'other', detail: `${request.mountpoint} ${turn}` } } as Seen)
  })
  const count = (): void => {
    turns += 1
    if (turns < 10) setImmediate(count)
  }
  const all = Promise.all(Array.from({ length: 150 }, (_, index) => look(at(`/a${index}`))))
  expect(sizes).toEqual([])
  setImmediate(count)
  const details = (await all).map(({ found }) => ('detail' in found ? (found.detail ?? '') : '').split(' '))
  expect(sizes).toEqual([64, 64, 22])
  expect(details.map(([mountpoint]) => mountpoint)).toEqual(Array.from({ length: 150 }, (_, index) => `/a${index}`))
  // Others had their turn between two slices.
  expect(new Set(details.map(([, turn]) => turn)).size).toBe(3)
  await look(at('/later'))
  expect(sizes).toEqual([64, 64, 22, 1])
})

test('a looker of this process sees what is there', async () => {
  const look = createLooker()
  const seen = await Promise.all([look(at(join(base, 'there'))), look(at(join(base, 'not-there')))])
  expect(seen.map(({ found }) => found._tag)).toEqual(['Directory', 'NoDirectory'])
})

test('a defect is reported to each of a slice, and rejects none', () => {
  const broken = Object.defineProperty(at('/a'), 'mountpoint', {
    get: () => {
      throw new Error('defect')
    },
  })
  const told: unknown[] = []
  serveHere([broken, at('/b')].map((request) => ({ request, tell: (seen) => told.push(seen) })))
  expect(told).toEqual(Array(2).fill({ found: { _tag: 'Unknown', why: 'Unreadable', detail: 'Error: defect' } }))
})
