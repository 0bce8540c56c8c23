import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, expect, test } from 'vitest'
import { readProcFile } from '../src/proc-file.js'

const folder = mkdtempSync(`${tmpdir()}/mountkeeper-proc-`)
afterAll(() => {
  rmSync(folder, { recursive: true })
})

test.each([0, 1, 4_095, 4_096, 4_097, 20_000])('a file of %i bytes, each of any value', (size) => {
  const bytes = Buffer.from(Array.from({ length: size }, (_, index) => index % 256))
  writeFileSync(`${folder}/file`, bytes)
  expect(readProcFile(`${folder}/file`)).toBe(bytes.toString('latin1'))
})

test('what cannot be read throws as elsewhere', () => {
  expect(() => readProcFile(`${folder}/none`)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  expect(() => readProcFile(folder)).toThrow(expect.objectContaining({ code: 'EISDIR' }))
})

test('hundreds of readings leave no garbage beside their text, unlike those of readFileSync', () => {
  const bytesOf = (read: (path: string) => unknown): number => {
    const before = process.memoryUsage().arrayBuffers
    for (let time = 0; time < 100; time += 1) read('/proc/self/status')
    return process.memoryUsage().arrayBuffers - before
  }
  expect(bytesOf(readProcFile)).toBeLessThan(65_536)
  // That this is worth it: Node has no buffer of its own for files whose size is not known.
  expect(bytesOf((path) => readFileSync(path, 'latin1'))).toBeGreaterThan(1_000_000)
})
