// The order within a look: its descriptors are open while the table is read, so that no mount id in it is one that was used again.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, rmdirSync } from 'node:fs'
import { layersOf } from '@mountkeeper/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LookRequest, Seen } from '../src/look.js'
import { lookTogether } from '../src/look.js'
import type { MountTable } from '../src/mount-table.js'
import { readTable } from '../src/mount-table.js'
import { parseMountInfo } from '../src/mountinfo.js'
import { seeDirectory } from '../src/roots.js'
import { ROOT, has, prepareWorld, sh } from './world.js'

prepareWorld()

const NAMES = ['a', 'b', 'c']
const at = (name: string): string => `${ROOT}/${name}`

beforeEach(() => {
  for (const name of NAMES) {
    mkdirSync(at(name), 0o700)
    sh('mount', '-t', 'tmpfs', `first-${name}`, at(name))
  }
})
afterEach(() => {
  for (const name of NAMES) {
    while (spawnSync('umount', [at(name)]).status === 0);
    rmdirSync(at(name))
  }
})

const request = (name: string): LookRequest => {
  const root = seeDirectory('root', ROOT, { uid: process.getuid!(), owners: [] })
  if (isLeft(root)) throw new Error(root.left.text)
  return {
    mountpoint: at(name),
    root: root.right,
    filesystem: undefined,
    rule: { appears: { _tag: 'Growth' }, sourceIsPath: false, pathOptions: [] },
    trust: { uid: process.getuid!(), owners: [] },
    server: '',
    mayBe: 'quiet',
    deadlineMs: 1_000,
  }
}

const idOf = (name: string): number => {
  const { lines } = parseMountInfo(readFileSync('/proc/self/mountinfo'))
  return lines.findLast(({ target }) => target === at(name))?.mountId ?? -1
}

/** The mounts that this process has descriptors on. */
const heldMounts = (): ReadonlySet<number> =>
  new Set(
    readdirSync('/proc/self/fdinfo').flatMap((fd) => {
      try {
        return Number(/^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1])
      } catch {
        // The descriptor of the directory that was just listed.
        return []
      }
    }),
  )

const sourcesOf = (seen: readonly Seen[]): readonly string[] =>
  seen.map(({ found }) => layersOf(found)[0]?.source ?? found._tag)

test('while the table is read every look of the burst holds a descriptor on what it found, and none afterwards', () => {
  const ids = NAMES.map(idOf)
  const held: (readonly boolean[])[] = []
  const before = heldMounts()
  const read = (): MountTable => {
    const now = heldMounts()
    held.push(ids.map((id) => now.has(id)))
    return readTable()
  }
  expect(sourcesOf(lookTogether(NAMES.map(request), { read }))).toEqual(NAMES.map((name) => `first-${name}`))
  // An earlier reading only says which mounts may be crossed.
  expect(held.at(-1)).toEqual([true, true, true])
  expect(ids.some((id) => before.has(id) || heldMounts().has(id))).toBe(false)
})

test('a mount id that was used again is never mistaken for what an older table says of it', () => {
  let reused = 0
  for (let time = 0; time < 50 && reused < 5; time += 1) {
    const stale = readTable()
    const id = idOf('a')
    // What had this id goes, and what comes next gets the number.
    sh('umount', at('a'))
    sh('mount', '-t', 'tmpfs', `second-${time}`, at('a'))
    if (idOf('a') === id) reused += 1
    expect(sourcesOf(lookTogether([request('a')], { table: stale }))).toEqual([`second-${time}`])
  }
  expect(reused).toBeGreaterThan(0)
})

test('what is replaced between the opening and the reading is looked at once more', () => {
  const id = idOf('a')
  let isReplaced = false
  const read = (): MountTable => {
    // The descriptor keeps the id: nothing that is mounted now can have it.
    if (!isReplaced && heldMounts().has(id)) {
      isReplaced = true
      sh('umount', '-l', at('a'))
      sh('mount', '-t', 'tmpfs', 'second', at('a'))
      expect(idOf('a')).not.toBe(id)
    }
    return readTable()
  }
  expect(sourcesOf(lookTogether([request('a'), request('b')], { read }))).toEqual(['second', 'first-b'])
})

test.skipIf(!has('strace'))(
  'traced: the last descriptor is opened before the table, and closed after it (skipped without strace)',
  () => {
    const script = `
    import { lookTogether } from '${new URL('../dist/look.js', import.meta.url).href}'
    lookTogether(JSON.parse(process.argv[1]))
  `
    const { stderr, status } = spawnSync(
      'strace',
      [
        ...['-qq', '-e', 'trace=openat,close', '-s', '4096', process.execPath, '--input-type=module', '-e', script],
        JSON.stringify([request('a')]),
      ],
      { encoding: 'utf8' },
    )
    expect(status).toBe(0)
    const calls = stderr.split('\n')
    const opened = calls.findLastIndex((call) => call.includes('O_PATH') && call.includes('/a"'))
    const fd = / = (\d+)$/.exec(calls[opened] ?? '')?.[1]
    const table = calls.findLastIndex((call) => call.includes('"/proc/self/mountinfo"'))
    const closed = calls.findLastIndex((call) => call.startsWith(`close(${fd})`))
    expect(fd).toBeDefined()
    expect([opened, table, closed]).toEqual([opened, table, closed].toSorted((one, other) => one - other))
    expect(opened).toBeGreaterThan(0)
  },
)
