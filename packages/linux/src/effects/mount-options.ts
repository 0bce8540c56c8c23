// What is passed to `mount -o`. Secrets are passed as the path of their file: no value is ever read here (L38).

import { accessSync, constants, statSync } from 'node:fs'
import type { MountOption, SecretOption } from '@mountkeeper/core'
import { optionName } from '@mountkeeper/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { errnoOf } from '../descriptor.js'

/** Options for mount(8) and the boot, not for the kernel: `x-*` would be written to a file that all namespaces share. */
const isForOthers = (name: string): boolean => name.startsWith('x-') || name.startsWith('X-') || name === '_netdev'

/**
 * Checks a file with a secret: a regular file, ours or root's, readable by us and by nobody without a relation to it, and
 * not writable by others. Gives what is wrong, with the mend.
 */
export const secretProblem = (secretFile: string, uid: number): string | undefined => {
  if (!secretFile.startsWith('/')) return `${secretFile} is not an absolute path`
  if (secretFile.includes(',')) return `${secretFile} has a comma in its name: rename it`
  try {
    const stat = statSync(secretFile)
    if (!stat.isFile()) return `${secretFile} is not a regular file`
    if (stat.uid !== uid && stat.uid !== 0)
      return `${secretFile} belongs to another user (${stat.uid}): chown ${uid} it`
    if ((stat.mode & 0o026) !== 0) return `${secretFile} is readable or writable by others: chmod 0600 it`
    accessSync(secretFile, constants.R_OK)
    return undefined
  } catch (error) {
    return `${secretFile} cannot be read (${errnoOf(error)})`
  }
}

const secretText = (option: SecretOption, uid: number): Either<string, string> => {
  const problem = secretProblem(option.secretFile, uid)
  return problem === undefined
    ? right(`${option.name}=${option.secretFile}`)
    : left(`option ${option.name}: ${problem}`)
}

/** The options as mount(8) gets them, in their order; or the sentence that says which one cannot be passed. */
export const renderOptions = (options: readonly MountOption[], uid: number): Either<string, readonly string[]> => {
  const rendered: string[] = []
  for (const option of options) {
    const name = optionName(option)
    if (isForOthers(name)) continue
    const text = typeof option === 'string' ? right(option) : secretText(option, uid)
    if (isLeft(text)) return text
    if (text.right.includes(',') || text.right === '') return left(`option ${name}: a comma would make two of it`)
    rendered.push(text.right)
  }
  return right(rendered)
}

/** Flags that mount(2) in a user namespace refuses to clear, and that a bind mount would otherwise lose. */
const LOCKED = ['nosuid', 'nodev', 'noexec', 'ro']

/** Options of a bind mount: those asked for, and what its source's own mount forbids. */
export const bindOptions = (asked: readonly string[], sourceFlags: readonly string[]): readonly string[] => {
  const more = LOCKED.filter((flag) => sourceFlags.includes(flag) && !asked.includes(flag))
  const opposed = more.includes('ro') ? asked.filter((option) => option !== 'rw') : asked
  return ['bind', ...opposed, ...more]
}

/** The paths in the value of a path-valued option such as `lowerdir=a:b`, `\:` being a colon in a name. */
export const pathsOf = (option: string): readonly string[] =>
  option
    .slice(option.indexOf('=') + 1)
    .split(/(?<!\\):/)
    .map((path) => path.replaceAll('\\:', ':'))
    .filter((path) => path !== '')
