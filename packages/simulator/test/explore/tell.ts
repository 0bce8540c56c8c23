// What an exploration came to, for people: one line each, printed at the end of its test.

import type * as explorer from '../../src/explore/index.js'

const count = (value: number): string => value.toLocaleString('en')

export const figures = (exploration: explorer.Exploration, beganAt: number): string => {
  const { visited, transitions, depth, status, explored } = exploration
  const seconds = ((performance.now() - beganAt) / 1000).toFixed(1)
  const what = `${count(visited.size)} states, ${count(transitions)} transitions, depth ${depth}, ${status}`
  return `explored ${explored.configuration.name}: ${what}, ${seconds} s`
}
