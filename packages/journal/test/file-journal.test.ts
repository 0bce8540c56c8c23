// The journal as a file of this machine: what is in it after appends, and what it refuses to begin with.

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fact } from '@mountkeeper/core'
import { snapshot } from '@mountkeeper/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Disk, FileJournal, FileJournalOptions } from '../src/index.js'
import {
  createFileJournal,
  encodeHead,
  encodeWrite,
  examineJournal,
  nodeDisk,
  readJournal,
  repairJournal,
} from '../src/index.js'
import { attachFacts, held, leftOf } from './facts.js'

let directory = ''
let file = ''
let notices: string[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mountkeeper-journal-'))
  file = join(directory, 'journal')
  notices = []
})

afterEach(() => rmSync(directory, { recursive: true }))

/** What is there but for the lock, which stays. */
const entries = (): readonly string[] => readdirSync(directory).filter((name) => name !== 'journal.lock')

const made = (options: Partial<FileJournalOptions> = {}): FileJournal =>
  createFileJournal({ directory, notice: (sentence) => notices.push(sentence), ...options })

const opened = async (
  options: Partial<FileJournalOptions> = {},
): Promise<{ journal: FileJournal; facts: readonly Fact[] }> => {
  const journal = made(options)
  const read = await journal.read()
  if (read._tag === 'Left') throw new Error(read.left.why)
  return { journal, facts: read.right }
}

const refusal = async (options: Partial<FileJournalOptions> = {}): Promise<string> => {
  const journal = made(options)
  const read = await journal.read()
  await journal.close('now')
  return read._tag === 'Left' ? read.left.why : 'opened'
}

/** Counts writes and flushes of the journal. */
const counting = (): Disk & { writes: number; flushes: number } => {
  const counted = {
    ...nodeDisk,
    writes: 0,
    flushes: 0,
    open: async (path: string, how: 'read' | 'change' | 'create') => {
      const inner = await nodeDisk.open(path, how)
      return {
        ...inner,
        write: (bytes: Uint8Array, at: number) => {
          counted.writes += 1
          return inner.write(bytes, at)
        },
        flushData: () => {
          counted.flushes += 1
          return inner.flushData()
        },
      }
    },
  }
  return counted
}

const [claimed, mounted] = attachFacts(1)

describe('a journal', () => {
  test('begins empty, closed to others, and keeps what was appended', async () => {
    const first = await opened()
    expect(first.facts).toEqual([])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await first.journal.append(claimed)()).toMatchObject({ _tag: 'Right' })
    expect(await first.journal.append(mounted)()).toMatchObject({ _tag: 'Right' })
    await first.journal.close('drain')
    const second = await opened()
    expect(second.facts).toEqual([...claimed, ...mounted])
    await second.journal.close('drain')
    expect(entries()).toEqual(['journal'])
    expect(notices).toEqual([])
  })

  test('writes what is appended together, and meanwhile, with one flush each', async () => {
    const disk = counting()
    const { journal } = await opened({ disk })
    disk.writes = 0
    const results = Array.from({ length: 64 }, (_, index) => journal.append([held(index)])())
    // These come while the first write is under way.
    const later = await new Promise<ReturnType<typeof journal.append>[]>((resolve) =>
      setImmediate(() => resolve(Array.from({ length: 64 }, (_, index) => journal.append([held(64 + index)])))),
    )
    const all = await Promise.all([...results, ...later.map((append) => append())])
    expect(all.every(({ _tag }) => _tag === 'Right')).toBe(true)
    expect(disk).toMatchObject({ writes: 2, flushes: 2 })
    await journal.close('drain')
    expect(await readJournal(directory)()).toMatchObject({
      right: Array.from({ length: 128 }, (_, index) => held(index)),
    })
  })

  test('is made shorter while appends go on, and stays in the order of the appends', async () => {
    const { journal } = await opened({ compactFactsMin: 100 })
    const facts: Fact[] = []
    for (let turn = 0; turn < 300; turn += 1) {
      const append = Array.from({ length: 10 }, (_, place) => held(turn * 10 + place)).flatMap((fact) =>
        fact.at % 10 === 0 ? [fact] : [fact, leftOf(fact)],
      )
      facts.push(...append)
      expect((await journal.append(append)())._tag).toBe('Right')
    }
    await journal.close('drain')
    const read = await readJournal(directory)()
    if (read._tag === 'Left') throw new Error(read.left.why)
    expect(read.right.length).toBeLessThan(2_000)
    expect(snapshot(read.right)).toEqual(snapshot(facts))
    expect(notices).toEqual([])
  }, 30_000)

  test('is made shorter by its bytes as well, however few its facts are', async () => {
    const { journal } = await opened({ compactBytesMin: 200_000 })
    const volume = 'v'.repeat(50_000)
    let longest = 0
    for (let turn = 0; turn < 60; turn += 1) {
      const fact = { ...held(turn), volume }
      for (const each of [fact, leftOf(fact)]) expect((await journal.append([each])())._tag).toBe('Right')
      longest = Math.max(longest, statSync(file).size)
    }
    await journal.close('drain')
    // Appends go on while it is made shorter; all of them together are 6 MB.
    expect(longest).toBeLessThan(3_000_000)
    expect(notices).toEqual([])
    // What was read counts as well: the next life begins with it.
    const { journal: next } = await opened({ compactBytesMin: 1 })
    // It is made shorter beside the appends, and not where it is closed meanwhile.
    for (let turn = 0; turn < 5_000 && statSync(file).size >= 200_000 + 1_000; turn += 1) {
      for (const each of [held(99), leftOf(held(99))]) expect((await next.append([each])())._tag).toBe('Right')
    }
    expect(statSync(file).size).toBeLessThan(200_000 + 1_000)
    await next.close('drain')
  }, 60_000)

  test('refuses appends before it was read, and after it was closed', async () => {
    const journal = made()
    expect(await journal.append(claimed)()).toMatchObject({ left: { why: `${file} was not read yet` } })
    await journal.read()
    expect(await journal.read()).toMatchObject({ left: { why: `${file} was read before` } })
    await journal.close('drain')
    expect(await journal.append(claimed)()).toMatchObject({ left: { why: `${file} is closed` } })
  })

  test('writes what waits when it is closed, unless there is no time', async () => {
    const { journal } = await opened()
    const drained = [journal.append([held(1)])(), journal.append([held(2)])()]
    await journal.close('drain')
    expect((await Promise.all(drained)).map(({ _tag }) => _tag)).toEqual(['Right', 'Right'])
    const again = await opened()
    expect(again.facts).toEqual([held(1), held(2)])
    const hurried = again.journal.append([held(3)])()
    await again.journal.close('now')
    expect(await hurried).toMatchObject({ left: { why: `${file} is closed` } })
    expect(await readJournal(directory)()).toMatchObject({ right: [held(1), held(2)] })
  })

  test('removes what a crash has left of a shorter file', async () => {
    writeFileSync(`${file}.new`, 'half of it')
    const { journal } = await opened()
    await journal.close('drain')
    expect(entries()).toEqual(['journal'])
  })
})

describe('a torn end', () => {
  test('is cut from the file, reported once, and overwritten', async () => {
    const torn = encodeWrite(mounted).slice(0, -30)
    writeFileSync(file, encodeHead(0) + encodeWrite(claimed) + torn)
    expect(await readJournal(directory)()).toMatchObject({ right: claimed })
    expect(await refusal()).toBe('opened')
    expect(notices).toEqual([
      `${file}: the last write was torn at line 5 (it has no end); its ${Buffer.byteLength(torn)} bytes were cut`,
    ])
    expect(readFileSync(file, 'utf8')).toBe(encodeHead(0) + encodeWrite(claimed))
    const { facts, journal } = await opened()
    expect(facts).toEqual(claimed)
    expect(notices).toHaveLength(1)
    await journal.append([held(1)])()
    await journal.close('drain')
    expect(await readJournal(directory)()).toMatchObject({ right: [...claimed, held(1)] })
  })
})

describe('a damaged file', () => {
  const text = [encodeHead(0), encodeWrite(claimed), encodeWrite(mounted), encodeWrite([held(1)])].join('')
  const damaged = text.replace('"DirectoryMade"', '"DirectoryMode"')

  test('is refused with file, line, reason and fix, and left alone', async () => {
    writeFileSync(file, damaged)
    const why =
      `${file}, line 3: its checksum is not that of its content; ` +
      `mountkeeper doctor --state-dir ${directory} --repair keeps it aside and saves every line that can be read`
    expect(await refusal()).toBe(why)
    expect(await readJournal(directory)()).toMatchObject({ left: { why } })
    expect(await examineJournal(directory)()).toMatchObject({
      right: { path: file, fault: { _tag: 'Damaged', line: 3 }, bytes: Buffer.byteLength(damaged) },
    })
    expect(readFileSync(file, 'utf8')).toBe(damaged)
  })

  test('is rebuilt from the lines that can be read, and kept', async () => {
    writeFileSync(file, damaged)
    writeFileSync(`${file}.damaged-1`, 'of an earlier time')
    expect(await repairJournal(directory)()).toMatchObject({
      right: {
        _tag: 'Rebuilt',
        kept: `${file}.damaged-2`,
        facts: 4,
        lost: [{ line: 3, why: 'its checksum is not that of its content' }],
        knowsBoot: false,
      },
    })
    expect(readFileSync(`${file}.damaged-2`, 'utf8')).toBe(damaged)
    const { facts, journal } = await opened()
    expect(facts).toEqual([...claimed, ...mounted.slice(1), held(1)])
    await journal.close('drain')
    expect(await repairJournal(directory)()).toMatchObject({ right: { _tag: 'NotNeeded' } })
  })

  test('that is only torn, or not there, needs no repair', async () => {
    expect(await repairJournal(directory)()).toMatchObject({ right: { _tag: 'NotNeeded' } })
    expect(await examineJournal(directory)()).toMatchObject({ right: undefined })
    writeFileSync(file, text.slice(0, -3))
    expect(await repairJournal(directory)()).toMatchObject({ right: { _tag: 'NotNeeded' } })
    expect(entries()).toEqual(['journal'])
  })

  test('of a newer version is refused, and not repaired', async () => {
    writeFileSync(file, readFileSync(new URL('../../../test-fixtures/journal/newer.journal', import.meta.url)))
    const why = `${file}, line 1: a newer version wrote it: format 99 with facts of version 1, where this one knows 3 and 2; `
    expect(await refusal()).toContain(why)
    expect(await repairJournal(directory)()).toMatchObject({ left: { why: expect.stringContaining(why) as string } })
  })
})

describe('a directory', () => {
  test.each([
    ['that is not there', (): string => join(directory, 'nowhere'), 'does not exist; create it: install -d -m 0700 '],
    [
      'that others can read',
      (): string => (chmodSync(directory, 0o750), directory),
      'is open to others (mode 750); chmod 0700 ',
    ],
    ['that is a file', (): string => (writeFileSync(file, ''), file), 'is no directory; name the directory itself'],
  ])('%s is refused', async (_, prepare, why) => {
    const place = prepare()
    expect(await refusal({ directory: place })).toContain(`the state directory ${place} ${why}`)
    chmodSync(directory, 0o700)
  })

  test('of another user is refused', async () => {
    const disk: Disk = { ...nodeDisk, uid: () => 4_711 }
    expect(await refusal({ disk })).toMatch(/belongs to user \d+, not to 4711; chown 4711 /)
  })

  test('with something else in place of the journal is refused', async () => {
    symlinkSync('/etc/passwd', file)
    expect(await refusal()).toContain(`${file} cannot be opened: it is a link (ELOOP)`)
    rmSync(file)
    mkdirSync(file)
    expect(await refusal()).toContain(`${file} cannot be opened: it is a directory (EISDIR)`)
  })
})
