// How often the disk is flushed for facts, counted beside committed figures: a burst shares one flush, and none is waited for twice.

import { expect, test } from 'vitest'
import { createFileJournal } from '../src/index.js'
import type { Disk } from '../src/index.js'
import { held } from './facts.js'
import { createModelDisk } from './model-disk.js'
import { createRecordingDisk } from './recording-disk.js'

const BURST = 64

interface Flushes {
  readonly alone: number
  readonly burst: number
}

/** Flushes and writes of 64 appends, each after the one before it, and of 64 at once. */
const flushes = async (planted: (disk: Disk) => Disk = (disk) => disk): Promise<Flushes> => {
  const disk = createRecordingDisk(createModelDisk())
  const journal = createFileJournal({ directory: '/srv/state', disk: planted(disk) })
  await journal.read()
  const since = (begin: number): number => disk.done.slice(begin).filter((what) => what.startsWith('f')).length
  const begin = disk.done.length
  for (let index = 0; index < BURST; index += 1) await journal.append([held(index)])()
  const alone = since(begin)
  const middle = disk.done.length
  await Promise.all(Array.from({ length: BURST }, (_, index) => journal.append([held(BURST + index)])()))
  const burst = since(middle)
  await journal.close('drain')
  return { alone, burst }
}

/** What is appended in one turn of the event loop shares a flush. */
const COMMITTED: Flushes = { alone: 64, burst: 1 }

test('an append alone is one flush, and 64 at once are one', async () => {
  expect(await flushes()).toEqual(COMMITTED)
})

test('a second flush for each write is seen', async () => {
  const twice = (disk: Disk): Disk => ({
    ...disk,
    open: async (...args) => {
      const file = await disk.open(...args)
      const flushData = async (): Promise<void> => {
        await file.flushData()
        await file.flushData()
      }
      return { ...file, flushData }
    },
  })
  expect(await flushes(twice)).toEqual({ alone: 128, burst: 2 })
})
