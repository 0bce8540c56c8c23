// Which mounts a walk may cross, how often the table is read for that, and what is remembered from one burst of looks to the next.
import { readdirSync } from 'node:fs'
import { isLeft } from 'fp-ts/lib/Either.js'
import { afterEach, describe, expect, test } from 'vitest'
import { createCrossings, createKnownMounts } from '../src/crossing.js'
import type { Place } from '../src/descriptor.js'
import { close, openBelow, openSlash } from '../src/descriptor.js'
import type { MountTable } from '../src/mount-table.js'

const opened: Place[] = []
afterEach(() => close(...opened.splice(0).map(({ fd }) => fd)))

/** The root of /proc: a mount of its own wherever these tests run. */
const proc = (): Place => {
  const slash = openSlash()
  const place = isLeft(slash) ? slash : openBelow(slash.right, 'proc')
  if (!isLeft(slash)) opened.push(slash.right)
  if (isLeft(place)) throw new Error(place.left)
  opened.push(place.right)
  return place.right
}
const openFiles = (): number => readdirSync('/proc/self/fd').length
const line = (id: number, fstype: string): string => `${id} 1 0:${id} / /m${id} rw - ${fstype} s rw\n`

describe('the table', () => {
  const reading = (...tables: readonly string[]): { readonly read: () => MountTable; readonly count: () => number } => {
    let count = 0
    const read = (): MountTable => {
      count += 1
      return { text: `\n${tables[Math.min(count, tables.length) - 1] ?? ''}` }
    }
    return { read, count: () => count }
  }
  const place = { fd: -1, mountId: 0 }

  test('is read at the first question, and says what is local', () => {
    const { read, count } = reading(line(5, 'ext4') + line(6, 'nfs4') + line(7, 'tmpfs'))
    const { elsewhere } = createCrossings({ read })
    expect(count()).toBe(0)
    expect([5, 6, 7].map((id) => elsewhere(id, place))).toEqual([true, false, true])
    expect(count()).toBe(1)
  })
  test('is read once more for a mount that it does not show, and not each time', () => {
    const { read, count } = reading(line(5, 'ext4'), line(5, 'ext4') + line(8, 'ext4'))
    const { elsewhere } = createCrossings({ read })
    expect(elsewhere(5, place)).toBe(true)
    expect([8, 9, 10].map((id) => elsewhere(id, place))).toEqual([true, false, false])
    expect(count()).toBe(2)
    const given = reading(line(8, 'ext4'))
    const later = createCrossings({ read: given.read, table: { text: `\n${line(5, 'ext4')}` } })
    expect([5, 8, 9, 10].map((id) => later.elsewhere(id, place))).toEqual([true, true, false, false])
    expect(given.count()).toBe(1)
  })
})

describe('a mount on the way to a root', () => {
  test('is held by a descriptor of its own, once, and let go after many bursts that did not cross it', () => {
    const place = proc()
    const before = openFiles()
    const known = createKnownMounts()
    expect(known.has(place.mountId)).toBe(false)
    known.add(place)
    known.add(place)
    // What was opened is not the mount that it should be.
    known.add({ ...place, mountId: place.mountId + 1_000_000 })
    known.add({ ...place, fd: 9_999, mountId: 1 })
    expect(openFiles()).toBe(before + 1)
    expect(known.has(1)).toBe(false)
    for (let burst = 0; burst < 16; burst += 1) known.rest()
    expect(known.has(place.mountId)).toBe(true)
    for (let burst = 0; burst < 16; burst += 1) known.rest()
    expect(openFiles()).toBe(before + 1)
    known.rest()
    expect(openFiles()).toBe(before)
    expect(known.has(place.mountId)).toBe(false)
    known.add(place)
    known.close()
    expect(openFiles()).toBe(before)
    expect(known.has(place.mountId)).toBe(false)
  })
  test('is remembered only by a table that was read after it was opened, and only if it is local', () => {
    const place = proc()
    const table = { text: `\n${line(place.mountId, 'proc')}` }
    const remembered = (options: Parameters<typeof createCrossings>[0]): boolean => {
      const known = createKnownMounts()
      const { toRoots } = createCrossings({ ...options, known })
      toRoots(place.mountId, place)
      const has = known.has(place.mountId)
      known.close()
      return has
    }
    expect(remembered({ read: () => table })).toBe(true)
    expect(remembered({ read: () => table, table })).toBe(false)
    expect(remembered({ read: () => ({ text: `\n${line(place.mountId, 'nfs4')}` }) })).toBe(false)
    const known = createKnownMounts()
    known.add(place)
    const { toRoots, elsewhere } = createCrossings({ read: () => ({ text: '\n' }), known })
    expect(toRoots(place.mountId, place)).toBe(true)
    expect(elsewhere(place.mountId, place)).toBe(false)
    known.close()
    // Without a memory the table alone is asked.
    expect(createCrossings({ read: () => table }).toRoots(place.mountId, place)).toBe(true)
  })
})
