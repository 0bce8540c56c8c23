// One of two servers never answers again, from any state on: whatever is asked of it passes its deadline, and nothing of it ever
// ends. With one slot in all between them, and more asked of the dead one all the time, each request for the other is answered.
import { expect, test } from 'vitest'
import type { Effect } from '@mountkeeper/core'
import * as explorer from '../../src/explore/index.js'

const { SERVERS, decideAsItIs } = explorer

/** More steps than this no request takes. */
const STEPS_MAX = 24

/** A request, and the server that dies while it waits. */
interface Waits {
  readonly state: explorer.State
  readonly pending: explorer.Pending
  readonly dead: string
}

const exploredBy = (decide: explorer.Decide): explorer.Explored => ({
  configuration: SERVERS,
  decide,
  watch: undefined,
})

const hostOf = ({ frozen }: explorer.State) => explorer.thaw(SERVERS.settings, frozen)

/** Every state that can be reached while both servers answer or hang as they like. */
const everyState = (): readonly explorer.State[] => {
  const explored = exploredBy(decideAsItIs)
  const names = new Set<string>()
  const states: explorer.State[] = []
  const reach = (state: explorer.State): void => {
    const { a, b } = explorer.bitsOf(SERVERS, hostOf(state), state.model)
    const name = `${a} ${b}`
    if (names.has(name)) return
    names.add(name)
    states.push(state)
  }
  explorer.initialStates(explored).forEach(reach)
  for (const state of states) {
    for (const action of explorer.actionsIn(explored, state, hostOf(state)))
      reach(explorer.stateOf(explorer.step(explored, state, action)))
  }
  return states
}

/** The server that an effect may wait for. Directories are made and removed beside it. */
const serverOf = (effect: Effect): string | undefined =>
  'filesystem' in effect
    ? (effect.filesystem?.source ?? (effect._tag === 'Unmount' ? effect.identity.source : undefined))
    : undefined

/** Whether a request has nothing to do with the dead server: it is for another one, and nothing of the dead one is where it waits. */
const isForAnother = (state: explorer.State, { op, place, source }: explorer.Pending, dead: string): boolean => {
  const { path, layers } = state.model.places[place]!
  if (layers.some(({ identity }) => identity.source === dead)) return false
  if (state.model.flying.some(({ effect }) => explorer.pathOf(effect) === path && serverOf(effect) === dead))
    return false
  return op === 'attach' ? source !== dead : hostOf(state).mountpoints.get(path)?.record.filesystem?.source !== dead
}

const waitsIn = (state: explorer.State): readonly Waits[] =>
  SERVERS.sources.flatMap((dead) =>
    state.model.pending
      .filter((pending) => pending.place >= 0 && isForAnother(state, pending, dead))
      .map((pending) => ({ state, pending, dead })),
  )

/** A request wants something of the dead server, wherever there is room and nothing of the other one is mounted. */
const more = ({ model }: explorer.State, dead: string): explorer.Action | undefined => {
  const isFree = ({ layers }: explorer.Place, index: number): boolean =>
    layers.every(({ identity }) => identity.source === dead) && !model.pending.some((each) => each.place === index)
  const place = model.places.findIndex(isFree)
  const [attachment] = SERVERS.attachments
  const mountpoint = model.places[place]?.path
  if (mountpoint === undefined || attachment === undefined) return undefined
  const filesystem = { type: 'tmpfs', source: dead, options: [] }
  return {
    _tag: 'Ask',
    body: { op: 'attach', mountpoint, filesystem, ...attachment },
    place,
    attachments: 1,
    source: dead,
  }
}

/** What happens by itself, as it must some time: slots first, then what the other server does, then time that passes. */
const nextStep = (explored: explorer.Explored, state: explorer.State, { dead }: Waits): explorer.Action | undefined => {
  const host = hostOf(state)
  const { flying } = state.model
  const isDead = (index: number): boolean => {
    const effect = flying[index]?.effect
    return effect !== undefined && serverOf(effect) === dead
  }
  const actions = explorer.actionsIn(explored, state, host)
  const find = (is: (action: explorer.Action) => boolean): explorer.Action | undefined => actions.find(is)
  return (
    more(state, dead) ??
    find(({ _tag }) => _tag === 'Grant') ??
    find((action) => action._tag === 'Report' && !isDead(action.index) && explorer.isCalm(host, action)) ??
    find((action) => action._tag === 'End' && !isDead(action.command.index) && explorer.isCalm(host, action)) ??
    find((action) => action._tag === 'Report' && isDead(action.index) && action.how === 'timed out') ??
    find(({ _tag }) => _tag === 'Elapse')
  )
}

/** In how many steps a request is answered; absent, if it is not. */
const stepsTo = (explored: explorer.Explored, waits: Waits): number | undefined => {
  let { state } = waits
  for (let steps = 1; steps <= STEPS_MAX; steps += 1) {
    const action = nextStep(explored, state, waits)
    if (action === undefined) return undefined
    state = explorer.stateOf(explorer.step(explored, state, action))
    if (!state.model.pending.some(({ request }) => request === waits.pending.request)) return steps
  }
  return undefined
}

const waiting = everyState().flatMap(waitsIn)

const tell = ({ state, pending, dead }: Waits): string =>
  `${pending.op} ${pending.source} at ${state.model.places[pending.place]!.path} is never answered once ${dead} is dead; ` +
  `in flight ${state.model.flying.map(({ effect, overdue }) => `${effect._tag} #${effect.effect}${overdue ? ' overdue' : ''}`).join(', ')}`

test('L25 L32: requests for the other server are answered, whatever the dead one has in flight', () => {
  const explored = exploredBy(decideAsItIs)
  const steps = waiting.map((waits) => stepsTo(explored, waits) ?? tell(waits))
  expect(steps.filter((each) => typeof each === 'string').slice(0, 3)).toEqual([])
  const most = Math.max(...steps.map(Number))
  console.log(`dead server: ${waiting.length} requests for the other one, each answered within ${most} steps`)
  expect(waiting.length).toBeGreaterThan(1_000)
})

test('a manager that keeps the slot of what is overdue is found', () => {
  const nothing = { changes: [], append: [], then: { answers: [], effects: [] } }
  const keeping = exploredBy((host, input) =>
    input._tag === 'Outcome' && input.found._tag === 'Unknown' ? nothing : decideAsItIs(host, input),
  )
  expect(waiting.some((waits) => stepsTo(keeping, waits) === undefined)).toBe(true)
})
