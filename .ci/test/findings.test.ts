// The pages of findings and of security name tests that exist, and leave no finding out.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { top } from './tree.js'

const page = readFileSync(join(top, 'packages/core/docs/findings.md'), 'utf8')
const security = readFileSync(join(top, 'SECURITY.md'), 'utf8')
const rowsOf = (text: string): readonly string[] => text.split('\n').filter((line) => /^\| [A-Z][0-9]+ \|/.test(line))
const rows = rowsOf(page)

const numbered = (letter: string, numbers: readonly number[]): readonly string[] =>
  numbers.map((number) => `${letter}${number}`)
const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, index) => index + 1)

test('every finding has one row, with a test or a reason', () => {
  const ids = [
    ...numbered('W', [4, 6, 7, 8, 9, 10, 11, 12]),
    ...numbered('G', upTo(10)),
    ...numbered('P', upTo(2)),
    ...numbered('M', upTo(4)),
    ...numbered('S', upTo(10)),
    ...numbered('F', upTo(18)),
    ...numbered('A', [1, 2, 3, 4, 5, 6, 7, 11, 13]),
  ]
  expect(rows.map((row) => row.split(' | ')[0]?.slice(2))).toEqual(ids)
  for (const row of rows) expect(row).toMatch(/ \| [^|]+ \| [^|]{10,} \|$/)
})

test('the page of security has a row for each of the sixteen findings, with a test, and says of each whether it is closed', () => {
  const table = rowsOf(security)
  expect(table.map((row) => row.split(' | ')[0]?.slice(2))).toEqual(numbered('A', upTo(16)))
  for (const row of table) expect(row).toMatch(/ \| (?:critical|high|medium|low) \| (?:closed: `|partly open\. .*`)/)
})

const named = [...`${page}\n${security}`.matchAll(/`((?:packages|test-fixtures)\/[^`]+)`(?:: "([^"]+)")?/g)].map(
  ([, path = '', name = '']) => ({
    path,
    name,
  }),
)

test.each(named)('$path has the test "$name"', ({ path, name }) => {
  expect(existsSync(join(top, path))).toBe(true)
  expect(readFileSync(join(top, path), 'utf8')).toContain(name)
})
