// The journal protects itself: only one is open in a directory, its name still leads to its file before anything is promised,
// and a fact that cannot be written ends it with a word.

import { spawn } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FileJournal } from '../src/index.js'
import { JOURNAL_FORMAT, createFileJournal, encodeHead, encodeWrite, readJournal, repairJournal } from '../src/index.js'
import { held } from './facts.js'

const LOCKED: unknown = expect.stringContaining('journal.lock is locked')
const DAMAGED: unknown = expect.stringContaining('--repair')
const UNWRITABLE: unknown = expect.stringMatching(/a fact cannot be written .*defect/)

let directory = ''
let file = ''
const open: FileJournal[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mountkeeper-journal-'))
  file = join(directory, 'journal')
})

afterEach(async () => {
  for (const journal of open.splice(0)) await journal.close('now')
  rmSync(directory, { recursive: true })
})

const opened = async (): Promise<FileJournal> => {
  const journal = createFileJournal({ directory })
  open.push(journal)
  const read = await journal.read()
  if (read._tag === 'Left') throw new Error(read.left.why)
  return journal
}

const why = async (journal: FileJournal, index: number): Promise<string> => {
  const appended = await journal.append([held(index)])()
  return appended._tag === 'Left' ? appended.left.why : 'durable'
}

describe('the name of the file', () => {
  test.each([
    [
      'was given to a copy (a backup that was restored, an editor)',
      'is another file',
      () => {
        copyFileSync(file, `${file}2`)
        renameSync(`${file}2`, file)
      },
    ],
    ['was removed', 'does not lead to the file', () => rmSync(file)],
    [
      'leads elsewhere, as under another mount',
      'does not lead to the file',
      () => renameSync(file, `${file}-elsewhere`),
    ],
    ['leads to an emptied file', 'something else writes to it', () => truncateSync(file, 0)],
    [
      'leads to a file that another one appends to',
      'something else writes to it',
      () => appendFileSync(file, encodeWrite([held(9)])),
    ],
  ])('%s: nothing more is promised, and nothing is written', async (_, what, act) => {
    const journal = await opened()
    expect(await why(journal, 1)).toBe('durable')
    act()
    const said = await why(journal, 2)
    expect(said).toContain(`${file} `)
    expect(said).toContain(what)
    expect(said).toContain('put the file that was there back')
    expect(await why(journal, 3)).toBe(said)
  })

  test('changes with each file that takes its place when it is made shorter, which is no harm', async () => {
    const journal = createFileJournal({ directory, compactFactsMin: 8 })
    open.push(journal)
    await journal.read()
    const inodes = new Set<number>()
    for (let index = 0; index < 200; index += 1) {
      expect(await why(journal, index)).toBe('durable')
      inodes.add(statSync(file).ino)
    }
    expect(inodes.size).toBeGreaterThan(1)
  })
})

describe('a second journal on the same directory', () => {
  test('is refused in the same process, until the first is closed; what only reads is not', async () => {
    const first = await opened()
    const second = createFileJournal({ directory })
    expect(await second.read()).toMatchObject({
      _tag: 'Left',
      left: { why: LOCKED },
    })
    expect(await second.append([held(1)])()).toMatchObject({ _tag: 'Left' })
    expect(await readJournal(directory)()).toMatchObject({ _tag: 'Right' })
    expect(await why(first, 1)).toBe('durable')
    await first.close('drain')
    expect(await why(await opened(), 2)).toBe('durable')
  })

  test('is refused in another process, until the first has ended by whatever', async () => {
    writeFileSync(file, encodeHead(0), { mode: 0o600 })
    const other = spawn('flock', ['-x', `${file}.lock`, 'sh', '-c', 'echo locked; read -r _'], { stdio: 'pipe' })
    await new Promise((locked) => other.stdout.once('data', locked))
    expect(await createFileJournal({ directory }).read()).toMatchObject({ _tag: 'Left' })
    const ended = new Promise((done) => other.once('close', done))
    other.stdin.end()
    await ended
    await opened()
  })

  test('that cannot be opened leaves no lock behind, and a damaged one is not repaired beside another', async () => {
    writeFileSync(file, 'hello\n', { mode: 0o600 })
    expect(await createFileJournal({ directory }).read()).toMatchObject({
      left: { why: DAMAGED },
    })
    writeFileSync(file, `${encodeHead(0)}${encodeWrite([held(1)])}broken\n${encodeWrite([held(2)])}`)
    expect(await repairJournal(directory)()).toMatchObject({ right: { _tag: 'Rebuilt', facts: 2 } })
    await opened()
    writeFileSync(file, 'hello\n')
    expect(await repairJournal(directory)()).toMatchObject({
      left: { why: LOCKED },
    })
  })
})

test('a journal of an older format is read, and rewritten, so that an older program refuses it by name', async () => {
  const old = fileURLToPath(new URL('../../../test-fixtures/journal/v1.journal', import.meta.url))
  copyFileSync(old, file)
  chmodSync(file, 0o600)
  const before = await readJournal(directory)()
  expect(await why(await opened(), 1)).toBe('durable')
  const [head = ''] = readFileSync(file, 'utf8').split('\n')
  expect(head).toContain(`"format":${JOURNAL_FORMAT},`)
  expect(JOURNAL_FORMAT).toBeGreaterThan(1)
  const after = await readJournal(directory)()
  if (before._tag === 'Left' || after._tag === 'Left') throw new Error('it cannot be read')
  expect(after.right).toEqual([...before.right, held(1)])
})

test('a fact that cannot be written ends the journal with a word, and not the process', async () => {
  const journal = await opened()
  const malformed = { ...held(1), consumer: 1n } as unknown as ReturnType<typeof held>
  const appended = await Promise.all([journal.append([held(0), malformed])(), journal.append([held(2)])()])
  for (const each of appended) {
    expect(each).toMatchObject({
      _tag: 'Left',
      left: { why: UNWRITABLE },
    })
  }
  expect(await why(journal, 3)).toContain('a fact cannot be written')
  await journal.close('drain')
  expect(await readJournal(directory)()).toMatchObject({ right: [] })
})
