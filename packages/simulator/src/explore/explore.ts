// The explorer: breadth first over (core state x model host), so that what is found first is found by the shortest way. Only
// the states of the present depth are kept as values; of all others there is a hash, the state they were reached from, and
// which action led there, and that is enough to walk the way again.

import type { Action } from './action.js'
import { isCalm } from './action.js'
import { bitsOf } from './canonical.js'
import type { Configuration } from './configuration.js'
import type { Decide, Explored } from './feed.js'
import { decideAsItIs } from './feed.js'
import { freeze, thaw } from './frozen.js'
import type { Numbers } from './numbers.js'
import { append, noNumbers, numberAt } from './numbers.js'
import type { Broken } from './oracle.js'
import type { Parts } from './share.js'
import { shareFrozen, shareModel } from './share.js'
import type { State, Stepped } from './step.js'
import { actionsIn, initialStates, step } from './step.js'
import type { Visited } from './visited.js'
import { emptyVisited, visit } from './visited.js'

/** One way in which a law broke: the last step, and what came before it. */
export interface Finding {
  readonly broken: readonly Broken[]
  readonly from: number
  readonly via: number
}

interface Waiting {
  readonly number: number
  readonly state: State
}

/** An exploration under way. Its figures may be read at any time; nothing else of it may be written. */
export interface Exploration {
  readonly explored: Explored
  readonly visited: Visited
  /** By number of the state: where it was first reached from (-1: it is where all begins), and by which action. */
  readonly parents: Numbers
  readonly via: Numbers
  /** Pairs of states, from and to, of the steps that need no fault; absent unless progress is to be asked for. */
  readonly calm: Numbers | undefined
  /** The states in which nothing is left. */
  readonly ends: Numbers
  /** What the states of the next depth are made of. */
  readonly parts: Parts
  frontier: (Waiting | undefined)[]
  /** How many of the frontier were expanded; they are no longer kept. */
  expanded: number
  next: Waiting[]
  depth: number
  transitions: number
  finding: Finding | undefined
  status: 'runs' | 'fixed point' | 'depth reached' | 'broken'
}

export interface Options {
  /** The core to explore; a wrapper plants a bug. */
  readonly decide?: Decide
  readonly watch?: Explored['watch']
  readonly progress?: 'asked for' | 'not asked for'
}

/** A torn decision: that many of its facts are durable. An action and it fit into one number. */
const TORN = 1 << 12

const torn = (action: number, kept: number): number => action + TORN * kept

const isNothingLeft = ({ frozen, model }: State): boolean =>
  frozen.phase === 'up' &&
  frozen.entries.length === 0 &&
  model.flying.length === 0 &&
  model.orphans.length === 0 &&
  model.pending.length === 0 &&
  // What others mounted they can take away, unseen.
  model.places.every(({ directory, layers }) => directory !== 'ours' && layers.every(({ by }) => by === 'other'))

const reach = (
  exploration: Exploration,
  { host, model }: Pick<Stepped, 'host' | 'model'>,
  from: number,
  via: number,
): number => {
  const { explored, visited, parents, ends } = exploration
  const { a, b } = bitsOf(explored.configuration, host, model)
  const before = visited.size
  const number = visit(visited, a, b)
  if (number < before) return number
  append(parents, from)
  append(exploration.via, via)
  const { parts } = exploration
  const state = { frozen: shareFrozen(parts, freeze(host)), model: shareModel(parts, model) }
  if (exploration.calm !== undefined && isNothingLeft(state)) append(ends, number)
  exploration.next.push({ number, state })
  return number
}

export const beginExploration = (configuration: Configuration, options: Options = {}): Exploration => {
  const exploration: Exploration = {
    explored: { configuration, decide: options.decide ?? decideAsItIs, watch: options.watch },
    visited: emptyVisited(),
    parents: noNumbers(),
    via: noNumbers(),
    calm: options.progress === 'asked for' ? noNumbers() : undefined,
    ends: noNumbers(),
    parts: new Map(),
    frontier: [],
    expanded: 0,
    next: [],
    depth: 0,
    transitions: 0,
    finding: undefined,
    status: 'runs',
  }
  initialStates(exploration.explored).forEach(({ frozen, model }, index) => {
    reach(exploration, { host: thaw(configuration.settings, frozen), model }, -1, index)
  })
  exploration.frontier = exploration.next
  exploration.next = []
  return exploration
}

/** Takes one action, and all the ways in which its facts can be torn. Returns whether a law broke. */
const take = (
  exploration: Exploration,
  { number, state }: Waiting,
  action: Action,
  index: number,
  calm: boolean,
): boolean => {
  const { explored } = exploration
  const { crashes } = explored.configuration.allowed
  let facts = 1
  for (let kept = 0; kept < facts; kept += 1) {
    const via = torn(index, kept)
    const stepped = step(explored, state, action, kept === 0 ? undefined : kept)
    exploration.transitions += 1
    if (stepped.broken.length > 0) {
      exploration.finding = { broken: stepped.broken, from: number, via }
      exploration.status = 'broken'
      return true
    }
    if (kept === 0 && crashes) facts = stepped.facts
    const to = reach(exploration, stepped, number, via)
    if (calm && kept === 0 && exploration.calm !== undefined) {
      append(exploration.calm, number)
      append(exploration.calm, to)
    }
  }
  return false
}

const expand = (exploration: Exploration, waiting: Waiting): void => {
  const { explored } = exploration
  const host = thaw(explored.configuration.settings, waiting.state.frozen)
  const actions = actionsIn(explored, waiting.state, host)
  for (const [index, action] of actions.entries()) {
    const calm = exploration.calm !== undefined && isCalm(host, action)
    if (take(exploration, waiting, action, index, calm)) return
  }
}

const deepen = (exploration: Exploration): void => {
  exploration.frontier = exploration.next
  exploration.next = []
  exploration.parts.clear()
  exploration.expanded = 0
  const { depth } = exploration.explored.configuration
  if (exploration.frontier.length === 0) exploration.status = 'fixed point'
  else if (depth !== undefined && exploration.depth + 1 >= depth) exploration.status = 'depth reached'
  exploration.depth += 1
}

/** Goes on for about so many transitions; returns whether there is more to do. */
export const goOn = (exploration: Exploration, transitions: number): boolean => {
  const until = exploration.transitions + transitions
  while (exploration.status === 'runs' && exploration.transitions < until) {
    const waiting = exploration.frontier[exploration.expanded]
    if (waiting === undefined) {
      deepen(exploration)
      continue
    }
    exploration.frontier[exploration.expanded] = undefined
    exploration.expanded += 1
    expand(exploration, waiting)
  }
  return exploration.status === 'runs'
}

/** All of it, at once. */
export const explore = (configuration: Configuration, options: Options = {}): Exploration => {
  const exploration = beginExploration(configuration, options)
  while (goOn(exploration, 1_000_000)) continue
  return exploration
}

/** The actions that lead to a state, by their numbers, from where all begins. */
export const wayTo = ({ parents, via }: Exploration, number: number): readonly number[] => {
  const way: number[] = []
  for (let at = number; at >= 0; at = numberAt(parents, at)) way.push(numberAt(via, at))
  return way.reverse()
}

/** What a number of an action stands for: its place among all that can happen, and how many of its facts were kept. */
export const splitVia = (via: number): { readonly index: number; readonly kept: number | undefined } => ({
  index: via % TORN,
  kept: via < TORN ? undefined : Math.floor(via / TORN),
})
