// Layers by short names, and the words for what is found at a mountpoint. A name that was not declared stands for a layer as
// the filesystem of its mountpoint would appear; `foreign…` for one that a third party mounted.

import type { TypeRule } from '@mountkeeper/types'
import type { Filesystem, Found, Identity, MountOption, SourceSeen, UnknownWhy } from '../../src/index.js'
import { optionName } from '../../src/index.js'
import type { Words } from './words.js'
import { expectWords, fail, numeric, oneOf } from './words.js'

/** All layers that were named so far. */
export interface Layers {
  readonly byName: Map<string, Identity>
  count: number
}

export const noLayers = (): Layers => ({ byName: new Map(), count: 0 })

/** The device on which the sources of bind mounts are. */
const LOCAL_DISK = '8:1'

const FLAGS = ['nosuid', 'nodev', 'noexec', 'ro'] as const

const flagsFor = (options: readonly MountOption[]): readonly string[] => {
  const asked = options.map(optionName)
  const set = FLAGS.filter((flag) => flag !== 'ro' && asked.includes(flag))
  return [asked.includes('ro') ? 'ro' : 'rw', ...set, 'relatime']
}

/** What a source leads to, where it is a path. */
export const resolve = (filesystem: Filesystem, rule: TypeRule | undefined): SourceSeen | undefined => {
  switch (rule?.appears._tag) {
    case 'RootAndDevice':
      return { asked: { _tag: 'At', root: filesystem.source, device: LOCAL_DISK } }
    case 'Device':
      return { asked: { _tag: 'At', root: '/', device: '7:0' } }
    case 'Source':
    case 'Growth':
      return rule.sourceIsPath ? { asked: { _tag: 'Files', files: ['8:1:100'] } } : undefined
    case undefined:
      return undefined
  }
}

const appearance = (
  { type, source }: Filesystem,
  rule: TypeRule | undefined,
  device: string,
): Omit<Identity, 'mountId' | 'flags'> => {
  switch (rule?.appears._tag) {
    case 'RootAndDevice':
      return { device: LOCAL_DISK, fstype: 'ext4', source: '/dev/vda1', root: source }
    case 'Device':
      return { device: '7:0', fstype: rule.appears.fstypes[0]!, source: '/dev/loop0', root: '/' }
    case 'Source':
      return { device, fstype: rule.appears.fstypes[0]!, source, root: '/' }
    case 'Growth':
    case undefined:
      return { device, fstype: type, source, root: '/' }
  }
}

/** A new layer as `filesystem`, mounted with `options`, appears in the table. */
export const newLayer = (
  layers: Layers,
  filesystem: Filesystem,
  options: readonly MountOption[],
  rule: TypeRule | undefined,
): Identity => {
  layers.count += 1
  const looks = appearance(filesystem, rule, `0:${40 + layers.count}`)
  return { mountId: 20 + layers.count, ...looks, flags: flagsFor(options), superblock: 'rw' }
}

/** What stands behind names that were not declared: the filesystem of the mountpoint. */
export interface Expected {
  readonly filesystem: Filesystem
  readonly options: readonly MountOption[]
  readonly rule: TypeRule | undefined
}

const THIRD_PARTY: Filesystem = { type: 'tmpfs', source: 'third-party', options: [] }

/** The layer of a name; a new name makes a new one. */
export const layerNamed = (layers: Layers, name: string, expected: Expected | undefined): Identity => {
  const known = layers.byName.get(name)
  if (known !== undefined) return known
  const wanted = name.startsWith('foreign') ? { filesystem: THIRD_PARTY, options: [], rule: undefined } : expected
  if (wanted === undefined) return fail(`layer ${name} is not declared, and nothing is known of its mountpoint`)
  const layer = newLayer(layers, wanted.filesystem, wanted.options, wanted.rule)
  layers.byName.set(name, layer)
  return layer
}

/** `> layer t1 tmpfs scratch [root=/x] [device=0:40] [id=21] [flags=rw,nosuid,nodev] [superblock=ro]` */
export const declareLayer = (layers: Layers, given: Words): void => {
  expectWords(given, 3, 3, ['root', 'device', 'id', 'flags', 'superblock'])
  const [name, fstype, source] = given.plain
  if (layers.byName.has(name!)) fail(`layer ${name!} is declared twice`)
  layers.count += 1
  layers.byName.set(name!, {
    mountId: numeric(given.named.get('id') ?? `${20 + layers.count}`),
    device: given.named.get('device') ?? `0:${40 + layers.count}`,
    fstype: fstype!,
    source: source!,
    root: given.named.get('root') ?? '/',
    flags: (given.named.get('flags') ?? 'rw,nosuid,nodev,relatime').split(','),
    superblock: oneOf(given.named.get('superblock') ?? 'rw', ['rw', 'ro'] as const),
  })
}

const UNKNOWN: readonly UnknownWhy[] = [
  'TimedOut',
  'ParentElsewhere',
  'RootChanged',
  'RootRenamed',
  'CommandAlive',
  'TooManyLayers',
  'NotADirectory',
  'PermissionDenied',
  'UnsafeParent',
  'NameTooLong',
  'Unreadable',
]

const OBSTACLES = ['file', 'symlink', 'socket', 'fifo', 'device', 'other'] as const

/** `Directory`, `NoDirectory`, `Obstacle file`, `Mounted t1 t0`, `Unknown Unreadable ["detail" [component ["command"]]]`. */
export const readFound = (layers: Layers, [tag, ...rest]: readonly string[], expected: Expected | undefined): Found => {
  switch (tag) {
    case 'NoDirectory':
    case 'Directory':
      return rest.length === 0 ? { _tag: tag } : fail(`too many words after ${tag}`)
    case 'Obstacle':
      return { _tag: 'Obstacle', kind: oneOf(rest[0], OBSTACLES) }
    case 'Mounted':
      if (rest.length === 0) fail('Mounted wants the names of its layers, top first')
      return { _tag: 'Mounted', layers: rest.map((name) => layerNamed(layers, name, expected)) }
    case 'Unknown': {
      const why = oneOf(rest[0], UNKNOWN)
      const [, detail, component, command] = rest
      return {
        _tag: 'Unknown',
        why,
        ...(detail === undefined ? {} : { detail }),
        ...(component === undefined ? {} : { component }),
        ...(command === undefined ? {} : { command }),
      }
    }
    default:
      return fail(`${tag ?? 'nothing'} is none of NoDirectory, Directory, Obstacle, Mounted, Unknown`)
  }
}
