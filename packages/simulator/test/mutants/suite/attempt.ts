// An attempt to find out a mutant: runs the law suites that were bundled with it, a few runs of each law first and more of
// each after that, until a law does not hold. It is the body of a worker thread and posts what it came to.
import { parentPort, workerData } from 'node:worker_threads'
import { budget } from './fast-check.js'
import { collected } from './vitest.js'

/** What an attempt came to. */
export interface Verdict {
  /** The law that does not hold; absent if all of them do. */
  readonly law: string | undefined
  /** What the law says about it, in one line. */
  readonly why: string
  readonly test: string
  readonly runs: number
  readonly ms: number
}

/** How many runs of each law there are, round after round, and their seed. */
export interface Rounds {
  readonly rounds: readonly number[]
  readonly seed: number
}

// What a suite says of a broken law, in words or as data.
const BROKEN = /^(?<said>L\d+|section \d+):.*$|"law":"(?<data>L\d+|section \d+)","why":"[^"]*"/m

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const verdict = async ({ rounds, seed }: Rounds): Promise<Verdict> => {
  const began = performance.now()
  const ms = (): number => Math.round(performance.now() - began)
  for (const [round, runs] of rounds.entries()) {
    for (const { name, run } of collected) {
      Object.assign(budget, { runs, seed: seed + round })
      try {
        await run()
      } catch (error) {
        const message = messageOf(error)
        const broken = BROKEN.exec(message)
        const named = (name.match(/\bL\d+\b/g) ?? ['?']).join(' ')
        const why = broken?.[0] ?? message.split('\n').find((line) => line !== '') ?? ''
        return {
          law: broken?.groups?.['said'] ?? broken?.groups?.['data'] ?? named,
          why,
          test: name,
          runs: budget.used,
          ms: ms(),
        }
      }
    }
  }
  return { law: undefined, why: '', test: '', runs: budget.used, ms: ms() }
}

parentPort?.postMessage(await verdict(workerData as Rounds))
