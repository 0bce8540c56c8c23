// Checks at the border (R10): every value of a request, once, before anything else is decided. What
// passes is trusted from there on; what does not is refused with the field's name and what would be right (L19, L37, L39).

import type { Grammar, TypeRule } from '@mountkeeper/types'
import {
  DOTS,
  GENERAL_FLAGS,
  TAG,
  formOf,
  grammarOf,
  optionHasSecret,
  readOption,
  readSource,
  sourceHasSecret,
  sourceMatches,
} from '@mountkeeper/types'
import { mountOptions, ruleOf } from './agree.js'
import type { Invalid } from './refusal.js'
import { checkPath, checkText, invalid, utf8Length } from './check-text.js'
import type { Filesystem, MountOption, SecretOption } from './filesystem.js'
import { optionName } from './filesystem.js'
import { contradiction } from './option-meaning.js'
import type { Settings } from './settings.js'

const SOURCE_BYTES_MAX = 4095

const OPTION_BYTES_MAX = 4095

/** A page without its last byte: mount(2) takes no more options, and drops the rest without a word. */
const OPTIONS_BYTES_MAX = 4095

/** What fsconfig(2) takes of one value, where mount(8) uses the new mount interface. */
const VALUE_BYTES_MAX = 255

const TYPE_BYTES_MAX = 63

const allowedNow = (some: readonly string[]): string =>
  some.length === 0 ? 'none is allowed' : `allowed: ${some.join(', ')}`

const checkSource = (rule: TypeRule, type: string, source: string): Invalid | undefined => {
  const field = 'filesystem.source'
  const bad = checkText(field, source, SOURCE_BYTES_MAX)
  if (bad !== undefined) return bad
  // Not even in part is it repeated.
  if (sourceHasSecret(source)) return invalid(field, 'contains a password; give it as a secret')
  if (source.startsWith('-')) return invalid(field, 'must not begin with -')
  if (TAG.test(source)) return invalid(field, 'must be a device path, not a tag such as UUID= or LABEL=')
  if (rule.sourceIsPath) {
    const path = checkPath(field, source)
    if (path !== undefined) return path
  }
  if (DOTS.test(source)) return invalid(field, 'must not contain . or .. components')
  const parsed = readSource(rule, source)
  if (parsed._tag === 'Wrong') return invalid(field, parsed.why)
  if (sourceMatches(formOf(rule), rule.sources, parsed)) return undefined
  return invalid(field, `${source} is not allowed for type ${type}; ${allowedNow(rule.sources)}`)
}

/** Options that every type has. What begins with `x-` is for others and not passed on; `x-mount.*` would be acted on. */
const isGeneral = (name: string): boolean =>
  isGeneralFlag(name) || (name.startsWith('x-') && !name.startsWith('x-mount.'))

const isGeneralFlag = (name: string): boolean => Object.hasOwn(GENERAL_FLAGS, name)

const DOUBLE_QUOTE = 'must not contain a double quote (mount(8) would not see the next comma)'

/** What mount(8), a helper or the kernel would read otherwise than it stands there. */
const checkOptionForm = (field: string, rule: TypeRule, option: MountOption, text: string): Invalid | undefined => {
  const name = optionName(option)
  // A value would make another option of a flag, and keep a default from being added.
  if (isGeneralFlag(name) && text !== name) return invalid(field, `${name} takes no value`)
  if (isGeneralFlag(name) && typeof option !== 'string') return invalid(field, `${name} cannot be a secret`)
  if (text.includes('"')) return invalid(field, DOUBLE_QUOTE)
  if (text.includes('\\') && rule.mayHang && rule.server !== 'unc')
    return invalid(field, 'must not contain a backslash (FUSE would drop it)')
  const value = text.slice(name.length + 1)
  const long = !rule.mayHang && !rule.pathOptions.includes(name) && utf8Length(value) > VALUE_BYTES_MAX
  return long ? invalid(field, `has a value of more than ${VALUE_BYTES_MAX} bytes`) : undefined
}

/**
 * Whether a request may refer to this secret. By the lists alone: the answer is the same whether the file is there or not, so
 * that no caller can ask for files that it may not name.
 */
const checkSecret = ({ secrets }: Settings, field: string, option: SecretOption): Invalid | undefined => {
  if ('secretFile' in option) {
    const { secretFile } = option
    const directories = secrets?.directories ?? []
    const path = checkPath(`${field}.secretFile`, secretFile)
    if (path !== undefined) return path
    if (directories.some((directory) => secretFile.startsWith(`${directory}/`))) return undefined
    return invalid(`${field}.secretFile`, `is not below a secret directory; ${allowedNow(directories)}`)
  }
  const variables = secrets?.environment ?? []
  if (variables.includes(option.secretEnvironment)) return undefined
  return invalid(`${field}.secretEnvironment`, `is not a variable for secrets; ${allowedNow(variables)}`)
}

/** What is wrong with the text of an option before its name is looked up. */
const checkOptionText = (field: string, option: MountOption): Invalid | undefined => {
  const text = typeof option === 'string' ? option : option.name
  const bad = checkText(field, text, OPTION_BYTES_MAX)
  if (bad !== undefined) return bad
  // Not even its name is repeated: without a `=` it may hold the secret.
  if (typeof option === 'string' && optionHasSecret(option))
    return invalid(field, 'has a password or key as plain text; give it as { name, secretFile }')
  if (typeof option !== 'string' && text.includes('=')) return invalid(field, 'must not have = in the name of a secret')
  return text.includes(',') ? invalid(field, 'must not contain a comma; give each option separately') : undefined
}

/** The value of an option, by the grammar that the rule has for it. */
const checkValue = (field: string, rule: TypeRule, grammar: Grammar, option: MountOption): Invalid | undefined => {
  const name = optionName(option)
  if (typeof option !== 'string') {
    if (grammar._tag === 'Secret' || grammar._tag === 'Text') return undefined
    // What cannot be seen here cannot be compared with the list.
    return invalid(field, `${name} ${grammar._tag === 'Path' ? 'names paths and ' : ''}cannot be a secret`)
  }
  const equals = option.indexOf('=')
  const parsed = readOption(rule, grammar, equals < 0 ? undefined : option.slice(equals + 1))
  if (parsed._tag === 'Wrong') return invalid(field, valueFault(name, grammar, parsed.why))
  if (parsed._tag !== 'Paths') return undefined
  return parsed.paths.map((path) => checkPath(field, path)).find((bad) => bad !== undefined)
}

const valueFault = (name: string, grammar: Grammar, why: string): string => {
  if (grammar._tag === 'Path' || grammar._tag === 'Host') return why
  return why.startsWith('expected') ? `${name}: ${why}` : `${name} ${why}`
}

const checkOption = (
  settings: Settings,
  rule: TypeRule,
  type: string,
  option: MountOption,
  index: number,
): Invalid | undefined => {
  const field = `filesystem.options[${index}]`
  const reference = typeof option === 'string' ? undefined : checkSecret(settings, field, option)
  if (reference !== undefined) return reference
  const bad = checkOptionText(field, option)
  if (bad !== undefined) return bad
  const name = optionName(option)
  const form = checkOptionForm(field, rule, option, typeof option === 'string' ? option : option.name)
  if (form !== undefined) return form
  if (name === 'suid' && settings.policies.suid !== 'allow') return invalid(field, 'suid is refused by policy')
  if (name === 'dev' && settings.policies.dev !== 'allow') return invalid(field, 'dev is refused by policy')
  if (isGeneral(name)) return undefined
  const grammar = grammarOf(type, rule, name)
  if (grammar === undefined) return invalid(field, `${name} is not allowed for type ${type}`)
  return checkValue(field, rule, grammar, option)
}

/** A filesystem as it is asked for: type, source and options, each against the lists. */
export const checkFilesystem = (settings: Settings, filesystem: Filesystem): Invalid | undefined => {
  const { type, source, options } = filesystem
  const field = 'filesystem.type'
  const bad = checkText(field, type, TYPE_BYTES_MAX)
  if (bad !== undefined) return bad
  if (type.startsWith('-')) return invalid(field, 'must not begin with -')
  if (type.startsWith('no')) return invalid(field, 'must not begin with "no" (mount(8) reads that as an exclusion)')
  if (!Object.hasOwn(settings.types, type)) {
    return invalid(field, `${type} is not an allowed type; allowed: ${Object.keys(settings.types).join(', ')}`)
  }
  const rule = ruleOf(settings, type)
  const wrong = checkSource(rule, type, source)
  if (wrong !== undefined) return wrong
  const { options: most } = settings.limits
  if (options.length > most) return invalid('filesystem.options', `has more than ${most} entries`)
  for (const [index, option] of options.entries()) {
    const wrongOption = checkOption(settings, rule, type, option, index)
    if (wrongOption !== undefined) return wrongOption
  }
  const [, second] = [...options.entries()].filter(([, option]) => typeof option !== 'string')
  if (second !== undefined)
    return invalid(`filesystem.options[${second[0]}]`, 'is a second secret; only one is possible')
  const contradicts = contradiction(type, options)
  if (contradicts !== undefined) return invalid(`filesystem.options[${contradicts.index}]`, contradicts.why)
  return checkOptionBytes(rule, filesystem)
}

/** As long as the longest thing that a helper gets in the place of a secret. */
const SECRET_OPERAND = '/proc/self/fd/0'

const lengthOf = (option: MountOption): number =>
  typeof option === 'string' ? option.length : option.name.length + 1 + SECRET_OPERAND.length

/** More than what is added to the options of any request. */
const ADDED_BYTES_MAX = 256

const checkOptionBytes = (rule: TypeRule, filesystem: Filesystem): Invalid | undefined => {
  // Three bytes a character at most: most lists are short enough without counting.
  const characters = filesystem.options.reduce((sum, option) => sum + lengthOf(option) + 1, 0)
  if (characters * 3 + ADDED_BYTES_MAX <= OPTIONS_BYTES_MAX) return undefined
  const passed = mountOptions(rule, filesystem).map((option) =>
    typeof option === 'string' ? option : `${option.name}=${SECRET_OPERAND}`,
  )
  const bytes = utf8Length(passed.join(','))
  if (bytes <= OPTIONS_BYTES_MAX) return undefined
  return invalid('filesystem.options', `are ${bytes} bytes with the defaults, more than ${OPTIONS_BYTES_MAX}`)
}

const optionBytes = (option: MountOption): number =>
  typeof option === 'string'
    ? utf8Length(option)
    : utf8Length(option.name) + utf8Length('secretFile' in option ? option.secretFile : option.secretEnvironment)

/** How much of a request is kept: also options that are passed to no helper. */
export const checkRecordBytes = (
  { limits }: Settings,
  { mountpoint, filesystem }: { readonly mountpoint: string; readonly filesystem: Filesystem },
): Invalid | undefined => {
  const most = limits.bytesPerRecord
  if (most === undefined) return undefined
  const { type, source, options } = filesystem
  let bytes = utf8Length(mountpoint) + utf8Length(type) + utf8Length(source)
  for (const option of options) bytes += optionBytes(option)
  return bytes <= most
    ? undefined
    : invalid('filesystem', `takes ${bytes} bytes with its mountpoint, more than ${most} (limits.bytesPerRecord)`)
}
