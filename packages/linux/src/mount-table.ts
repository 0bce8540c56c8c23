// One reading of the kernel's mount table, searched by mount id or by place. Invariant: an id is looked up only in a table
// that was read after a descriptor on that mount was opened and while it is open, since a freed id is used again at once.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import type { Filesystem } from '@mountkeeper/core'
import { leadsOverPaths } from '@mountkeeper/core/seen'
import type { TypeRule } from '@mountkeeper/types'
import type { TableLine } from './mountinfo.js'
import { parseTableLine } from './mountinfo.js'

/** Layers at one path that are distinguished; more are `Unknown { TooManyLayers }` (R2.3). */
export const LAYERS_MAX = 16

/** A table as read, parsed only where it is asked for: with 10,000 mounts parsing all of it costs 9 ms. */
export interface MountTable {
  /** As latin1, with a newline before the first line. */
  readonly text: string
  /** Where lines begin: for a table in which many are looked up. */
  readonly index?: TableIndex
}

interface TableIndex {
  readonly byId: ReadonlyMap<string, number>
  /** By target as it is written, each in the order of the lines. */
  readonly byTarget: ReadonlyMap<string, readonly number[]>
}

/** What a search by id found. `Missing`: no such mount below this process's root directory. */
export type LineFound =
  | { readonly _tag: 'Line'; readonly line: TableLine }
  | { readonly _tag: 'Missing' }
  | { readonly _tag: 'Malformed'; readonly text: string }

/** The layers at one path, top first. */
export type Stack =
  | { readonly _tag: 'Stack'; readonly layers: readonly TableLine[] }
  | { readonly _tag: 'TooMany' }
  | Exclude<LineFound, { readonly _tag: 'Line' }>

/** Wraps the bytes of a table. */
export const tableOf = (bytes: Buffer): MountTable => ({ text: `\n${bytes.toString('latin1')}` })

/** Reads the table of this process's mount namespace. Cannot hang; throws where `/proc` is not mounted. */
export const readTable = (): MountTable => tableOf(readFileSync('/proc/self/mountinfo'))

/** Used again for each reading: a new one for each reading is garbage that stops the event loop. */
let short = Buffer.alloc(0)

/** Reads the table if it has at most so many bytes; of a longer one only so much as shows that. */
export const readShortTable = (bytes: number): MountTable | undefined => {
  const fd = openSync('/proc/self/mountinfo', 'r')
  try {
    if (short.length <= bytes) short = Buffer.allocUnsafe(bytes + 1)
    const buffer = short.subarray(0, bytes + 1)
    let length = 0
    for (let size = 1; size > 0 && length < buffer.length; length += size) {
      size = readSync(fd, buffer, length, buffer.length - length, null)
    }
    return length > bytes ? undefined : tableOf(buffer.subarray(0, length))
  } finally {
    closeSync(fd)
  }
}

/** Fields before the target of a line: id, parent, device, root. */
const BEFORE_TARGET = 4

/** Where the fields of a line begin, its id first and its target last; undefined for a line that is too short. */
const fieldsOf = (text: string, from: number, end: number): readonly number[] | undefined => {
  const fields = [from]
  for (let at = from; fields.length <= BEFORE_TARGET + 1;) {
    at = text.indexOf(' ', at) + 1
    if (at === 0 || at > end) return undefined
    fields.push(at)
  }
  return fields
}

/** The same table for many lookups; one with a line that is too short stays as it is. */
export const withIndex = ({ text }: MountTable): MountTable => {
  const byId = new Map<string, number>()
  const byTarget = new Map<string, number[]>()
  for (let from = 1; from < text.length;) {
    const next = text.indexOf('\n', from)
    const end = next < 0 ? text.length : next
    const fields = fieldsOf(text, from, end)
    if (fields === undefined) return { text }
    const id = text.slice(from, (fields[1] ?? from) - 1)
    if (!byId.has(id)) byId.set(id, from)
    const target = text.slice(fields[BEFORE_TARGET], (fields[BEFORE_TARGET + 1] ?? from) - 1)
    const there = byTarget.get(target)
    if (there === undefined) byTarget.set(target, [from])
    else there.push(from)
    from = end + 1
  }
  return { text, index: { byId, byTarget } }
}

/** Where the line of a mount begins; negative if there is none. */
const beginOf = ({ text, index }: MountTable, mountId: number): number => {
  if (index !== undefined) return index.byId.get(String(mountId)) ?? -1
  const before = text.indexOf(`\n${mountId} `)
  return before < 0 ? -1 : before + 1
}

/** The mount with this id. */
export const lineOf = (table: MountTable, mountId: number): LineFound => {
  const begin = beginOf(table, mountId)
  if (begin < 0) return { _tag: 'Missing' }
  const end = table.text.indexOf('\n', begin)
  const text = table.text.slice(begin, end < 0 ? undefined : end)
  const parsed = end < 0 ? undefined : parseTableLine(text)
  return parsed?._tag === 'Right' ? { _tag: 'Line', line: parsed.right } : { _tag: 'Malformed', text }
}

/**
 * All layers from `topId` down to the mount `baseId` that carries them, top first: each is mounted on the next. Both ids are
 * known from open descriptors, so a line that is not there was lost, and the look is to be repeated.
 */
export const stackFrom = (table: MountTable, topId: number, baseId: number): Stack => {
  const layers: TableLine[] = []
  for (let id = topId; id !== baseId;) {
    const found = lineOf(table, id)
    if (found._tag !== 'Line') return found
    if (layers.length === LAYERS_MAX) return { _tag: 'TooMany' }
    layers.push(found.line)
    id = found.line.parentId
  }
  return { _tag: 'Stack', layers }
}

/** Where a line says that its mount is, as it is written; empty for a line that is too short. */
export const targetOf = (line: string): string => {
  const fields = fieldsOf(line, 0, line.length)
  return line.slice(fields?.[BEFORE_TARGET] ?? 0, (fields?.[BEFORE_TARGET + 1] ?? 1) - 1)
}

/** A path as the kernel writes it into the table, as latin1: the inverse of the parser's unescaping. */
export const asWritten = (path: string): string =>
  Buffer.from(path, 'utf8')
    .toString('latin1')
    .replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)

/** Where the lines begin that have this text in a field of their own, maybe as their target. */
const beginsWith = ({ text, index }: MountTable, written: string): readonly number[] => {
  if (index !== undefined) return index.byTarget.get(written) ?? []
  const field = ` ${written} `
  const begins: number[] = []
  for (let at = text.indexOf(field); at >= 0; at = text.indexOf(field, at + 1)) {
    begins.push(text.lastIndexOf('\n', at) + 1)
  }
  return begins
}

/** The lines with this target, found by text: nothing else of the table is parsed. */
const linesAt = (table: MountTable, target: string): readonly LineFound[] => {
  const { text } = table
  const found: LineFound[] = []
  for (const begin of beginsWith(table, asWritten(target))) {
    const line = text.slice(begin, text.indexOf('\n', begin))
    const parsed = parseTableLine(line)
    if (parsed._tag === 'Left') found.push({ _tag: 'Malformed', text: line })
    // The same text may stand in another field, as the source of a bind of FUSE.
    else if (parsed.right.target === target) found.push({ _tag: 'Line', line: parsed.right })
  }
  return found
}

/**
 * The layers at `target` on the mount `parentId`, found without touching them; none where nothing is mounted there. Exact
 * while the path is canonical and none of its directories is renamed.
 */
export const stackAt = (table: MountTable, parentId: number, target: string): Stack => {
  const here: TableLine[] = []
  for (const found of linesAt(table, target)) {
    if (found._tag !== 'Line') return found
    here.push(found.line)
  }
  const layers: TableLine[] = []
  for (let id = parentId; ;) {
    const next = here.find((line) => line.parentId === id && line.mountId !== id)
    if (next === undefined) return { _tag: 'Stack', layers }
    if (layers.length === LAYERS_MAX) return { _tag: 'TooMany' }
    layers.unshift(next)
    id = next.mountId
  }
}

const LOCAL_FSTYPES: ReadonlySet<string> = new Set([
  ...['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'bcachefs', 'zfs', 'f2fs', 'jfs', 'nilfs2', 'reiserfs', 'minix'],
  ...['jffs2', 'ubifs', 'zonefs', 'ntfs', 'hfs'],
  ...['tmpfs', 'ramfs', 'devtmpfs', 'rootfs', 'hugetlbfs', 'overlay', 'aufs', 'squashfs', 'erofs', 'cramfs', 'romfs'],
  ...[
    'cgroup',
    'cgroup2',
    'cpuset',
    'pstore',
    'bpf',
    'tracefs',
    'debugfs',
    'securityfs',
    'selinuxfs',
    'fusectl',
    'efivarfs',
  ],
  ...['binfmt_misc', 'nsfs', 'resctrl', 'rpc_pipefs', 'nfsd'],
  ...['vfat', 'msdos', 'exfat', 'ntfs3', 'iso9660', 'udf', 'hfsplus', 'proc', 'sysfs', 'devpts', 'mqueue', 'configfs'],
])

/** A filesystem that answers by itself: no server and no daemon that can leave a lookup hanging. */
export const isLocalFstype = (fstype: string): boolean => LOCAL_FSTYPES.has(fstype)

/**
 * Opening the root of such a mount with O_PATH asks no server: local ones, and FUSE (measured with a stopped server and with a
 * stopped daemon). NFS and 9p ask their server again whenever a path crosses into them.
 */
export const opensQuietly = (fstype: string): boolean => isLocalFstype(fstype) || /^fuse(\.|$)/.test(fstype)

/** What a look is for. */
interface Wanted {
  readonly mountpoint: string
  readonly filesystem: Filesystem | undefined
  readonly rule: Pick<TypeRule, 'sourceIsPath' | 'pathOptions'>
}

/** The mounts that are not of local filesystems: who has to be asked, where. */
export interface NotLocal {
  /** Targets as the table writes them; `quiet` ones may be opened but not looked up in. */
  readonly mounts: readonly { readonly target: string; readonly quiet: boolean }[]
}

/** Target and fstype of a line; the fields between end with a lone hyphen (proc_pid_mountinfo(5)). */
const MOUNT = /\n\d+ \d+ \d+:\d+ [^ \n]+ ([^ \n]+) [^\n]*? - ([^ \n]*) /g
const EVERYWHERE: NotLocal = { mounts: [{ target: '/', quiet: false }] }

/** The mounts of a table that are not local. With a line that cannot be read nothing counts as local. */
export const notLocal = ({ text }: MountTable): NotLocal => {
  const lines = text.split('\n').length - 2
  const mounts = [...text.matchAll(MOUNT)].map(([, target = '', fstype = '']) => ({ target, fstype }))
  if (mounts.length !== lines) return EVERYWHERE
  return {
    mounts: mounts
      .filter(({ fstype }) => !isLocalFstype(fstype))
      .map(({ target, fstype }) => ({ target, quiet: opensQuietly(fstype) })),
  }
}

/**
 * Whether a look asks no server and no daemon: all mounts on the way to the mountpoint are local, what is on it opens
 * quietly, and where a source is to be resolved, whose links may lead anywhere, no mount of the host has to be asked.
 */
export const asksNobody = ({ mounts }: NotLocal, { mountpoint, filesystem, rule }: Wanted): boolean => {
  const path = asWritten(mountpoint)
  const resolves = filesystem !== undefined && leadsOverPaths(rule, filesystem)
  return mounts.every(({ target, quiet }) => {
    if (resolves && !quiet) return false
    if (path === target) return quiet
    return target !== '/' && !path.startsWith(`${target}/`)
  })
}

/** The same for what is in a directory: what it is on is local as well. */
export const asksNobodyIn = ({ mounts }: NotLocal, path: string): boolean => {
  const written = asWritten(path)
  return mounts.every(({ target }) => target !== '/' && target !== written && !written.startsWith(`${target}/`))
}

/** Whether what is at exactly this path can be opened without asking a server. */
export const opensQuietlyAt = ({ mounts }: NotLocal, path: string): boolean => {
  const written = asWritten(path)
  return mounts.every(({ target, quiet }) => quiet || (target !== written && target !== '/'))
}

/** A line of the table, as it stands and as it reads; one that cannot be read has no `line`. */
export interface LineBelow {
  readonly target: string
  readonly text: string
  readonly line: TableLine | undefined
}

/** The lines whose target is a directory or is below it, found by text: nothing else of the table is parsed. */
export const linesBelow = ({ text }: MountTable, directory: string): readonly LineBelow[] => {
  const field = ` ${asWritten(directory)}`
  const found: LineBelow[] = []
  for (let at = text.indexOf(field); at >= 0; at = text.indexOf(field, at + 1)) {
    const next = text[at + field.length]
    if (next !== ' ' && next !== '/') continue
    const line = text.slice(text.lastIndexOf('\n', at) + 1, text.indexOf('\n', at))
    // The fields before the target hold no space; in another field the same text is no target.
    const [id = '', parent = '', device = '', root = ''] = line.split(' ', 4)
    const before = `\n${id} ${parent} ${device} ${root}`.length
    if (text.lastIndexOf('\n', at) + before !== at) continue
    const parsed = parseTableLine(line)
    if (parsed._tag === 'Right') found.push({ target: parsed.right.target, text: line, line: parsed.right })
    else found.push({ target: directory, text: line, line: undefined })
  }
  return found
}
