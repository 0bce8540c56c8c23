// Drift: differences between what is wanted, recorded and observed, classified, each with what a person can do about it
// (specification, section 8). Reading only: repairs are work like any other and begin with a look.

import type { Difference } from './answer.js'
import { missingFlags } from './agree.js'
import type { Found, Identity } from './found.js'
import { compareIdentity, layersOf } from './found.js'
import type { Mountpoint } from './host.js'

const nameOf = (layer: Identity): string => `${layer.fstype} ${layer.source}`

/** Nothing is mounted there any more: it is missed if somebody holds it. */
const lostUnder = (holders: number, mountpoint: string): readonly Difference[] => {
  const text = 'is no longer mounted; reconcile with apply mounts it again, old handles stay dead'
  return holders > 0 ? [{ _tag: 'lost', mountpoint, text }] : []
}

const ofLayer = (
  record: Mountpoint,
  layer: Identity,
  holders: number,
  layers: readonly Identity[],
  elsewhere: string | undefined,
): readonly Difference[] => {
  const mountpoint = record.path
  const position = layers.findIndex((each) => compareIdentity(layer, each) === 'same')
  const [top] = layers
  if (position < 0 && elsewhere !== undefined) {
    const text = `${nameOf(layer)} is mounted on ${elsewhere} now; move it back, or unmount it there by hand`
    return [{ _tag: 'moved', mountpoint, text }]
  }
  if (position < 0 && top !== undefined) {
    const text = `${nameOf(top)} is mounted in the place of ${nameOf(layer)}; unmount it by hand and reconcile`
    return [{ _tag: 'replaced', mountpoint, text }]
  }
  if (position < 0) return lostUnder(holders, mountpoint)
  if (position > 0 && top !== undefined) {
    return [{ _tag: 'stacked', mountpoint, text: `${nameOf(top)} lies on top of ${nameOf(layer)}; unmount it by hand` }]
  }
  const missing = record.filesystem === undefined ? [] : missingFlags(record.filesystem, top ?? layer)
  if (missing.length > 0) {
    return [
      {
        _tag: 'options-changed',
        mountpoint,
        text: `is mounted without ${missing.join(', ')}; remount it by hand with them`,
      },
    ]
  }
  if (holders > 0 || record.reason?._tag === 'KeptByPolicy') return []
  return [
    {
      _tag: 'vacant',
      mountpoint,
      text: `${nameOf(layer)} is mounted and nobody holds it; reconcile with apply unmounts it`,
    },
  ]
}

/** How one mountpoint differs from its record, whose layer may be `elsewhere`; a mount that no record knows is `foreign` and never touched. */
export const differenceOf = (
  record: Mountpoint,
  holders: number,
  found: Found,
  elsewhere: string | undefined,
): readonly Difference[] => {
  const mountpoint = record.path
  if (found._tag === 'Unknown') {
    const text = `could not be looked at: ${found.why}${found.detail === undefined ? '' : `, ${found.detail}`}`
    return record.phase === 'absent' ? [] : [{ _tag: 'uncertain', mountpoint, text }]
  }
  const layers = layersOf(found)
  if (record.layer !== undefined) return ofLayer(record, record.layer, holders, layers, elsewhere)
  const [top] = layers
  if (top !== undefined) {
    const text = `${nameOf(top)} was not mounted by this manager and is left alone; unmount it by hand if it is not wanted`
    return [{ _tag: holders > 0 ? 'replaced' : 'foreign', mountpoint, text }]
  }
  if (holders > 0) return lostUnder(holders, mountpoint)
  if (record.directory === 'ours' && found._tag === 'Directory') {
    return [
      {
        _tag: 'leftover-directory',
        mountpoint,
        text: 'is a directory of ours that nobody needs; reconcile with apply removes it',
      },
    ]
  }
  return []
}
