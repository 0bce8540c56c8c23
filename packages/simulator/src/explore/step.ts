// One step: an action on a state. The core decides and applies, the model of the host changes, the journal takes the facts,
// the oracles watch. A state is a value; a step makes another one.

import type { Effect, EffectFound, Found, Host, Outcome } from '@mountkeeper/core'
import { grantable, requestId, restore } from '@mountkeeper/core'
import type { Action } from './action.js'
import { actionsOf } from './action.js'
import { distinctIn } from './canonical.js'
import type { Configuration } from './configuration.js'
import type { Explored, Run } from './feed.js'
import { AT, dropDeadWaits, feed, forgetShown, grantAll, judge } from './feed.js'
import type { Frozen } from './frozen.js'
import { freeze, thaw } from './frozen.js'
import { emptyMemory } from './journal.js'
import { forgetAll, noteRequest } from './keep.js'
import type { Flying, Model } from './model.js'
import {
  UNKNOWN,
  changed,
  disown,
  foundAt,
  isChanging,
  isLayer,
  pathOf,
  placeIndex,
  removed,
  shownAt,
  withPlace,
} from './model.js'
import type { Broken } from './oracle.js'
import { judgeAppearing, judgeWaiting } from './oracle.js'
import { doWork, nothingUnseen } from './unseen.js'

/** Where a run is: the core's host and the model beside it. */
export interface State {
  readonly frozen: Frozen
  readonly model: Model
}

export interface Stepped {
  /** The host itself: not to be changed, and to be frozen where it is kept. */
  readonly host: Host
  readonly model: Model
  readonly broken: readonly Broken[]
  readonly facts: number
}

const ERROR = { command: ['x'], exitStatus: 32, stderr: 'failed' }

/** What only a person can change, and what every mountpoint is below. */
const IN_THE_WAY: Found = { _tag: 'Unknown', why: 'UnsafeParent', component: '/m' }

const ask = (run: Run, action: Action & { _tag: 'Ask' }): void => {
  const request = requestId(run.host.lastRequest + 1)
  run.model = noteRequest(run.model, action, request)
  feed(run, { _tag: 'Requested', at: AT, request, body: action.body })
}

const show = (run: Run, path: string | undefined, look: boolean): void => {
  const index = placeIndex(run.model, path)
  const place = run.model.places[index]
  if (place !== undefined) run.model = withPlace(run.model, index, { ...place, shown: shownAt(run.model, place, look) })
}

const outcome = (run: Run, effect: Effect, found: EffectFound, error: 'error' | 'no error'): void => {
  const input: Outcome = { _tag: 'Outcome', at: AT, effect: effect.effect, mountpoint: pathOf(effect), found }
  feed(run, error === 'error' ? { ...input, error: ERROR } : input, effect)
}

/** What is found at the end of a `Mount` serves the request that had asked before it, as a look does. */
const noteMountEnded = (run: Run, effect: Effect & { readonly _tag: 'Mount' }, well: boolean): void => {
  const at = placeIndex(run.model, effect.mountpoint)
  const pending = run.model.pending.map((each) =>
    each.op === 'attach' && each.place === at && !each.looked ? { ...each, looked: true } : each,
  )
  run.model = { ...run.model, pending }
  if (well) noteMistaken(run, effect)
  if ((run.model.places[at]?.layers.length ?? 0) !== 1) disownAt(run, effect.mountpoint)
}

/**
 * What others mounted while our command ran, which has ended well: what is found afterwards decides, and nothing that is found
 * distinguishes it from what the command was to bring. It is as good as ours from then on.
 */
const noteMistaken = (run: Run, effect: Effect & { readonly _tag: 'Mount' }): void => {
  const at = placeIndex(run.model, effect.mountpoint)
  const place = run.model.places[at]
  const [top, ...below] = place?.layers ?? []
  if (place === undefined || top?.by !== 'other' || below.length > 0) return
  const layers = [{ ...top, by: 'us' as const, of: effect.filesystem.source }]
  run.model = withPlace(run.model, at, { ...place, layers })
}

/** What a `Mount` that did not end well, or not alone, has left with its source spelled differently is not ours. */
const disownAt = (run: Run, path: string | undefined): void => {
  const at = placeIndex(run.model, path)
  const place = run.model.places[at]
  const recorded = run.model.memory.mountpoints.get(path ?? '')?.record.layer?.mountId
  if (place !== undefined) run.model = withPlace(run.model, at, disown(place, recorded))
}

const report = (run: Run, { index, how }: Action & { _tag: 'Report' }): void => {
  const flying = run.model.flying[index]
  if (flying === undefined) return
  const { effect } = flying
  if (effect._tag === 'Mount' && how !== 'well') disownAt(run, effect.mountpoint)
  if (how === 'timed out') {
    run.model = changed(run.model, 'flying', index, { ...flying, overdue: true })
    outcome(run, effect, { _tag: 'Unknown', why: 'TimedOut' }, 'error')
    return
  }
  run.model = removed(run.model, 'flying', index)
  if (effect._tag === 'Probe') {
    const probed: EffectFound = how === 'broken' ? { _tag: 'Broken', errno: 'ENOTCONN' } : { _tag: 'Alive' }
    outcome(run, effect, probed, 'no error')
    return
  }
  if (how === 'visible later') run.model = { ...run.model, late: [...run.model.late, flying] }
  if (how === 'unknown end' || how === 'in the way') {
    outcome(run, effect, how === 'in the way' ? IN_THE_WAY : { _tag: 'Unknown', why: 'Unreadable' }, 'no error')
    return
  }
  if (effect._tag === 'Mount') noteMountEnded(run, effect, how === 'well')
  const place = run.model.places[placeIndex(run.model, pathOf(effect))]
  if (place === undefined) return
  show(run, place.path, effect._tag === 'Look')
  outcome(run, effect, foundAt(run.model, place), how === 'with an error' ? 'error' : 'no error')
}

const discover = (run: Run, { index, how }: Action & { _tag: 'Discover' }): void => {
  const flying = run.model.flying[index]
  if (flying === undefined) return
  run.model = removed(run.model, 'flying', index)
  if (how === 'fails') {
    outcome(run, flying.effect, { _tag: 'NotDiscovered', reason: 'the table could not be read' }, 'no error')
    return
  }
  const { model, host } = run
  const seen = model.places.filter((place) => place.layers.length > 0 || host.mountpoints.has(place.path))
  const isSeen = how === 'well'
  if (isSeen) for (const { path } of seen) show(run, path, true)
  const found: EffectFound = {
    _tag: 'Discovered',
    boot: model.boot,
    mountNamespace: 'mnt',
    roots: [{ path: '/m', mountId: 1, directory: '0:1', propagation: 'shared' }],
    mountpoints: seen.map((place) => ({ mountpoint: place.path, found: isSeen ? foundAt(model, place) : IN_THE_WAY })),
  }
  outcome(run, flying.effect, found, 'no error')
}

const end = (run: Run, { command, how }: Action & { _tag: 'End' }): void => {
  const { of, index } = command
  const flying = run.model[of][index]
  if (flying === undefined) return
  run.model = removed(run.model, of, index)
  if (flying.effect._tag === 'Mount') disownAt(run, flying.effect.mountpoint)
  if (how === 'visible later') run.model = { ...run.model, late: [...run.model.late, flying] }
  if (of === 'orphans') return
  feed(run, { _tag: 'Ended', at: AT, effect: flying.effect.effect, mountpoint: pathOf(flying.effect) })
}

const elapse = (run: Run, index: number): void => {
  const flying = run.model.flying[index]
  if (flying === undefined) return
  run.model = removed(run.model, 'flying', index)
  // Longer than `settleMs`, or as long: what has not become visible by now never will.
  const path = pathOf(flying.effect)
  if (run.model.late.length > 0) {
    run.model = { ...run.model, late: run.model.late.filter((each) => pathOf(each.effect) !== path) }
  }
  outcome(run, flying.effect, { _tag: 'Elapsed' }, 'no error')
}

/** The manager ends, and another begins: commands go on, what was asked is forgotten, what is durable stays. */
const crash = (run: Run, what: 'manager' | 'machine', orphans: readonly Flying[]): void => {
  const { settings } = run.explored.configuration
  for (const { path } of run.model.places) disownAt(run, path)
  run.model = forgetAll(run.model, what, orphans)
  run.host = thaw(settings, run.model.memory.frozen)
  ask(run, { _tag: 'Ask', body: { op: 'host-up' }, place: -1, attachments: 0, source: '' })
}

const commands = (flying: readonly Flying[]): readonly Flying[] => flying.filter((each) => isChanging(each.effect))

const perform = (run: Run, action: Action): void => {
  if ('before' in action) run.model = action.before.model
  switch (action._tag) {
    case 'Ask':
      ask(run, action)
      return
    case 'Report':
      report(run, action)
      return
    case 'End':
      end(run, action)
      return
    case 'Appear':
      judgeAppearing(run.model, action.command, (law, text) => run.broken.push({ law, text }))
      run.model = doWork(run.model, run.host, action.command)
      run.model = removed(run.model, action.command.of, action.command.index)
      return
    case 'Elapse':
      elapse(run, action.index)
      return
    case 'Discover':
      discover(run, action)
      return
    case 'Grant':
      feed(run, { _tag: 'Granted', at: AT, mountpoint: action.path })
      return
    case 'Deadline':
      feed(run, { _tag: 'Deadline', at: AT, request: action.pending.request })
      return
    case 'Observe':
      feed(run, { _tag: 'Observed', at: AT, mountpoint: action.path })
      return
    case 'Crash':
      crash(run, action.what, commands(run.model.flying))
  }
}

/** An unmount that has yet to become visible, of a layer that is gone, changes nothing any more: kept, they would add up for ever. */
const dropGone = (run: Run): void => {
  if (run.model.late.length === 0) return
  const late = run.model.late.filter(({ effect }) => effect._tag !== 'Unmount' || isLayer(run.model, effect))
  if (late.length < run.model.late.length) run.model = { ...run.model, late }
}

/**
 * What an action leads to. `kept` facts of it become durable and then the manager crashes; without it all do, and it goes on.
 * With a `log`, each step is shown in words.
 */
export const step = (explored: Explored, state: State, action: Action, kept?: number, log?: string[]): Stepped => {
  const host = thaw(explored.configuration.settings, state.frozen)
  const run: Run = { explored, host, model: state.model, broken: [], facts: 0, kept: kept ?? Infinity, log }
  perform(run, action)
  if (kept === undefined) {
    grantAll(run)
  } else {
    // Nothing of this decision has left, and of those before it all.
    const begun = run.model.flying.filter(({ effect }) => effect.effect < state.frozen.nextEffect)
    const torn: Run = { ...run, kept: Infinity }
    crash(torn, 'manager', commands(begun))
    run.host = torn.host
    run.model = torn.model
  }
  dropDeadWaits(run)
  if ((action._tag === 'Report' || action._tag === 'Discover') && action.how === 'in the way')
    judgeWaiting(run.model, (law, text) => run.broken.push({ law, text }))
  forgetShown(run)
  dropGone(run)
  judge(run)
  return { host: run.host, model: run.model, broken: run.broken, facts: run.facts }
}

/** What a step has led to, to be kept. */
export const stateOf = ({ host, model }: Stepped): State => ({ frozen: freeze(host), model })

/** All that can happen in a state. */
export const actionsIn = (explored: Explored, { frozen, model }: State, host: Host): readonly Action[] => {
  const { configuration } = explored
  const next = configuration.allowed.grants === 'at any time' && frozen.entries.length > 0 ? grantable(host) : undefined
  return actionsOf(configuration, model, host, distinctIn(configuration, host, model), next)
}

const initialModel = (configuration: Configuration, directory: 'none' | 'theirs'): Model => ({
  places: configuration.places.map((path) => ({
    path,
    directory,
    layers: [],
    shown: UNKNOWN,
    mounting: false,
    certain: 0,
    certainSource: '',
    relied: false,
  })),
  flying: [],
  orphans: [],
  late: [],
  pending: [],
  memory: emptyMemory(configuration.settings),
  wish: 'down',
  wasUp: false,
  boot: 'boot-1',
})

/** Where exploration begins: a manager that has just started, or a host that is up with nothing on it. */
export const initialStates = (explored: Explored): readonly State[] =>
  explored.configuration.directories.map((directory) => {
    const { configuration } = explored
    const model = initialModel(configuration, directory)
    const frozen = freeze(restore(configuration.settings, []))
    if (configuration.begins === 'down') return { frozen, model }
    const asked = step(
      explored,
      { frozen, model },
      { _tag: 'Ask', body: { op: 'host-up' }, place: -1, attachments: 0, source: '' },
    )
    return stateOf(
      step(explored, stateOf(asked), { _tag: 'Discover', index: 0, how: 'well', before: nothingUnseen(asked.model) }),
    )
  })
