// What a caller asks to have mounted, and when two such wishes are the same (L5).

/** An option whose value is a secret: the core sees the reference, only the adapter opens the file (L38). */
export interface SecretOption {
  readonly name: string
  /** Absolute path of the file that holds the value. */
  readonly secretFile: string
}

/** One mount option: `name`, `name=value`, or a reference to a secret. */
export type MountOption = string | SecretOption

/** A filesystem as it is asked for. */
export interface Filesystem {
  readonly type: string
  readonly source: string
  readonly options: readonly MountOption[]
}

/** An option as text; a secret shows its reference, never its value. */
export const optionText = (option: MountOption): string =>
  typeof option === 'string' ? option : `${option.name}=@${option.secretFile}`

/** The name of an option: what stands before the first `=`. */
export const optionName = (option: MountOption): string => {
  if (typeof option !== 'string') return option.name
  const equals = option.indexOf('=')
  return equals < 0 ? option : option.slice(0, equals)
}

const INSIGNIFICANT: ReadonlySet<string> = new Set([
  'rw',
  'defaults',
  '_netdev',
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

const significant = (options: readonly MountOption[], more: readonly string[]): ReadonlySet<string> => {
  const kept = options.filter((option) => {
    const name = optionName(option)
    return !isInsignificant(name) && !more.includes(name)
  })
  return new Set(kept.map(optionText))
}

const sameOptions = (a: readonly MountOption[], b: readonly MountOption[], more: readonly string[]): boolean => {
  // The common case, the same list again, costs no set.
  if (a.length === b.length && a.every((option, index) => option === b[index])) return true
  const left = significant(a, more)
  const right = significant(b, more)
  return left.size === right.size && [...left].every((option) => right.has(option))
}

/**
 * Whether two wishes are one and the same filesystem: type, source, and the significant options as sets, before defaults
 * are added. `insignificant` are the additional names that the type's configuration lists.
 */
export const sameFilesystem = (a: Filesystem, b: Filesystem, insignificant: readonly string[]): boolean =>
  a === b || (a.type === b.type && a.source === b.source && sameOptions(a.options, b.options, insignificant))
