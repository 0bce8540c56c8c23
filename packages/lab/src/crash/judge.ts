// The judge: the answers, compared with what is there. It looks from outside only: at the mount table, at the bare directories
// below the mounts, at processes; never into the manager, but for comparing what `status` says.

import type { Status } from '@mountkeeper/core'
import type { Layer, Place } from './ground.js'
import { contentsOf, isForeign, layersBelow, stackAt } from './ground.js'
import type { Attachment, Told } from './told.js'
import { keyOf } from './told.js'

/** What third parties did, so that only that is excused. */
export interface Others {
  /** Foreign layers that only their owner may take off. One that was put there while an umount may have been under way is not among them. */
  readonly foreign: Set<Layer>
  /** What is in the bare directories. */
  readonly litter: Map<string, Set<string>>
  /** Mountpoints whose layer a third party took off, and how many requests had been sent by then. */
  readonly gone: Map<string, number>
}

export const noOthers = (): Others => ({ foreign: new Set(), litter: new Map(), gone: new Map() })

/** What the judge remembers: the layer on which holders rely. */
export interface Judge {
  /** What is wrong now; empty where nothing is. */
  readonly look: () => readonly string[]
  /** What is wrong with this status, given right after a recovery, before anything was asked. */
  readonly compare: (status: Status) => readonly string[]
  /** Whether a holder was answered `Attached`, has not begun to leave, and no third party took its layer off. */
  readonly relies: (mountpoint: string) => boolean
}

/** Whether a layer is the one that was asked for. */
export type Agrees = (mountpoint: string, layer: Layer) => boolean

export interface Judged {
  readonly place: Place
  readonly mountpoints: readonly string[]
  readonly told: Told
  readonly others: Others
  readonly agrees: Agrees
}

const show = (layers: readonly Layer[]): string =>
  layers.map(({ mountId, fstype, source, root }) => `${mountId} ${fstype} ${source} ${root}`).join(' over ') ||
  'nothing'

export const createJudge = ({ place, mountpoints, told, others, agrees }: Judged): Judge => {
  const relied = new Map<string, number>()

  const holdersAt = (mountpoint: string): readonly Attachment[] =>
    told.all().filter((one) => one.mountpoint === mountpoint && told.known(one) === 'held')
  const relies = (mountpoint: string): boolean => !others.gone.has(mountpoint) && holdersAt(mountpoint).length > 0

  const atMountpoint = (mountpoint: string, layers: readonly Layer[]): readonly string[] => {
    const stack = stackAt(layers, mountpoint)
    const ours = stack.filter((layer) => !isForeign(layer))
    const [layer] = ours
    const seen = `${mountpoint} has ${show(stack)}`
    if (ours.length > 1) return [`more than one layer of ours: ${seen}`]
    if (!relies(mountpoint)) {
      relied.delete(mountpoint)
      return []
    }
    const holders = holdersAt(mountpoint).map(keyOf).join(', ')
    if (layer === undefined) return [`the layer under a holder is gone: ${seen}; answered Attached: ${holders}`]
    if (!agrees(mountpoint, layer))
      return [`another filesystem than was asked for: ${seen}; answered Attached: ${holders}`]
    const before = relied.get(mountpoint)
    relied.set(mountpoint, layer.mountId)
    if (before === undefined || before === layer.mountId) return []
    return [
      `mounted again under a holder: mount ${before} became ${layer.mountId}: ${seen}; answered Attached: ${holders}`,
    ]
  }

  const bareFaults = (): readonly string[] =>
    (contentsOf(place.bare) ?? []).flatMap((name) => {
      const mountpoint = `${place.root}/${name}`
      if (!mountpoints.includes(mountpoint)) return [`a directory that no request asked for: ${mountpoint}`]
      const expected = others.litter.get(mountpoint)
      const written = (contentsOf(`${place.bare}/${name}`) ?? []).filter((file) => expected?.has(file) !== true)
      return written.length === 0
        ? []
        : [`written into the bare directory of the host below ${mountpoint}: ${written.join(', ')}`]
    })

  const foreignFaults = (layers: readonly Layer[]): readonly string[] =>
    [...others.foreign]
      .filter(({ mountId, source }) => !layers.some((layer) => layer.mountId === mountId && layer.source === source))
      .map(({ mountId, source, target }) => `a foreign mount was taken off: ${mountId} ${source} at ${target}`)

  return {
    relies,
    look: () => {
      const layers = layersBelow(place.root)
      const strange = layers.filter(({ target }) => !mountpoints.includes(target))
      return [
        ...strange.map((layer) => `a mount that no request asked for: ${layer.target} ${show([layer])}`),
        ...mountpoints.flatMap((mountpoint) => atMountpoint(mountpoint, layers)),
        ...foreignFaults(layers),
        ...bareFaults(),
      ]
    },
    compare: (status) => {
      const layers = layersBelow(place.root)
      const shown = status.mountpoints.flatMap(({ mountpoint, holders }) =>
        holders.map(({ volume, consumer }) => ({ mountpoint, volume, consumer })),
      )
      const keys = new Set(shown.map(keyOf))
      const lost = told.all().filter((one) => told.known(one) === 'held' && !keys.has(keyOf(one)))
      const left = shown.filter((one) => told.known(one) === 'free')
      const phases = status.mountpoints.flatMap(({ mountpoint, phase, layer }) => {
        const stack = stackAt(layers, mountpoint)
        if (phase === 'lost' && relies(mountpoint)) return [`status says lost: ${mountpoint} has ${show(stack)}`]
        if (phase !== 'mounted' || layer === undefined) return []
        return stack.some(({ mountId, source }) => mountId === layer.mountId && source === layer.source)
          ? []
          : [`status says mounted (${layer.mountId} ${layer.source}): ${mountpoint} has ${show(stack)}`]
      })
      return [
        ...lost.map((one) => `a holder is lost that was answered Attached: ${keyOf(one)}`),
        ...left.map((one) => `a holder is left that was answered Detached, or never Attached: ${keyOf(one)}`),
        ...phases,
        ...(status.phase === 'up' ? [] : [`the host is ${status.phase} after the start`]),
      ]
    },
  }
}
