// Which commands one command can do together, and how: several operands for mkdir, rmdir and umount; a file in the form of fstab(5)
// for mount. What became of each is seen by a look alone: a status is that of all, and mount(8) passes over a line that it cannot read.

import { closeSync, writeSync } from 'node:fs'
import type { Command } from './command-runner.js'
import { vectorOf } from './command-runner.js'
import { ownProcess } from './descriptor.js'
import { isLeft } from './either.js'
import { unnamedFile } from './unnamed-file.js'

/** What one command does at most: this bounds what one that fails drags along, and the looks that follow it at once. */
export const TOGETHER_MAX = 64

const SEVERAL: ReadonlySet<string> = new Set(['mkdir', 'rmdir', 'umount'])

/** Commands of one key can be done together; absent for one that has to be run alone. */
export const keyOf = (command: Command): string | undefined => {
  if (command.alone === true) return undefined
  if (SEVERAL.has(command.program)) return [command.program, ...command.options].join('\0')
  return command.line === undefined ? undefined : 'mount'
}

/** In a field of fstab(5) these are written in octal; `#` would begin a comment (measured with util-linux 2.38). */
const written = (field: string): string =>
  field.replace(/[\\ \t\n#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)

/** A mount as a line of fstab(5); absent where it cannot be one. `options` are those of mount(8) beside `-c`. */
export const lineFor = (options: readonly string[], source: string, target: string): string | undefined => {
  const known = ['-t', '-o']
  const pairs = new Map(
    options.flatMap((option, at) => (at % 2 === 0 ? [[option, options[at + 1] ?? ''] as const] : [])),
  )
  if ([...pairs.keys()].some((option) => !known.includes(option))) return undefined
  const type = pairs.get('-t') ?? 'none'
  const flags = pairs.get('-o') ?? 'defaults'
  // Newer versions take quotes for quotes, and nothing stands for what is empty.
  if ([type, flags, source, target].some((field) => field === '' || field.includes('"'))) return undefined
  return `${[source, target, type, flags].map(written).join(' ')} 0 0\n`
}

/** One command for several, to be closed when it has ended. */
export interface Joined {
  readonly vector: readonly string[]
  readonly close: () => void
}

/** The command that does all of these, which have the same key; absent where there can be none. */
export const join = (commands: readonly Command[]): Joined | undefined => {
  const [first] = commands
  if (first === undefined) return undefined
  if (first.line === undefined) {
    const all: Command = { ...first, operands: commands.flatMap(({ operands }) => operands) }
    return { vector: vectorOf(all, []), close: () => undefined }
  }
  const file = unnamedFile()
  if (isLeft(file)) return undefined
  const fd = file.right
  const close = (): void => closeSync(fd)
  try {
    const bytes = Buffer.from(commands.map(({ line }) => line).join(''), 'utf8')
    if (writeSync(fd, bytes, 0, bytes.length, 0) === bytes.length)
      return { vector: ['mount', '-c', '-a', '-T', `${ownProcess()}/fd/${fd}`], close }
  } catch {
    // No memory: each is mounted by itself.
  }
  close()
  return undefined
}

/** With this many entries mount(8) with a file is worth its price: it reads the whole mount table first, single ones do not. */
export interface Worth {
  readonly isWorth: (count: number) => boolean
  readonly tookMs: (count: number, ms: number) => void
}

/** Weight of the newest measurement. */
const NEWEST = 0.3
/** What an entry costs beside others, ms; little beside the start of a process. */
const EACH_MS = 0.05

/** Learns from what commands have taken on this host until now. */
export const createWorth = (): Worth => {
  let single = 1.5
  let start = 0
  const mix = (old: number, fresh: number): number => (1 - NEWEST) * old + NEWEST * fresh
  return {
    isWorth: (count) => count > 1 && count * single > start,
    tookMs: (count, ms) => {
      if (count === 1) single = mix(single, ms)
      else start = mix(start, Math.max(0, ms - EACH_MS * count))
    },
  }
}
