// What is compared after each step, as lines of text: directories, the mount table below the place, and what a look at each
// path finds. Mount ids and devices get names in order of appearance, and a number that was freed gets a new one.

import type { Found, Identity, ResolvedSource, RootIdentity } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'

/** One mount below the place, from either side. */
export interface Line {
  readonly identity: Identity
  readonly parentId: number
  readonly target: string
}

/** What a step came to: the errno of an operation that was refused, or the report on an effect. */
export interface CameTo {
  readonly errno?: string | undefined
  readonly report?: Pick<Report, 'found' | 'error' | 'source'>
}

/** One side after a step. */
export interface Side extends CameTo {
  /** `path kind`, sorted. */
  readonly tree: readonly string[]
  /** In no order. */
  readonly table: readonly Line[]
  readonly looks: readonly (readonly [path: string, found: Found])[]
}

/** The place of the test on one side: its root as a generation would begin with it, and the device of its filesystem. */
export interface Place {
  readonly root: RootIdentity
  readonly device: string
}

/** Names of mounts and devices, for as long as they are there. */
export interface Names {
  readonly text: (side: Side) => readonly string[]
  /** All layers that ever had a name, in order of appearance, as they were seen last. */
  readonly layers: () => readonly Identity[]
}

const FLAGS = ['ro', 'rw', 'nosuid', 'nodev', 'noexec']

const flagsText = ({ flags }: Identity): string => FLAGS.filter((flag) => flags.includes(flag)).join(',')

const keep = <Key>(names: Map<Key, string>, there: readonly Key[], next: () => string): void => {
  const still = new Set(there)
  for (const key of [...names.keys()]) if (!still.has(key)) names.delete(key)
  for (const key of still) if (!names.has(key)) names.set(key, next())
}

/** Begins with the name of the place itself. */
export const createNames = ({ root, device }: Place): Names => {
  const mounts = new Map([[root.mountId, 'place']])
  const devices = new Map([[device, 'place']])
  const layers = new Map<string, Identity>()
  let count = 0
  const layerText = (layer: Identity): string => {
    const mount = mounts.get(layer.mountId) ?? 'unheard of'
    const of = devices.get(layer.device) ?? 'nothing'
    return `${mount}: ${layer.fstype} ${layer.source} ${layer.root} of ${of} ${flagsText(layer)}`
  }
  const foundText = (found: Found): string => {
    if (found._tag === 'Mounted') return found.layers.map(layerText).join('; ')
    if (found._tag === 'Obstacle') return found.kind
    return found._tag === 'Unknown' ? `Unknown ${found.why}` : found._tag
  }
  // Inodes have other numbers on the two sides.
  const sourceOf = (asked: ResolvedSource): string =>
    asked._tag === 'At' ? `${asked.root} of ${devices.get(asked.device) ?? 'something else'}` : asked._tag
  const reportText = ({ found, error, source }: NonNullable<CameTo['report']>): readonly string[] => [
    `report ${foundText(found as Found)}`,
    `${error === undefined ? 'no' : 'an'} error`,
    // A command that was not run reports no source on the real side; nothing depends on it then.
    ...(source === undefined || error !== undefined ? [] : [`source ${sourceOf(source.asked)}`]),
  ]
  return {
    layers: () => [...layers.values()],
    text: ({ errno, report, tree, table, looks }) => {
      // At most one mount appears in a step.
      count += 1
      const name = (): string => `m${count}`
      keep(mounts, [root.mountId, ...table.map(({ identity }) => identity.mountId)], name)
      keep(devices, [device, ...table.map(({ identity }) => identity.device)], name)
      const lines = table.map(
        ({ identity, parentId, target }) =>
          `mount ${target} on ${mounts.get(parentId) ?? 'nothing'} ${layerText(identity)}`,
      )
      for (const { identity } of table) layers.set(mounts.get(identity.mountId) ?? '', identity)
      return [
        errno ?? 'done',
        ...(report === undefined ? [] : reportText(report)),
        ...tree,
        ...lines.sort(),
        ...looks.map(([path, found]) => `look ${path}: ${foundText(found)}`),
      ]
    },
  }
}
