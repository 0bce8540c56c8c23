// What mount(8) is given: rewritten from values that were taken apart by the rules of their reader. No text of the manager is
// passed on as it stands.

import { closeSync } from 'node:fs'
import type { ParsedValue, TypeRule } from '@mountkeeper/types'
import {
  BOOT_FLAGS,
  DOTS,
  GENERAL_FLAGS,
  TAG,
  grammarOf,
  neverReason,
  optionEntry,
  readOption,
  readSource,
  sourceAllowed,
  writeOption,
  writeSource,
} from '@mountkeeper/types'
import { memoryOf } from './limits.js'
import type { Lists } from './lists.js'
import { Refused, flagsOf, isCanonical, nameOf, walk } from './places.js'
import type { Change } from './protocol.js'
import type { Given } from './secret.js'
import { giveSecret, secretText } from './secret.js'

type Mount = Extract<Change, { readonly do: 'mount' }>

/** The vector of mount(8) without its target, and the descriptors that it names. */
export interface Prepared {
  readonly vector: readonly string[]
  readonly hold: readonly number[]
  readonly given: Given
  /** The memory of this host that it may take, bytes. */
  readonly bytes: number
}

const OPTIONS_BYTES_MAX = 4_095

/** Flags that say nothing, or that are for the boot. */
const LEFT_OUT: ReadonlySet<string> = new Set(['defaults', ...BOOT_FLAGS])

/** Flags of the mount that a bind is made from, which the bind may not lose. */
const KEPT = ['nosuid', 'nodev', 'noexec', 'ro']

/** Others than root can not exchange it, so that the path may be passed on. */
const checkPath = (path: string): void => {
  if (!isCanonical(path)) throw new Refused(`${path} is no canonical path`)
  closeSync(walk(path, true))
}

const checkPaths = (value: ParsedValue): void => {
  if (value._tag === 'Paths') value.paths.forEach(checkPath)
}

const optionOf = (lists: Lists, type: string, rule: TypeRule, text: string): string | undefined => {
  const equals = text.indexOf('=')
  const name = equals < 0 ? text : text.slice(0, equals)
  const value = equals < 0 ? undefined : text.slice(equals + 1)
  if (Object.hasOwn(GENERAL_FLAGS, name)) {
    if (value !== undefined) throw new Refused(`option ${name} takes no value`)
    if ((name === 'suid' && !lists.suid) || (name === 'dev' && !lists.dev)) throw new Refused(`${name} is not allowed`)
    return LEFT_OUT.has(name) ? undefined : name
  }
  const never = neverReason(type, name)
  // What takes memory has its limits written out by the manager, also where requests may not name them.
  const table = rule.memory === undefined ? undefined : optionEntry(type, name)?.grammar
  const grammar = never === undefined ? (grammarOf(type, rule, name) ?? table) : undefined
  if (grammar === undefined) throw new Refused(`an option is not allowed for type ${type}`)
  const parsed = readOption(rule, grammar, value)
  if (parsed._tag === 'Wrong') throw new Refused(`option ${name} ${parsed.why}`)
  if (parsed._tag === 'Text' && grammar._tag === 'Text') throw new Refused(`option ${name} has no grammar`)
  checkPaths(parsed)
  return writeOption(name, parsed)
}

const optionsOf = (lists: Lists, { type, options }: Mount, rule: TypeRule): readonly string[] => {
  const written = options.flatMap((text) => optionOf(lists, type, rule, text) ?? [])
  const has = (name: string): boolean => written.includes(name)
  const isGiven = (limit: RegExp): boolean => written.some((text) => limit.test(text))
  if (rule.memory !== undefined && !(isGiven(/^(?:size|nr_blocks)=/) && isGiven(/^nr_inodes=/))) {
    throw new Refused(`type ${type} takes memory: its size and nr_inodes have to be given`)
  }
  return [
    ...written,
    ...(has('suid') || has('nosuid') ? [] : ['nosuid']),
    ...(has('dev') || has('nodev') ? [] : ['nodev']),
  ]
}

const joined = (options: readonly string[]): string => {
  const text = options.join(',')
  // A comma in a value would begin another option; the grammars have none.
  if (text.split(',').length !== options.length || text.includes('"') || Buffer.byteLength(text) > OPTIONS_BYTES_MAX) {
    throw new Refused('the options are too long, or one of them has a comma')
  }
  return text
}

const bindOf = (path: string, options: readonly string[]): Prepared => {
  const fd = walk(path, false)
  try {
    const more = KEPT.filter((flag) => flagsOf(fd).includes(flag) && !options.includes(flag))
    const asked = more.includes('ro') ? options.filter((option) => option !== 'rw') : options
    return { vector: ['-o', joined(['bind', ...asked, ...more]), '--', nameOf(fd)], hold: [fd], given: {}, bytes: 0 }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** What mount(8) gets for this change, if the lists allow it; throws `Refused`. */
export const prepare = (lists: Lists, mount: Mount): Prepared => {
  const { type, source } = mount
  const rule = Object.hasOwn(lists.types, type) ? lists.types[type] : undefined
  if (rule === undefined) throw new Refused(`type ${type} is not in the lists`)
  const isPath = rule.sourceIsPath || source.startsWith('/')
  if (isPath && !source.startsWith('//') && !isCanonical(source)) throw new Refused('the source is no canonical path')
  const parsed = readSource(rule, source)
  if (parsed._tag === 'Wrong') throw new Refused(`the source ${parsed.why}`)
  if (!sourceAllowed(rule, source)) throw new Refused(`the source is not allowed for type ${type}`)
  const written = writeSource(parsed)
  const isOdd = written === '' || /^-|[\u0000-\u001f\u007f-\u009f]/.test(written) || !written.isWellFormed()
  if (isOdd || TAG.test(written) || DOTS.test(written)) {
    throw new Refused('the source is empty, a tag, begins with -, or has .., or a control character')
  }
  const options = optionsOf(lists, mount, rule)
  if (type === 'bind') return bindOf(written, options)
  if (parsed._tag === 'Path') checkPath(written)
  const { name = '', value = '' } = mount.secret ?? {}
  const grammar = grammarOf(type, rule, name)
  const text = mount.secret === undefined ? [] : secretText(name, grammar)
  const vector = ['-t', type, '-o', joined([...options, ...text]), '--', written]
  // Last, so that nothing that is refused leaves a descriptor open.
  const given = mount.secret === undefined ? {} : giveSecret(name, grammar, Buffer.from(value, 'base64'))
  const hold = given.stdin === undefined ? [] : [given.stdin]
  return { vector, hold, given, bytes: memoryOf(type, rule, options) }
}
