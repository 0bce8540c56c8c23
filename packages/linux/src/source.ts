// What the source of a bind, block or loop filesystem is right now, in the terms of the mount table: such layers do not show
// the source that was asked for, so they are recognised by directory and device (`agrees` in the specification).

import { readFileSync, readdirSync } from 'node:fs'
import type { Appearance, Filesystem, ResolvedSource } from '@mountkeeper/core'
import { optionName } from '@mountkeeper/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { MayEnter, Resolved } from './descriptor.js'
import { close, majorMinor, resolve, statOf } from './descriptor.js'
import type { MountTable } from './mount-table.js'
import { lineOf, linesBelow } from './mount-table.js'

/** A source that was opened, to be completed with a table that is read afterwards. Its descriptor is the caller's to close. */
export interface OpenSource {
  readonly resolved: Resolved
  readonly by: 'RootAndDevice' | 'Device'
  readonly offset: string
}

/** Opens the source where the type is compared by it. Absent for other types, and where nothing is there. */
export const openSource = (filesystem: Filesystem, appears: Appearance, mayEnter: MayEnter): OpenSource | undefined => {
  if (appears._tag !== 'RootAndDevice' && appears._tag !== 'Device') return undefined
  const resolved = resolve(filesystem.source, mayEnter)
  if (isLeft(resolved)) return undefined
  const offset = filesystem.options.find((option) => optionName(option) === 'offset')
  return {
    resolved: resolved.right,
    by: appears._tag,
    offset: typeof offset === 'string' ? offset.slice('offset='.length) : '0',
  }
}

/** The directory as the table shows the root of a bind mount of it: the root of its own mount, and the way from there. */
const boundRoot = ({ path, place }: Resolved, table: MountTable): ResolvedSource | undefined => {
  const found = lineOf(table, place.mountId)
  if (found._tag !== 'Line') return undefined
  const { root, target, device } = found.line
  if (path === target) return { root, device }
  const below = target === '/' ? path : path.startsWith(`${target}/`) ? path.slice(target.length) : undefined
  if (below === undefined) return undefined
  return { root: root === '/' ? below : root + below, device }
}

const sysfs = (path: string): string | undefined => {
  try {
    return readFileSync(`/sys/block/${path}`, 'utf8').replace(/\n$/, '')
  } catch {
    return undefined
  }
}

/** The loop devices whose backing file this is (sysfs-block-loop), each as `major:minor`. */
const loopDevices = (file: string, offset: string): readonly string[] => {
  try {
    return readdirSync('/sys/block')
      .filter((name) => name.startsWith('loop') && sysfs(`${name}/loop/backing_file`) === file)
      .filter((name) => sysfs(`${name}/loop/offset`) === offset)
      .flatMap((name) => sysfs(`${name}/dev`) ?? [])
  } catch {
    return []
  }
}

/**
 * Completes an opened source. `top` is the device of the layer on top: a file that backs several loop devices counts as the
 * one that is mounted, if it is among them. Absent where the source is of another kind, or no loop device has it.
 */
export const resolveSource = (
  source: OpenSource,
  table: MountTable,
  top: string | undefined,
): ResolvedSource | undefined => {
  if (source.by === 'RootAndDevice') return boundRoot(source.resolved, table)
  const stat = statOf(source.resolved.place)
  if (stat?.isBlockDevice() === true) return { root: '/', device: majorMinor(stat.rdev).join(':') }
  if (stat?.isFile() !== true) return undefined
  const devices = loopDevices(source.resolved.path, source.offset)
  const device = devices.find((candidate) => candidate === top) ?? devices[0]
  return device === undefined ? undefined : { root: '/', device }
}

const SUBMOUNTS_MAX = 16

/**
 * The first of the mounts below a directory that is bound, which the bind does not show; but the mountpoint itself. Mounts of
 * what lies under the source, where something is mounted on that itself, do not count.
 */
export const submountsOf = (source: OpenSource, table: MountTable, mountpoint: string): readonly string[] => {
  if (source.by !== 'RootAndDevice') return []
  const { path, place } = source.resolved
  const lines = linesBelow(table, path === '/' ? '' : path).flatMap(({ line }) => line ?? [])
  const inside = new Set([place.mountId])
  const paths = new Set<string>()
  for (let size = 0; size < inside.size;) {
    size = inside.size
    for (const { mountId, parentId, target } of lines) {
      if (!inside.has(parentId) || inside.has(mountId) || target === path) continue
      inside.add(mountId)
      if (target !== mountpoint) paths.add(target)
    }
  }
  return [...paths].sort().slice(0, SUBMOUNTS_MAX)
}

/** Closes an opened source. */
export const closeSource = (source: OpenSource | undefined): void => {
  if (source !== undefined) close(source.resolved.place.fd)
}
