// What a caller asks to have mounted. When two such requests are the same is in option-meaning.ts (L5).

import type { TypeRule } from '@mountkeeper/types'

/** An option whose value is a secret in a file: the core sees the reference, only the adapter opens the file (L38). */
export interface SecretFileOption {
  readonly name: string
  /** Absolute path of the file that holds the value, below a configured secret directory. */
  readonly secretFile: string
}

/** An option whose value is a secret in the environment of the manager's process; for services that embed it. */
export interface SecretEnvironmentOption {
  readonly name: string
  /** Name of the variable, one of those that are configured. */
  readonly secretEnvironment: string
}

/** An option whose value is a secret, by reference. */
export type SecretOption = SecretFileOption | SecretEnvironmentOption

/** One mount option: `name`, `name=value`, or a reference to a secret. */
export type MountOption = string | SecretOption

/** A filesystem as it is asked for. */
export interface Filesystem {
  readonly type: string
  readonly source: string
  readonly options: readonly MountOption[]
}

/** Where the value of a secret is: the path of its file, or `$NAME`. No two references have the same text. */
export const secretReference = (option: SecretOption): string =>
  'secretFile' in option ? option.secretFile : `$${option.secretEnvironment}`

/** An option as text; a secret shows its reference, never its value. */
export const optionText = (option: MountOption): string =>
  typeof option === 'string' ? option : `${option.name}=@${secretReference(option)}`

/** The name of an option: what stands before the first `=`. */
export const optionName = (option: MountOption): string => {
  if (typeof option !== 'string') return option.name
  const equals = option.indexOf('=')
  return equals < 0 ? option : option.slice(0, equals)
}

/** Whether what is asked for leads over paths of this host, by its source or by an option. */
export const leadsOverPaths = (rule: Pick<TypeRule, 'sourceIsPath' | 'pathOptions'>, filesystem: Filesystem): boolean =>
  rule.sourceIsPath || filesystem.options.some((option) => rule.pathOptions.includes(optionName(option)))

const INSIGNIFICANT: ReadonlySet<string> = new Set([
  'rw',
  'defaults',
  // BOOT_FLAGS of the table, written out: what a look process loads is counted.
  '_netdev',
  'nofail',
  'auto',
  'noauto',
  'atime',
  'noatime',
  'diratime',
  'nodiratime',
  'relatime',
  'norelatime',
  'strictatime',
  'nostrictatime',
  'lazytime',
  'nolazytime',
])

/** Options that two requests may differ in and still share one mount. */
export const isInsignificant = (name: string): boolean => INSIGNIFICANT.has(name) || name.startsWith('x-')
