// Every version of the file that was ever written can be read: test-fixtures/journal/vN.journal is one of version N, and is
// never changed; vN.txt says which facts are in it. A file of the version of today is written again byte by byte.

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { FACT_FORMAT } from '@mountkeeper/codec'
import { showFact } from '@mountkeeper/inspect'
import { expect, test } from 'vitest'
import { encodeHead, encodeWrite, JOURNAL_FORMAT, scanBytes } from '../src/index.js'

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../test-fixtures/journal/${name}`, import.meta.url))
const bytesOf = (version: number): Buffer => readFileSync(fixture(`v${version}.journal`))

const versions = Array.from({ length: JOURNAL_FORMAT }, (_, index) => index + 1)

test.each(versions)('version %i can be read', async (version) => {
  const { fault, read, head } = scanBytes(bytesOf(version))
  expect(fault).toBeUndefined()
  expect(head?.format).toBe(version)
  await expect(`${read.map(showFact).join('\n')}\n`).toMatchFileSnapshot(fixture(`v${version}.txt`))
})

test('the newest version is the one that is written', () => {
  const bytes = bytesOf(JOURNAL_FORMAT)
  const { read, head } = scanBytes(bytes)
  const snapshot = head?.snapshot ?? 0
  // As the file was made: one fact a line in the snapshot, then an attach, then all the others at once.
  const [first, ...others] = read.slice(snapshot)
  const lines = [encodeHead(snapshot), ...read.slice(0, snapshot).map((fact) => encodeWrite([fact]))]
  expect([...lines, encodeWrite([first!]), encodeWrite(others)].join('')).toBe(bytes.toString())
  expect(head?.facts).toBe(FACT_FORMAT)
  expect(new Set(read.map(({ _tag }) => _tag)).size, 'every kind of fact is in it').toBe(14)
})

test('a version to come is refused', () => {
  expect(existsSync(fixture(`v${JOURNAL_FORMAT + 1}.journal`))).toBe(false)
  expect(scanBytes(readFileSync(fixture('newer.journal'))).fault).toMatchObject({ _tag: 'Newer', line: 1 })
})
