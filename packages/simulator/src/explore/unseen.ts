// What happens on the host unseen: commands do their work, third parties mount and unmount. This is not noticed before a look
// looks, so it is put off until then: each action that looks, or that ends a command, comes with everything that may have
// happened before it, and no other state is kept for it.
//
// That leaves nothing out. What happens unseen changes layers, a directory that a command makes or removes, and which commands
// have acted. The actions it is put off behind (a request, a deadline, a slot, a delay, an observation, the end of the manager,
// an effect that passes its deadline, a look or probe that shows nothing of the table) neither read nor write those, do not
// end a command, and forbid nothing of what was possible before them; nor does any oracle read those at such an action. So the
// two can change places, and lead to the same state with the same verdict, up to the names of new mount ids. Whatever is not
// of these actions has what happened unseen before it. A test holds the states against those of a walk that puts nothing off.

import type { Host } from '@mountkeeper/core'
import type { Configuration } from './configuration.js'
import type { Command, Flying, Layer, Manner, Model, Place } from './model.js'
import {
  act,
  canAct,
  canStrip,
  changed,
  freeMountId,
  identityOf,
  isChanging,
  isHaunted,
  pathOf,
  placeIndex,
  strip,
  vanish,
  withPlace,
} from './model.js'

export type Happening =
  | { readonly _tag: 'Acts'; readonly command: Command; readonly manner: Manner }
  | { readonly _tag: 'Mounts'; readonly place: number; readonly source: string }
  /** Others; `Strips`: they take the flags from our layer on top. */
  | { readonly _tag: 'Unmounts'; readonly place: number }
  | { readonly _tag: 'Strips'; readonly place: number }

/** Some of it, in order, and what it led to. */
export interface Unseen {
  readonly happenings: readonly Happening[]
  readonly model: Model
  /** It needs no fault: commands work, third parties take away what is theirs. */
  readonly calm: boolean
}

const LAYERS_MAX = 3

/** Nothing happened. */
export const nothingUnseen = (model: Model): Unseen => ({ happenings: [], model, calm: true })

/** Whether a command can still do its work, and would change anything by it. */
export const ableTo = (model: Model, { effect, acted }: Flying): boolean => {
  const place = model.places[placeIndex(model, pathOf(effect))]
  return place !== undefined && !acted && place.layers.length < LAYERS_MAX && canAct(place, effect)
}

/** A command does its work now. */
export const doWork = (model: Model, host: Host, { of, index }: Command, manner: Manner = 'as demanded'): Model => {
  const flying = model[of][index]
  const at = placeIndex(model, flying === undefined ? undefined : pathOf(flying.effect))
  const place = model.places[at]
  if (flying === undefined || place === undefined) return model
  const { effect } = flying
  const isLate = of === 'late' && effect._tag === 'Unmount'
  const worked = withPlace(
    model,
    at,
    isLate ? vanish(place, effect) : act(place, effect, freeMountId(model, host), manner),
  )
  return changed(worked, of, index, { ...flying, acted: true })
}

const foreign = (mountId: number, source: string): Layer => ({
  identity: identityOf(mountId, source, 'as demanded'),
  by: 'other',
  of: source,
})

type Interference = Exclude<Happening, { readonly _tag: 'Acts' }>

const interfered = (model: Model, host: Host, place: Place, happening: Interference): Place => {
  switch (happening._tag) {
    case 'Mounts':
      return { ...place, layers: [foreign(freeMountId(model, host), happening.source), ...place.layers] }
    case 'Unmounts':
      return { ...place, layers: place.layers.slice(1) }
    case 'Strips':
      return strip(place)
  }
}

/** The model after one more thing has happened. */
export const happen = (model: Model, host: Host, happening: Happening): Model => {
  if (happening._tag === 'Acts') return doWork(model, host, happening.command, happening.manner)
  const place = model.places[happening.place]
  if (place === undefined) return model
  return withPlace(model, happening.place, interfered(model, host, place, happening))
}

const acts = ({ allowed }: Configuration, model: Model, path: string): readonly Happening[] => {
  const found: Happening[] = []
  for (const of of ['flying', 'orphans'] as const) {
    model[of].forEach((flying, index) => {
      if (!isChanging(flying.effect) || pathOf(flying.effect) !== path || !ableTo(model, flying)) return
      const command = { of, index }
      found.push({ _tag: 'Acts', command, manner: 'as demanded' })
      if (flying.effect._tag !== 'Mount') return
      if (allowed.bareMounts) found.push({ _tag: 'Acts', command, manner: 'bare' })
      if (allowed.respelled) found.push({ _tag: 'Acts', command, manner: 'respelled' })
    })
  }
  return found
}

/** What others mount: something of their own; or, where nothing of ours is awaited, what we would mount. */
const foreignSources = ({ allowed, sources }: Configuration, { mounting }: Place): readonly string[] => {
  if (!allowed.twins) return ['x']
  return mounting ? [] : sources
}

const interferes = (configuration: Configuration, model: Model, at: number, place: Place): readonly Happening[] => {
  const { allowed } = configuration
  const { path, directory, layers } = place
  const found: Happening[] = []
  if (allowed.flagsChange && canStrip(place)) found.push({ _tag: 'Strips', place: at })
  if (allowed.foreignLayers === 0) return found
  const others = layers.reduce((sum, layer) => (layer.by === 'other' ? sum + 1 : sum), 0)
  // A layer on top would hide that a mount of ours is still to become visible.
  const hides = model.late.some(({ effect }) => pathOf(effect) === path)
  if (directory !== 'none' && !hides && others < allowed.foreignLayers && layers.length < LAYERS_MAX)
    for (const source of foreignSources(configuration, place)) found.push({ _tag: 'Mounts', place: at, source })
  if (layers.length > 0) found.push({ _tag: 'Unmounts', place: at })
  return found
}

/** All that may happen next at a mountpoint without any caller noticing. */
export const happeningsIn = (configuration: Configuration, model: Model, at: number): readonly Happening[] => {
  const place = model.places[at]
  if (place === undefined) return []
  return [...acts(configuration, model, place.path), ...interferes(configuration, model, at, place)]
}

const isCalm = (model: Model, happening: Happening): boolean =>
  happening._tag === 'Acts'
    ? happening.manner !== 'bare'
    : happening._tag === 'Unmounts' && model.places[happening.place]?.layers[0]?.by === 'other'

const nameOf = ({ flying, orphans }: Model, { directory, layers }: Place): string => {
  const stack = layers.map(({ identity, by }) => `${identity.mountId}${by}${identity.source}${identity.flags.length}`)
  const acted = [...flying, ...orphans].map((each) => (each.acted ? '!' : '.'))
  return `${directory} ${stack.join()} ${acted.join('')}`
}

/** Everything that may happen at a mountpoint until the next look, each outcome once and by the shortest way; first nothing. */
export const unseenAt = (configuration: Configuration, host: Host, begins: Unseen, at: number): readonly Unseen[] => {
  const place = begins.model.places[at]
  if (place === undefined) return [begins]
  const all = [begins]
  const known = new Map([[nameOf(begins.model, place), begins.calm]])
  // It grows while it is walked, up to the few stacks that there can be.
  for (const { happenings, model, calm } of all) {
    for (const happening of happeningsIn(configuration, model, at)) {
      const after = happen(model, host, happening)
      const isStillCalm = calm && isCalm(model, happening)
      const name = nameOf(after, after.places[at] ?? place)
      // Once more, if it can be had without a fault.
      if (known.has(name) && (known.get(name) === true || !isStillCalm)) continue
      known.set(name, isStillCalm)
      all.push({ happenings: [...happenings, happening], model: after, calm: isStillCalm })
    }
  }
  return all
}

/** Of those what cannot be put off any longer when commands end and there is no look: what others do after them can. */
export const unseenByEnds = (all: readonly Unseen[]): readonly Unseen[] =>
  all.filter(({ happenings }) => happenings.length === 0 || happenings[happenings.length - 1]?._tag === 'Acts')

/** The same at every mountpoint that a discovery shows something of. */
export const unseenEverywhere = (configuration: Configuration, host: Host, model: Model): readonly Unseen[] =>
  model.places.reduce<readonly Unseen[]>(
    (all, { path }, at) => {
      const isTold = !isHaunted(model, path) || !host.mountpoints.has(path)
      return isTold ? all.flatMap((each) => unseenAt(configuration, host, each, at)) : all
    },
    [nothingUnseen(model)],
  )
