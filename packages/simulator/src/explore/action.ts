// Actions: all that can happen next. A run is a list of them; each is made of data only and reads as a line.

import type { Host, Request } from '@mountkeeper/core'
import { showRequest } from '@mountkeeper/inspect'
import type { Distinct } from './canonical.js'
import type { Configuration } from './configuration.js'
import type { Command, Flying, Model, Pending } from './model.js'
import { isChanging, isHaunted, isLayer, pathOf, placeIndex } from './model.js'
import type { Happening, Unseen } from './unseen.js'
import { ableTo, doWork, nothingUnseen, unseenAt, unseenByEnds, unseenEverywhere } from './unseen.js'

export type Action =
  | {
      readonly _tag: 'Ask'
      readonly body: Request
      readonly place: number
      readonly attachments: number
      readonly source: string
    }
  /** The outcome of an effect. `visible later`: exit 0, and the mount is not seen yet. `before`: what happened unseen. */
  | {
      readonly _tag: 'Report'
      readonly index: number
      readonly before: Unseen
      readonly how: 'well' | 'with an error' | 'unknown end' | 'in the way' | 'timed out' | 'visible later' | 'broken'
    }
  /** No process of a command that is overdue, or of an earlier life, lives any more. */
  | { readonly _tag: 'End'; readonly command: Command; readonly before: Unseen; readonly how: 'done' | 'visible later' }
  /** What was to become visible later does. */
  | { readonly _tag: 'Appear'; readonly command: Command; readonly before: Unseen }
  | { readonly _tag: 'Elapse'; readonly index: number }
  | {
      readonly _tag: 'Discover'
      readonly index: number
      readonly before: Unseen
      readonly how: 'well' | 'in the way' | 'fails'
    }
  | { readonly _tag: 'Grant'; readonly path: string }
  | { readonly _tag: 'Deadline'; readonly pending: Pending }
  | { readonly _tag: 'Observe'; readonly path: string }
  /** The manager ends, or with it everything. */
  | { readonly _tag: 'Crash'; readonly what: 'manager' | 'machine'; readonly before: Unseen }

const asks = (
  configuration: Configuration,
  { pending, places, wish, flying }: Model,
  host: Host,
  distinct: Distinct,
): readonly Action[] => {
  const { allowed, attachments, waiting } = configuration
  const actions: Action[] = []
  const add = (body: Request, place: number, mask: number, source: string): void => {
    actions.push({ _tag: 'Ask', body, place, attachments: mask, source })
  }
  const id = allowed.cancels ? { id: `r${host.lastRequest + 1}` } : {}
  const full = (place: number): boolean =>
    pending.reduce((sum, each) => sum + (each.place === place || each.op === 'release' ? 1 : 0), 0) >= waiting
  places.forEach(({ path: mountpoint }, place) => {
    if (full(place)) return
    attachments.forEach(({ volume, consumer }, index) => {
      if (!distinct.attachments.includes(index)) return
      for (const source of distinct.sources) {
        const filesystem = { type: 'tmpfs', source, options: [] }
        add({ ...id, op: 'attach', mountpoint, filesystem, volume, consumer }, place, 1 << index, source)
      }
      add({ ...id, op: 'detach', mountpoint, volume, consumer }, place, 1 << index, '')
    })
  })
  if (allowed.releases && !places.some((_, place) => full(place))) {
    for (const consumer of new Set(attachments.map((each) => each.consumer))) {
      const mask = attachments.reduce((sum, each, index) => sum | (each.consumer === consumer ? 1 << index : 0), 0)
      add({ ...id, op: 'release', consumer }, -1, mask, '')
    }
  }
  if (allowed.cancels) {
    for (const { request } of pending) {
      const { id: target } = host.requests.get(request) ?? {}
      if (target !== undefined) add({ op: 'cancel', target }, -1, 0, '')
    }
  }
  if (allowed.wishes > 0) {
    const asked = pending.filter((each) => each.op === 'host-up').length
    const discovers = flying.filter((each) => each.effect._tag === 'Discover').length
    if (asked < allowed.wishes && discovers < 2) add({ op: 'host-up' }, -1, 0, '')
    if (wish === 'up') add({ op: 'host-down' }, -1, 0, '')
  }
  if (allowed.reconciles && !pending.some((each) => each.op === 'reconcile')) {
    add({ op: 'reconcile', apply: true }, -1, 0, '')
  }
  return actions
}

/** What happened unseen at a mountpoint, put off until now. */
type Before = (path: string | undefined) => readonly Unseen[]

/**
 * Whether what a command did may stay invisible after it: a mount not under a layer of others, which would hide that it is to
 * come, and an unmount where its own layer is on top.
 */
const mayBeLate = ({ allowed }: Configuration, model: Model, flying: Flying): boolean => {
  const { effect } = flying
  if (!allowed.late || !ableTo(model, flying)) return false
  const layers = model.places[placeIndex(model, pathOf(effect))]?.layers ?? []
  if (effect._tag === 'Mount') return layers.length === 0
  return effect._tag === 'Unmount' && layers[0]?.identity.mountId === effect.identity.mountId
}

/** Whether what a command did can still be seen: its layer, if it is an unmount, has not been taken off by others. */
const mayAppear = (model: Model, flying: Flying): boolean => {
  const { effect } = flying
  if (effect._tag !== 'Unmount') return ableTo(model, flying)
  return isLayer(model, effect)
}

/** Whether a command may end now: that it ends with nothing done is a fault, if it could do its work. */
const mayEnd = ({ allowed }: Configuration, model: Model, flying: Flying): boolean =>
  allowed.errors || !ableTo(model, flying)

/** How a report can be that shows nothing. */
const unseeing = ({ cannotTell, inTheWay }: Configuration['allowed']): readonly ('unknown end' | 'in the way')[] => [
  ...(cannotTell ? (['unknown end'] as const) : []),
  ...(inTheWay ? (['in the way'] as const) : []),
]

const commandReports = (
  configuration: Configuration,
  index: number,
  command: Flying,
  all: readonly Unseen[],
): readonly Action[] => {
  const { allowed } = configuration
  const actions: Action[] = []
  for (const before of all) {
    const { model } = before
    const flying = model.flying[index] ?? command
    if (mayEnd(configuration, model, flying)) {
      actions.push({ _tag: 'Report', index, how: 'well', before })
      if (allowed.errors) actions.push({ _tag: 'Report', index, how: 'with an error', before })
    }
    if (mayBeLate(configuration, model, flying)) actions.push({ _tag: 'Report', index, how: 'visible later', before })
  }
  for (const how of unseeing(allowed))
    for (const before of unseenByEnds(all))
      if (mayEnd(configuration, before.model, before.model.flying[index] ?? command))
        actions.push({ _tag: 'Report', index, how, before })
  return actions
}

const reportsOf = (
  configuration: Configuration,
  model: Model,
  flying: Flying,
  index: number,
  before: Before,
): readonly Action[] => {
  const { allowed } = configuration
  const { effect } = flying
  const nothing = nothingUnseen(model)
  const actions: Action[] = []
  if (effect._tag === 'Probe') {
    actions.push({ _tag: 'Report', index, how: 'well', before: nothing })
    if (allowed.errors) actions.push({ _tag: 'Report', index, how: 'broken', before: nothing })
  } else if (isChanging(effect)) {
    actions.push(...commandReports(configuration, index, flying, before(pathOf(effect))))
  } else {
    const all = isHaunted(model, pathOf(effect)) ? [nothing] : before(pathOf(effect))
    for (const each of all) actions.push({ _tag: 'Report', index, how: 'well', before: each })
    for (const how of unseeing(allowed)) actions.push({ _tag: 'Report', index, how, before: nothing })
  }
  if (allowed.timeOuts) actions.push({ _tag: 'Report', index, how: 'timed out', before: nothing })
  return actions
}

const endsOf = (
  configuration: Configuration,
  model: Model,
  flying: Flying,
  command: Command,
  before: Before,
): readonly Action[] => {
  const { effect } = flying
  if (!isChanging(effect)) return [{ _tag: 'End', command, how: 'done', before: nothingUnseen(model) }]
  const all = before(pathOf(effect))
  const ending = ({ model: after }: Unseen): Flying => after[command.of][command.index] ?? flying
  const done = unseenByEnds(all).filter((each) => mayEnd(configuration, each.model, ending(each)))
  const later = all.filter((each) => mayBeLate(configuration, each.model, ending(each)))
  return [
    ...done.map((each): Action => ({ _tag: 'End', command, how: 'done', before: each })),
    ...later.map((each): Action => ({ _tag: 'End', command, how: 'visible later', before: each })),
  ]
}

const effects = (configuration: Configuration, model: Model, host: Host): readonly Action[] => {
  const { allowed } = configuration
  const known = new Map<number, readonly Unseen[]>()
  const before: Before = (path) => {
    const at = placeIndex(model, path)
    const all = known.get(at) ?? unseenAt(configuration, host, nothingUnseen(model), at)
    known.set(at, all)
    return all
  }
  const actions: Action[] = []
  model.flying.forEach((flying, index) => {
    const { effect, overdue } = flying
    if (effect._tag === 'Wait') {
      actions.push({ _tag: 'Elapse', index })
    } else if (effect._tag === 'Discover') {
      for (const each of unseenEverywhere(configuration, host, model))
        actions.push({ _tag: 'Discover', index, how: 'well', before: each })
      if (allowed.inTheWay) actions.push({ _tag: 'Discover', index, how: 'in the way', before: nothingUnseen(model) })
      if (allowed.discoveryFails) actions.push({ _tag: 'Discover', index, how: 'fails', before: nothingUnseen(model) })
    } else if (overdue) {
      actions.push(...endsOf(configuration, model, flying, { of: 'flying', index }, before))
    } else {
      actions.push(...reportsOf(configuration, model, flying, index, before))
    }
  })
  model.orphans.forEach((flying, index) => {
    actions.push(...endsOf(configuration, model, flying, { of: 'orphans', index }, before))
  })
  model.late.forEach((flying, index) => {
    for (const each of before(pathOf(flying.effect)))
      if (mayAppear(each.model, flying)) actions.push({ _tag: 'Appear', command: { of: 'late', index }, before: each })
  })
  return actions
}

/** With the machine end all commands; of what they have done before, directories stay. */
const crashes = ({ allowed }: Configuration, model: Model, host: Host): readonly Action[] => {
  if (!allowed.crashes) return []
  const crash = (what: 'manager' | 'machine', before: Unseen): Action => ({ _tag: 'Crash', what, before })
  const nothing = nothingUnseen(model)
  const manager = crash('manager', nothing)
  if (!allowed.reboots) return [manager]
  const acted = (['flying', 'orphans'] as const).flatMap((of) =>
    model[of].flatMap((flying, index): readonly Action[] => {
      if (!isChanging(flying.effect) || !ableTo(model, flying)) return []
      const command = { of, index }
      const happenings: readonly Happening[] = [{ _tag: 'Acts', command, manner: 'as demanded' }]
      return [crash('machine', { happenings, model: doWork(model, host, command), calm: true })]
    }),
  )
  return [manager, crash('machine', nothing), ...acted]
}

/** All that can happen in this state, always in the same order. `next`: who is to be granted a slot, if any. */
export const actionsOf = (
  configuration: Configuration,
  model: Model,
  host: Host,
  distinct: Distinct,
  next: string | undefined,
): readonly Action[] => {
  const { allowed } = configuration
  const actions: Action[] = [...effects(configuration, model, host)]
  if (next !== undefined) actions.push({ _tag: 'Grant', path: next })
  actions.push(...asks(configuration, model, host, distinct))
  if (allowed.deadlines) for (const pending of model.pending) actions.push({ _tag: 'Deadline', pending })
  if (allowed.observations) {
    for (const { path } of model.places) if (host.mountpoints.has(path)) actions.push({ _tag: 'Observe', path })
  }
  actions.push(...crashes(configuration, model, host))
  return actions
}

const isLeaving = (host: Host, { body }: Action & { _tag: 'Ask' }): boolean =>
  body.op === 'detach' || (body.op === 'host-up' && (host.phase === 'down' || host.phase === 'retrying'))

/** Whether a command, when it ends, has done all it can. */
const hasWorked = ({ model }: Unseen, index: number): boolean => {
  const flying = model.flying[index]
  return flying !== undefined && (!isChanging(flying.effect) || !ableTo(model, flying))
}

/** Whether it may happen when faults have stopped and every consumer leaves: third parties take away what is theirs. */
export const isCalm = (host: Host, action: Action): boolean => {
  switch (action._tag) {
    case 'Ask':
      return isLeaving(host, action)
    case 'Report':
      return action.how === 'well' && action.before.calm && hasWorked(action.before, action.index)
    case 'End':
      return action.how === 'done' && action.before.calm
    case 'Discover':
      return action.how === 'well' && action.before.calm
    case 'Appear':
      return action.before.calm
    case 'Elapse':
    case 'Grant':
      return true
    case 'Deadline':
    case 'Observe':
    case 'Crash':
      return false
  }
}

const named = (model: Model, { of, index }: Command): string => {
  const flying = model[of][index]
  const which = { flying: '', orphans: ' of an earlier life', late: ', which has ended,' }[of]
  return flying === undefined ? 'nothing' : `${flying.effect._tag} #${flying.effect.effect}${which}`
}

const MANNERS = {
  'as demanded': '',
  bare: ', a mount without flags',
  respelled: ', a mount with its source spelled differently',
}
const ACTS = { Mounts: 'mounts', Unmounts: 'unmounts', Strips: 'takes the flags from the layer' }

const showHappening = (model: Model, happening: Happening): string => {
  if (happening._tag === 'Acts') {
    return `${named(model, happening.command)} does its work${MANNERS[happening.manner]}`
  }
  const what = ACTS[happening._tag]
  const source = happening._tag === 'Mounts' && happening.source !== 'x' ? ` ${happening.source}` : ''
  return `a third party ${what}${source} at ${model.places[happening.place]?.path ?? ''}`
}

const showLast = (model: Model, action: Action): string => {
  switch (action._tag) {
    case 'Ask':
      return `a caller asks: ${showRequest(action.body)}`
    case 'Report':
      return `${named(model, { of: 'flying', index: action.index })} reports: ${action.how}`
    case 'End':
      return `${named(model, action.command)} ends${action.how === 'done' ? '' : `, to be ${action.how}`}`
    case 'Appear':
      return `what ${named(model, action.command)} did becomes visible`
    case 'Elapse':
      return `${named(model, { of: 'flying', index: action.index })} elapses`
    case 'Discover':
      return `discovery ends: ${action.how}`
    case 'Grant':
      return `a slot is free for ${action.path}`
    case 'Deadline':
      return `the deadline of request ${action.pending.request} passes`
    case 'Observe':
      return `${action.path} is observed`
    case 'Crash':
      return `the ${action.what} crashes and begins again`
  }
}

/** One line for people, without what follows from it. */
export const showAction = (model: Model, action: Action): string => {
  const before = 'before' in action ? action.before.happenings : []
  return [...before.map((happening) => showHappening(model, happening)), showLast(model, action)].join('; ')
}
