// Options by their meaning: two lists that mean the same are the same filesystem (L5), and a list that says one thing twice or
// contradicts itself is refused, since its order would decide.

import type { TypeEntry } from '@mountkeeper/types'
import {
  GENERAL_DEFAULTS,
  GENERAL_EXCLUSIVE,
  LOOP_OPTIONS,
  canonicalName,
  meaningsOf,
  readValue,
} from '@mountkeeper/types'
import type { Filesystem, MountOption } from './filesystem.js'
import { isInsignificant, optionName, secretReference } from './filesystem.js'

/** Who reads the value of an option, so that two spellings of one value come out as one text. */
const readValueOf = (known: TypeEntry, name: string, value: string): string | undefined => {
  const grammar = Object.hasOwn(known.options, name) ? known.options[name]?.grammar : undefined
  if (grammar?._tag === 'Number' || grammar?._tag === 'Size') return readValue(grammar.reader, value)
  return grammar?._tag === 'InnerPath' ? readValue('inner-path', value) : undefined
}

/** One text for all spellings of an option. A secret is its reference, and never equal to an option that is written out. */
const canonicalText = (known: TypeEntry, option: MountOption): string => {
  const name = canonicalName(known, optionName(option))
  if (typeof option !== 'string') return `${name}=\0${secretReference(option)}`
  const equals = option.indexOf('=')
  if (equals < 0) return name
  const value = option.slice(equals + 1)
  return `${name}=${readValueOf(known, name, value) ?? value}`
}

/** mount(8) makes a loop device for an offset or a size; `loop` beside them, and 0 for either, say nothing. */
const withoutImplied = (options: readonly string[]): readonly string[] => {
  if (!options.some((option) => LOOP_OPTIONS.has(optionName(option)))) return options
  return ['loop', ...options.filter((option) => !['loop', 'offset=0', 'sizelimit=0'].includes(option))]
}

/** The meaning of a list of options: what of them is significant, in canonical form. */
const meaningOf = (
  type: string,
  options: readonly MountOption[],
  insignificant: readonly string[],
): ReadonlySet<string> => {
  const known = meaningsOf(type)
  const ignored = new Set(insignificant.map((name) => canonicalName(known, name)))
  const texts = options
    .filter((option) => !isInsignificant(optionName(option)) && !ignored.has(canonicalName(known, optionName(option))))
    .map((option) => canonicalText(known, option))
    .filter((text) => !GENERAL_DEFAULTS.includes(text) && !known.defaults.includes(text))
  return new Set(withoutImplied(texts))
}

const sameOptions = (
  type: string,
  a: readonly MountOption[],
  b: readonly MountOption[],
  insignificant: readonly string[],
): boolean => {
  // The common case, the same list again, costs no set.
  if (a.length === b.length && a.every((option, index) => option === b[index])) return true
  const left = meaningOf(type, a, insignificant)
  const right = meaningOf(type, b, insignificant)
  return left.size === right.size && [...left].every((option) => right.has(option))
}

/**
 * Whether two wishes are one and the same filesystem: type, source, and the significant options by their meaning, before
 * defaults are added. `insignificant` are the additional names that the type's configuration lists.
 */
export const sameFilesystem = (a: Filesystem, b: Filesystem, insignificant: readonly string[]): boolean =>
  a === b || (a.type === b.type && a.source === b.source && sameOptions(a.type, a.options, b.options, insignificant))

const opposed = (name: string, other: string): boolean => name === `no${other}` || other === `no${name}`

/** The place of the first option that is given twice or contradicts an earlier one, and why. */
export const contradiction = (
  type: string,
  options: readonly MountOption[],
): { readonly index: number; readonly why: string } | undefined => {
  if (options.length === 0) return undefined
  const known = meaningsOf(type)
  const exclusive = [...GENERAL_EXCLUSIVE, ...known.exclusive]
  const names = options.map((option) => canonicalName(known, optionName(option)))
  for (const [index, option] of options.entries()) {
    const name = names[index] ?? ''
    const groups = exclusive.filter((group) => group.includes(name))
    const at = names
      .slice(0, index)
      .findIndex((other) => other === name || opposed(name, other) || groups.some((group) => group.includes(other)))
    const earlier = options[at]
    if (earlier === undefined) continue
    const [is, was] = [optionName(option), optionName(earlier)]
    if (is === was) return { index, why: `${is} is given twice; give it once` }
    if (names[at] === name)
      return { index, why: `${is} is another name of ${was}, which is given too; give one of them` }
    return { index, why: `${is} contradicts ${was}; give one of them` }
  }
  return undefined
}
