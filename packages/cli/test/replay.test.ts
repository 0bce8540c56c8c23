import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandLine } from '../src/command-line.js'
import { attach, detach, drive, streamsWith } from './drive.js'

let folder = ''
let lines: readonly string[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mountkeeper-replay-'))
  const path = join(folder, 'recorded')
  const run = drive({ trace: { fd: openSync(path, 'w'), path } })
  run.send(attach('1'), attach('2'), detach('3', '1'), detach('4', '2'), attach('5', '../a'))
  run.end()
  await run.exit
  lines = readFileSync(path, 'utf8').trimEnd().split('\n')
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const replayed = async (...written: readonly string[]) => {
  const path = join(folder, 'trace')
  writeFileSync(path, written.join('\n'))
  const streams = streamsWith()
  const code = await commandLine(['replay', path], streams)
  return {
    code,
    out: streams.stdout.text().replaceAll(path, 'TRACE'),
    said: streams.stderr.text().replaceAll(path, 'TRACE'),
  }
}

describe('replay', () => {
  test('of what was recorded finds no difference', async () => {
    expect(await replayed(...lines, '')).toEqual({
      code: 0,
      out: `TRACE: ${lines.length - 1} inputs, every decision is the same\n`,
      said: '',
    })
  })

  test('reports the first line that differs, what was recorded and what is decided now', async () => {
    const number = lines.findIndex((line) => line.includes('"mount":"shared"'))
    const changed = lines.map((line) => line.replace('"mount":"shared"', '"mount":"adopted"'))
    const { code, out } = await replayed(...changed)
    expect(code).toBe(1)
    expect(out).toContain(`TRACE: line ${number + 1} differs in answers[0]\n`)
    expect(out).toMatch(/\n {2}recorded {2}\{.*"mount":"adopted".*\}\n {2}now {7}\{.*"mount":"shared".*\}\n$/)
  })

  test('knows a missing effect', async () => {
    const changed = lines.map((line) => line.replace(/"effects":\[\{"_tag":"Mount".*?\}\]/, '"effects":[]'))
    const { code, out } = await replayed(...changed)
    expect(code).toBe(1)
    expect(out).toMatch(/differs in effects\[0\]\n.*\n {2}recorded {2}nothing\n {2}now {7}\{"_tag":"Mount"/)
  })

  test.each([
    ['no JSON', () => ['x'], 'line 1: not JSON at character 1'],
    ['empty', () => [''], 'line 1: not JSON at character 1'],
    ['of another format', () => ['{"format":99}'], 'line 1: format: expected 1, got 99'],
    ['cut in the middle', () => [...lines.slice(0, 3), lines[3]!.slice(0, 40)], 'line 4: not JSON at character 4'],
    ['with a line left out', () => [...lines.slice(0, 3), ...lines.slice(4)], 'line 4: n: expected 3, got 4'],
    [
      'with an unknown input',
      () => [lines[0]!, lines[1]!.replace('"Requested"', '"Wished"')],
      'line 2: input._tag: expected',
    ],
  ])('of a file that is %s ends with 2 and the line', async (_, written, text) => {
    const { code, said, out } = await replayed(...written())
    expect(code).toBe(2)
    expect(said).toContain(`mountkeeper: TRACE: ${text}`)
    expect(said.split('\n')).toHaveLength(2)
    expect(out).toBe('')
  })

  test('of nothing that is there ends with 2 and the path', async () => {
    const streams = streamsWith()
    expect(await commandLine(['replay', '/nowhere/trace'], streams)).toBe(2)
    expect(streams.stderr.text()).toMatch(/^mountkeeper: \/nowhere\/trace does not exist; .*\n$/)
  })
})
