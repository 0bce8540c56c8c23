// Every planted mistake is found by the law suites, by laws over random runs and not by golden transcripts; the core itself is
// not. Two at a time: a bundle and a worker thread each.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { attempt, newFolder } from './attempts.js'
import { occurrences } from './mutant.js'
import { MUTANTS, RARE } from './mutants.js'
import { coreSources } from './planted.js'
import type { Verdict } from './suite/attempt.js'

// Few runs of each law first: most mistakes show at once, and a law that comes later need not wait for those before it.
const ROUNDS = { rounds: [20, 100, 800], seed: 20_261_122 }
const TOGETHER = 2
// A mutant waits for those before it.
const LIMIT_MS = 1_200_000

const folder = newFolder()
const verdicts = new Map<string, Verdict>()

const line = (name: string, { law, runs, ms }: Verdict): string =>
  `${name.padEnd(32)} ${(law ?? 'SURVIVES').padEnd(12)} ${String(runs).padStart(6)} runs ${String(ms).padStart(6)} ms`

afterAll(() => {
  folder.remove()
  const found = [...verdicts.values()].filter(({ law }) => law !== undefined).length
  const table = [...verdicts].map(([name, verdict]) => line(name, verdict))
  console.log([...table, `${found} of ${MUTANTS.length} planted mistakes were found by laws`].join('\n'))
})

describe('a planted mistake', () => {
  test.each([...MUTANTS, ...RARE])('$name can be planted', ({ edits }) => {
    const times = edits.map(({ file, find }) => occurrences(readFileSync(join(coreSources, file), 'utf8'), find))
    expect(times).toEqual(edits.map(() => 1))
  })

  test('has a name of its own', ({ task }) => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
    Object.assign(task.meta, { figures: { mutantsPlanted: MUTANTS.length } })
  })
})

/** Starts them in order, so many at a time; each can be waited for by itself. */
const inTurn = <Value, Result>(
  values: readonly Value[],
  work: (value: Value) => Promise<Result>,
): Promise<Result>[] => {
  const lanes: Promise<unknown>[] = Array.from({ length: TOGETHER }, () => Promise.resolve())
  return values.map((value, index) => {
    const lane = index % TOGETHER
    const done = (lanes[lane] ?? Promise.resolve()).then(() => work(value))
    lanes[lane] = done.catch(() => undefined)
    return done
  })
}

describe('the laws', () => {
  const all = inTurn([undefined, ...MUTANTS], (mutant) => attempt(folder, mutant, ROUNDS))
  for (const one of all) one.catch(() => undefined)

  test('hold for the core as it is', { timeout: LIMIT_MS }, async () => {
    const verdict = await all[0]!
    verdicts.set('(the core as it is)', verdict)
    expect(verdict).toMatchObject({ law: undefined, why: '' })
  })

  test.for(MUTANTS.map((mutant, index) => ({ ...mutant, index })))(
    'find $name: $mistake ($laws)',
    { timeout: LIMIT_MS },
    async ({ name, index }, { task }) => {
      const verdict = await all[index + 1]!
      verdicts.set(name, verdict)
      expect(verdict.law, 'no law was broken: the oracles are too weak').toBeDefined()
      Object.assign(task.meta, { figures: { mutantsKilled: 1 } })
    },
  )
})
