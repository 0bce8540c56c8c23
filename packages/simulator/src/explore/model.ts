// The host beside the core, as small as it can be: a few values for each mountpoint, the commands that run, and what an observer
// outside knows: what was asked and not answered, who was answered `Attached`, what the manager was shown last. A model is an
// immutable value, so that a hundred thousand of them can share what they have in common.

import type { Effect, Found, Host, Identity, RequestId } from '@mountkeeper/core'
import type { Memory } from './journal.js'

/** A layer, who mounted it, and what it was made from; only the explorer knows that. */
export interface Layer {
  readonly identity: Identity
  readonly by: 'us' | 'other'
  /** However the table spells it. */
  readonly of: string
}

/** What the last report about a mountpoint showed. `look`: it was a look, and no changing effect was emitted since. */
export type Shown =
  | { readonly _tag: 'Unknown' }
  | { readonly _tag: 'Seen'; readonly directory: boolean; readonly top: Layer | undefined; readonly look: boolean }

export interface Place {
  readonly path: string
  readonly directory: 'none' | 'ours' | 'theirs'
  /** Top first. */
  readonly layers: readonly Layer[]
  readonly shown: Shown
  /** A `Mount` was emitted since the last claim, and no fact yet shows its result. */
  readonly mounting: boolean
  /** Who was answered `Attached` and has not asked to leave since, one bit each; and to what they are attached by their answers. */
  readonly certain: number
  readonly certainSource: string
  /**
   * A caller was answered `Attached` since our layer came, or it has outlived a manager: who holds one that was lost does not rely
   * on another that is mounted for them and found wrong at once.
   */
  readonly relied: boolean
}

/** An effect that was emitted. A command acts once at most, at any moment of its life, whatever it reports. */
export interface Flying {
  readonly effect: Effect
  readonly acted: boolean
  /** Past its deadline: its outcome was given, its end was not. */
  readonly overdue: boolean
}

/** Which list a command stands in. */
export type Of = 'flying' | 'orphans' | 'late'

/** A command, by its place in its list. */
export interface Command {
  readonly of: Of
  readonly index: number
}

/** A request that was asked and not answered. */
export interface Pending {
  readonly request: RequestId
  readonly op: 'attach' | 'detach' | 'release' | 'host-up' | 'reconcile'
  /** Index of the mountpoint; -1 for a release and for the host's own. */
  readonly place: number
  /** One bit for each attachment that it is about. */
  readonly attachments: number
  readonly source: string
  /** Of an attach: its attachment was asked to leave since. */
  readonly left: boolean
  /** A look has begun since. */
  readonly looked: boolean
  /** Of a detach: those that were certain before it was asked; a cancelled one has changed nothing. */
  readonly had: number
}

export interface Model {
  readonly places: readonly Place[]
  readonly flying: readonly Flying[]
  /** Commands that have outlived the manager that began them. */
  readonly orphans: readonly Flying[]
  /** Mounts and unmounts whose command has ended and whose work may still become visible, until `settleMs` are over. */
  readonly late: readonly Flying[]
  readonly pending: readonly Pending[]
  readonly memory: Memory
  /** The last wish: what the host is to be. */
  readonly wish: 'up' | 'down'
  /** A generation has begun in this life of the manager. */
  readonly wasUp: boolean
  readonly boot: 'boot-1' | 'boot-2'
}

export const UNKNOWN: Shown = { _tag: 'Unknown' }

const CHANGING: ReadonlySet<Effect['_tag']> = new Set(['MakeDirectory', 'Mount', 'Unmount', 'RemoveDirectory'])

/** Whether an effect can change the host. */
export const isChanging = (effect: Effect): boolean => CHANGING.has(effect._tag)

export const pathOf = (effect: Effect): string | undefined =>
  effect._tag === 'Discover' ? undefined : effect.mountpoint

const NO_DIRECTORY: Found = { _tag: 'NoDirectory' }
const DIRECTORY: Found = { _tag: 'Directory' }
const COMMAND_ALIVE: Found = { _tag: 'Unknown', why: 'CommandAlive' }

/** Whether a command of an earlier life runs there. */
export const isHaunted = ({ orphans }: Model, path: string | undefined): boolean =>
  orphans.some(({ effect }) => pathOf(effect) === path)

/** What a look sees; while a command of an earlier life runs there, it is unknown. */
export const foundAt = (model: Model, place: Place): Found => {
  if (isHaunted(model, place.path)) return COMMAND_ALIVE
  if (place.layers.length > 0) return { _tag: 'Mounted', layers: place.layers.map((layer) => layer.identity) }
  return place.directory === 'none' ? NO_DIRECTORY : DIRECTORY
}

/** What the next look reports of a mountpoint. */
export const shownAt = (model: Model, place: Place, look: boolean): Shown =>
  isHaunted(model, place.path)
    ? UNKNOWN
    : { _tag: 'Seen', directory: place.directory !== 'none', top: place.layers[0], look }

const FLAGS: readonly string[] = ['rw', 'nosuid', 'nodev']
const BARE: readonly string[] = ['rw']

const known = new Map<string, Identity>()

/** The same object for the same identity, so that states share it. */
const shared = (identity: Identity): Identity => {
  const key = `${identity.mountId} ${identity.source} ${identity.flags.length}`
  const first = known.get(key) ?? identity
  known.set(key, first)
  return first
}

/** How a mount can come: as it is to, without its flags, or with its source spelled differently. */
export type Manner = 'as demanded' | 'bare' | 'respelled'

const isBare = (identity: Identity): boolean => identity.flags === BARE

/** The source as a helper may spell it. */
export const RESPELLED = '/'

/** The identity of the mount with this id; the same object every time, so that states share it. */
export const identityOf = (mountId: number, source: string, manner: Manner): Identity => {
  const spelled = manner === 'respelled' ? source + RESPELLED : source
  const flags = manner === 'bare' ? BARE : FLAGS
  return shared({ mountId, device: `0:${mountId}`, fstype: 'tmpfs', source: spelled, root: '/', flags })
}

/** What a command does when it acts. An unmount takes off whatever is on top: between look and command anything may happen. */
export const act = (place: Place, effect: Effect, mountId: number, manner: Manner): Place => {
  switch (effect._tag) {
    case 'MakeDirectory':
      return place.directory === 'none' ? { ...place, directory: 'ours' } : place
    case 'Mount': {
      if (place.directory === 'none') return place
      const { source } = effect.filesystem
      const layer: Layer = { identity: identityOf(mountId, source, manner), by: 'us', of: source }
      return { ...place, layers: [layer, ...place.layers] }
    }
    case 'Unmount':
      return { ...place, layers: place.layers.slice(1) }
    case 'RemoveDirectory':
      return place.layers.length === 0 ? { ...place, directory: 'none' } : place
    default:
      return place
  }
}

/** What was unmounted disappears now: that very layer, wherever it is. */
export const vanish = (place: Place, { identity }: Effect & { readonly _tag: 'Unmount' }): Place => ({
  ...place,
  layers: place.layers.filter((layer) => layer.identity.mountId !== identity.mountId),
})

/** Whether the command could change anything now. */
export const canAct = (place: Place, effect: Effect): boolean => {
  switch (effect._tag) {
    case 'MakeDirectory':
      return place.directory === 'none'
    case 'Mount':
      return place.directory !== 'none'
    case 'Unmount':
      return place.layers.length > 0
    case 'RemoveDirectory':
      return place.layers.length === 0 && place.directory !== 'none'
    default:
      return false
  }
}

/** Others take the flags from our layer on top. */
export const strip = (place: Place): Place => {
  const [top, ...below] = place.layers
  if (top === undefined || isBare(top.identity)) return place
  const identity: Identity = { ...top.identity, flags: BARE }
  return { ...place, layers: [{ ...top, identity: shared(identity) }, ...below] }
}

/** Whether others can do that. */
export const canStrip = ({ layers: [top] }: Place): boolean => top?.by === 'us' && !isBare(top.identity)

/**
 * A command that has mounted with its source spelled differently, and did not end well: no look can distinguish that layer from one of
 * a third party. The one that is recorded was distinguished when its command ended.
 */
export const disown = (place: Place, recorded: number | undefined): Place => {
  const isOdd = ({ identity, by, of }: Layer): boolean =>
    by === 'us' && identity.source !== of && identity.mountId !== recorded
  if (!place.layers.some(isOdd)) return place
  const layers = place.layers.map((layer): Layer =>
    isOdd(layer) ? { ...layer, by: 'other', of: layer.identity.source } : layer,
  )
  return { ...place, layers }
}

export const withPlace = (model: Model, index: number, place: Place): Model => ({
  ...model,
  places: model.places.map((each, at) => (at === index ? place : each)),
})

export const placeIndex = (model: Model, path: string | undefined): number =>
  model.places.findIndex((place) => place.path === path)

/** With this command in place of the one that stood there. */
export const changed = (model: Model, of: Of, index: number, flying: Flying): Model => ({
  ...model,
  [of]: model[of].map((each, at) => (at === index ? flying : each)),
})

/** Without this command. */
export const removed = (model: Model, of: Of, index: number): Model => ({
  ...model,
  [of]: model[of].filter((_, at) => at !== index),
})

/** Whether the layer that an unmount names is still there. */
export const isLayer = ({ places }: Model, { mountpoint, identity }: Effect & { readonly _tag: 'Unmount' }): boolean =>
  places.some(
    ({ path, layers }) => path === mountpoint && layers.some((layer) => layer.identity.mountId === identity.mountId),
  )

/** The lowest mount id that nothing remembers: the kernel uses them again as well. */
export const freeMountId = (model: Model, host: Host): number => {
  const used = new Set<number>()
  for (const { layers, shown } of model.places) {
    for (const { identity } of layers) used.add(identity.mountId)
    if (shown._tag === 'Seen' && shown.top !== undefined) used.add(shown.top.identity.mountId)
  }
  for (const { effect } of model.late) if (effect._tag === 'Unmount') used.add(effect.identity.mountId)
  for (const { mountpoints } of [host, model.memory]) {
    for (const { record } of mountpoints.values()) {
      if (record.layer !== undefined) used.add(record.layer.mountId)
      for (const { mountId } of record.foreign) used.add(mountId)
      for (const { mountId } of record.intent?.layersBefore ?? []) used.add(mountId)
    }
  }
  for (let mountId = 100; ; mountId += 1) if (!used.has(mountId)) return mountId
}
