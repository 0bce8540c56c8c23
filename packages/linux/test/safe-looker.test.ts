// Where a look is done: in this process only if the table says that no server is asked.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { LookRequest } from '../src/look.js'
import { readShortTable } from '../src/mount-table.js'
import type { MountTable } from '../src/mount-table.js'
import type { Prober } from '../src/prober.js'
import type { SafeLooker } from '../src/safe-looker.js'
import { createSafeLooker } from '../src/safe-looker.js'

const base = realpathSync(mkdtempSync(join(tmpdir(), 'mountkeeper-safe-')))
afterAll(() => rmSync(base, { recursive: true }))

const trust = { uid: process.getuid!(), owners: [] }
const FAR = { _tag: 'Obstacle', kind: 'other' } as const

/** A prober that says that it was asked. */
const prober: Prober = {
  look: () => Promise.resolve({ found: FAR }),
  directory: () => Promise.resolve(undefined),
  processes: () => ({ asked: [], left: [] }),
}

const at = (mountpoint: string): LookRequest => ({
  mountpoint,
  root: undefined,
  filesystem: undefined,
  rule: { appears: { _tag: 'Growth' }, sourceIsPath: false, pathOptions: [] },
  trust,
  server: '',
  mayBe: 'anything',
  deadlineMs: 1_000,
})

const LOCAL = '\n1 0 0:1 / / rw - ext4 disk rw\n'
const withTable = (text: string, reads = { count: 0 }): SafeLooker =>
  createSafeLooker(prober, (bytes): MountTable | undefined => {
    reads.count += 1
    return text.length > bytes ? undefined : { text }
  })

test('local ones here, in slices with one reading each; the others there', async () => {
  const reads = { count: 0 }
  const { look } = withTable(`${LOCAL}2 1 0:2 / ${base}/hangs rw - nfs4 server:/x rw\n`, reads)
  const names = ['hangs', ...Array.from({ length: 99 }, (_, index) => `a${index}`)]
  const all = await Promise.all(names.map((name) => look(at(`${base}/${name}`))))
  const [first, ...others] = all.map(({ found }) => found)
  expect(first).toEqual(FAR)
  expect(others).toEqual(others.map(() => ({ _tag: 'NoDirectory' })))
  expect(reads.count).toBe(2)
})
test('with a long table, all there, and it is not read each time', async () => {
  const reads = { count: 0 }
  const { look } = withTable(LOCAL.repeat(2_000), reads)
  for (let time = 0; time < 3; time += 1) expect((await look(at(`${base}/a`))).found).toEqual(FAR)
  expect(reads.count).toBe(1)
})
test('without a table, there', async () => {
  const { look, directory } = createSafeLooker(prober, () => {
    throw new Error('no /proc')
  })
  expect((await look(at(`${base}/a`))).found).toEqual(FAR)
  // A root is not seen at all then, which is said without a walk.
  expect(await directory('root', base, trust, 1_000)).toBeDefined()
})
test('roots', async () => {
  const covered = withTable(`${LOCAL}2 1 0:2 / ${base} rw - fuse.sshfs server:/x rw\n`)
  expect(await covered.directory('root', `${base}/a`, trust, 1_000)).toBeUndefined()
  expect(await withTable(LOCAL).directory('root', `${base}/none`, trust, 1_000)).toMatchObject({ _tag: 'Left' })
  const real = await createSafeLooker(prober, readShortTable).directory('root', `${base}/none`, trust, 1_000)
  expect(real === undefined || real._tag === 'Left').toBe(true)
})
