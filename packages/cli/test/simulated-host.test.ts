// `mountkeeper run --host simulator`: the answers of a real run, of any user, with nothing locked and nothing left.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { commandLine } from '../src/command-line.js'
import { attach, detach, streamsWith } from './drive.js'

const folder = mkdtempSync(join(tmpdir(), 'mountkeeper-simulated-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

// A root that this machine does not have.
const ROOT = '/srv/of-no-machine'

const simulated = async (requests: readonly object[], ...argv: readonly string[]) => {
  const file = join(folder, 'requests.jsonl')
  const text = requests.map((each) => JSON.stringify(each).replaceAll('/srv/mounts/', `${ROOT}/`)).join('\n')
  writeFileSync(file, text)
  const streams = streamsWith()
  const code = await commandLine(['run', '--host', 'simulator', ...argv, file], streams)
  const answers = streams.stdout
    .text()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map(
      (line) =>
        JSON.parse(line) as { ok: boolean; result?: { _tag: string; mount?: string }; error?: { _tag: string } },
    )
  return { code, said: streams.stderr.text(), answers }
}

const bind = (id: string, source: string) => ({
  ...attach(id),
  filesystem: { type: 'bind', source, options: ['ro'] },
})

describe('run --host simulator', () => {
  test('mounts, shares, unmounts and removes, and leaves this machine alone', async () => {
    const { code, answers } = await simulated(
      [
        attach('1'),
        { ...attach('2'), volume: 'another' },
        detach('3', '1'),
        { ...detach('4', '2'), volume: 'another' },
      ],
      ...['--root', ROOT],
    )
    expect(answers.map(({ result }) => result?.mount)).toEqual(['mounted', 'shared', 'held', 'unmounted'])
    expect(code).toBe(0)
    expect(existsSync(ROOT)).toBe(false)
  })

  test('has whatever is bound, as far as the lists allow it', async () => {
    const { code, answers } = await simulated(
      [bind('1', '/srv/exports/deep/below'), detach('2', '1'), bind('3', '/etc')],
      ...['--root', ROOT, '--allow', 'bind=/srv/exports/'],
    )
    expect(answers.map(({ result, error }) => result?.mount ?? error?._tag)).toEqual([
      'mounted',
      'unmounted',
      'Invalid',
    ])
    expect(code).toBe(1)
  })

  test('records a trace that replays', async () => {
    const trace = join(folder, 'run.trace')
    await simulated([attach('1')], '--root', ROOT, '--trace', trace)
    expect(readFileSync(trace, 'utf8')).toContain(`"mountpoint":"${ROOT}/`)
    expect(await commandLine(['replay', trace], streamsWith())).toBe(0)
  })

  test.each([
    [['--root', ROOT, '--state-dir', folder], '--state-dir cannot be used with --host simulator'],
    [['--sandbox'], '--sandbox and --host simulator cannot be combined'],
    [[], 'no managed root is configured; add --root DIR'],
  ])('%j is reported in one line', async (argv, text) => {
    const { code, said } = await simulated([], ...argv)
    expect(said).toContain(text)
    expect(said.split('\n')).toHaveLength(2)
    expect(code).toBe(2)
  })
})
