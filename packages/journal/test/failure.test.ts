// What a journal says when the system refuses: which file, what is wrong, and what to do about it, whatever the refusal is.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Disk } from '../src/index.js'
import { createFileJournal, encodeHead, encodeWrite, examineJournal, nodeDisk, readJournal } from '../src/index.js'
import { codeOf, fileFailed } from '../src/failure.js'
import { held, leftOf } from './facts.js'
import { createModelDisk, systemError } from './model-disk.js'

let directory = ''
let file = ''
const path = process.env['PATH'] ?? ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mountkeeper-journal-'))
  file = join(directory, 'journal')
})

afterEach(() => {
  process.env['PATH'] = path
  rmSync(directory, { recursive: true })
})

const END = 'then start the manager again: all that it has answered is kept'

describe('a failure', () => {
  test('is named by what the system said, or as it is', () => {
    expect(codeOf(systemError('ENOSPC'))).toBe('ENOSPC')
    expect([codeOf(new Error('no')), codeOf({ code: 'EIO' }), codeOf('late')]).toEqual([
      'Error: no',
      '[object Object]',
      'late',
    ])
  })

  test.each([
    ['EFBIG', 'no file may grow so large (EFBIG); raise the limit on the size of files'],
    ['ENOTUNIQ', 'the system refuses (ENOTUNIQ); check its filesystem'],
  ])('%s has its fix', (code, text) => {
    expect(fileFailed('/s/journal', 'written', systemError(code))).toEqual({
      _tag: 'JournalFailed',
      why: `/s/journal cannot be written: ${text}, ${END}`,
    })
  })
})

describe('a journal that can be seen and not read', () => {
  test('is refused by who only looks', async () => {
    symlinkSync('/etc/hostname', file)
    const why = `${file} cannot be read: it is a link (ELOOP); put the file itself there, ${END}`
    expect(await examineJournal(directory)()).toEqual({ _tag: 'Left', left: { _tag: 'JournalFailed', why } })
    expect(await readJournal(directory)()).toEqual({ _tag: 'Left', left: { _tag: 'JournalFailed', why } })
  })

  test('and one that is not there has no facts', async () => {
    expect(await readJournal(directory)()).toEqual({ _tag: 'Right', right: [] })
  })

  test('is closed by who only looks, whatever is in it', async () => {
    writeFileSync(file, encodeHead(0) + encodeWrite([held(1)]))
    let open = 0
    const counted: Disk = {
      ...nodeDisk,
      open: async (name, how) => {
        const inner = await nodeDisk.open(name, how)
        open += 1
        const close = async (): Promise<void> => {
          open -= 1
          await inner.close()
        }
        return { ...inner, close }
      },
    }
    expect(await readJournal(directory, counted)()).toMatchObject({ right: [held(1)] })
    expect(open).toBe(0)
  })
})

const refusal = async (disk: Disk = nodeDisk, where = directory): Promise<string> => {
  const journal = createFileJournal({ directory: where, disk })
  const read = await journal.read()
  await journal.close('now')
  return read._tag === 'Left' ? read.left.why : 'opened'
}

test('a state directory that cannot be looked at is refused with what the system said', async () => {
  const disk: Disk = { ...nodeDisk, look: () => Promise.reject(systemError('EACCES')) }
  expect(await refusal(disk)).toBe(`the state directory ${directory} cannot be looked at (EACCES); make it accessible`)
})

describe('a lock that cannot be taken', () => {
  const programs = (script?: string): void => {
    const place = join(directory, 'programs')
    mkdirSync(place)
    if (script !== undefined) writeFileSync(join(place, 'flock'), script, { mode: 0o755 })
    process.env['PATH'] = script === undefined ? place : `${place}${delimiter}${path}`
  }

  test('because flock is not there, or fails, is refused', async () => {
    programs()
    expect(await refusal()).toContain(`${file}.lock cannot be locked: the system refuses (ENOENT)`)
  })

  test.each([
    ['fails', '#!/bin/sh\nexit 3\n', 'flock ended with 3'],
    ['is killed', '#!/bin/sh\nkill -9 $$\n', 'flock ended with -1'],
  ])('because flock %s, is refused', async (_, script, why) => {
    programs(script)
    expect(await refusal()).toContain(`${file}.lock cannot be locked: the system refuses (Error: ${why})`)
    process.env['PATH'] = path
    expect(await refusal()).toBe('opened')
  })
})

test('a file that cannot be made shorter says so, with the reason and what becomes of it', async () => {
  const notices: string[] = []
  const disk = createModelDisk()
  const full: Disk = {
    ...disk,
    open: (name, how) =>
      name.endsWith('.new') && notices.length === 0 && begun
        ? Promise.reject(systemError('ENOSPC'))
        : disk.open(name, how),
  }
  let begun = false
  const journal = createFileJournal({
    directory: '/state',
    disk: full,
    compactFactsMin: 4,
    notice: (sentence) => notices.push(sentence),
  })
  await journal.read()
  begun = true
  for (let index = 0; index < 8; index += 1) await journal.append([held(index), leftOf(held(index))])()
  await journal.close('drain')
  expect(notices).toEqual([
    '/state/journal cannot be shortened: the disk is full (ENOSPC); make room on its filesystem; ' +
      'it stays as it is, and this is tried again later',
  ])
})
