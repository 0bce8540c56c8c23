// Drift: differences between what is wanted, recorded and observed, classified, each with what a person can do about it
// (R8). Reading only: repairs are work like any other and begin with a look.

import type { Difference } from './answer.js'
import type { Found, Identity, SourceSeen } from './found.js'
import { compareIdentity, layersOf, renamedAmong, unknownText } from './found.js'
import type { Mountpoint } from './mountpoint.js'
import { agreement, sourceChange } from './layer.js'
import { phaseOf } from './phase-of.js'
import type { Settings } from './settings.js'

const nameOf = (layer: Identity): string => `${layer.fstype} ${layer.source}`

/** Nothing is mounted there any more: it is missed if it has a holder, and mounted again only where its source is the same. */
const lostUnder = (
  settings: Pick<Settings, 'types'>,
  { path: mountpoint, filesystem, source }: Mountpoint,
  holders: number,
  seen: SourceSeen | undefined,
): readonly Difference[] => {
  if (holders === 0) return []
  const change =
    filesystem === undefined || source === undefined
      ? undefined
      : sourceChange(settings, filesystem, undefined, source, seen)
  if (filesystem !== undefined && change !== undefined) {
    const text = 'is no longer mounted, and is not remounted for its holders because its source has changed'
    return [{ _tag: 'lost', mountpoint, text }, sourceChanged(mountpoint, filesystem.source, change)]
  }
  const text = 'is no longer mounted; reconcile with apply remounts it, open handles stay invalid'
  return [{ _tag: 'lost', mountpoint, text }]
}

/** What the layer on top no longer is, of what it was or of what is asked for. */
const changed = (
  settings: Pick<Settings, 'types'>,
  { path: mountpoint, filesystem, source, adopted }: Mountpoint,
  layer: Identity,
  layerNow: Identity,
  seen: SourceSeen | undefined,
): readonly Difference[] => {
  if (filesystem === undefined) return []
  const is = agreement(settings, filesystem, { layer, layerNow, source, adopted }, seen)
  switch (is._tag) {
    case 'Agrees':
      return []
    case 'FlagsChanged': {
      const flags = is.missing.join(', ')
      return [
        { _tag: 'options-changed', mountpoint, text: `is mounted without ${flags}; remount it by hand with them` },
      ]
    }
    case 'ReadOnly': {
      const text =
        'is read-only, but was writable when it was mounted; find the cause, then remount or unmount it by hand'
      return [{ _tag: 'options-changed', mountpoint, text }]
    }
    case 'SourceChanged':
      return [sourceChanged(mountpoint, filesystem.source, is)]
  }
}

const sourceChanged = (mountpoint: string, source: string, { was, is }: { was: string; is: string }): Difference => ({
  _tag: 'source-changed',
  mountpoint,
  text: `${source} is ${is} now, but the mount came from ${was}; detach and attach again to get the current source`,
})

/** What was seen beside the mountpoint itself. */
export interface SeenBeside {
  /** Where the recorded layer is mounted now, if it is not at its path. */
  readonly elsewhere: string | undefined
  readonly seen: SourceSeen | undefined
}

const ofLayer = (
  settings: Pick<Settings, 'types'>,
  record: Mountpoint,
  layer: Identity,
  holders: number,
  layers: readonly Identity[],
  { elsewhere, seen }: SeenBeside,
): readonly Difference[] => {
  const mountpoint = record.path
  const position = layers.findIndex((each) => compareIdentity(layer, each) === 'same')
  const [top] = layers
  if (position < 0 && elsewhere !== undefined) {
    const text = `${nameOf(layer)} is mounted on ${elsewhere} now; move it back, or unmount it there by hand`
    return [{ _tag: 'moved', mountpoint, text }]
  }
  if (position < 0 && top !== undefined) {
    const text = `${nameOf(top)} is mounted in place of ${nameOf(layer)}; unmount it by hand and reconcile`
    return [{ _tag: 'replaced', mountpoint, text }]
  }
  if (position < 0) return lostUnder(settings, record, holders, seen)
  if (position > 0 && top !== undefined) {
    return [
      { _tag: 'stacked', mountpoint, text: `${nameOf(top)} is mounted on top of ${nameOf(layer)}; unmount it by hand` },
    ]
  }
  const differs = changed(settings, record, layer, top ?? layer, seen)
  if (differs.length > 0) return differs
  if (holders > 0 || record.reason?._tag === 'KeptByPolicy') return []
  return [
    {
      _tag: 'vacant',
      mountpoint,
      text: `${nameOf(layer)} is mounted without holders; reconcile with apply unmounts it`,
    },
  ]
}

/** How one mountpoint differs from its record; a mount that no record knows is `foreign` and never touched. */
export const differenceOf = (
  settings: Pick<Settings, 'types'>,
  record: Mountpoint,
  holders: number,
  found: Found,
  beside: SeenBeside,
): readonly Difference[] => {
  const mountpoint = record.path
  const layers = layersOf(found)
  const renamed = record.layer === undefined ? undefined : renamedAmong(record.layer, layers)
  const unknown = found._tag === 'Unknown' ? found : renamed
  if (unknown !== undefined) {
    const text = `cannot be examined: ${unknownText(unknown)}`
    return phaseOf(record, holders) === 'absent' ? [] : [{ _tag: 'uncertain', mountpoint, text }]
  }
  if (record.layer !== undefined) return ofLayer(settings, record, record.layer, holders, layers, beside)
  const [top] = layers
  if (top !== undefined) {
    const text = `${nameOf(top)} is mounted, but not by this manager as far as it has records: another program mounted it, or the journal was lost and it may be in use; it is not touched. Unmount it by hand if it is not in use, or let the next attach adopt it with the policy foreign: adopt`
    return [{ _tag: holders > 0 ? 'replaced' : 'foreign', mountpoint, text }]
  }
  if (holders > 0) return lostUnder(settings, record, holders, beside.seen)
  if (record.directory === 'ours' && found._tag === 'Directory') {
    return [
      {
        _tag: 'leftover-directory',
        mountpoint,
        text: 'is a directory of ours that is no longer needed; reconcile with apply removes it',
      },
    ]
  }
  return []
}
