// Does a layer agree with a requested filesystem (L16)? Decided by the type's entry in the table of appearances, and never by
// what a command said about itself.

import type { Filesystem, MountOption } from './filesystem.js'
import { optionName } from './filesystem.js'
import type { Identity, ResolvedSource } from './found.js'
import type { Settings, TypeRule } from './settings.js'
import { typeRule } from './types.js'

const noRule = (type: string): TypeRule => typeRule(type, [])

/** The rule of a type; for one that is no longer configured (an old record) what the table knows, from no source. */
export const ruleOf = (settings: Pick<Settings, 'types'>, type: string): TypeRule =>
  Object.hasOwn(settings.types, type) ? (settings.types[type] ?? noRule(type)) : noRule(type)

/**
 * Whether `layer` is what `filesystem` asks for. `source` is what the filesystem's source resolves to now; `grewByOne` says
 * that the stack is exactly one layer higher than at the look before our own mount.
 */
export const agrees = (
  settings: Settings,
  filesystem: Filesystem,
  layer: Identity,
  source: ResolvedSource | undefined,
  grewByOne: boolean,
): boolean => {
  const { appears } = ruleOf(settings, filesystem.type)
  switch (appears._tag) {
    case 'Source':
      return appears.fstypes.includes(layer.fstype) && layer.source === filesystem.source
    case 'RootAndDevice':
      return source !== undefined && layer.root === source.root && layer.device === source.device
    case 'Device':
      return source !== undefined && appears.fstypes.includes(layer.fstype) && layer.device === source.device
    case 'Growth':
      return grewByOne
  }
}

const SAFE_DEFAULTS = [
  { flag: 'nosuid', unless: 'suid' },
  { flag: 'nodev', unless: 'dev' },
] as const

/** The options to mount with: those asked for, and `nosuid`, `nodev` unless `suid`, `dev` were asked for and allowed. */
export const mountOptions = (filesystem: Filesystem): readonly MountOption[] => {
  const names = new Set(filesystem.options.map(optionName))
  const added = SAFE_DEFAULTS.filter(({ flag, unless }) => !names.has(flag) && !names.has(unless))
  return [...filesystem.options, ...added.map(({ flag }) => flag)]
}

const DEMANDABLE: ReadonlySet<string> = new Set(['nosuid', 'nodev', 'noexec', 'ro'])

/** The flags that the caller itself asked for; a layer that is adopted has to carry these, the defaults are not held against it. */
export const askedFlags = (filesystem: Filesystem): readonly string[] =>
  filesystem.options.map(optionName).filter((name) => DEMANDABLE.has(name))

/** The demanded flags that a mounted layer does not carry. */
export const missingFlags = (filesystem: Filesystem, layer: Identity): readonly string[] =>
  mountOptions(filesystem)
    .map(optionName)
    .filter((name) => DEMANDABLE.has(name) && !layer.flags.includes(name))
