// A small model of a host beside the core: directories, stacks of layers, effects in flight, and the answers that callers got. It
// shares no code with the core but the types.

import type { Answer, Effect, Fact, Found, Host, Identity, Input, Settings } from '../../src/index.js'
import { emptyHost } from '../../src/index.js'

export const pathOf = (effect: Effect): string | undefined =>
  effect._tag === 'Discover' ? undefined : effect.mountpoint

export interface Layer {
  readonly identity: Identity
  /** What was adopted is ours from then on. */
  by: 'us' | 'other'
}

export interface Place {
  directory: boolean
  directoryBy: 'us' | 'other'
  readonly layers: Layer[] // top first
  /** Third parties have acted since the last look: what a command meets is not what was shown. */
  disturbed: boolean
  /**
   * A caller was answered `Attached` since our layer came, or it has outlived a crash: who holds one that was lost does not rely on
   * another that is mounted for them and found wrong at once.
   */
  isReliedOn: boolean
  /** A probe has shown that it is dead. */
  broken: boolean
  /** A process works inside: only a lazy unmount takes it off. */
  busy: boolean
  /** Unmounted lazily, and not looked at since. */
  lazily: boolean
  /** Delays between unmounts since anything else has happened. */
  retries: number
}

export interface Flying {
  readonly effect: Effect
  /** Past its deadline: its outcome was given, its end was not. */
  overdue: boolean
}

export interface World {
  settings: Settings
  host: Host
  readonly places: Map<string, Place>
  readonly flying: Flying[]
  /** Effects of this life that have ended, and delays that were replaced. */
  readonly ended: Effect[]
  /** Mounts whose command has ended and that no look can see yet. */
  readonly late: Effect[]
  readonly facts: Fact[]
  readonly asked: Map<number, Input & { readonly _tag: 'Requested' }>
  readonly answers: Map<number, Answer>
  /** Answered `Attached`, and no request asked to end it since. */
  readonly certain: Map<string, Set<string>>
  readonly log: string[]
  readonly broken: string[]
  readonly recorded: Recorded
  /** The last request of that kind: what the host is to be. */
  wish: 'up' | 'down'
  boot: number
  nextRequest: number
  nextMount: number
  /** Mount ids that the kernel gives out again. */
  readonly freed: number[]
  at: number
}

/** What the facts of a run say, one mountpoint each. */
export interface Recorded {
  readonly layers: Map<string, Identity>
  /**
   * Of this life of the manager only, and what had been asked before; 0 for one in the name of a consumer that holds already,
   * since what is lost is mounted again in the name of one of its holders.
   */
  readonly claims: Map<string, { readonly name: string; readonly asked: number }>
  /** The last request that had been asked when a claim ended. */
  readonly claimEnded: Map<string, number>
  readonly held: Map<string, Set<string>>
  readonly everHeld: Set<string>
  readonly everLeft: Set<string>
}

const nothingRecorded = (): Recorded => ({
  layers: new Map(),
  claims: new Map(),
  claimEnded: new Map(),
  held: new Map(),
  everHeld: new Set(),
  everLeft: new Set(),
})

export const newWorld = (settings: Settings): World => ({
  settings,
  host: emptyHost(settings),
  places: new Map(),
  flying: [],
  ended: [],
  late: [],
  facts: [],
  asked: new Map(),
  answers: new Map(),
  certain: new Map(),
  log: [],
  broken: [],
  recorded: nothingRecorded(),
  wish: 'down',
  boot: 1,
  nextRequest: 1,
  nextMount: 100,
  freed: [],
  at: 0,
})

export const placeOf = (world: World, path: string): Place => {
  const known = world.places.get(path)
  if (known !== undefined) return known
  const place: Place = {
    directory: false,
    directoryBy: 'other',
    layers: [],
    disturbed: false,
    isReliedOn: false,
    broken: false,
    busy: false,
    lazily: false,
    retries: 0,
  }
  world.places.set(path, place)
  return place
}

export const certainAt = (world: World, path: string): Set<string> => {
  const known = world.certain.get(path) ?? new Set<string>()
  world.certain.set(path, known)
  return known
}

export const breakLaw = (world: World, law: string): void => {
  world.broken.push(`${law} after ${world.log.length} steps`)
}

export const foundAt = (world: World, path: string): Found => {
  const place = placeOf(world, path)
  if (place.layers.length > 0) return { _tag: 'Mounted', layers: place.layers.map((layer) => layer.identity) }
  return { _tag: place.directory ? 'Directory' : 'NoDirectory' }
}
