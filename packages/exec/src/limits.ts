// How much may be mounted below the roots at the same time, in number and in memory. What is mounted is read from the kernel's table
// each time, so that no restart forgets it; a mount that is under way counts until its command has ended.

import { readFileSync } from 'node:fs'
import type { TypeRule } from '@mountkeeper/types'
import { grammarOf, optionEntry, readOption } from '@mountkeeper/types'
import type { Lists } from './lists.js'
import { Refused } from './places.js'

/** Where the lists name no number of mounts: half of what the kernel allows in a mount namespace (fs.mount-max). */
const MOUNTS = 50_000
/** What one inode takes beside the size, rounded up, bytes. */
const INODE_BYTES = 1_024
/** The largest page of a machine that the kernel runs on. */
const PAGE_BYTES_MAX = 65_536

/** The kernel's default for one tmpfs, which its line leaves out, and ours for all where the lists name none: half of the memory. */
const half = (): number => {
  const found = /^MemTotal:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1]
  if (found === undefined) throw new Refused('the kernel does not show how much memory there is')
  return Number(found) * 512
}

/** The most that a mount with these options takes; of an option that is given twice the larger value counts. */
export const memoryOf = (type: string, rule: TypeRule, options: readonly string[]): number => {
  if (rule.memory === undefined) return 0
  const asked = (name: string): number => {
    const grammar = grammarOf(type, rule, name) ?? optionEntry(type, name)?.grammar
    const values = options.filter((text) => text.startsWith(`${name}=`)).map((text) => text.slice(name.length + 1))
    const read = values.flatMap((value) => (grammar === undefined ? [] : [readOption(rule, grammar, value)]))
    return Math.max(0, ...read.map((value) => (value._tag === 'Size' ? Number(value.bytes) : Infinity)))
  }
  return Math.max(asked('size'), asked('nr_blocks') * PAGE_BYTES_MAX) + asked('nr_inodes') * INODE_BYTES
}

interface Row {
  readonly target: string
  readonly device: string
  readonly bytes: number
}

/** A path as the table shows it. */
const shown = (path: string): string =>
  Buffer.from(path).toString('latin1').replaceAll('\\', '\\134').replaceAll(' ', '\\040')

/** What a filesystem in memory may take, by the options of its line; 0 is no limit. */
const bytesShown = (options: string): number => {
  const given = (name: string, left: number): number => {
    const [, number, unit] = new RegExp(`(?:^|,)${name}=(\\d+)(k?)(?:,|$)`).exec(options) ?? []
    return number === undefined ? left : (Number(number) || Infinity) * (unit === 'k' ? 1_024 : 1)
  }
  return given('size', half()) + given('nr_inodes', half() / 4_096) * INODE_BYTES
}

/** The mounts below the roots. A bind of a directory takes no memory of its own. */
const table = ({ roots, types }: Lists): readonly Row[] => {
  const starts = roots.map((root) => ` ${shown(root)}/`)
  const lines = readFileSync('/proc/self/mountinfo', 'latin1').split('\n')
  return lines.flatMap((line) => {
    if (!starts.some((start) => line.includes(start))) return []
    const fields = line.split(' ')
    const [, , device = '', root = '', target = ''] = fields
    if (!starts.some((start) => ` ${target}`.startsWith(start))) return []
    const [type = '', , options = ''] = fields.slice(fields.indexOf('-', 6) + 1)
    const takes = root === '/' && Object.hasOwn(types, type) && types[type]?.memory !== undefined
    return [{ target, device, bytes: takes ? bytesShown(options) : 0 }]
  })
}

/** A mount whose command runs: how many there were at its place before, and what it takes at most, bytes. */
interface UnderWay {
  readonly before: number
  readonly bytes: number
}

const underWay = new Map<string, UnderWay>()

const countAt = (rows: readonly Row[], mountpoint: string): number =>
  rows.filter(({ target }) => target === shown(mountpoint)).length

/** Why there is too much, with the mounts that are not in the table yet; `takes`: it is about one that takes memory. */
const excess = (lists: Lists, rows: readonly Row[], more: readonly UnderWay[], takes: boolean): string | undefined => {
  const most = { mounts: lists.limits?.mounts ?? MOUNTS, bytes: lists.limits?.memoryBytes ?? half() }
  if (rows.length + more.length > most.mounts) return `there would be more than ${most.mounts} mounts below the roots`
  // A filesystem that is shown at several places is one.
  const filesystems = new Map(rows.flatMap(({ device, bytes }) => (bytes === 0 ? [] : [[device, bytes]])))
  const bytes = [...filesystems.values(), ...more.map((one) => one.bytes)].reduce((total, each) => total + each, 0)
  const isOver = takes && bytes > most.bytes
  return isOver ? `filesystems in memory could take more than ${most.bytes} bytes together` : undefined
}

/** Counts a mount that is about to begin; throws `Refused` where it would be too much. */
export const beginMount = (lists: Lists, mountpoint: string, bytes: number): void => {
  if (underWay.has(mountpoint)) throw new Refused('a mount is under way there')
  const rows = table(lists)
  const one = { before: countAt(rows, mountpoint), bytes }
  const hidden = [...underWay].filter(([path, { before }]) => countAt(rows, path) <= before).map(([, each]) => each)
  const why = excess(lists, rows, [...hidden, one], bytes > 0)
  if (why !== undefined) throw new Refused(why)
  underWay.set(mountpoint, one)
}

/** Its command has ended. Why it has to be taken off again: another process like this one has mounted at the same time. */
export const endMount = (lists: Lists, mountpoint: string): string | undefined => {
  const takes = (underWay.get(mountpoint)?.bytes ?? 0) > 0
  underWay.delete(mountpoint)
  return excess(lists, table(lists), [], takes)
}
