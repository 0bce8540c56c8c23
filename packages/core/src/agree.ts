// What a type's entry in the table says of a request: its rule, the options to mount with, the flags that a layer has to carry,
// and the server whose slots it takes. What is asked of a layer is in layer.ts.

import type { TypeRule } from '@mountkeeper/types'
import { typeRule } from '@mountkeeper/types'
import type { Filesystem, MountOption } from './filesystem.js'
import { optionName } from './filesystem.js'
import { addedSizes } from './memory.js'
import type { Identity } from './found.js'
import type { Settings } from './settings.js'

const noRule = (type: string): TypeRule => typeRule(type, [])

/** The rule of a type; for one that is no longer configured (an old record) what the table knows, from no source. */
export const ruleOf = (settings: Pick<Settings, 'types'>, type: string): TypeRule =>
  Object.hasOwn(settings.types, type) ? (settings.types[type] ?? noRule(type)) : noRule(type)

const SAFE_DEFAULTS = [
  { flag: 'nosuid', unless: 'suid' },
  { flag: 'nodev', unless: 'dev' },
] as const

/** Options with `nosuid`, `nodev` unless `suid`, `dev` were asked for and allowed. */
const withSafeDefaults = (options: readonly MountOption[]): readonly MountOption[] => {
  const names = new Set(options.map(optionName))
  const added = SAFE_DEFAULTS.filter(({ flag, unless }) => !names.has(flag) && !names.has(unless))
  return [...options, ...added.map(({ flag }) => flag)]
}

/**
 * The options to mount with: those asked for, `nosuid`, `nodev` unless `suid`, `dev` were asked for and allowed, and the size of
 * what takes memory and was asked for without.
 */
export const mountOptions = (rule: TypeRule, filesystem: Filesystem): readonly MountOption[] => [
  ...withSafeDefaults(filesystem.options),
  ...addedSizes(rule, filesystem),
]

const DEMANDABLE: ReadonlySet<string> = new Set(['nosuid', 'nodev', 'noexec', 'ro'])

/** The flags that the caller itself asked for; a layer that is adopted has to carry these, the defaults are not compared with it. */
export const askedFlags = (filesystem: Filesystem): readonly string[] =>
  filesystem.options.map(optionName).filter((name) => DEMANDABLE.has(name))

/** Whether nothing can be written through a layer, by its mount or by its filesystem. */
export const isReadOnly = ({ flags, superblock }: Identity): boolean => flags.includes('ro') || superblock === 'ro'

/** Whether a layer carries a flag; read-only is carried by its mount or by its filesystem. */
export const carries = (layer: Identity, flag: string): boolean =>
  flag === 'ro' ? isReadOnly(layer) : layer.flags.includes(flag)

/** The flags a layer carries, of those that can be demanded. */
export const carriedFlags = (layer: Identity): readonly string[] =>
  [...DEMANDABLE].filter((flag) => carries(layer, flag))

/** The flags that a layer of ours is mounted with: those that were asked for, and the defaults. */
export const demandedFlags = (filesystem: Filesystem): readonly string[] =>
  withSafeDefaults(filesystem.options)
    .map(optionName)
    .filter((name) => DEMANDABLE.has(name))

/** The demanded flags that a mounted layer does not carry. */
export const missingFlags = (filesystem: Filesystem, layer: Identity): readonly string[] =>
  demandedFlags(filesystem).filter((flag) => !carries(layer, flag))
