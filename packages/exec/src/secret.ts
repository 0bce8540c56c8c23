// A secret for one helper, which the manager has read and says in a line: the helper gets it as its standard input, an unnamed file on
// a tmpfs that is gone with its last reader, or as a variable of its own. It is in no argument, no answer and no file with a name.

import { closeSync, constants, openSync, statfsSync, writeFileSync } from 'node:fs'
import type { Grammar } from '@mountkeeper/types'
import { Refused } from './places.js'

/** What the helper of one mount gets, besides what all get. */
export interface Given {
  readonly stdin?: number
  readonly environment?: Readonly<Record<string, string>>
}

/** open(2): a file without a name, and that cannot be given one. */
const UNNAMED = 0o20000000 | constants.O_DIRECTORY | constants.O_EXCL | constants.O_RDWR
/** statfs(2): it is in memory. */
const TMPFS = 0x01021994

const isTmpfs = (directory: string): boolean => {
  try {
    return statfsSync(directory).type === TMPFS
  } catch {
    return false
  }
}

const inMemory = (value: Buffer): number => {
  for (const directory of ['/dev/shm', '/run']) {
    if (!isTmpfs(directory)) continue
    const fd = openSync(directory, UNNAMED, 0o600)
    try {
      writeFileSync(fd, value)
      return openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY)
    } finally {
      closeSync(fd)
    }
  }
  throw new Refused('no tmpfs takes the secret: mount one at /dev/shm')
}

/** What stands for a secret among the options: nothing where it is a variable. */
export const secretText = (name: string, grammar: Grammar | undefined): readonly string[] => {
  if (grammar?._tag !== 'Secret') throw new Refused('the secret is for an option that the lists have as none')
  if (grammar.by === 'environment') return []
  return grammar.by === 'stdin' ? [`${name}_stdin`] : [`${name}=/proc/self/fd/0`]
}

/** What the helper gets; the caller closes the descriptor. */
export const giveSecret = (name: string, grammar: Grammar | undefined, value: Buffer): Given => {
  if (value.length === 0 || value.includes(0)) throw new Refused('the secret is empty, or has a NUL in it')
  const isVariable = grammar?._tag === 'Secret' && grammar.by === 'environment'
  return isVariable ? { environment: { [name]: value.toString('utf8') } } : { stdin: inMemory(value) }
}
