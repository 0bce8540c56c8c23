// A repair that does not come to its end, and what stays open of one that does; and the whole file that takes the journal's place.

import type { Fact } from '@mountkeeper/core'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Disk } from '../src/index.js'
import { createFileJournal, encodeHead, encodeWrite, nodeDisk, repairJournal, scanBytes } from '../src/index.js'
import { writeSnapshot } from '../src/whole-file.js'
import { held, leftOf } from './facts.js'
import { createModelDisk, systemError } from './model-disk.js'

let directory = ''
let file = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mountkeeper-journal-'))
  file = join(directory, 'journal')
})

afterEach(() => rmSync(directory, { recursive: true }))

const CAME_UP: Fact = { _tag: 'HostCameUp', at: 1, generation: 1, boot: 'boot-1', mountNamespace: 'mnt:[1]' }

const damaged = (...facts: readonly Fact[]): string =>
  `${encodeHead(0)}${facts.map((fact) => encodeWrite([fact])).join('')}broken\n${encodeWrite([held(9)])}`

const END = 'then start the manager again: all that it has answered is kept'

/** The disk of this machine, and how many of its files are open. */
const counting = (own: Partial<Disk> = {}): { readonly disk: Disk; readonly open: () => number } => {
  let open = 0
  const disk: Disk = {
    ...nodeDisk,
    open: async (path, how) => {
      const inner = await nodeDisk.open(path, how)
      open += 1
      const close = async (): Promise<void> => {
        open -= 1
        await inner.close()
      }
      return { ...inner, close }
    },
    ...own,
  }
  return { disk, open: () => open }
}

describe('a repair', () => {
  test('closes what it has opened, and says whether the boot is known', async () => {
    for (const facts of [[held(1)], [CAME_UP, held(1)], [CAME_UP]]) {
      writeFileSync(file, damaged(...facts))
      const { disk, open } = counting()
      expect(await repairJournal(directory, disk)()).toMatchObject({
        right: { _tag: 'Rebuilt', facts: facts.length + 1, knowsBoot: facts.includes(CAME_UP) },
      })
      expect(open()).toBe(0)
    }
  })

  test('that fails closes what it has opened, and leaves the lock to the next one', async () => {
    writeFileSync(file, damaged(held(1)))
    const { disk, open } = counting({ rename: () => Promise.reject(systemError('ENOSPC')) })
    expect(await repairJournal(directory, disk)()).toEqual({
      _tag: 'Left',
      left: {
        _tag: 'JournalFailed',
        why: `${file} cannot be rebuilt: the disk is full (ENOSPC); make room on its filesystem, ${END}`,
      },
    })
    expect(open()).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(damaged(held(1)))
    expect(await repairJournal(directory)()).toMatchObject({ right: { _tag: 'Rebuilt' } })
  })

  test('that cannot keep the damaged file under another name touches nothing', async () => {
    writeFileSync(file, damaged(held(1)))
    let tries = 0
    const failing = (code: string): Partial<Disk> => ({
      link: () => {
        tries += 1
        return Promise.reject(systemError(code))
      },
    })
    expect(await repairJournal(directory, counting(failing('EIO')).disk)()).toMatchObject({ _tag: 'Left' })
    expect(tries).toBe(1)
    expect(await repairJournal(directory, counting(failing('EEXIST')).disk)()).toMatchObject({ _tag: 'Left' })
    expect(tries).toBe(1 + 1_000)
    expect(readFileSync(file, 'utf8')).toBe(damaged(held(1)))
  })

  test('of a journal that cannot be read, or in a directory of others, is refused', async () => {
    writeFileSync(file, damaged(held(1)))
    const { disk } = counting({ open: () => Promise.reject(systemError('EIO')) })
    expect(await repairJournal(directory, disk)()).toMatchObject({
      left: { why: `${file} cannot be read: the device failed (EIO); check the device that it is on, ${END}` },
    })
    chmodSync(directory, 0o755)
    expect(await repairJournal(directory)()).toMatchObject({
      left: { why: expect.stringContaining('is open to others (mode 755)') as string },
    })
    chmodSync(directory, 0o700)
    expect(readFileSync(file, 'utf8')).toBe(damaged(held(1)))
  })
})

describe('a whole file', () => {
  const facts = Array.from({ length: 2_000 }, (_, index) => held(index))

  test('is written in slices, and reads as what was given', async () => {
    const disk = createModelDisk()
    const next = await disk.open('/new', 'create')
    const sizes: number[] = []
    const write: typeof next.write = async (bytes, at) => {
      sizes.push(bytes.length)
      await next.write(bytes, at)
    }
    const bytes = await writeSnapshot({ ...next, write }, facts.length, facts)
    expect(scanBytes(disk.content('/new') ?? Buffer.alloc(0))).toMatchObject({ fault: undefined, bytes, read: facts })
    expect(sizes.length).toBeGreaterThan(3)
    for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThanOrEqual(64 * 1024)
    expect(Math.max(...sizes)).toBeLessThan(66 * 1024)
  })

  test('is given up between two slices', async () => {
    const disk = createModelDisk()
    const next = await disk.open('/new', 'create')
    let slices = 0
    const bytes = await writeSnapshot(next, facts.length, facts, () => {
      slices += 1
      return slices < 3
    })
    expect(slices).toBe(3)
    expect(disk.content('/new')).toHaveLength(bytes)
    expect(bytes).toBeGreaterThan(128 * 1024)
    expect(bytes).toBeLessThan(132 * 1024)
  })

  test('is closed to others whatever the umask is, and its directory has to be there', async () => {
    const before = process.umask(0o777)
    const journal = createFileJournal({ directory })
    const read = await journal.read()
    process.umask(before)
    await journal.close('drain')
    expect(read._tag).toBe('Right')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await expect(nodeDisk.flushDirectory(join(directory, 'nowhere'))).rejects.toThrow('ENOENT')
  })
})

test('a journal that was made shorter, or is closed, has no file open that it does not need', async () => {
  const { disk, open } = counting()
  const journal = createFileJournal({ directory, disk, compactFactsMin: 8 })
  await journal.read()
  expect(open()).toBe(1)
  for (let index = 0; index < 100; index += 1) await journal.append([held(index), leftOf(held(index))])()
  await journal.close('drain')
  expect(open()).toBe(0)
  writeFileSync(file, damaged(held(1)))
  expect(await createFileJournal({ directory, disk }).read()).toMatchObject({ _tag: 'Left' })
  expect(open()).toBe(0)
})
