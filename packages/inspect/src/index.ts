// The core seen from outside, for tests and the simulator: every value as one line of text, and the laws of a state.

export type { Cells, Watched } from './cells.js'
export { noteCells, notInTable, notSeen, showTable } from './cells.js'
export type { Breach } from './law.js'
export { breaches, breachesOfFacts } from './law.js'
export * from './show.js'
