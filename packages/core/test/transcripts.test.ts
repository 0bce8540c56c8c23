// Every scenario of test-fixtures/interactions produces, line by line, what stands in its file.
// UPDATE_TRANSCRIPTS=1 rewrites the files; the change is then read as a diff.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, test } from 'vitest'
import { difference, rewritten } from './transcript/run.js'

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
})
