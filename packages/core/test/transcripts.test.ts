// Every scenario of test-fixtures/interactions produces, line by line, what stands in its file.
// UPDATE_TRANSCRIPTS=1 rewrites the files; the change is then read as a diff.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, test } from 'vitest'
import { notInTable, notSeen } from '@mountkeeper/inspect'
import { difference, rewritten } from './transcript/run.js'
import { CELLS } from './transcript/story.js'

const folder = join(import.meta.dirname, '../../../test-fixtures/interactions')
const update = process.env['UPDATE_TRANSCRIPTS'] === '1'
const files = readdirSync(folder)
  .filter((file) => file !== 'README.md')
  .sort()

describe('interactions', () => {
  test('are text files with names in kebab-case', () => {
    expect(files.filter((file) => !/^[0-9a-z]+(-[0-9a-z]+)*\.txt$/.test(file))).toEqual([])
  })

  test.each(files)('%s', (file) => {
    const was = readFileSync(join(folder, file), 'utf8')
    const is = rewritten(file, was)
    if (update && was !== is) writeFileSync(join(folder, file), is)
    const told = update ? undefined : difference(file, was, is)
    if (told !== undefined) expect.fail(`${told}\nUPDATE_TRANSCRIPTS=1 rewrites it.`)
  })

  // Exploration shows these.
  const NOT_PLAYED = [
    'queued Granted never leads to queued',
    'queued Observed never leads to queued',
    'delayed Deadline never leads to resting',
    'delayed Deadline never leads to queued',
  ]

  test('go through every cell of the table, to every situation that it names, and to no other', () => {
    expect({ notInTable: notInTable(CELLS), notSeen: notSeen(CELLS) }).toEqual({ notInTable: [], notSeen: NOT_PLAYED })
  })
})
