// A journal that is made shorter, where that does not come to its end: it is closed meanwhile, the disk refuses, or the file does
// not hold what was written to it. And what is copied before any caller has to wait.

import type { Fact } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import type { Disk, FileJournal, FileJournalOptions } from '../src/index.js'
import { createFileJournal, scanBytes } from '../src/index.js'
import { held, leftOf } from './facts.js'
import { createModelDisk, systemError } from './model-disk.js'
import { createRecordingDisk } from './recording-disk.js'

const DIRECTORY = '/state'
const FILE = `${DIRECTORY}/journal`
const NEXT = `${FILE}.new`
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await turn()
}

interface Changed {
  /** Instead of each reading of the journal, and each writing of the shorter file. */
  readonly read?: (usual: () => Promise<Uint8Array>) => Promise<Uint8Array>
  readonly write?: (usual: () => Promise<void>) => Promise<void>
}

interface ChangedDisk extends Disk {
  openFiles: number
}

/** The same disk with other files; counts those that are open. */
const changed = (disk: Disk, { read, write }: Changed): ChangedDisk => {
  const own: ChangedDisk = {
    ...disk,
    openFiles: 0,
    open: async (path, how) => {
      const file = await disk.open(path, how)
      own.openFiles += 1
      const close = async (): Promise<void> => {
        own.openFiles -= 1
        await file.close()
      }
      if (path === NEXT && write !== undefined)
        return { ...file, close, write: (bytes, at) => write(() => file.write(bytes, at)) }
      if (path === FILE && read !== undefined)
        return { ...file, close, read: (from, length) => read(() => file.read(from, length)) }
      return { ...file, close }
    },
  }
  return own
}

/** Holds up who passes it while it is shut. */
const createGate = () => {
  const gate = { isShut: false, isReached: false, open: (): void => undefined }
  const pass = async <A>(usual: () => Promise<A>): Promise<A> => {
    if (gate.isShut) {
      gate.isReached = true
      await new Promise<void>((resolve) => (gate.open = resolve))
    }
    return usual()
  }
  return { gate, pass }
}

const opened = async (disk: Disk, options: Partial<FileJournalOptions> = {}): Promise<FileJournal> => {
  const journal = createFileJournal({ directory: DIRECTORY, disk, compactFactsMin: 8, ...options })
  const read = await journal.read()
  if (read._tag === 'Left') throw new Error(read.left.why)
  return journal
}

const pair = (index: number): readonly Fact[] => [held(index), leftOf(held(index))]

const appended = async (journal: FileJournal, from: number, to: number): Promise<void> => {
  for (let index = from; index < to; index += 1)
    expect(await journal.append(pair(index))()).toMatchObject({ _tag: 'Right' })
}

describe('a shortening that is under way when the journal is closed', () => {
  test.each(['read', 'write'] as const)('is given up at its next %s, and nothing of it is left', async (operation) => {
    const disk = createModelDisk()
    const { gate, pass } = createGate()
    const own = changed(disk, { [operation]: pass })
    const journal = await opened(own)
    gate.isShut = true
    await appended(journal, 0, 4)
    await until(() => gate.isReached)
    const since = disk.done.length
    const closed = journal.close('drain')
    gate.isShut = false
    gate.open()
    await closed
    expect(disk.names()).toEqual([FILE])
    expect(scanBytes(disk.content(FILE)!)).toMatchObject({ fault: undefined, facts: 8 })
    const done = disk.done.slice(since)
    expect(done.filter((what) => what.startsWith('rename') || what.startsWith('create'))).toEqual([])
    expect(own.openFiles).toBe(0)
  })

  test('is given up where all of it waits for its place', async () => {
    const disk = createModelDisk()
    const journal = await opened(disk)
    await appended(journal, 0, 4)
    const since = disk.done.length
    await until(() => disk.done.slice(since).some((what) => what === `flush ${NEXT}`))
    await journal.close('drain')
    expect(disk.names()).toEqual([FILE])
    expect(scanBytes(disk.content(FILE)!).fault).toBeUndefined()
  })
})

test('a shortening that the disk refuses says why, closes its file, and is tried again when the journal is twice as long', async () => {
  const disk = createModelDisk()
  const notices: string[] = []
  let refuses = false
  const own = changed(disk, { write: (usual) => (refuses ? Promise.reject(systemError('EDQUOT')) : usual()) })
  const journal = await opened(own, { notice: (sentence) => notices.push(sentence) })
  refuses = true
  await appended(journal, 0, 4)
  await until(() => notices.length > 0 && !disk.names().includes(NEXT))
  expect(notices).toEqual([
    `${FILE} cannot be shortened: the quota is used up (EDQUOT); raise the quota; it stays as it is, and this is tried again later`,
  ])
  // The journal, and nothing of the shorter file.
  expect(own.openFiles).toBe(1)
  const tries = (): number => disk.done.filter((what) => what === `create ${NEXT}`).length
  const before = tries()
  await appended(journal, 4, 7)
  for (let count = 0; count < 20; count += 1) await turn()
  expect(tries()).toBe(before)
  refuses = false
  await appended(journal, 7, 8)
  await until(() => disk.content(FILE)!.length < 300)
  expect([tries(), notices.length]).toEqual([before + 1, 1])
  await journal.close('drain')
  expect(own.openFiles).toBe(0)
})

test('a file that no longer holds what was written to it ends the journal, and keeps its place', async () => {
  const disk = createModelDisk()
  const journal = await opened(disk)
  await appended(journal, 0, 3)
  const content = disk.content(FILE)!
  content[content.indexOf('vol-1') + 4] = 0x78
  const since = disk.done.length
  await appended(journal, 3, 4)
  for (let count = 0; count < 20; count += 1) await turn()
  const refused = await journal.append(pair(4))()
  expect(refused).toMatchObject({ _tag: 'Left', left: { why: expect.stringContaining('--repair') as string } })
  expect(refused).toMatchObject({ left: { why: expect.stringContaining(`${FILE}, line 4: `) as string } })
  expect(disk.done.slice(since)).not.toContain(`create ${NEXT}`)
  await journal.close('drain')
})

test('what is appended meanwhile is copied before the flush of the shorter file, so that no caller waits for it', async () => {
  const model = createModelDisk()
  let appends: Promise<void> | undefined
  let appendMore = (): Promise<void> | undefined => undefined
  const write: Changed['write'] = async (usual) => {
    await (appends ??= appendMore())
    await usual()
  }
  const disk = createRecordingDisk(changed(model, { write }))
  const journal = await opened(disk, { compactionLimits: { sliceBytes: 4_096, heldBytesMax: 0 } })
  appendMore = () => appended(journal, 4, 6)
  await appended(journal, 0, 4)
  await until(() => disk.done.at(-1) === 'fsync directory' && appends !== undefined)
  const since = disk.done.lastIndexOf('create journal.new')
  expect(disk.done.slice(since)).toEqual([
    'create journal.new',
    ...['write journal', 'fdatasync journal', 'write journal', 'fdatasync journal'],
    ...['write journal.new', 'write journal.new', 'fsync journal.new'],
    ...['rename journal.new journal', 'fsync directory'],
  ])
  expect(scanBytes(model.content(FILE)!)).toMatchObject({ fault: undefined, facts: 4 })
  await journal.close('drain')
})
