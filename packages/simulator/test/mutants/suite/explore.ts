// An exploration of a core with a mistake in it, as the body of a worker thread: posts the first finding, as it is shown.
import { parentPort, workerData } from 'node:worker_threads'
import * as explorer from '../../../src/explore/index.js'

/** What the explorer has found. */
export interface Explored {
  readonly laws: readonly string[]
  readonly steps: number
  readonly story: string
}

const explored = (): Explored => {
  const exploration = explorer.explore(explorer[workerData as 'TWIN' | 'ODD'])
  const { finding } = exploration
  if (finding === undefined) return { laws: [], steps: 0, story: exploration.status }
  return {
    laws: finding.broken.map(({ law }) => law),
    steps: explorer.wayTo(exploration, finding.from).length,
    story: explorer.tellFinding(exploration, finding),
  }
}

parentPort?.postMessage(explored())
