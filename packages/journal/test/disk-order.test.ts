// The order of writes, flushes, renames and flushes of the directory, in every operation of a journal.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { FileJournal } from '../src/index.js'
import { createFileJournal, encodeHead, encodeWrite, repairJournal } from '../src/index.js'
import { held, leftOf } from './facts.js'
import { createModelDisk } from './model-disk.js'
import type { RecordingDisk } from './recording-disk.js'
import { createRecordingDisk } from './recording-disk.js'

const DIRECTORY = '/state'
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const recordingDisk = async (content?: Buffer): Promise<RecordingDisk> => {
  const disk = createModelDisk()
  if (content !== undefined) {
    const file = await disk.open(`${DIRECTORY}/journal`, 'create')
    await file.write(content, 0)
    await file.flush()
    await disk.flushDirectory(DIRECTORY)
  }
  return createRecordingDisk(disk)
}

const opened = async (disk: RecordingDisk): Promise<FileJournal> => {
  const journal = createFileJournal({ directory: DIRECTORY, disk, compactFactsMin: 8 })
  const read = await journal.read()
  if (read._tag === 'Left') throw new Error(read.left.why)
  disk.acknowledged()
  return journal
}

/** What was done since it was last asked. */
const since = (disk: RecordingDisk): readonly string[] => disk.done.splice(0)

/** The whole file, written under another name, gets its place. */
const TAKES_PLACE = ['write journal.new', 'fsync journal.new', 'rename journal.new journal', 'fsync directory']
const SETTLED = ['write journal', 'fsync journal']

test('creation, append, and a start after it', async () => {
  const disk = await recordingDisk()
  const journal = await opened(disk)
  expect(since(disk)).toEqual(['unlink journal.new', 'create journal.new', ...TAKES_PLACE, 'fsync journal'])
  for (let index = 0; index < 3; index += 1) {
    expect(await journal.append([held(index)])()).toMatchObject({ _tag: 'Right' })
    disk.acknowledged()
    expect(since(disk)).toEqual(['write journal', 'fdatasync journal'])
  }
  await journal.close('drain')
  await (await opened(disk)).close('drain')
  expect(since(disk)).toEqual(['unlink journal.new', 'fsync directory', ...SETTLED])
  expect(disk.wrong).toEqual([])
})

test('a compaction, alone and while appends go on', async () => {
  const disk = await recordingDisk()
  const journal = await opened(disk)
  since(disk)
  for (let index = 0; index < 4; index += 1) await journal.append([held(index), leftOf(held(index))])()
  while (!disk.done.includes('fsync directory')) await turn()
  const appends = Array.from({ length: 4 }, () => ['write journal', 'fdatasync journal']).flat()
  expect(since(disk)).toEqual([...appends, 'create journal.new', ...TAKES_PLACE])
  for (let index = 0; index < 200; index += 1) {
    const appended = journal.append([held(index), leftOf(held(index))])
    expect((await appended())._tag).toBe('Right')
    disk.acknowledged()
  }
  await journal.close('drain')
  expect(disk.done.filter((what) => what.startsWith('rename')).length).toBeGreaterThan(5)
  expect(disk.done.join(' '), 'the rest was copied and flushed').toContain(
    'write journal.new fdatasync journal.new rename',
  )
  expect(disk.wrong).toEqual([])
})

test('a torn end is cut and flushed before anything is appended', async () => {
  const whole = encodeHead(0) + encodeWrite([held(1)])
  const disk = await recordingDisk(Buffer.from(whole + encodeWrite([held(2)]).slice(0, -9)))
  await (await opened(disk)).close('drain')
  expect(since(disk)).toEqual(['unlink journal.new', 'fsync directory', 'truncate journal', ...SETTLED])
  expect(disk.wrong).toEqual([])
})

test('a file of an older format is rewritten beside it', async () => {
  const old = readFileSync(new URL('../../../test-fixtures/journal/v1.journal', import.meta.url))
  const disk = await recordingDisk(old)
  await (await opened(disk)).close('drain')
  expect(since(disk)).toEqual([
    'unlink journal.new',
    'fsync directory',
    ...SETTLED,
    'create journal.new',
    ...TAKES_PLACE,
  ])
  expect(disk.wrong).toEqual([])
})

test('a repair keeps the damaged file durably before another takes its name', async () => {
  const text = [encodeHead(0), encodeWrite([held(1)]), encodeWrite([held(2)])].join('')
  const disk = await recordingDisk(Buffer.from(text.replace('vol-1', 'vol-x')))
  expect(await repairJournal(DIRECTORY, disk)()).toMatchObject({ right: { _tag: 'Rebuilt' } })
  disk.acknowledged()
  const [written, flushed, ...placed] = TAKES_PLACE
  expect(since(disk)).toEqual([
    'create journal.new',
    written,
    flushed,
    'link journal journal.damaged-1',
    'fsync directory',
    ...placed,
  ])
  expect(disk.wrong).toEqual([])
})
