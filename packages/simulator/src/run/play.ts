// Playing a run: from a value to what it came to.

import type { Settings } from '@mountkeeper/core'
import { NO_FAULT } from '../fault.js'
import type { Breach, History } from '../oracle/history.js'
import { newJudge } from '../oracle/judge.js'
import type { SimulatedSettings } from '../settings.js'
import { simulatedModelHost, simulatedSettings } from '../settings.js'
import { act } from './act.js'
import type { Action } from './action.js'
import type { Medium, Simulation, Watch } from './simulation.js'
import { ask, letOut, newSimulation } from './simulation.js'

/** A run as a value: everything that it depends on. */
export interface Run {
  readonly settings: SimulatedSettings
  readonly propagation: 'private' | 'shared'
  readonly journal: 'at once' | 'behind'
  readonly actions: readonly Action[]
}

/** What a run came to. */
export interface Played {
  readonly simulation: Simulation
  readonly history: History
}

/** Everything that runs ends well, everything decided becomes durable; time stands still. */
export const settle = (simulation: Simulation): void => {
  for (let rounds = 0; rounds < 200; rounds += 1) {
    letOut(simulation, simulation.parcels.length)
    if (simulation.flights.length === 0 && simulation.parcels.length === 0) return
    act(simulation, { _tag: 'End', which: 0, fault: NO_FAULT })
  }
}

/** A simulation that is judged, with the host up. `also` hears everything as well. */
export const begin = (run: Omit<Run, 'actions'>, also?: Watch, settings?: Settings, medium?: Medium): Played => {
  const { history, watch } = newJudge()
  const simulation = newSimulation({
    settings: settings ?? simulatedSettings(run.settings),
    model: simulatedModelHost(run.propagation),
    journal: run.journal,
    ...(medium === undefined ? {} : { medium }),
    watch: (happening, now) => {
      watch(happening, now)
      also?.(happening, now)
    },
  })
  ask(simulation, { op: 'host-up' })
  settle(simulation)
  return { simulation, history }
}

/** Plays a run to its end, or to the first law that is broken; `medium` is what keeps its facts over crashes. */
export const play = (run: Run, also?: Watch, medium?: Medium): Played => {
  const played = begin(run, also, undefined, medium)
  for (const action of run.actions) {
    if (played.history.breaches.length > 0) break
    act(played.simulation, action)
    if (action._tag === 'Crash') {
      // Asked at once, so that what was recovered is compared with the answers that callers got; then up again, with time.
      ask(played.simulation, { op: 'status' })
      ask(played.simulation, { op: 'host-up' })
    }
  }
  return played
}

/** The laws that were broken, once each. */
export const brokenLaws = (breaches: readonly Breach[]): readonly string[] => [
  ...new Set(breaches.map(({ law }) => law)),
]
