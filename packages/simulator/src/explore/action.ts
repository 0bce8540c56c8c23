// Actions: all that can happen next. A run is a list of them; each is made of data only and reads as a line.

import type { Host, Request } from '@mountkeeper/core'
import { showRequest } from '@mountkeeper/core'
import type { Distinct } from './canonical.js'
import type { Configuration } from './configuration.js'
import type { Flying, Model, Pending } from './model.js'
import { canAct, isChanging, pathOf, placeIndex } from './model.js'

/** Which list a command stands in. */
export type Of = 'flying' | 'orphans' | 'late'

/**
 * Whether a command does its work before it ends, and a mount with the flags that were demanded. That it acts at the very end
 * leaves nothing out: until then nobody looks at the host but third parties, and for them see `Disturb`.
 */
export type Work = 'nothing' | 'its work' | 'a mount without flags'

/** A command, by its place in its list. */
export interface Command {
  readonly of: Of
  readonly index: number
}

export type Action =
  | {
      readonly _tag: 'Ask'
      readonly body: Request
      readonly place: number
      readonly attachments: number
      readonly source: string
    }
  /** The outcome of an effect. `visible later`: exit 0, and the mount is not seen yet. */
  | {
      readonly _tag: 'Report'
      readonly index: number
      readonly does: Work
      readonly how: 'well' | 'with an error' | 'nobody can tell' | 'timed out' | 'visible later' | 'broken'
    }
  /** No process of a command that is overdue, or of an earlier life, lives any more. */
  | { readonly _tag: 'End'; readonly command: Command; readonly does: Work; readonly how: 'done' | 'visible later' }
  /** What was to become visible later does. */
  | { readonly _tag: 'Appear'; readonly command: Command }
  | { readonly _tag: 'Elapse'; readonly index: number }
  | { readonly _tag: 'Discover'; readonly index: number; readonly how: 'well' | 'fails' }
  | { readonly _tag: 'Grant'; readonly path: string }
  | { readonly _tag: 'Deadline'; readonly pending: Pending }
  | { readonly _tag: 'Observe'; readonly path: string }
  /** A third party acts; `after`: a command of ours has done its work just before, and ends later. */
  | {
      readonly _tag: 'Disturb'
      readonly place: number
      readonly what: 'mounts' | 'unmounts'
      readonly after: Command | undefined
    }
  | { readonly _tag: 'Crash'; readonly what: 'manager' | 'machine' }

const LAYERS_MAX = 3

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

const ableTo = (model: Model, { effect, acted }: Flying): boolean => {
  const place = model.places[placeIndex(model, pathOf(effect))]
  return place !== undefined && !acted && place.layers.length < LAYERS_MAX && canAct(place, effect)
}

/** Whether a mount may stay invisible after its command: not under a layer of others, which would hide that it is to come. */
const mayBeLate = ({ allowed }: Configuration, model: Model, flying: Flying): boolean =>
  allowed.late &&
  flying.effect._tag === 'Mount' &&
  ableTo(model, flying) &&
  model.places[placeIndex(model, flying.effect.mountpoint)]?.layers.length === 0

/** What a command may do before it ends; doing nothing is a fault if it could do its work. */
const workOf = ({ allowed }: Configuration, model: Model, flying: Flying): readonly Work[] => {
  if (!isChanging(flying.effect) || !ableTo(model, flying)) return ['nothing']
  if (!allowed.errors) return ['its work']
  return flying.effect._tag === 'Mount' && allowed.bareMounts
    ? ['its work', 'nothing', 'a mount without flags']
    : ['its work', 'nothing']
}

const reportsOf = (configuration: Configuration, model: Model, flying: Flying, index: number): readonly Action[] => {
  const { allowed } = configuration
  const { effect } = flying
  const actions: Action[] = []
  const add = (how: (Action & { _tag: 'Report' })['how'], does: Work): void => {
    actions.push({ _tag: 'Report', index, how, does })
  }
  for (const does of workOf(configuration, model, flying)) {
    add('well', does)
    if (isChanging(effect) && allowed.errors) add('with an error', does)
    if (effect._tag !== 'Probe' && allowed.cannotTell) add('nobody can tell', does)
  }
  if (effect._tag === 'Probe' && allowed.errors) add('broken', 'nothing')
  if (mayBeLate(configuration, model, flying)) add('visible later', 'nothing')
  if (allowed.timeOuts) add('timed out', 'nothing')
  return actions
}

const endsOf = (configuration: Configuration, model: Model, flying: Flying, command: Command): readonly Action[] => {
  const done = workOf(configuration, model, flying).map((does): Action => ({ _tag: 'End', command, does, how: 'done' }))
  return mayBeLate(configuration, model, flying)
    ? [...done, { _tag: 'End', command, does: 'nothing', how: 'visible later' }]
    : done
}

const effects = (configuration: Configuration, model: Model): readonly Action[] => {
  const { allowed } = configuration
  const actions: Action[] = []
  model.flying.forEach((flying, index) => {
    const { effect, overdue } = flying
    if (effect._tag === 'Wait') {
      actions.push({ _tag: 'Elapse', index })
    } else if (effect._tag === 'Discover') {
      actions.push({ _tag: 'Discover', index, how: 'well' })
      if (allowed.discoveryFails) actions.push({ _tag: 'Discover', index, how: 'fails' })
    } else if (overdue) {
      actions.push(...endsOf(configuration, model, flying, { of: 'flying', index }))
    } else {
      actions.push(...reportsOf(configuration, model, flying, index))
    }
  })
  model.orphans.forEach((flying, index) => {
    actions.push(...endsOf(configuration, model, flying, { of: 'orphans', index }))
  })
  model.late.forEach((flying, index) => {
    if (ableTo(model, flying)) actions.push({ _tag: 'Appear', command: { of: 'late', index } })
  })
  return actions
}

const thirdParties = ({ allowed }: Configuration, model: Model): readonly Action[] => {
  if (allowed.foreignLayers === 0) return []
  return model.places.flatMap(({ path, directory, layers }, place): readonly Action[] => {
    const others = layers.filter((layer) => layer.by === 'other').length
    // A layer on top would hide that a mount of ours is still to become visible; see `mayBeLate`.
    const foreign = model.late.some(({ effect }) => pathOf(effect) === path) ? Infinity : others
    const actions: Action[] = []
    if (directory !== 'none' && foreign < allowed.foreignLayers && layers.length < LAYERS_MAX)
      actions.push({ _tag: 'Disturb', place, what: 'mounts', after: undefined })
    if (layers.length > 0) actions.push({ _tag: 'Disturb', place, what: 'unmounts', after: undefined })
    for (const of of ['flying', 'orphans'] as const) {
      model[of].forEach((flying, index) => {
        if (!isChanging(flying.effect) || pathOf(flying.effect) !== path || !ableTo(model, flying)) return
        const after = { of, index }
        // After an rmdir there is nothing to mount on; after an mkdir or an umount it is as before, for one who mounts.
        if (foreign < allowed.foreignLayers && flying.effect._tag !== 'RemoveDirectory')
          actions.push({ _tag: 'Disturb', place, what: 'mounts', after })
        if (flying.effect._tag === 'Mount') actions.push({ _tag: 'Disturb', place, what: 'unmounts', after })
      })
    }
    return actions
  })
}

/** All that can happen in this state, always in the same order. `next`: who is to be granted a slot, if anybody. */
export const actionsOf = (
  configuration: Configuration,
  model: Model,
  host: Host,
  distinct: Distinct,
  next: string | undefined,
): readonly Action[] => {
  const { allowed } = configuration
  const actions: Action[] = [...effects(configuration, model)]
  if (next !== undefined) actions.push({ _tag: 'Grant', path: next })
  actions.push(...asks(configuration, model, host, distinct))
  actions.push(...thirdParties(configuration, model))
  if (allowed.deadlines) for (const pending of model.pending) actions.push({ _tag: 'Deadline', pending })
  if (allowed.observations) {
    for (const { path } of model.places) if (host.mountpoints.has(path)) actions.push({ _tag: 'Observe', path })
  }
  if (allowed.crashes) actions.push({ _tag: 'Crash', what: 'manager' })
  if (allowed.crashes && allowed.reboots) actions.push({ _tag: 'Crash', what: 'machine' })
  return actions
}

const isLeaving = (host: Host, { body }: Action & { _tag: 'Ask' }): boolean =>
  body.op === 'detach' || (body.op === 'host-up' && (host.phase === 'down' || host.phase === 'retrying'))

/** Whether a command does all it can. */
const isWorking = (model: Model, { of, index }: Command, does: Work): boolean => {
  const flying = model[of][index]
  if (flying === undefined) return false
  return does === 'its work' || !isChanging(flying.effect) || !ableTo(model, flying)
}

/** Whether it may happen when faults have stopped and everybody leaves: third parties take away what is theirs. */
export const isCalm = (model: Model, host: Host, action: Action): boolean => {
  switch (action._tag) {
    case 'Ask':
      return isLeaving(host, action)
    case 'Report':
      return action.how === 'well' && isWorking(model, { of: 'flying', index: action.index }, action.does)
    case 'End':
      return action.how === 'done' && action.does !== 'a mount without flags'
    case 'Discover':
      return action.how === 'well'
    case 'Appear':
    case 'Elapse':
    case 'Grant':
      return true
    case 'Disturb':
      return (
        action.what === 'unmounts' &&
        action.after === undefined &&
        model.places[action.place]?.layers[0]?.by === 'other'
      )
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

const showWork = (does: Work): string => (does === 'nothing' ? '' : `does ${does} and `)

/** One line for people, without what follows from it. */
export const showAction = (model: Model, action: Action): string => {
  switch (action._tag) {
    case 'Ask':
      return `somebody asks: ${showRequest(action.body)}`
    case 'Report': {
      const { index, does, how } = action
      return `${named(model, { of: 'flying', index })} ${showWork(does)}reports: ${how}`
    }
    case 'End':
      return `${named(model, action.command)} ${showWork(action.does)}ends${action.how === 'done' ? '' : `, to be ${action.how}`}`
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
    case 'Disturb': {
      const after = action.after === undefined ? '' : `${named(model, action.after)} does its work, and then `
      return `${after}a third party ${action.what} at ${model.places[action.place]?.path ?? ''}`
    }
    case 'Crash':
      return `the ${action.what} crashes and begins anew`
  }
}
