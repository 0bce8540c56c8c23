// The law of R7.1 about what is durable: facts are its only writers. It is asked of every mountpoint that a decision has
// touched, once the decision is applied, and of all when a new life begins.

import type { Decision } from '@mountkeeper/core'
import { allHolders } from '@mountkeeper/core/state'
import { breachesOfFacts } from '@mountkeeper/inspect'
import type { Simulation } from '../run/simulation.js'
import type { History, Law } from './history.js'
import { judge } from './history.js'

const touched = ({ changes, append }: Decision): ReadonlySet<string> =>
  new Set([
    ...changes.flatMap((change) => ('path' in change ? [change.path] : [])),
    ...append.flatMap((fact) => (fact._tag === 'HostCameUp' ? [] : [fact.mountpoint])),
  ])

const judgeAt = (history: History, { core }: Simulation, path: string): void => {
  const folded = history.folded.mountpoints.get(path)
  const facts = folded && { record: folded.record, holders: allHolders(folded.holders) }
  const [breach] = breachesOfFacts(core, path, facts)
  judge(history, 'section 7', breach && `${path}: ${breach.text}`)
}

/** The durable part of every record is the fold of its facts. */
export const durableLaws: Law = (history, happening, simulation) => {
  if (happening._tag === 'Applied') {
    for (const path of touched(happening.decision)) judgeAt(history, simulation, path)
  } else if (happening._tag === 'Crashed') {
    for (const path of simulation.core.mountpoints.keys()) judgeAt(history, simulation, path)
  }
}
