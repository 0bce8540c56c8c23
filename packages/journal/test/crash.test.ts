// A loss of power before, and a failure of, every single operation on the disk, while the journal is created, appended to and
// made shorter: what was acknowledged is there, and nothing is there that was not appended.

import type { Fact } from '@mountkeeper/core'
import { snapshot } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { createFileJournal } from '../src/index.js'
import { held, leftOf } from './facts.js'
import type { ModelDisk } from './model-disk.js'
import { createModelDisk } from './model-disk.js'

const DIRECTORY = '/state'

/** One who comes and, most of the time, one who leaves: the facts of an append. */
const appendOf = (index: number): readonly Fact[] =>
  index % 4 === 0 ? [held(index)] : [held(index), leftOf(held(index))]

const APPENDS = 24
const all = Array.from({ length: APPENDS }, (_, index) => appendOf(index))

/** What recovery would see after each number of appends. */
const states = Array.from({ length: APPENDS + 1 }, (_, count) => JSON.stringify(snapshot(all.slice(0, count).flat())))

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface Life {
  /** How many appends were acknowledged, one after the other. */
  acknowledged: number
  refusals: string[]
  readonly notices: string[]
}

/** Lives until all is appended, or nothing goes on any more. */
const live = async (disk: ModelDisk): Promise<Life> => {
  const life: Life = { acknowledged: 0, refusals: [], notices: [] }
  const journal = createFileJournal({
    directory: DIRECTORY,
    disk,
    compactFactsMin: 8,
    notice: (sentence) => life.notices.push(sentence),
  })
  const work = async (): Promise<void> => {
    const read = await journal.read()
    if (read._tag === 'Left') {
      life.refusals.push(read.left.why)
      return
    }
    for (const facts of all) {
      const appended = await journal.append(facts)()
      if (appended._tag === 'Left') life.refusals.push(appended.left.why)
      else life.acknowledged += 1
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
  return life
}

/** What is there on this disk, read as a start would; and which number of appends that is. */
const recovered = async (disk: ModelDisk): Promise<number> => {
  const journal = createFileJournal({ directory: DIRECTORY, disk })
  const read = await journal.read()
  if (read._tag === 'Left') throw new Error(read.left.why)
  await journal.close('drain')
  return states.lastIndexOf(JSON.stringify(snapshot(read.right)))
}

const operations = async (): Promise<readonly string[]> => {
  const disk = createModelDisk()
  const life = await live(disk)
  expect(life).toMatchObject({ acknowledged: APPENDS, refusals: [], notices: [] })
  return disk.done
}

const SURVIVING = [
  { content: true, names: true },
  { content: false, names: true },
  { content: true, names: false },
  { content: false, names: false },
]

describe('a loss of power', () => {
  test('before any operation loses nothing that was acknowledged, and the journal goes on', async () => {
    const done = await operations()
    expect(done.filter((what) => what.startsWith('rename')).length, 'compactions').toBeGreaterThan(3)
    for (const [index, what] of done.entries()) {
      for (const surviving of SURVIVING) {
        const disk = createModelDisk()
        disk.crashBefore = index
        const { acknowledged, refusals } = await live(disk)
        expect(refusals).toEqual([])
        const after = disk.after(surviving)
        const count = await recovered(after)
        const where = `before operation ${index}, ${what}, surviving ${JSON.stringify(surviving)}`
        // At most one append was under way.
        expect([acknowledged, acknowledged + 1], where).toContain(count)
        expect(after.names(), where).toEqual([`${DIRECTORY}/journal`])
        if (surviving.content !== surviving.names) continue
        const again = await live(after)
        expect(again, where).toMatchObject({ acknowledged: APPENDS, refusals: [] })
      }
    }
  }, 60_000)
})

describe('a failure', () => {
  test('of any operation refuses that append and all later ones, and loses nothing that was acknowledged', async () => {
    const done = await operations()
    let harmless = 0
    for (const [index, what] of done.entries()) {
      for (const code of ['ENOSPC', 'EIO', 'EROFS']) {
        const disk = createModelDisk()
        disk.failAt = index
        disk.code = code
        const { acknowledged, refusals, notices } = await live(disk)
        const where = `${code} of operation ${index}, ${what}`
        if (refusals.length > 0) {
          // All that were refused are the last ones, for one reason.
          expect([APPENDS, 1], where).toContain(acknowledged + refusals.length)
          expect(new Set(refusals).size, where).toBe(1)
          expect(refusals[0], where).toMatch(new RegExp(`^/state/journal cannot be .*\\(${code}\\); .*, then start`))
        } else {
          // The file could not be made shorter, or what was left of that could not be removed.
          expect(acknowledged, where).toBe(APPENDS)
          expect(what, where).toContain('journal.new')
          harmless += 1
          expect(notices.length, where).toBeLessThanOrEqual(1)
        }
        for (const surviving of SURVIVING) {
          const count = await recovered(disk.after(surviving))
          expect([acknowledged, acknowledged + 1], `${where}, surviving ${JSON.stringify(surviving)}`).toContain(count)
        }
      }
    }
    expect(harmless).toBeGreaterThan(10)
  }, 60_000)
})
