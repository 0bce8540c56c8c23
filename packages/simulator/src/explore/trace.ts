// Traces: the shortest way to a state, walked again and shown in words.

import type { Place } from './model.js'
import type { Exploration, Finding } from './explore.js'
import { splitVia, wayTo } from './explore.js'
import { showAction } from './action.js'
import type { Explored } from './feed.js'
import { thaw } from './frozen.js'
import type { Broken } from './oracle.js'
import type { State } from './step.js'
import { actionsIn, initialStates, stateOf, step } from './step.js'

const showPlace = ({ path, directory, layers }: Place): string => {
  const stack = layers.map(
    ({ identity, by }) => `${identity.source}${by === 'us' ? '' : ' of others'} (${identity.mountId})`,
  )
  const what = directory === 'none' ? 'no directory' : `directory ${directory}`
  return `${path}: ${what}${stack.length === 0 ? '' : `, ${stack.join(' over ')}`}`
}

interface Walk {
  readonly state: State
  readonly lines: readonly string[]
  readonly broken: readonly Broken[]
}

const takeNumbered = (explored: Explored, state: State, via: number, number: number): Walk => {
  const { configuration } = explored
  const { index, kept } = splitVia(via)
  const action = actionsIn(explored, state, thaw(configuration.settings, state.frozen))[index]
  if (action === undefined) return { state, lines: [`${number}. (no such action: ${index})`], broken: [] }
  const torn = kept === undefined ? '' : `, and the manager crashes when ${kept} of its facts are durable`
  const log: string[] = [`${number}. ${showAction(state.model, action)}${torn}`]
  const stepped = step(explored, state, action, kept, log)
  const changed = stepped.model.places.filter((place, at) => {
    const before = state.model.places[at]
    return before?.directory !== place.directory || before.layers !== place.layers
  })
  return {
    state: stateOf(stepped),
    lines: [...log, ...changed.map((place) => `    host   ${showPlace(place)}`)],
    broken: stepped.broken,
  }
}

/** The steps to a state, and what they led to, as lines; with what broke at the last of them. */
export const tellWay = (explored: Explored, way: readonly number[]): Walk => {
  const [root = 0, ...rest] = way
  const [first] = initialStates(explored).slice(root)
  if (first === undefined) return { state: initialStates(explored)[0] as State, lines: [], broken: [] }
  return rest.reduce<Walk>(
    ({ state, lines }, via, index) => {
      const taken = takeNumbered(explored, state, via, index + 1)
      return { ...taken, lines: [...lines, ...taken.lines] }
    },
    { state: first, lines: first.model.places.map((place) => `begins with ${showPlace(place)}`), broken: [] },
  )
}

/** The shortest trace to a broken law, for people. */
export const tellFinding = ({ explored, ...exploration }: Exploration, { from, via, broken }: Finding): string => {
  const { lines } = tellWay(explored, [...wayTo({ explored, ...exploration }, from), via])
  return [...lines, ...broken.map(({ law, text }) => `${law} is broken: ${text}`)].join('\n')
}
