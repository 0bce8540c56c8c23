// What came of a race, for people.

import type { RaceReport } from './race.js'

/** One line, and one more for each thing that must not be. */
export const summary = ({ name, attaches, swaps, answers, wrong }: RaceReport): string => {
  const kinds = [...answers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `${kind} ${count}`)
  return [
    `${name}: ${attaches} attaches, ${swaps} swaps, ${wrong.length} wrong (${kinds.join(', ')})`,
    ...wrong.map((each) => `  ${each}`),
  ].join('\n')
}
