// What callers ask for: mountpoints of every kind, few attachments, so that they meet; at random.

import type { Filesystem, Request } from '@mountkeeper/core'
import type { Layer, Place } from './ground.js'
import type { Chance } from './random.js'
import type { Attachment, Told } from './told.js'

/** One mountpoint, and what is asked for there: mostly the first filesystem, now and then the other one. */
export interface Target {
  readonly name: string
  readonly path: string
  readonly filesystems: readonly [Filesystem, Filesystem]
  /** Its layers are known by nothing but that they came; another's mount at the same moment cannot be distinguished from ours. */
  readonly byGrowth: boolean
}

const tmpfs = (type: string, source: string): Filesystem => ({ type, source, options: ['size=1m'] })

/** The mountpoints of a place. */
export const targetsOf = (place: Place, prefix: string, fuse: boolean): readonly Target[] => {
  const path = (kind: string): Pick<Target, 'name' | 'path'> => ({
    name: `${prefix}-${kind}`,
    path: `${place.root}/${prefix}-${kind}`,
  })
  const directory = (type: string, name: string): Filesystem => ({
    type,
    source: `${place.source}/${name}`,
    options: [],
  })
  const byDirectory = (type: string): Target['filesystems'] => [directory(type, 'one'), directory(type, 'two')]
  const known = { byGrowth: false }
  // Of its own in each lane: the kernel gives the ids of mounts and devices again, and nothing else distinguishes two tmpfs.
  return [
    {
      ...path('one'),
      ...known,
      filesystems: [tmpfs('tmpfs', `volumes-one-${prefix}`), tmpfs('tmpfs', `others-one-${prefix}`)],
    },
    {
      ...path('two'),
      ...known,
      filesystems: [tmpfs('tmpfs', `volumes-two-${prefix}`), tmpfs('tmpfs', `others-two-${prefix}`)],
    },
    { ...path('bind'), ...known, filesystems: byDirectory('bind') },
    {
      ...path('growing'),
      byGrowth: true,
      filesystems: [tmpfs('growing', `server:/one-${prefix}`), tmpfs('growing', `server:/two-${prefix}`)],
    },
    ...(fuse ? [{ ...path('fuse'), ...known, filesystems: byDirectory('fuse.bindfs') }] : []),
  ]
}

/** Whether a layer is what was asked for, by what the kernel shows of each kind. */
export const shows = ({ type, source }: Filesystem, layer: Layer): boolean => {
  if (type === 'bind') return layer.root.endsWith(source.slice('/srv'.length))
  if (type === 'fuse.bindfs') return layer.fstype.startsWith('fuse') && layer.source === source
  return layer.fstype === 'tmpfs' && layer.source === source
}

const VOLUMES = ['v1', 'v2']
const CONSUMERS = ['c1', 'c2', 'c3']

export { CONSUMERS }

/** What is asked beside attach and detach, of a hundred requests. */
const RELEASE = 76
const CANCEL = 82
const RECONCILE = 86
const RETRY = 90
const HOST_UP = 93
const HOST_DOWN = 95

const SHORT_DEADLINE_PERCENT = 8

const attachmentAt = (chance: Chance, target: Target): Attachment => ({
  mountpoint: target.path,
  volume: chance.pick(VOLUMES),
  consumer: chance.pick(CONSUMERS),
})

/** Who asks, and how much they like to come rather than to leave. */
export interface Asking {
  readonly chance: Chance
  readonly targets: readonly Target[]
  readonly told: Told
  /** Attaches of a hundred requests, at most 75. */
  readonly coming: number
}

/** The next request, without its id. */
export const nextRequest = ({ chance, targets, told, coming }: Asking): Request => {
  const target = chance.pick(targets)
  const draw = chance.below(100)
  const hurry = chance.percent(SHORT_DEADLINE_PERCENT) ? { deadlineMs: 20 + chance.below(400) } : {}
  if (draw < coming) {
    const filesystem = chance.percent(90) ? target.filesystems[0] : target.filesystems[1]
    return { op: 'attach', ...hurry, ...attachmentAt(chance, target), filesystem }
  }
  if (draw < RELEASE - 4) {
    const held = told.all().filter((one) => told.known(one) !== 'free')
    const one = held.length > 0 && chance.percent(90) ? chance.pick(held) : attachmentAt(chance, target)
    return { op: 'detach', ...hurry, ...one }
  }
  if (draw < RELEASE) return { op: 'release', ...hurry, consumer: chance.pick(CONSUMERS) }
  if (draw < CANCEL) {
    const open = told.open()
    return open.length === 0 ? { op: 'status' } : { op: 'cancel', target: chance.pick(open) }
  }
  if (draw < RECONCILE) return { op: 'reconcile', apply: chance.percent(50) }
  if (draw < RETRY) return { op: 'retry', mountpoint: target.path }
  if (draw < HOST_UP) return { op: 'host-up' }
  return draw < HOST_DOWN ? { op: 'host-down' } : { op: 'status' }
}
