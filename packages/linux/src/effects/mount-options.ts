// What is passed to `mount -o`: rewritten from values that their grammars have read, so that no text of a caller is handed on
// as it stands. In the place of a secret stands the standard input of the helper: its value is no text (L38).

import type { MountOption } from '@mountkeeper/core'
import { optionName } from '@mountkeeper/core'
import type { Grammar, TypeRule } from '@mountkeeper/types'
import { BOOT_FLAGS, GENERAL_FLAGS, grammarOf, optionEntry, readOption, writeOption } from '@mountkeeper/types'
import type { Either } from 'fp-ts/lib/Either.js'
import { isLeft, left, right } from 'fp-ts/lib/Either.js'
import { SECRET_OPERAND } from '../secret.js'

/** Options for mount(8) and the boot, not for the kernel: `x-*` would be written to a file that all namespaces share. */
const isForOthers = (name: string): boolean =>
  name.startsWith('x-') || name.startsWith('X-') || BOOT_FLAGS.includes(name)

/** In the place of a secret: a file that holds it, the word that makes the helper read its standard input, or nothing. */
export const secretText = (name: string, grammar: Grammar): Either<string, string | undefined> => {
  if (grammar._tag !== 'Secret') return left(`option ${name}: cannot be a secret`)
  switch (grammar.by) {
    case 'credentials-file':
    case 'secret-file':
      return right(`${name}=${SECRET_OPERAND}`)
    case 'stdin':
      return right(`${name}_stdin`)
    case 'environment':
      return right(undefined)
  }
}

/** What the core adds of itself has the grammar of the table, also where requests may not name it. */
const grammarFor = (type: string, rule: TypeRule, name: string): Grammar | undefined =>
  grammarOf(type, rule, name) ?? (rule.memory === undefined ? undefined : optionEntry(type, name)?.grammar)

const writtenAnew = (type: string, rule: TypeRule, option: MountOption): Either<string, string | undefined> => {
  const name = optionName(option)
  if (Object.hasOwn(GENERAL_FLAGS, name)) return option === name ? right(name) : left(`option ${name}: takes no value`)
  const grammar = grammarFor(type, rule, name)
  if (grammar === undefined) return left(`option ${name}: not allowed for type ${type}`)
  if (typeof option !== 'string') return secretText(name, grammar)
  const parsed = readOption(rule, grammar, option === name ? undefined : option.slice(name.length + 1))
  return parsed._tag === 'Wrong' ? left(`option ${name}: ${parsed.why}`) : right(writeOption(name, parsed))
}

/** The options as mount(8) gets them, in their order; or the sentence that says which one cannot be passed. */
export const renderOptions = (
  type: string,
  rule: TypeRule,
  options: readonly MountOption[],
): Either<string, readonly string[]> => {
  const rendered: string[] = []
  for (const option of options) {
    const name = optionName(option)
    if (isForOthers(name)) continue
    const text = writtenAnew(type, rule, option)
    if (isLeft(text)) return text
    if (text.right === undefined) continue
    if (/[,"]/.test(text.right) || text.right === '') return left(`option ${name}: a comma would make two of it`)
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
