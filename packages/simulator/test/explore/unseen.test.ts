// What happens unseen is put off until the next look. Compared with a walk that puts nothing off, in which each such thing is
// a step of its own at any time: it gives the same result states, once what may have happened unseen by then is added.
import { expect, test } from 'vitest'
import * as explorer from '../../src/explore/index.js'

const { ODD, SHARED, decideAsItIs, exploredSettings } = explorer

interface Reached {
  readonly names: Set<string>
  readonly states: explorer.State[]
}

const reach = (configuration: explorer.Configuration, reached: Reached, state: explorer.State): void => {
  const { a, b } = explorer.bitsOf(configuration, explorer.thaw(configuration.settings, state.frozen), state.model)
  const name = `${a} ${b}`
  if (reached.names.has(name)) return
  reached.names.add(name)
  reached.states.push(state)
}

/** What one more unseen thing leads to. */
const unseenFrom = (configuration: explorer.Configuration, { frozen, model }: explorer.State): explorer.State[] => {
  const host = explorer.thaw(configuration.settings, frozen)
  return model.places.flatMap((_, at) =>
    explorer
      .happeningsIn(configuration, model, at)
      .map((happening) => ({ frozen, model: explorer.happen(model, host, happening) })),
  )
}

const isAsItIs = (action: explorer.Action): boolean => !('before' in action) || action.before.happenings.length === 0

/** Every state there is; `at once`: what happens unseen is a step. */
const walk = (configuration: explorer.Configuration, unseen: 'at once' | 'put off'): Reached => {
  const explored: explorer.Explored = { configuration, decide: decideAsItIs, watch: undefined }
  const reached: Reached = { names: new Set(), states: [] }
  const take = (state: explorer.State): void => reach(configuration, reached, state)
  explorer.initialStates(explored).forEach(take)
  for (const state of reached.states) {
    const host = explorer.thaw(configuration.settings, state.frozen)
    for (const action of explorer.actionsIn(explored, state, host)) {
      if (unseen === 'at once' && !isAsItIs(action)) continue
      const stepped = explorer.step(explored, state, action)
      if (stepped.broken.length > 0) expect(stepped.broken).toEqual([])
      take(explorer.stateOf(stepped))
      for (let kept = 1; kept < stepped.facts; kept += 1)
        take(explorer.stateOf(explorer.step(explored, state, action, kept)))
    }
    if (unseen === 'at once') unseenFrom(configuration, state).forEach(take)
  }
  return reached
}

const closed = (configuration: explorer.Configuration, { names, states }: Reached): Reached => {
  const all: Reached = { names: new Set(names), states: [...states] }
  for (const state of all.states) for (const after of unseenFrom(configuration, state)) reach(configuration, all, after)
  return all
}

test.each<[string, explorer.Configuration]>([
  ['crashes and reboots', { ...SHARED, allowed: { ...SHARED.allowed, reboots: true, cancels: false } }],
  ['late and bare mounts', { ...ODD, allowed: { ...ODD.allowed, crashes: false, cancels: false } }],
])(
  'putting off what happens unseen leaves no state out: %s',
  (_, configuration) => {
    const attachments = configuration.attachments.slice(0, 1)
    const small = { ...configuration, settings: exploredSettings(1, 1), attachments, sources: ['f'], waiting: 1 }
    const atOnce = walk(small, 'at once')
    const putOff = walk(small, 'put off')
    const all = closed(small, putOff)
    console.log(`unseen: ${atOnce.names.size} states at once, ${putOff.names.size} put off`)
    expect(putOff.names.size).toBeLessThan(atOnce.names.size)
    expect(all.names.size).toBe(atOnce.names.size)
    expect([...all.names].filter((name) => !atOnce.names.has(name))).toEqual([])
  },
  120_000,
)
