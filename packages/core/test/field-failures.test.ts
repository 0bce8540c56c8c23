// What went wrong for users of other systems, played here: every case of the list has its scenario, and each scenario produces
// what stands in its file. UPDATE_TRANSCRIPTS=1 rewrites the files and the table of the documentation.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { afterAll, describe, expect, test } from 'vitest'
import { CASES } from './field-failures/cases.js'
import { readHeader, unreadable } from './field-failures/header.js'
import { countOf, tableOf } from './field-failures/table.js'
import { parseScenario } from './transcript/scenario.js'
import { difference, rewritten } from './transcript/run.js'

const top = join(import.meta.dirname, '../../..')
const folder = join(top, 'test-fixtures/field-failures')
const page = join(import.meta.dirname, '../docs/field-failures.md')
const update = process.env['UPDATE_TRANSCRIPTS'] === '1'
const files = readdirSync(folder).sort()
const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
const told = files.map((file) => ({ file, header: readHeader(read(file)) }))

const isAnswered = (line: string): boolean => line.startsWith('  -> ')

/** Whether a test of this name stands in its file, as it is written there: `packages/…/x.test.ts "name"`. */
const stands = (reference: string): boolean => {
  const [, file, name] = /^(packages\/\S+\.test\.ts) "(.+)"$/.exec(reference) ?? []
  if (file === undefined || name === undefined || !existsSync(join(top, file))) return false
  return readFileSync(join(top, file), 'utf8').includes(`'${name}'`)
}

describe('field failures', () => {
  test('have each one scenario', () => {
    expect(told.map(({ header }) => header.number)).toEqual([...CASES.keys()])
  })

  test('are text files named after number and case', () => {
    const wrong = told.filter(({ file, header }) => {
      const number = String(header.number).padStart(3, '0')
      return !new RegExp(`^${number}(-[0-9a-z]+)+\\.txt$`).test(file)
    })
    expect(wrong).toEqual([])
  })

  test.each(told)('$file says where, what was seen, why, and which laws answer it', ({ file, header }) => {
    expect(unreadable(read(file))).toEqual([])
    expect(header.title).not.toBe('')
    expect(header.links).not.toEqual([])
    expect(header.links.filter((link) => !/^https:\/\/\S+$/.test(link))).toEqual([])
    expect(header.saw).toMatch(/\.$/)
    expect(header.cause).not.toBe('')
    expect(header.laws).toBe(CASES.get(header.number))
    expect(header.realKernel.filter((each) => !stands(each))).toEqual([])
  })

  test.for(told)('$file', ({ file, header }, { task }) => {
    const was = read(file)
    const is = rewritten(file, was)
    if (update && was !== is) writeFileSync(join(folder, file), is)
    const different = update ? undefined : difference(file, was, is)
    if (different !== undefined) expect.fail(`${different}\nUPDATE_TRANSCRIPTS=1 rewrites it.`)
    const { blocks } = parseScenario(file, is)
    if (header.cannotHappen === undefined) expect(blocks.some((block) => block.expected.some(isAnswered))).toBe(true)
    else expect(blocks).toEqual([])
    const played = header.cannotHappen === undefined ? 1 : 0
    Object.assign(task.meta, { figures: { fieldFailuresPlayed: played, fieldFailuresImpossible: 1 - played } })
  })

  test('have a table in the documentation that is not stale', () => {
    const is = tableOf(told)
    mkdirSync(dirname(page), { recursive: true })
    if (update) writeFileSync(page, is)
    expect(readFileSync(page, 'utf8')).toBe(is)
  })

  afterAll(() => {
    process.stdout.write(`field failures: ${countOf(told)}\n`)
  })
})
