// Progress: from every state that can be reached, when faults stop, third parties take away what is theirs and every consumer leaves,
// a state can be reached in which nothing is left (L45, L47). Asked backwards, over all the steps that need no fault: what is
// not reached from the ends has no way out. Deadlines and cancelling are no such steps, so that they cannot hide who waits for ever.

import type { Exploration } from './explore.js'
import { numberAt } from './numbers.js'

/** The first state, in order of distance, from which nothing leads to an end; absent, if all is well. */
export const findStuck = (exploration: Exploration): number | undefined => {
  const { calm, ends, parents } = exploration
  if (calm === undefined) return undefined
  const states = parents.length
  // For each state where its list of predecessors begins, by counting.
  const begins = new Int32Array(states + 1)
  for (let pair = 0; pair < calm.length; pair += 2) {
    const to = numberAt(calm, pair + 1)
    begins[to + 1] = (begins[to + 1] ?? 0) + 1
  }
  for (let state = 0; state < states; state += 1) begins[state + 1] = (begins[state + 1] ?? 0) + (begins[state] ?? 0)
  const filled = begins.slice()
  const before = new Int32Array(calm.length / 2)
  for (let pair = 0; pair < calm.length; pair += 2) {
    const to = numberAt(calm, pair + 1)
    const place = filled[to] ?? 0
    before[place] = numberAt(calm, pair)
    filled[to] = place + 1
  }
  const reached = new Uint8Array(states)
  const open = new Int32Array(states)
  let known = 0
  const mark = (state: number): void => {
    if (reached[state] === 1) return
    reached[state] = 1
    open[known] = state
    known += 1
  }
  for (let index = 0; index < ends.length; index += 1) mark(numberAt(ends, index))
  for (let index = 0; index < known; index += 1) {
    const state = open[index] ?? 0
    const last = begins[state + 1] ?? 0
    for (let place = begins[state] ?? 0; place < last; place += 1) mark(before[place] ?? 0)
  }
  const stuck = reached.indexOf(0)
  return stuck < 0 ? undefined : stuck
}
