// Filesystems that take memory of this host (tmpfs): how much one takes at most, and what is written out where a request leaves
// it open. The kernel's own default, half of the memory for each, would be no limit for several.

import type { Grammar, MemoryUse, TypeRule } from '@mountkeeper/types'
import { parseValue } from '@mountkeeper/types'
import type { Filesystem } from './filesystem.js'
import { optionName } from './filesystem.js'
import type { Mountpoint } from './mountpoint.js'
import type { Settings } from './settings.js'

/** What one inode takes beside the size, rounded up. */
const INODE_BYTES = 1_024

/** The largest page of a machine that the kernel runs on. */
const PAGE_BYTES_MAX = 65_536

/** An inode for the root, and some for what an empty filesystem is used for. */
const INODES_LEAST = 256

type Limited = Pick<TypeRule, 'memory' | 'options'>

const grammarOfSize = ({ options }: Limited, name: string): Grammar | undefined =>
  Object.hasOwn(options, name) ? options[name] : undefined

/** The number that an option says, as its grammar reads it. */
const sizeAsked = (rule: Limited, filesystem: Filesystem, name: string): number | undefined => {
  const option = filesystem.options.find((each) => optionName(each) === name)
  const grammar = grammarOfSize(rule, name)
  if (typeof option !== 'string' || grammar === undefined) return undefined
  const parsed = parseValue(grammar, option.slice(name.length + 1))
  return parsed._tag === 'Size' ? Number(parsed.bytes) : undefined
}

const atMost = (rule: Limited, name: string, value: number): number => {
  const grammar = grammarOfSize(rule, name)
  return grammar?._tag === 'Size' ? Math.min(value, grammar.most) : value
}

interface Sizes {
  readonly bytes: number
  readonly inodes: number
}

/** What has been read of a filesystem by a rule: it is asked for at each step of a request. */
const READ: WeakMap<Filesystem, { readonly rule: Limited; readonly sizes: Sizes }> = new WeakMap()

/** What a filesystem takes at most; `undefined` where it takes no memory of this host. */
const sizesOf = (rule: Limited, filesystem: Filesystem): Sizes | undefined => {
  const { memory } = rule
  if (memory === undefined) return undefined
  const known = READ.get(filesystem)
  if (known?.rule === rule) return known.sizes
  const sizes = readSizes(rule, memory, filesystem)
  READ.set(filesystem, { rule, sizes })
  return sizes
}

const readSizes = (rule: Limited, memory: MemoryUse, filesystem: Filesystem): Sizes => {
  const blocks = sizeAsked(rule, filesystem, 'nr_blocks')
  const asked = sizeAsked(rule, filesystem, 'size') ?? (blocks === undefined ? undefined : blocks * PAGE_BYTES_MAX)
  const bytes = asked ?? atMost(rule, 'size', memory.bytes)
  const inodes = Math.max(INODES_LEAST, Math.ceil(bytes / memory.bytesPerInode))
  return { bytes, inodes: sizeAsked(rule, filesystem, 'nr_inodes') ?? atMost(rule, 'nr_inodes', inodes) }
}

const UNITS = ['g', 'm', 'k']

/** A number of bytes as people write it. */
export const sizeText = (bytes: number): string => {
  for (const [index, unit] of UNITS.entries()) {
    const factor = 1_024 ** (UNITS.length - index)
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`
  }
  return String(bytes)
}

/** The sizes that are added to the options of a request that leaves them open. */
export const addedSizes = (rule: Limited, filesystem: Filesystem): readonly string[] => {
  const sizes = sizesOf(rule, filesystem)
  if (sizes === undefined) return []
  const names = new Set(filesystem.options.map(optionName))
  return [
    ...(names.has('size') || names.has('nr_blocks') ? [] : [`size=${sizeText(sizes.bytes)}`]),
    ...(names.has('nr_inodes') ? [] : [`nr_inodes=${sizes.inodes}`]),
  ]
}

/** The memory of this host that a filesystem may take, its inodes counted; 0 for what takes none. */
export const memoryOf = (rule: Limited, filesystem: Filesystem): number => {
  const sizes = sizesOf(rule, filesystem)
  return sizes === undefined ? 0 : sizes.bytes + sizes.inodes * INODE_BYTES
}

type Record = Pick<Mountpoint, 'filesystem' | 'layer' | 'claim' | 'intent'>

/** Whether something may be mounted for a record: its layer, or what was begun for a claim. */
export const mayTake = (record: Record | undefined): boolean =>
  record !== undefined && (record.layer !== undefined || record.claim !== undefined || record.intent !== undefined)

/** The memory that a record may take; 0 where nothing is mounted or being mounted. */
export const takenBy = ({ types }: Pick<Settings, 'types'>, record: Record | undefined): number => {
  const { filesystem } = record ?? {}
  if (filesystem === undefined || !mayTake(record) || !Object.hasOwn(types, filesystem.type)) return 0
  const rule = types[filesystem.type]
  return rule === undefined ? 0 : memoryOf(rule, filesystem)
}
