// Which descriptor is read on for which mount, with a file that grows: like the kernel's table, it goes on where it was read to.
import { appendFileSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { MountTable } from '../src/mount-table.js'
import { lineOf } from '../src/mount-table.js'
import type { RecentMounts } from '../src/recent-mounts.js'
import { createRecentMounts } from '../src/recent-mounts.js'

const folder = mkdtempSync(`${tmpdir()}/mountkeeper-recent-`)
const file = `${folder}/table`
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const line = (id: number, source = 'here'): string => `${id} 1 0:${id} / /srv/${id} rw - tmpfs ${source} rw\n`
const mount = (id: number, source?: string): void => {
  appendFileSync(file, line(id, source))
}

let opened = 0
let recent: RecentMounts
beforeEach(() => {
  opened = 0
  writeFileSync(file, line(1) + line(2))
  recent = createRecentMounts(() => {
    opened += 1
    return openSync(file, 'r')
  })
  return () => {
    recent.close()
  }
})

/** The source of the mount, by a burst of its own. */
const look = (id: number): string | undefined => sourceIn(recent.begin()(id), id)
const sourceIn = (table: MountTable | undefined, id: number): string | undefined => {
  const found = table === undefined ? undefined : lineOf(table, id)
  return found?._tag === 'Line' ? found.line.source : undefined
}
const kept = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === file
    } catch {
      return false
    }
  }).length

test('without a whole reading nothing is known to be recent, and nothing is opened', () => {
  expect(look(2)).toBeUndefined()
  expect(opened).toBe(0)
})

test('the whole table, also one of several chunks', () => {
  for (let id = 3; id < 5_000; id += 1) mount(id)
  const table = recent.readWhole()
  for (const id of [1, 2, 1_234, 4_999]) expect(sourceIn(table, id)).toBe('here')
  expect(table.text.split('\n')).toHaveLength(5_001)
})

describe('after whole readings', () => {
  test('what was mounted before is not shown, what was mounted since is', () => {
    recent.readWhole()
    expect(look(2)).toBeUndefined()
    mount(3)
    expect(look(3)).toBe('here')
  })

  test('each further look at the same mount takes a descriptor that was read before it was made', () => {
    for (let time = 0; time < 3; time += 1) recent.readWhole()
    for (let id = 3; id < 20; id += 1) {
      mount(id)
      expect([look(id), look(id), look(id), look(id)]).toEqual(['here', 'here', 'here', undefined])
    }
    expect(opened).toBe(3)
  })

  test('a look at a mount that is old spoils none of the descriptors for the recent ones', () => {
    for (let time = 0; time < 3; time += 1) recent.readWhole()
    mount(3)
    for (let time = 0; time < 5; time += 1) expect(look(1)).toBeUndefined()
    expect([look(3), look(3), look(3)]).toEqual(['here', 'here', undefined])
  })

  test('one burst reads what is new once, and takes it for all its looks', () => {
    recent.readWhole()
    mount(3)
    mount(4)
    const showing = recent.begin()
    expect([3, 4, 3].map((id) => sourceIn(showing(id), id))).toEqual(['here', 'here', 'here'])
    expect(look(3)).toBeUndefined()
  })

  test('a line that an earlier burst has read is not taken in a later one', () => {
    recent.readWhole()
    recent.readWhole()
    mount(3, 'before')
    expect(look(3)).toBe('before')
    // The number is used again.
    mount(3, 'after')
    expect(look(3)).toBe('after')
  })

  test('few descriptors are kept, and none after the end', () => {
    for (let time = 0; time < 20; time += 1) recent.readWhole()
    expect(kept()).toBe(8)
    recent.close()
    expect(kept()).toBe(0)
    mount(3)
    expect(look(3)).toBeUndefined()
  })
})
