// A recent mount is looked at without the lines of all the others, on kernels whose table goes on where it was read to its end
// (6.8); on older ones the whole table is read, and what is seen is the same.
import { closeSync, mkdirSync, openSync, readSync, readdirSync, readlinkSync, rmdirSync } from 'node:fs'
import type { RootIdentity } from '@mountkeeper/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createKnownMounts } from '../src/crossing.js'
import type { KnownMounts } from '../src/crossing.js'
import type { LookRequest, Seen } from '../src/look.js'
import { lookTogether } from '../src/look.js'
import type { RecentMounts } from '../src/recent-mounts.js'
import { createRecentMounts } from '../src/recent-mounts.js'
import { seeDirectory } from '../src/roots.js'
import { ROOT, prepareWorld, sh } from './world.js'

prepareWorld()

const TABLE = '/proc/self/mountinfo'

let opened = 0
let recent: RecentMounts
let known: KnownMounts

beforeEach(() => {
  opened = 0
  known = createKnownMounts()
  recent = createRecentMounts(() => {
    opened += 1
    return openSync(TABLE, 'r')
  })
})
afterEach(() => {
  recent.close()
  known.close()
  for (const path of mounted.splice(0).reverse()) sh('umount', path)
  for (const name of readdirSync(ROOT)) rmdirSync(`${ROOT}/${name}`)
})

const mounted: string[] = []

const mountAt = (name: string, options = 'mode=0700'): string => {
  const path = `${ROOT}/${name}`
  mkdirSync(path, { recursive: true, mode: 0o700 })
  sh('mount', '-t', 'tmpfs', '-o', options, name, path)
  mounted.push(path)
  return path
}

const umount = (path: string): void => {
  sh('umount', path)
  mounted.splice(mounted.lastIndexOf(path), 1)
}

/** Whether this kernel shows what came after the end of the table. */
const goesOn = (): boolean => {
  const fd = openSync(TABLE, 'r')
  const chunk = Buffer.alloc(65_536)
  while (readSync(fd, chunk) > 0);
  const path = mountAt('probe')
  const size = readSync(fd, chunk)
  closeSync(fd)
  umount(path)
  return size > 0
}

const leadsTo = (fd: string): string => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    // That of the listing itself.
    return ''
  }
}

const rootSeen = (): RootIdentity => {
  const seen = seeDirectory('root', ROOT, { uid: process.getuid!(), owners: [] })
  if (isLeft(seen)) throw new Error(seen.left.text)
  return seen.right
}

const request = (mountpoint: string, root: RootIdentity): LookRequest => ({
  ...{ mountpoint, root, filesystem: undefined, server: '', mayBe: 'quiet', deadlineMs: 1_000 },
  rule: { appears: { _tag: 'Growth' }, sourceIsPath: false, pathOptions: [] },
  trust: { uid: process.getuid!(), owners: [] },
})

/** By what it has read of the table, and by the whole table read for it alone: the two must be the same. */
const look = (...paths: readonly string[]): readonly Seen['found'][] => {
  const root = rootSeen()
  const requests = paths.map((path) => request(path, root))
  const found = lookTogether(requests, { recent, known }).map((seen) => seen.found)
  expect(found).toEqual(lookTogether(requests).map((seen) => seen.found))
  return found
}

const openedBy = (act: () => unknown): number => {
  const before = opened
  act()
  return opened - before
}

/** Reads the mounts above the root, and as many descriptors as the looks at one mount need. */
const warm = (): void => {
  const path = mountAt('warm')
  for (let time = 0; time < 6; time += 1) look(path)
  umount(path)
}

describe('among mounts that are looked at as they come and go', () => {
  test('the whole table is read for none of the looks at a mount, from its mount to its unmount', () => {
    warm()
    const whole = goesOn() ? 0 : 1
    for (const name of ['a', 'b', 'c']) {
      const path = mountAt(name)
      expect(openedBy(() => look(path, path))).toBe(whole)
      expect(openedBy(() => [look(path), look(path)])).toBe(2 * whole)
      umount(path)
      expect(openedBy(() => expect(look(path)).toEqual([{ _tag: 'Directory' }]))).toBe(0)
    }
  })

  test('what has changed since it was seen is shown as it is now', () => {
    warm()
    const path = mountAt('a')
    const flags = (): readonly string[] => {
      const [found] = look(path)
      return found?._tag === 'Mounted' ? (found.layers[0]?.flags ?? []) : []
    }
    expect(flags()).toContain('rw')
    sh('mount', '-o', 'remount,bind,ro', path)
    expect(flags()).toContain('ro')
    sh('mount', '-o', 'remount,bind,rw,nosuid', path)
    expect(flags()).toEqual(expect.arrayContaining(['rw', 'nosuid']))
  })

  test('layers on one another, also where only the upper ones are recent', () => {
    warm()
    const path = mountAt('stack')
    look(path)
    for (let time = 0; time < 6; time += 1) look(mountAt(`other${time}`))
    mountAt('stack', 'mode=0700,size=64k')
    expect(look(path)).toMatchObject([{ _tag: 'Mounted', layers: [{}, {}] }])
    umount(path)
    expect(look(path)).toMatchObject([{ _tag: 'Mounted', layers: [{}] }])
  })

  test('a number that is used again is not the mount that had it before', () => {
    warm()
    const ids = new Set<number>()
    for (let time = 0; time < 12; time += 1) {
      const path = mountAt(`reused${time % 2}`, `mode=0700,size=${time + 1}m`)
      const [found] = look(path)
      if (found?._tag === 'Mounted') ids.add(found.layers[0]!.mountId)
      expect(found).toMatchObject({ _tag: 'Mounted', layers: [{ source: `reused${time % 2}` }] })
      if (time % 3 === 0) look(`${ROOT}/reused${(time + 1) % 2}`)
      umount(path)
    }
    expect(ids.size).toBeLessThan(12)
  })

  test('a mount that was moved is found where it is now', () => {
    warm()
    const path = mountAt('before')
    look(path)
    const to = `${ROOT}/after`
    mkdirSync(to, { mode: 0o700 })
    sh('mount', '-n', '--move', path, to)
    mounted.splice(mounted.indexOf(path), 1, to)
    expect(look(path, to)).toMatchObject([{ _tag: 'Directory' }, { _tag: 'Mounted' }])
  })

  test('an old mount takes one reading, and the descriptors are few', () => {
    const paths = Array.from({ length: 12 }, (_, index) => mountAt(`old${index}`))
    for (const path of paths) look(path)
    const round = (): void => paths.forEach((path) => look(path))
    expect(openedBy(round)).toBeLessThanOrEqual(paths.length)
    expect(openedBy(round)).toBeLessThanOrEqual(paths.length)
    const kept = readdirSync('/proc/self/fd').filter((fd) => leadsTo(fd).endsWith('/mountinfo'))
    expect(kept.length).toBeLessThanOrEqual(8)
  })
})
