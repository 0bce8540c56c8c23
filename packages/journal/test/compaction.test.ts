// A journal that is made shorter while it is appended to, in every interleaving that small slices and random pauses give: what
// was acknowledged is there, in its order, whatever was appended between two steps of the copying.

import type { Fact } from '@mountkeeper/core'
import { snapshot } from '@mountkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Disk, DiskFile } from '../src/index.js'
import { createFileJournal, scanBytes } from '../src/index.js'
import { held, leftOf, numRuns, seed } from './facts.js'
import type { ModelDisk } from './model-disk.js'
import { createModelDisk } from './model-disk.js'

const APPENDS = 80
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
}

const appendOf = (index: number): readonly Fact[] =>
  index % 5 === 0 ? [held(index)] : [held(index), leftOf(held(index))]

/** The same disk; each step on the shorter file takes a turn of the loop, so that appends come between any two. */
const slowly = (disk: ModelDisk): Disk => ({
  ...disk,
  open: async (path, how) => {
    const file = await disk.open(path, how)
    if (!path.endsWith('.new')) return file
    const write: DiskFile['write'] = async (bytes, at) => {
      await turns(2)
      await file.write(bytes, at)
    }
    return { ...file, write }
  },
})

test('what is appended meanwhile is copied, whenever it comes', async () => {
  let copiedWhileAppending = 0
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 40, 200, 4_096),
      fc.constantFrom(0, 150, 2_000),
      fc.array(fc.nat({ max: 3 }), { minLength: APPENDS, maxLength: APPENDS }),
      async (sliceBytes, heldBytesMax, pauses) => {
        const disk = createModelDisk()
        const journal = createFileJournal({
          directory: '/state',
          disk: slowly(disk),
          compactFactsMin: 20,
          compactionLimits: { sliceBytes, heldBytesMax },
        })
        await journal.read()
        const results: Promise<unknown>[] = []
        for (const [index, pause] of pauses.entries()) {
          results.push(journal.append(appendOf(index))())
          await turns(pause)
        }
        for (const result of await Promise.all(results)) expect(result).toMatchObject({ _tag: 'Right' })
        await turns(50)
        await journal.close('drain')
        const { fault, read } = scanBytes(disk.content('/state/journal') ?? Buffer.alloc(0))
        expect(fault).toBeUndefined()
        const all = pauses.flatMap((_, index) => appendOf(index))
        expect(snapshot(read)).toEqual(snapshot(all))
        const compactions = disk.done.join('\n').split('create /state/journal.new\n').slice(1)
        copiedWhileAppending += compactions.filter((steps) =>
          /write \/state\/journal\n(.*\n)*write \/state\/journal\.new/.test(steps),
        ).length
      },
    ),
    { numRuns: numRuns(30), seed: seed() },
  )
  // The loop that copies what came meanwhile was entered, and not now and then only.
  expect(copiedWhileAppending).toBeGreaterThan(10)
}, 60_000)
