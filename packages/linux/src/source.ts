// What sources are right now, in terms that are equal for one and the same thing only: the source of a filesystem that is asked
// for, with its path-valued options, and what the layer that is mounted comes from. Nothing here can hang: paths are followed
// over local filesystems only, and what is elsewhere is `NotChecked`.

import { readFileSync, readdirSync } from 'node:fs'
import type { Filesystem, ResolvedSource, SourceSeen } from '@mountkeeper/core'
import { leadsOverPaths, optionName } from '@mountkeeper/core/seen'
import type { TypeRule } from '@mountkeeper/types'
import { readValue } from '@mountkeeper/types/size'
import type { Either } from 'fp-ts/lib/Either.js'
import type { MayEnter, Resolved, Stop } from './descriptor.js'
import { close, majorMinor, resolve, statOf } from './descriptor.js'
import { isLeft } from './either.js'
import type { MountTable } from './mount-table.js'
import { isLocalFstype, lineOf, linesBelow } from './mount-table.js'
import type { TableLine } from './mountinfo.js'

/** What of a type's rule says which paths its source and options are. */
export type SourceRule = Pick<TypeRule, 'appears' | 'sourceIsPath' | 'pathOptions'>

/** Descriptors of a command as the mount table shows them, each with the file that it led to: what others see there is nothing. */
export type Named = Readonly<Record<string, string>>

/** The paths in the value of a path-valued option such as `lowerdir=a:b`, `\:` being a colon in a name. */
export const pathsOf = (option: string): readonly string[] =>
  option
    .slice(option.indexOf('=') + 1)
    .split(/(?<!\\):/)
    .map((path) => path.replaceAll('\\:', ':'))
    .filter((path) => path !== '')

interface OpenPath {
  readonly path: string
  readonly opened: Either<Stop, Resolved>
}

/** Paths that were opened, to be completed with a table that is read afterwards. Their descriptors are the caller's to close. */
export interface OpenSource {
  readonly filesystem: Filesystem
  readonly rule: SourceRule
  readonly paths: readonly OpenPath[]
}

const valueOf = (filesystem: Filesystem, name: string): string | undefined => {
  const option = filesystem.options.find((each) => optionName(each) === name)
  return typeof option === 'string' ? option.slice(name.length + 1) : undefined
}

const optionPaths = ({ options }: Filesystem, { pathOptions }: SourceRule): readonly string[] =>
  options.flatMap((option) =>
    typeof option === 'string' && pathOptions.includes(optionName(option)) ? pathsOf(option) : [],
  )

/** Opens what a filesystem's source and path-valued options lead to. Absent for types whose source is no path. */
export const openSource = (filesystem: Filesystem, rule: SourceRule, mayEnter: MayEnter): OpenSource | undefined => {
  if (!leadsOverPaths(rule, filesystem)) return undefined
  const paths = [...(rule.sourceIsPath ? [filesystem.source] : []), ...optionPaths(filesystem, rule)]
  return { filesystem, rule, paths: paths.map((path) => ({ path, opened: resolve(path, { mayEnter }) })) }
}

/** Closes what was opened. */
export const closeSource = (source: OpenSource | undefined): void => {
  for (const { opened } of source?.paths ?? []) if (!isLeft(opened)) close(opened.right.place.fd)
}

const notChecked = (why: string): ResolvedSource => ({ _tag: 'NotChecked', why })

const unreached = (path: string, { errno, path: reached }: Stop): ResolvedSource => {
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return { _tag: 'Absent', path }
  return notChecked(errno === 'EXDEV' ? `${reached} is on a filesystem that can hang` : `${reached}: ${errno}`)
}

/** The directory as the table shows the root of a bind mount of it: the root of its own mount, and the way from there. */
const boundRoot = ({ path, place }: Resolved, table: MountTable): ResolvedSource => {
  const found = lineOf(table, place.mountId)
  if (found._tag !== 'Line') return notChecked(`the mount of ${path} is not in the mount table`)
  const { root, target, device, fstype } = found.line
  const below = path === target ? '' : target === '/' ? path : path.slice(target.length)
  if (path !== target && target !== '/' && !path.startsWith(`${target}/`)) {
    return notChecked(`${path} is not below ${target}, where its mount is`)
  }
  const inode = isLocalFstype(fstype) ? statOf(place)?.ino.toString() : undefined
  const at = { _tag: 'At', root: root === '/' ? below || '/' : root + below, device } as const
  return inode === undefined ? at : { ...at, inode }
}

const deviceText = (device: bigint): string => majorMinor(device).join(':')

/** What an opened path leads to: a block device by its number, everything else by its device and inode. */
const thingAt = ({ path, place }: Resolved, isLocal: IsLocal): ResolvedSource => {
  if (!isLocal(place.mountId)) return notChecked(`${path} is on a filesystem that can hang`)
  const stat = statOf(place)
  if (stat === undefined) return notChecked(`${path} cannot be read`)
  if (stat.isBlockDevice()) return { _tag: 'At', root: '/', device: deviceText(stat.rdev) }
  return { _tag: 'Files', files: [`${deviceText(stat.dev)}:${stat.ino.toString()}`] }
}

/** Whether a mount asks no server and no daemon. */
type IsLocal = (mountId: number) => boolean

/** By a table that shows it. */
const localIn =
  (table: MountTable): IsLocal =>
  (mountId) => {
    const found = lineOf(table, mountId)
    return found._tag === 'Line' && isLocalFstype(found.line.fstype)
  }

const thingOf = ({ path, opened }: OpenPath, isLocal: IsLocal): ResolvedSource =>
  isLeft(opened) ? unreached(path, opened.left) : thingAt(opened.right, isLocal)

/** What descriptors of a command lead to; not those whose files cannot be asked for. */
export const namedBy = (held: readonly Resolved[], nameOf: (one: Resolved) => string, table: MountTable): Named => {
  const isLocal = localIn(table)
  return Object.fromEntries(
    held.flatMap((one) => {
      const thing = thingAt(one, isLocal)
      return thing._tag === 'Files' ? thing.files.map((file) => [nameOf(one), file]) : []
    }),
  )
}

/** All paths of one filesystem as one source: the first that is not there, or cannot be checked, speaks for all. */
const together = (things: readonly ResolvedSource[]): ResolvedSource =>
  things.find(({ _tag }) => _tag === 'Absent') ??
  things.find(({ _tag }) => _tag === 'NotChecked') ?? {
    _tag: 'Files',
    files: things.flatMap((thing) =>
      thing._tag === 'Files' ? thing.files : thing._tag === 'At' ? [thing.device] : [],
    ),
  }

/** An offset as mount(8) reads it; undefined for what is not surely known. */
const offsetOf = (filesystem: Filesystem): number | undefined => {
  const bytes = Number(readValue('mount-size', valueOf(filesystem, 'offset') ?? '0') ?? 'unknown')
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

const withOffset = (thing: ResolvedSource, offset: number | undefined): ResolvedSource =>
  thing._tag === 'Files' && offset !== undefined ? { ...thing, offset } : thing

const askedOf = ({ filesystem, rule, paths }: OpenSource, table: MountTable): ResolvedSource => {
  const isLocal = localIn(table)
  const [first] = paths
  if (first === undefined) return notChecked('it names no path')
  switch (rule.appears._tag) {
    case 'RootAndDevice':
      return isLeft(first.opened) ? unreached(first.path, first.opened.left) : boundRoot(first.opened.right, table)
    case 'Device':
      return withOffset(thingOf(first, isLocal), offsetOf(filesystem))
    case 'Source':
    case 'Growth':
      return together(paths.map((path) => thingOf(path, isLocal)))
  }
}

const sysfs = (path: string): string | undefined => {
  try {
    return readFileSync(`/sys/${path}`, 'utf8').replace(/\n$/, '')
  } catch {
    return undefined
  }
}

/** What a path leads to that the kernel has shown; it is opened for no longer than that takes. */
const resolveShown = (path: string, isLocal: IsLocal, named: Named = {}): ResolvedSource => {
  const file = Object.hasOwn(named, path) ? named[path] : undefined
  if (file !== undefined) return { _tag: 'Files', files: [file] }
  if (!path.startsWith('/') || path.startsWith('/proc/')) return notChecked(`the kernel shows ${path || 'nothing'}`)
  const opened = resolve(path, { mayEnter: isLocal })
  const thing = thingOf({ path, opened }, isLocal)
  if (!isLeft(opened)) close(opened.right.place.fd)
  return thing
}

/** The other devices of a filesystem that has several, each as `major:minor` (sysfs-fs-btrfs). */
const devicesWith = (device: string): readonly string[] => {
  const list = (path: string): readonly string[] => {
    try {
      return readdirSync(path)
    } catch {
      return []
    }
  }
  for (const name of list('/sys/fs/btrfs')) {
    const devices = list(`/sys/fs/btrfs/${name}/devices`).map((each) => sysfs(`fs/btrfs/${name}/devices/${each}/dev`))
    if (devices.includes(device)) return devices.flatMap((each) => each ?? [])
  }
  return []
}

/** A number that is no device's, in the place of which btrfs shows its own. */
const isAnonymous = (device: string): boolean => device.startsWith('0:')

/** What is mounted by device, as an image where an image is asked for and as a device where that is. */
const shownDevice = (line: TableLine, asked: ResolvedSource, isLocal: IsLocal): ResolvedSource => {
  const named: ResolvedSource = isAnonymous(line.device)
    ? resolveShown(line.source, isLocal)
    : { _tag: 'At', root: '/', device: line.device }
  if (named._tag !== 'At') return named
  const image = asked._tag === 'At' ? undefined : sysfs(`dev/block/${named.device}/loop/backing_file`)
  if (image !== undefined) {
    const offset = Number(sysfs(`dev/block/${named.device}/loop/offset`) ?? '0')
    return withOffset(resolveShown(image, isLocal), offset)
  }
  const isOneOfIts = asked._tag === 'At' && devicesWith(named.device).includes(asked.device)
  return isOneOfIts ? asked : named
}

/** What a path-valued option was mounted with. As it was asked for, it leads to where that leads; commas end it otherwise. */
const shownOption = (superOptions: string, option: string): readonly string[] | undefined => {
  if (`,${superOptions},`.includes(`,${option},`)) return pathsOf(option)
  const name = `,${optionName(option)}=`
  const at = `,${superOptions}`.indexOf(name)
  if (at < 0) return undefined
  const [value = ''] = `,${superOptions}`.slice(at + name.length).split(',')
  return pathsOf(`=${value}`)
}

const shownPaths = ({ filesystem, rule }: OpenSource, line: TableLine): readonly (string | undefined)[] => [
  ...(rule.sourceIsPath ? [line.source] : []),
  ...filesystem.options.flatMap((option): readonly (string | undefined)[] =>
    typeof option === 'string' && rule.pathOptions.includes(optionName(option))
      ? (shownOption(line.superOptions, option) ?? [undefined])
      : [],
  ),
]

/** Where the layer on top comes from; absent where its line in the table says that in the terms of its type. */
const shownBy = (
  source: OpenSource,
  { top: line, inode, named }: OnTop & { readonly top: TableLine },
  asked: ResolvedSource,
  isLocal: IsLocal,
): ResolvedSource | undefined => {
  switch (source.rule.appears._tag) {
    case 'RootAndDevice':
      return inode === undefined ? undefined : { _tag: 'At', root: line.root, device: line.device, inode }
    case 'Device':
      return shownDevice(line, asked, isLocal)
    case 'Source':
    case 'Growth':
      return together(
        shownPaths(source, line).map((path) =>
          path === undefined ? notChecked('the kernel does not show it') : resolveShown(path, isLocal, named),
        ),
      )
  }
}

/** What is mounted where the source is asked for. */
export interface OnTop {
  /** The line of the layer on top, if something is mounted. */
  readonly top: TableLine | undefined
  /** The inode of its root directory, where that could be asked for. */
  readonly inode?: string | undefined
  readonly named?: Named | undefined
}

/** Completes opened paths by a table that was read afterwards. */
export const resolveSource = (source: OpenSource, table: MountTable, on: OnTop): SourceSeen => {
  const { top } = on
  const asked = askedOf(source, table)
  const shown = top === undefined ? undefined : shownBy(source, { ...on, top }, asked, localIn(table))
  return shown === undefined ? { asked } : { asked, shown }
}

const SUBMOUNTS_MAX = 16

/**
 * The first of the mounts below a directory that is bound, which the bind does not show; but the mountpoint itself. Mounts of
 * what is under the source, where something is mounted on that itself, do not count.
 */
export const submountsOf = (source: OpenSource, table: MountTable, mountpoint: string): readonly string[] => {
  const [bound] = source.paths
  if (source.rule.appears._tag !== 'RootAndDevice' || bound === undefined || isLeft(bound.opened)) return []
  const { path, place } = bound.opened.right
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
