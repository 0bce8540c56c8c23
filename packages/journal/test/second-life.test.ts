// A second life on a disk that has kept what is not durable, after the first one was killed before any of its operations or ended
// by a failure of any: what the second life was given at its start is durable, for its manager builds on it.

import { snapshot } from '@mountkeeper/core'
import type { Fact } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { createFileJournal } from '../src/index.js'
import { held, leftOf } from './facts.js'
import type { ModelDisk } from './model-disk.js'
import { createModelDisk } from './model-disk.js'

const DIRECTORY = '/state'
const APPENDS = 24
const appendOf = (index: number): readonly Fact[] =>
  index % 4 === 0 ? [held(index)] : [held(index), leftOf(held(index))]

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Lives until all is appended, something fails, or nothing goes on any more; gives how many appends were acknowledged. */
const firstLife = async (disk: ModelDisk): Promise<number> => {
  let acknowledged = 0
  const work = async (): Promise<void> => {
    const journal = createFileJournal({ directory: DIRECTORY, disk, compactFactsMin: 8 })
    if ((await journal.read())._tag === 'Left') return
    for (let index = 0; index < APPENDS; index += 1) {
      if ((await journal.append(appendOf(index))())._tag === 'Left') break
      acknowledged += 1
    }
    await journal.close('drain')
  }
  const stuck = async (): Promise<void> => {
    for (let idle = 0, before = -1; idle < 10; before = disk.done.length) {
      await turn()
      idle = disk.done.length === before ? idle + 1 : 0
    }
  }
  await Promise.race([work(), stuck()])
  return acknowledged
}

/** What a start reads; and then this is appended. */
const nextLife = async (disk: ModelDisk, append: readonly Fact[] = []): Promise<string> => {
  const journal = createFileJournal({ directory: DIRECTORY, disk })
  const read = await journal.read()
  if (read._tag === 'Left') throw new Error(read.left.why)
  if (append.length > 0) expect(await journal.append(append)()).toMatchObject({ _tag: 'Right' })
  await journal.close('drain')
  return JSON.stringify(snapshot([...read.right, ...append]))
}

const states = Array.from({ length: APPENDS + 1 }, (_, count) =>
  JSON.stringify(snapshot(Array.from({ length: count }, (__, index) => appendOf(index)).flat())),
)

const POWER_LOST = { content: false, names: false }

const operations = async (): Promise<readonly string[]> => {
  const disk = createModelDisk()
  expect(await firstLife(disk)).toBe(APPENDS)
  expect(disk.done.filter((what) => what.startsWith('rename')).length, 'compactions').toBeGreaterThan(3)
  return disk.done
}

/** A first life that ends at each operation, a second one that starts, and may append, and then a loss of power. */
const judge = async (prepare: (disk: ModelDisk, index: number) => void): Promise<void> => {
  for (const [index, what] of (await operations()).entries()) {
    for (const append of [[], [held(1_000)]]) {
      const first = createModelDisk()
      prepare(first, index)
      const acknowledged = await firstLife(first)
      const where = `operation ${index}, ${what}, then ${append.length} more`
      const second = first.restarted()
      const believed = await nextLife(second, append)
      if (append.length === 0) expect(states.lastIndexOf(believed), where).toBeGreaterThanOrEqual(acknowledged)
      expect(await nextLife(second.after(POWER_LOST)), where).toBe(believed)
    }
  }
}

describe('what the second life was given is there after a loss of power', () => {
  test('where the first one was killed before any operation', async () => {
    await judge((disk, index) => {
      disk.crashBefore = index
    })
  }, 60_000)

  test('where an operation of the first one failed: a flush that fails drops what it should have written', async () => {
    await judge((disk, index) => {
      disk.failAt = index
    })
  }, 60_000)
})

test('the disk of this test reads back what a failed flush has dropped, and loses it with its power', async () => {
  const disk = createModelDisk()
  const file = await disk.open('/a', 'create')
  await disk.flushDirectory('/')
  await file.flush()
  await file.write(Buffer.from('dropped'), 0)
  disk.failAt = disk.done.length
  await expect(file.flushData()).rejects.toThrow('EIO')
  await file.flushData()
  expect(disk.restarted().content('/a')?.toString()).toBe('dropped')
  expect(disk.restarted().after(POWER_LOST).content('/a')?.toString()).toBe('')
  await file.write(Buffer.from('dropped'), 0)
  await file.flushData()
  expect(disk.after(POWER_LOST).content('/a')?.toString()).toBe('dropped')
})
