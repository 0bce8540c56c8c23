// `mountkeeper simulate`, on the core as it is and on one that forgets to record its claims.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Core from '@mountkeeper/core'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { commandLine } from '../src/command-line.js'
import { streamsWith } from './drive.js'

const mistaken = vi.hoisted(() => ({ forgets: false }))

vi.mock('@mountkeeper/core', async (original) => {
  const core = await original<typeof Core>()
  const decide: typeof core.decide = (host, input) => {
    const decision = core.decide(host, input)
    if (!mistaken.forgets) return decision
    return { ...decision, append: decision.append.filter(({ _tag }) => _tag !== 'Claimed') }
  }
  return { ...core, decide }
})

const folder = mkdtempSync(join(tmpdir(), 'mountkeeper-simulate-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})
afterEach(() => {
  mistaken.forgets = false
})

const simulated = async (...argv: readonly string[]) => {
  const streams = streamsWith()
  const code = await commandLine(['simulate', ...argv], streams)
  return { code, out: streams.stdout.text(), said: streams.stderr.text() }
}

const withoutTime = (text: string): unknown => ({ ...(JSON.parse(text) as object), seconds: 0 })

describe('simulate', () => {
  test('says what was played, and that nothing broke', async () => {
    const { code, out, said } = await simulated('--seed', '1', '--runs', '40')
    expect(out).toMatch(
      /^40 runs, [\d,]+ actions, [\d,]+ decisions; \d+ laws checked [\d,]+ times; \d+\.\d s; seed 1: no law was broken\n$/,
    )
    expect({ code, said }).toEqual({ code: 0, said: '' })
  })

  test('plays the same runs for the same seeds, and others for others', async () => {
    const [first, again, other] = await Promise.all(
      ['7', '7', '8'].map((seed) => simulated('--seed', seed, '--runs', '20', '--json')),
    )
    expect(withoutTime(first!.out)).toEqual(withoutTime(again!.out))
    expect(withoutTime(first!.out)).not.toMatchObject({
      actions: (JSON.parse(other!.out) as { actions: number }).actions,
    })
  })

  test('without a seed shows the one that it took', async () => {
    const { out } = await simulated('--runs', '2', '--json')
    const { seed } = JSON.parse(out) as { seed: number }
    expect(withoutTime((await simulated('--seed', String(seed), '--runs', '2', '--json')).out)).toEqual(
      withoutTime(out),
    )
  })

  test('without faults puts no law on crashes to the test', async () => {
    const { out } = await simulated('--seed', '1', '--runs', '100', '--faults', 'none', '--json')
    const { judged } = JSON.parse(out) as { judged: Record<string, number> }
    expect(judged['L45']).toBeGreaterThan(0)
    expect(judged['L25']).toBeUndefined()
  })
})

describe('a law that is broken', () => {
  const trace = join(folder, 'found.trace')

  test('is reported in a few lines, with the seed that repeats it, and replays', async () => {
    mistaken.forgets = true
    const { code, out } = await simulated('--seed', '1', '--runs', '1000', '--trace', trace)
    expect(code).toBe(1)
    const [, law = ''] = /\n(L\d+) is broken: .* \(\d actions, shrunk from \d+\)\n/.exec(out) ?? []
    expect(law).not.toBe('')
    expect(out.split('\n').length).toBeLessThan(40)
    const seed = /mountkeeper simulate --seed (\d+) --runs 1\n/.exec(out)?.[1]
    const again = await simulated('--seed', seed ?? '', '--runs', '1', '--trace', trace)
    expect(again.out).toContain(`\n${law} is broken: `)
    const replayed = streamsWith()
    expect(await commandLine(['replay', trace], replayed)).toBe(0)
    mistaken.forgets = false
    expect(await commandLine(['replay', trace], streamsWith())).toBe(1)
  })

  test('is one JSON object for machines, as it was found if that is asked for', async () => {
    mistaken.forgets = true
    const { code, out } = await simulated('--seed', '1', '--runs', '9', '--json', '--shrink=false', '--trace', trace)
    const { broken } = JSON.parse(out) as {
      broken: { actionsFound: number; run: { actions: unknown[] }; repeat: string }
    }
    expect(code).toBe(1)
    expect(broken.run.actions.length).toBe(broken.actionsFound)
    expect(broken.repeat).toMatch(/--runs 1 --shrink=false$/)
    expect(readFileSync(trace, 'utf8')).toMatch(/^\{"format":1,/)
  })
})

describe('what cannot be', () => {
  test.each([
    [['--seed', '-1'], '--seed'],
    [['--seed', '4294967296'], '--seed 4294967296: expected a whole number from 0 to 4294967295'],
    [['--runs', '0'], '--runs 0: expected a whole number from 1 to 1000000000'],
    [['--faults', 'late,nope'], '--faults late,nope: nope is not a kind of fault; see mountkeeper simulate --help'],
    [['--faults', ''], '--faults'],
    [
      ['--trace', join(folder, 'nowhere/t')],
      'is in a directory that does not exist; give the path of a file that can be written',
    ],
    [['--trace', folder], 'is a directory; give the path of a file that can be written'],
  ])('%j is reported with its flag', async (argv, text) => {
    const { code, said } = await simulated(...argv)
    expect(said).toContain(text)
    expect(said.split('\n')).toHaveLength(2)
    expect(code).toBe(2)
  })

  test('a trace that is only tried for is not left behind', async () => {
    const path = join(folder, 'unused.trace')
    expect((await simulated('--runs', '2', '--trace', path)).code).toBe(0)
    expect(existsSync(path)).toBe(false)
  })
})
