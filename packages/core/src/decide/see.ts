// Seeing: what a look at a mountpoint means for its record, before any transition decides what follows. The table beats every
// record (L29, L35), and only a layer that is recorded, or that an open intent explains, is ours (L34).

import { missingFlags } from '../agree.js'
import type { Warning } from '../answer.js'
import type { Found, Identity, ResolvedSource, SourceSeen, Unknown } from '../found.js'
import { compareIdentity, layersOf, renamedAmong } from '../found.js'
import type { Draft } from './draft.js'
import { endRecord, set, recordFact } from './draft.js'
import { mountingOf } from '../goal.js'
import type { IdentifiedBy } from '../layer.js'
import { ourMount } from '../layer.js'
import { noteDirectory, noteUnmounted, settingsOf } from './steps.js'

const NO_LAYERS: readonly Identity[] = []

const isSame = (a: Identity, b: Identity): boolean => compareIdentity(a, b) === 'same'

/** The other mountpoint that has recorded this very layer for its own, if there is one. */
export const otherWith = ({ out, record }: Draft, layer: Identity): string | undefined => {
  const path = out.host.layers.get(layer.mountId)
  const other = path === undefined || path === record.path ? undefined : out.host.mountpoints.get(path)?.record
  return other?.layer !== undefined && isSame(other.layer, layer) ? path : undefined
}

/** Where our layer was seen, if at another path. Where a mount of ours has got its mount id, it is that one that was seen. */
export const elsewhereOf = (draft: Draft): string | undefined => {
  const { layer } = draft.record
  return layer !== undefined && otherWith(draft, layer) === undefined ? draft.elsewhere : undefined
}

/** A directory of ours that is gone, or that something else has taken the place of, is ours no longer (L35). */
const compareDirectory = (draft: Draft, found: Found): void => {
  if (found._tag === 'NoDirectory') noteDirectory(draft, 'DirectoryRemoved')
  else if (found._tag === 'Obstacle') noteDirectory(draft, 'DirectoryKept')
}

/**
 * Compares the recorded layer with what is there now. Returns the reason where that is inconclusive; then nothing was changed. `by`
 * says who took our layer off if it is gone.
 */
export const compareWithFound = (draft: Draft, found: Found, by: 'us' | 'other'): Unknown | undefined => {
  if (found._tag === 'Unknown') return found
  const { layer } = draft.record
  const layers = layersOf(found)
  const position = layer === undefined ? -1 : layers.findIndex((each) => isSame(layer, each))
  const elsewhere = position < 0 ? elsewhereOf(draft) : undefined
  if (elsewhere !== undefined) {
    // Its directory has moved with it, or waits for it: nothing is concluded from what is at the path now.
    set(draft, { unknown: undefined, covered: false, elsewhere, foreign: layers })
    return undefined
  }
  if (draft.record.directory === 'ours') compareDirectory(draft, found)
  if (layer === undefined) {
    set(draft, { unknown: undefined, foreign: layers })
    return undefined
  }
  const renamed = renamedAmong(layer, layers)
  if (renamed !== undefined) return renamed
  if (position < 0) noteUnmounted(draft, by)
  set(draft, {
    unknown: undefined,
    seen: layers[position],
    covered: position > 0,
    elsewhere: undefined,
    foreign: layers.length === 1 && position === 0 ? NO_LAYERS : layers.filter((_, index) => index !== position),
  })
  return undefined
}

/** The result of our own mount, as the table shows it. */
export type IdentifiedMount =
  | { readonly _tag: 'Nothing' }
  /** Ours, also where `wrong` says why the caller may not have it. */
  | { readonly _tag: 'Ours'; readonly wrong: string | undefined; readonly warnings: readonly Warning[] }
  | { readonly _tag: 'Other' }
  | { readonly _tag: 'Stacked' }

/** Records a layer as ours, as the table shows it (never as it was asked for), and what its source led to. */
const recordLayer = (
  draft: Draft,
  identity: Identity,
  covered: boolean,
  layers: readonly Identity[],
  asked: ResolvedSource | undefined,
): void => {
  const { out, record } = draft
  const source = asked?._tag === 'At' || asked?._tag === 'Files' ? asked : undefined
  const led = source === undefined ? {} : { source }
  recordFact(draft, { _tag: 'Mounted', at: out.at, mountpoint: record.path, identity, ...led })
  set(draft, {
    seen: identity,
    covered,
    foreign: layers.length === 1 ? NO_LAYERS : layers.filter((layer) => layer !== identity),
    reason: undefined,
  })
}

/** Settles the open intent of a mount by what is there now: a new layer that is ours is recorded, also below others. */
export const identifyMount = (
  draft: Draft,
  found: Found,
  seen: SourceSeen | undefined,
  exited: IdentifiedBy['exited'],
): IdentifiedMount => {
  const { intent, filesystem, work } = draft.record
  const layers = layersOf(found)
  const before = intent?.layersBefore ?? NO_LAYERS
  const fresh = layers.filter((layer) => !before.some((each) => isSame(each, layer)))
  if (fresh.length === 0 || filesystem === undefined) return { _tag: 'Nothing' }
  const grewByOne = fresh.length === 1 && layers.length === before.length + 1
  const asked = mountingOf(work)?.source ?? seen?.asked
  const explained = intent !== undefined && intent.explains === undefined ? fresh : NO_LAYERS
  const by = { fresh: explained, grewByOne, exited, before: asked, seen }
  const ours = ourMount(settingsOf(draft), filesystem, by)
  if (ours !== undefined) recordLayer(draft, ours.layer, layers[0] !== ours.layer, layers, asked)
  else set(draft, { foreign: layers })
  if (fresh.length > 1 || (ours !== undefined && layers[0] !== ours.layer)) return { _tag: 'Stacked' }
  if (ours === undefined) return { _tag: 'Other' }
  const missing = missingFlags(filesystem, ours.layer)
  const bare = missing.length === 0 ? undefined : `mounted without ${missing.join(', ')}, which is required`
  return { _tag: 'Ours', wrong: ours.wrong ?? bare, warnings: ours.warnings }
}

/** A record of which nothing is left but, perhaps, requests that wait. */
export const becomeAbsent = (draft: Draft): void => {
  // Untouched: it has come to this before.
  if (!draft.isOwn && draft.record.phase === 'absent') return
  endRecord(draft)
  set(draft, {
    foreign: NO_LAYERS,
    seen: undefined,
    reason: undefined,
    lastError: undefined,
    backOffMs: 0,
    wait: undefined,
  })
}
