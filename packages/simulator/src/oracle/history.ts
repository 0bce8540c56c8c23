// History: what an observer outside can know of a run: who asked and was answered what, what was found and done where, which facts
// were decided and which are durable. Laws are judged by it and by the model host, never by the state of the core.

import type { Answer, Effect, Fact, Filesystem, Found, Identity, Memory, Request, RequestId } from '@mountkeeper/core'
import { emptyMemory } from '@mountkeeper/core'
import type { ModelHost } from '../model/host.js'
import type { Happening, Simulation } from '../run/simulation.js'

/** What is known of one attachment. `untold`: its last answer was decided and has not left yet. */
export interface Standing {
  readonly is: 'held' | 'gone' | 'unknown'
  /** The request whose answer says so. */
  readonly by: RequestId
  readonly untold: boolean
  /** As its attach asked for it. */
  readonly filesystem: Filesystem | undefined
}

/** What facts say of one mountpoint. */
export interface Recorded {
  readonly layer: Identity | undefined
  readonly claim: (Fact & { readonly _tag: 'Claimed' }) | undefined
  readonly intent: (Fact & { readonly _tag: 'Claimed' }) | undefined
  readonly directory: 'ours' | 'theirs'
  readonly unmounting: Identity | undefined
  /** Keys of attachments. */
  readonly held: ReadonlySet<string>
}

/** What was seen at a mountpoint last, and the model host as it was then. */
export interface Seen {
  readonly found: Found
  readonly host: ModelHost
  /** The number of the happening at which its look began, or its effect ended. */
  readonly since: number
  readonly of: Effect['_tag']
  /** An overdue effect has ended since it began: another look has to follow before anything is concluded. */
  readonly isStale: boolean
}

/** What is known of one mountpoint. */
export interface PlaceHistory {
  readonly path: string
  readonly standings: Map<string, Standing>
  decided: Recorded
  durable: Recorded
  /** Keys that a durable fact has ever called held, and left: of the two in one decision only the last one stays in `durable`. */
  readonly everHeld: Set<string>
  readonly everLeft: Set<string>
  seen: Seen | undefined
  /** Effects decided and not ended, by id; those that passed their deadline apart. */
  readonly flying: Map<number, { readonly effect: Effect; readonly since: number; isStale: boolean }>
  readonly overdue: Map<number, Effect>
  /** Serials of layers by others that cannot be distinguished from ours, and directories likewise. */
  readonly mistakable: Set<number>
  readonly mistakableDirectories: Set<number>
  /** Of those: they came while a command of ours ran that has ended well, in the place of what it was to bring. */
  readonly mistaken: Set<number>
  /** Identities that were ours in this boot. */
  readonly formerly: Identity[]
  /** A caller was answered `Attached` on the layer that is recorded now. */
  isReliedOn: boolean
  /**
   * The `Mount` that was emitted since the last claim, while what it did is not known; and the looks since no command of it lives.
   * Without one no layer that appears can be mistaken for ours, whatever the facts say.
   */
  mounting: { readonly filesystem: Filesystem; readonly looks: number } | undefined
  /** Two layers of ours may be there: a command has mounted twice. */
  doubled: boolean
  /** The directory that was here, while a directory above it has another name. */
  away: number | undefined
  /** The last probe found it mounted and dead. */
  dead: boolean
  lastBackOffMs: number
  retriesInRow: number
}

/** A law that was broken, and how. */
export interface Breach {
  readonly law: string
  readonly why: string
}

/** All that is known of a run so far. */
export interface History {
  readonly places: Map<string, PlaceHistory>
  /** Requests of this life, and when (in happenings) they were asked. */
  readonly asked: Map<RequestId, { readonly body: Request; readonly since: number }>
  readonly answered: Map<RequestId, Answer>
  /** Those that are not answered. */
  readonly open: Map<RequestId, Request>
  readonly breaches: Breach[]
  /** The fold of all facts, those of this life that are not durable among them. */
  folded: Memory
  /** How often each law was put to the test. */
  readonly tested: Map<string, number>
  happenings: number
  /** The host has come up in this life of the manager. */
  cameUp: boolean
  stopping: boolean
  /** The managed root was covered or uncovered: directories seen below one are not those below the other. */
  rootChanged: boolean
  /** A third party mounted what we were about to mount: which layer is whose is unknown from then on. */
  entangled: boolean
}

const NOTHING_RECORDED: Recorded = {
  layer: undefined,
  claim: undefined,
  intent: undefined,
  directory: 'theirs',
  unmounting: undefined,
  held: new Set(),
}

/** A history of nothing. */
export const newHistory = (): History => ({
  places: new Map(),
  asked: new Map(),
  answered: new Map(),
  open: new Map(),
  breaches: [],
  folded: emptyMemory(),
  tested: new Map(),
  happenings: 0,
  cameUp: false,
  stopping: false,
  rootChanged: false,
  entangled: false,
})

/** What is known of a mountpoint; of one that no request has named yet, nothing. */
export const placeAt = (history: History, path: string): PlaceHistory => {
  const known = history.places.get(path)
  if (known !== undefined) return known
  const place: PlaceHistory = {
    path,
    standings: new Map(),
    decided: NOTHING_RECORDED,
    durable: NOTHING_RECORDED,
    everHeld: new Set(),
    everLeft: new Set(),
    seen: undefined,
    flying: new Map(),
    overdue: new Map(),
    mistakable: new Set(),
    mistakableDirectories: new Set(),
    mistaken: new Set(),
    formerly: [],
    isReliedOn: false,
    mounting: undefined,
    doubled: false,
    away: undefined,
    dead: false,
    lastBackOffMs: 0,
    retriesInRow: 0,
  }
  history.places.set(path, place)
  return place
}

/** An attachment as one string; names may hold anything, so they are distinguished by more than a blank. */
export const keyOf = (volume: string, consumer: string): string => JSON.stringify([volume, consumer])

/** The consumer of a key. */
export const consumerOf = (key: string): string => (JSON.parse(key) as readonly [string, string])[1]

/** A law was put to the test; without `why` it held. */
export const judge = (history: History, law: string, why: string | undefined): void => {
  history.tested.set(law, (history.tested.get(law) ?? 0) + 1)
  if (why !== undefined) history.breaches.push({ law, why })
}

/** What to say of a law that does not hold. */
export const unless = (holds: boolean, why: string): string | undefined => (holds ? undefined : why)

/** What one fact makes of what was recorded of its mountpoint. */
export const recordFact = (recorded: Recorded, fact: Exclude<Fact, { readonly _tag: 'HostCameUp' }>): Recorded => {
  switch (fact._tag) {
    case 'Claimed':
      return { ...recorded, claim: fact, intent: fact }
    case 'DirectoryMade':
      return { ...recorded, directory: 'ours' }
    case 'Mounted':
      return { ...recorded, layer: fact.identity, intent: undefined, unmounting: undefined }
    case 'Adopted':
      return { ...recorded, layer: fact.identity, unmounting: undefined }
    case 'Held': {
      const { claim } = recorded
      const key = keyOf(fact.volume, fact.consumer)
      const isIts = claim !== undefined && keyOf(claim.volume, claim.consumer) === key
      return { ...recorded, held: new Set(recorded.held).add(key), claim: isIts ? undefined : claim }
    }
    case 'ClaimEnded':
      return { ...recorded, claim: undefined, intent: fact.intent === 'open' ? recorded.intent : undefined }
    case 'Left': {
      const held = new Set(recorded.held)
      held.delete(keyOf(fact.volume, fact.consumer))
      return { ...recorded, held }
    }
    case 'Unmounting':
      return { ...recorded, unmounting: fact.identity }
    case 'Unmounted':
      return { ...recorded, layer: undefined, intent: undefined, unmounting: undefined }
    case 'DirectoryRemoved':
    case 'DirectoryKept':
      return { ...recorded, directory: 'theirs' }
    case 'Forgotten':
      return NOTHING_RECORDED
    case 'Recorded':
      // Written where a journal is shortened; it says nothing new.
      return recorded
  }
}

/** Whether a request is about to end an attachment, from whatever caller it came. */
export const ends = (body: Request, path: string, key: string): boolean => {
  switch (body.op) {
    case 'detach':
      return body.mountpoint === path && keyOf(body.volume, body.consumer) === key
    case 'release':
      return body.consumer === consumerOf(key)
    case 'forget':
      return body.mountpoint === path
    default:
      return false
  }
}

/** Whether an attachment was answered `Attached` and no request asked since to end it: it has to be kept in any case. */
export const isCertain = (history: History, place: PlaceHistory, key: string): boolean => {
  const standing = place.standings.get(key)
  if (standing?.is !== 'held') return false
  for (const [request, body] of history.open) {
    if (request > standing.by && ends(body, place.path, key)) return false
  }
  return true
}

/** The attachments of a mountpoint that have to be kept in any case. */
export const certainAt = (history: History, place: PlaceHistory): readonly string[] =>
  [...place.standings.keys()].filter((key) => isCertain(history, place, key))

/**
 * The attachments that rely on the layer that is recorded at a mountpoint. On one that was mounted for lost holders, and found
 * wrong or dead before any caller was answered, no holder relies on it: it is taken off again.
 */
export const relyingAt = (history: History, place: PlaceHistory): readonly string[] =>
  place.isReliedOn ? certainAt(history, place) : []

/** Whether an attachment cannot be a holder: it was never asked for, or answered that it has left, and no request asks for it. */
export const isCertainlyGone = (history: History, place: PlaceHistory, key: string): boolean => {
  const standing = place.standings.get(key)
  if (standing !== undefined && standing.is !== 'gone') return false
  for (const body of history.open.values()) {
    if (body.op === 'attach' && body.mountpoint === place.path && keyOf(body.volume, body.consumer) === key)
      return false
  }
  return true
}

/** Hears of something that the history has taken in, and judges it. */
export type Law = (history: History, happening: Happening, simulation: Simulation) => void
