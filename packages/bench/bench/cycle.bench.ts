// One cycle (attach, detach, one consumer, tmpfs) and bursts of them, beside a loop in bash that runs the same four commands. All in
// turn in each round: compare the ratios, which are those of a round, and not the milliseconds.
//
//   npm run bench -- bench                         BENCH_JSON=FILE writes the figures there as well
//   ROUNDS=7 CYCLES=40 WAITING=8,64,512,4096 npm run bench -- bench

import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Cost, Row } from '@mountkeeper/bench'
import { burst, circumstances, figureOf, inNamespace, must, oneAtATime, ratioOf } from '@mountkeeper/bench'
import { shellLoop, startManager, tell } from '@mountkeeper/bench'

const ROUNDS = Number(process.env['ROUNDS'] ?? 7)
const CYCLES = Number(process.env['CYCLES'] ?? 40)
const WAITING = (process.env['WAITING'] ?? '8,64,512,4096').split(',').map(Number)
const TOP = new URL('../../../../../', import.meta.url)
const MS_PER_SECOND = 1e3

/** Aims of bursts, as multiples of the loop's rate, by requests waiting. */
const TIMES: Readonly<Record<number, number>> = { 8: 5, 64: 12, 512: 20 }

const ROOT = '/srv/mounts'
const LOOP = '/srv/loop'

/** The best rate that a burst of many is compared with. */
const LARGE = 512

const atMost = (most: number, value: number): Pick<Row, 'aim' | 'met'> => ({ aim: `<= ${most}`, met: value <= most })
const atLeast = (least: number, value: number): Pick<Row, 'aim' | 'met'> => ({
  aim: `>= ${least}`,
  met: value >= least,
})

const rowsOf = (
  bash: readonly number[],
  dash: readonly number[],
  single: readonly Cost[],
  bursts: readonly (readonly [waiting: number, costs: readonly Cost[]])[],
): readonly Row[] => {
  const toBash = ratioOf(
    single.map(({ wallMs }) => wallMs),
    bash,
  )
  const loop = figureOf(single.map(({ loopMs }) => loopMs))
  const own = figureOf(single.map(({ ownMs }) => ownMs))
  const rows: Row[] = [
    { name: 'bash loop', unit: 'ms', figure: figureOf(bash) },
    { name: 'dash loop, to bash', unit: 'times', figure: ratioOf(dash, bash) },
    { name: 'one cycle at a time', unit: 'ms', figure: figureOf(single.map(({ wallMs }) => wallMs)) },
    { name: 'the same, to bash', unit: 'times', figure: toBash, ...atMost(0.9, toBash.median) },
    { name: 'event loop for one cycle', unit: 'ms', figure: loop, ...atMost(1, loop.median) },
    { name: 'own processor time for one cycle', unit: 'ms', figure: own, ...atMost(3, own.median) },
  ]
  const rates = bursts.map(([waiting, costs]) => ({ waiting, rate: costs.map(({ wallMs }) => MS_PER_SECOND / wallMs) }))
  const best = rates.reduce<readonly number[]>((so, { rate }) => rate.map((one, at) => Math.max(one, so[at] ?? 0)), [])
  for (const [at, [waiting, costs]] of bursts.entries()) {
    const { rate } = rates[at]!
    const times = ratioOf(
      bash,
      costs.map(({ wallMs }) => wallMs),
    )
    const least = TIMES[waiting]
    rows.push(
      { name: `${waiting} waiting`, unit: 'cycles/s', figure: figureOf(rate) },
      {
        ...{ name: `${waiting} waiting, to bash`, unit: 'times', figure: times },
        ...(least === undefined ? {} : atLeast(least, times.median)),
      },
      { name: `${waiting} waiting, event loop each`, unit: 'ms', figure: figureOf(costs.map(({ loopMs }) => loopMs)) },
      {
        ...{ name: `${waiting} waiting, event loop delayed at most`, unit: 'ms' },
        figure: figureOf(costs.map(({ delayMostMs }) => delayMostMs)),
      },
    )
    if (waiting < LARGE) continue
    const toBest = ratioOf(rate, best)
    rows.push({
      name: `${waiting} waiting, to the best`,
      unit: 'times',
      figure: toBest,
      ...atLeast(0.9, toBest.median),
    })
  }
  return rows
}

const measure = async (): Promise<void> => {
  const where = circumstances(fileURLToPath(TOP))
  must('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'bench', '/srv')
  for (const path of [ROOT, LOOP]) mkdirSync(path, { mode: 0o700 })
  const manager = await startManager(ROOT)
  const bash: number[] = []
  const dash: number[] = []
  const single: Cost[] = []
  const bursts = WAITING.map((waiting): [number, Cost[]] => [waiting, []])
  // The first round warms up.
  for (let round = -1; round < ROUNDS; round += 1) {
    const loops = [shellLoop('bash', LOOP, CYCLES), shellLoop('dash', LOOP, CYCLES)] as const
    const one = await oneAtATime(manager, ROOT, CYCLES)
    if (round >= 0) {
      bash.push(loops[0])
      dash.push(loops[1])
      single.push(one)
    }
    for (const [waiting, costs] of bursts) {
      const cost = await burst(manager, ROOT, waiting)
      if (round >= 0) costs.push(cost)
    }
  }
  tell(`cycles of attach and detach, ${ROUNDS} rounds of ${CYCLES}`, where, rowsOf(bash, dash, single, bursts))
  await manager.stop()
  process.exit(0)
}

await inNamespace(import.meta.url, TOP, measure)
