// What is passed to `mount -o`. In the place of a secret stands the standard input of the helper: its value is no text (L38).

import type { MountOption } from '@mountkeeper/core'
import { optionName } from '@mountkeeper/core'
import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from 'fp-ts/lib/Either.js'
import { SECRET_OPERAND } from '../secret.js'

/** Options for mount(8) and the boot, not for the kernel: `x-*` would be written to a file that all namespaces share. */
const isForOthers = (name: string): boolean => name.startsWith('x-') || name.startsWith('X-') || name === '_netdev'

/** The options as mount(8) gets them, in their order; or the sentence that says which one cannot be passed. */
export const renderOptions = (options: readonly MountOption[]): Either<string, readonly string[]> => {
  const rendered: string[] = []
  for (const option of options) {
    const name = optionName(option)
    if (isForOthers(name)) continue
    const text = typeof option === 'string' ? option : `${name}=${SECRET_OPERAND}`
    if (text.includes(',') || text === '') return left(`option ${name}: a comma would make two of it`)
    rendered.push(text)
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
