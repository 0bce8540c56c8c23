// Runs a configuration to its end, prints its figures and expects that no law broke and no request is stuck.

import { expect } from 'vitest'
import type { TestContext } from 'vitest'
import * as explorer from '../../src/explore/index.js'
import { figures as tellFigures } from './tell.js'

/** Explores all of it, as the test that is given; the failure is the shortest trace there is. */
export const exploreAll = (
  { task }: TestContext,
  configuration: explorer.Configuration,
  watch: explorer.Watch | undefined,
): explorer.Exploration => {
  const beganAt = performance.now()
  const exploration = explorer.explore(configuration, { ...(watch && { watch }), progress: 'asked for' })
  console.log(tellFigures(exploration, beganAt))
  const { finding, status } = exploration
  if (finding !== undefined) expect.fail(explorer.tellFinding(exploration, finding))
  expect(status).toBe(configuration.depth === undefined ? 'fixed point' : 'depth reached')
  const figures = { states: exploration.visited.size, transitions: exploration.transitions, configurations: 1 }
  Object.assign(task.meta, { figures })
  return exploration
}

/** From every state a way leads to one in which nothing is left. */
export const expectProgress = (exploration: explorer.Exploration): void => {
  expect(exploration.ends.length).toBeGreaterThan(0)
  const stuck = explorer.findStuck(exploration)
  if (stuck === undefined) return
  const { lines } = explorer.tellWay(exploration.explored, explorer.wayTo(exploration, stuck))
  expect.fail(['nothing leads from here to a host with nothing left:', ...lines].join('\n'))
}
