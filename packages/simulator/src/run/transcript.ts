// Transcripts: a run as lines that a person can read from top to bottom: what happened, what was decided, what was broken.

import type { Input } from '@mountkeeper/core'
import { showAnswer, showEffect, showFact, showInput } from '@mountkeeper/inspect'
import type { Breach } from '../oracle/history.js'
import { act } from './act.js'
import { actionText } from './action.js'
import type { Run } from './play.js'
import { begin } from './play.js'
import type { Happening, Watch } from './simulation.js'
import { ask } from './simulation.js'

const told = (input: Input): boolean => input._tag === 'Requested' || input._tag === 'Granted'

const linesOf = (happening: Happening): readonly string[] => {
  switch (happening._tag) {
    case 'Decided': {
      const { input, decision, isEcho } = happening
      return [
        `${told(input) ? '' : '  '}${showInput(input)}${isEcho ? ' (again)' : ''}`,
        ...decision.append.map((fact) => `  fact ${showFact(fact)}`),
        ...decision.then.effects.map((effect) => `  effect ${showEffect(effect)}`),
        ...decision.then.answers.map((answer) => `  ${showAnswer(answer)}`),
      ]
    }
    default:
      return []
  }
}

const tellInto = (lines: string[], run: Run): readonly Breach[] => {
  const write: Watch = (happening) => {
    for (const line of linesOf(happening)) lines.push(line)
  }
  const { simulation, history } = begin(run, write)
  for (const action of run.actions) {
    if (history.breaches.length > 0) break
    lines.push(`> ${actionText(action)}`)
    act(simulation, action)
    if (action._tag === 'Crash') {
      ask(simulation, { op: 'status' })
      ask(simulation, { op: 'host-up' })
    }
  }
  return history.breaches
}

/** Plays a run again and shows it; the last lines are the laws it has broken, or the defect that ended it. */
export const transcriptOf = (run: Run): string => {
  const lines: string[] = [JSON.stringify({ ...run, actions: undefined })]
  try {
    const breaches = tellInto(lines, run)
    return [...lines, ...breaches.map(({ law, why }) => `${law}: ${why}`)].join('\n')
  } catch (error) {
    return [...lines, `defect: ${error instanceof Error ? error.message : String(error)}`].join('\n')
  }
}
