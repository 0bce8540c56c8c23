// `npm run races`: each race with many attaches, then the proof that a race finds what it looks for.

import { parseArgs } from 'node:util'
import { RACES, TRUSTED } from './cases.js'
import { runRace } from './race.js'
import { summary } from './summary.js'

const { values } = parseArgs({
  options: { attaches: { type: 'string', default: '1000' }, only: { type: 'string', default: '' } },
})
const attaches = Number(values.attaches)

let failed = 0
for (const race of RACES.filter(({ name }) => name.includes(values.only))) {
  const since = performance.now()
  const report = await runRace(race, attaches)
  failed += report.wrong.length
  console.log(`${summary(report)}\n  ${Math.round((performance.now() - since) / 1_000)} s`)
}
if (TRUSTED.name.includes(values.only)) {
  const { wrong, swaps, attaches: all } = await runRace(TRUSTED, attaches)
  console.log(`${TRUSTED.name}: ${all} attaches, ${swaps} swaps, ${wrong.length} wrong, as is to be expected`)
  if (wrong.length === 0) failed += 1
}
process.exitCode = failed === 0 ? 0 : 1
