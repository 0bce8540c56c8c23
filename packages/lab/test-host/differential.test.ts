// Two managers, one on the simulated host and one on this machine, play the same stories with the same faults. They give
// the same answers, run the same commands, make the same facts durable, and leave the same behind.

import { readFileSync, readdirSync } from 'node:fs'
import { simulatedSettings } from '@mountkeeper/simulator'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { settings as someSettings, steps as someSteps } from '../src/differential/generate.js'
import { plant } from '../src/differential/planted.js'
import { realSide } from '../src/differential/real-side.js'
import type { Played } from '../src/differential/side.js'
import { playOn } from '../src/differential/side.js'
import { simulatedSide } from '../src/differential/simulated-side.js'
import type { Step } from '../src/differential/step.js'
import { STORIES } from '../src/differential/stories.js'
import type { SimulatedSettings } from '@mountkeeper/simulator'
import type { SystemCalls } from '../src/fidelity/system-calls.js'
import { startSystemCalls, whyNoSystemCalls } from '../src/fidelity/system-calls.js'

const why = whyNoSystemCalls()

let calls: SystemCalls
let unplant: () => void
let before: string
let processes: number

const mounts = (): string => readFileSync('/proc/self/mountinfo', 'utf8')
const living = (): number => readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).length

beforeAll(() => {
  if (process.env['MOUNTKEEPER_NAMESPACE'] === undefined) throw new Error('run it as npm run test:host')
  if (why !== undefined) return
  before = mounts()
  processes = living()
  unplant = plant()
  calls = startSystemCalls()
})

afterAll(async () => {
  if (why !== undefined) return
  const { scripts, answers, refusals, commands } = figures
  console.log(
    `differential: ${scripts} scripts, ${answers} answers (${refusals} refusals), ${commands} commands on each side`,
  )
  await calls.end()
  unplant()
  expect(mounts()).toBe(before)
  expect(living()).toBe(processes)
})

/** Short, for the real side waits them out; long enough for a machine with other things to do. */
const DELAYS_MS = { settle: 400, unmountRetry: [60, 120], backOffFirst: 60_000, discoveryRetry: 60_000 }

/** The same scripts every time, so that a change and nothing else makes a difference; `FC_SEED` chooses others. */
const SEED = Number(process.env['FC_SEED'] ?? 1)
const SCRIPTS = 30

/** How long the simulated side rests, ms, and how long the real one may take to. */
const REST_MS = 5_000
const REST_MAX_MS = 30_000

const figures = { scripts: 0, answers: 0, refusals: 0, commands: 0 }

const count = ({ answers, effects }: Played): void => {
  figures.scripts += 1
  figures.answers += answers.length
  figures.refusals += answers.filter((answer) => !answer.ok).length
  figures.commands += Object.values(effects).flat().length
}

let reported = 0
afterEach(({ task }) => {
  Object.assign(task.meta, { figures: { differentialScripts: figures.scripts - reported } })
  reported = figures.scripts
})

const whatWasSaid = ({ answers, effects, facts }: Played): object => ({ answers, effects, facts: facts() })

const compare = async (steps: readonly Step[], own: SimulatedSettings): Promise<void> => {
  const settings = simulatedSettings({ ...own, delaysMs: { ...DELAYS_MS, ...own.delaysMs } })
  const model = await simulatedSide(settings)
  const simulated = await playOn(model, steps)
  await model.pass(REST_MS)
  const machine = await realSide(calls)(settings)
  try {
    const real = await playOn(machine, steps)
    const state = await simulated.state()
    await vi.waitFor(async () => expect(state).toEqual(await real.state()), { timeout: REST_MAX_MS, interval: 30 })
    expect(whatWasSaid(simulated)).toEqual(whatWasSaid(real))
    count(real)
  } finally {
    await machine.end()
  }
}

const notCompared = why === undefined ? '' : `: not compared, since ${why}`

describe.skipIf(why !== undefined)(`simulated and real managers give the same result${notCompared}`, () => {
  for (const [name, steps, settings = {}] of STORIES) test(name, () => compare(steps, settings))

  test('whatever happens', { timeout: 3_600_000 }, async () => {
    const property = fc.asyncProperty(someSteps, someSettings, compare)
    await fc.assert(property, { numRuns: Number(process.env['FC_NUM_RUNS'] ?? SCRIPTS), seed: SEED })
  })
})
