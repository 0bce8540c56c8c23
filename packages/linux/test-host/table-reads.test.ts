// How often the mount table is read: among 10,000 mounts each reading takes the kernel 20 ms, so a walk and a burst have one.
import { mkdirSync } from 'node:fs'
import type { RootIdentity } from '@mountkeeper/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKnownMounts } from '../src/crossing.js'
import type { KnownMounts } from '../src/crossing.js'
import type { LookRequest, Seen } from '../src/look.js'
import { lookTogether } from '../src/look.js'
import { readTable } from '../src/mount-table.js'
import { seeDirectory } from '../src/roots.js'
import { prepareWorld, sh } from './world.js'

prepareWorld()

/** `/srv` is a mount itself; a root is on a mount of its own, so many mounts below that. */
const PLACES = ['/srv/here/mounts', '/srv/one/here/mounts', '/srv/one/two/here/mounts']
const MOUNTED = ['a', 'b', 'c']

beforeAll(() => {
  for (const path of ['/srv/here', '/srv/one', '/srv/one/here', '/srv/one/two', '/srv/one/two/here']) {
    mkdirSync(path, 0o700)
    sh('mount', '-t', 'tmpfs', '-o', 'mode=0700', 'here', path)
  }
  for (const place of PLACES) {
    for (const name of MOUNTED) {
      mkdirSync(`${place}/${name}`, { recursive: true, mode: 0o700 })
      sh('mount', '-t', 'tmpfs', 'layer', `${place}/${name}`)
    }
    mkdirSync(`${place}/plain`)
  }
})
afterAll(() => {
  for (const path of ['/srv/here', '/srv/one']) sh('umount', '-R', path)
})

const rootAt = (path: string): RootIdentity => {
  const seen = seeDirectory('root', path, { uid: process.getuid!(), owners: [] })
  if (isLeft(seen)) throw new Error(seen.left.text)
  return seen.right
}

const request = (mountpoint: string, root: RootIdentity | undefined): LookRequest => ({
  mountpoint,
  root,
  filesystem: undefined,
  rule: { appears: { _tag: 'Growth' }, sourceIsPath: false, pathOptions: [] },
  trust: { uid: process.getuid!(), owners: [] },
  server: '',
  mayBe: 'quiet',
  deadlineMs: 1_000,
})

interface Burst {
  readonly seen: readonly Seen['found']['_tag'][]
  readonly reads: number
}

const burst = (place: string, names: readonly string[], known?: KnownMounts): Burst => {
  const root = rootAt(place)
  let reads = 0
  const read = (): ReturnType<typeof readTable> => {
    reads += 1
    return readTable()
  }
  const requests = names.map((name) => request(`${place}/${name}`, root))
  const seen = lookTogether(requests, known === undefined ? { read } : { read, known })
  return { seen: seen.map(({ found }) => found._tag), reads }
}

describe.each(PLACES.map((place, depth) => ({ place, depth })))('a root $depth mounts deep', ({ place, depth }) => {
  test('a walk asks the table once which mounts may be crossed, whatever their number', () => {
    expect(burst(place, ['plain'])).toEqual({ seen: ['Directory'], reads: 1 })
    expect(burst(place, ['none'])).toEqual({ seen: ['NoDirectory'], reads: 1 })
  })
  test('a burst reads it once more, after its descriptors are open, however many looks it has', () => {
    expect(burst(place, MOUNTED)).toEqual({ seen: MOUNTED.map(() => 'Mounted'), reads: 2 })
    const many = Array.from({ length: 300 }, (_, index) => MOUNTED[index % MOUNTED.length]!)
    expect(burst(place, many)).toEqual({ seen: many.map(() => 'Mounted'), reads: 2 })
  })
  test('a burst that remembers the mounts above its root reads it once, or not at all', () => {
    const known = createKnownMounts()
    // One walk remembers the mount that was open when it read the table.
    for (let walk = 0; walk <= depth; walk += 1) expect(burst(place, ['plain'], known).reads).toBe(1)
    expect(burst(place, ['plain'], known)).toEqual({ seen: ['Directory'], reads: 0 })
    expect(burst(place, MOUNTED, known)).toEqual({ seen: MOUNTED.map(() => 'Mounted'), reads: 1 })
    known.close()
  })
})

test('a mount that the bursts no longer cross is let go, and may be unmounted', () => {
  const known = createKnownMounts()
  mkdirSync('/srv/above')
  sh('mount', '-t', 'tmpfs', '-o', 'mode=0700', 'above', '/srv/above')
  mkdirSync('/srv/above/here')
  sh('mount', '-t', 'tmpfs', '-o', 'mode=0700', 'here', '/srv/above/here')
  mkdirSync('/srv/above/here/mounts', 0o700)
  for (let walk = 0; walk < 2; walk += 1) burst('/srv/above/here/mounts', ['none'], known)
  sh('umount', '-l', '/srv/above/here')
  expect(() => sh('umount', '/srv/above')).toThrow()
  for (let walk = 0; walk < 20; walk += 1) burst(PLACES[0]!, ['plain'], known)
  sh('umount', '/srv/above')
  known.close()
})
