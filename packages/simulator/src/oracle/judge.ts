// The judge: hears all that happens in a simulation, keeps its history, and holds every law against it.

import type { Watch } from '../run/simulation.js'
import { answerLaws } from './answers.js'
import { chronicle } from './chronicle.js'
import { durableLaws } from './durable.js'
import { effectLaws } from './effects.js'
import type { History } from './history.js'
import { newHistory } from './history.js'

/** A history and the watch that keeps it. */
export interface Judge {
  readonly history: History
  readonly watch: Watch
}

/** A judge of one simulation, from its beginning. */
export const newJudge = (): Judge => {
  const history = newHistory()
  return {
    history,
    watch: (happening, simulation) => {
      chronicle(history, happening, simulation)
      answerLaws(history, happening, simulation)
      effectLaws(history, happening, simulation)
      durableLaws(history, happening, simulation)
    },
  }
}
