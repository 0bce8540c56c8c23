// What may be mounted: lists that root has written, and that no other user could change on the way to them.

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import type { TypeRule } from '@mountkeeper/types'
import { formOf, isSourceForm, readGrammar } from '@mountkeeper/types'
import { Refused, isCanonical, walk } from './places.js'
import { LISTS_FILE } from './protocol.js'

/** What is allowed. Written by `mountkeeper doctor --exec` from the manager's configuration. */
export interface Lists {
  readonly format: 1
  readonly roots: readonly string[]
  /** Whether `suid` and `dev` may be asked for; without, `nosuid` and `nodev` are added to each mount. */
  readonly suid: boolean
  readonly dev: boolean
  /** What may be mounted below the roots together; without, 50,000 mounts, and half of the memory of the host. */
  readonly limits?: { readonly mounts: number; readonly memoryBytes: number }
  readonly types: Readonly<Record<string, TypeRule>>
}

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const areGrammars = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((each) => readGrammar(each) !== undefined)

/** As far as rules are used here. */
const isRule = (value: unknown): boolean =>
  isObject(value) &&
  isStrings(value['sources']) &&
  isStrings(value['pathOptions']) &&
  areGrammars(value['options']) &&
  isSourceForm(formOf(value as unknown as TypeRule))

const areLimits = (value: unknown): boolean =>
  isObject(value) &&
  Object.keys(value).sort().join() === 'memoryBytes,mounts' &&
  Object.values(value).every((each) => Number.isSafeInteger(each) && (each as number) >= 0)

/** Reads lists from their text; throws `Refused`. Root wrote it, so that this looks for mistakes and not for attacks. */
export const parseLists = (text: string): Lists => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Refused(`${LISTS_FILE} is not JSON: rewrite it with mountkeeper doctor --exec`)
  }
  const bad = (what: string): Refused =>
    new Refused(`${LISTS_FILE}: ${what}; rewrite it with mountkeeper doctor --exec`)
  if (!isObject(value) || value['format'] !== 1) throw bad('its format is not 1')
  const { roots, suid, dev, limits, types } = value
  if (!isStrings(roots) || roots.length === 0 || !roots.every(isCanonical)) throw bad('roots is no list of paths')
  if (typeof suid !== 'boolean' || typeof dev !== 'boolean') throw bad('suid and dev are not true or false')
  if (limits !== undefined && !areLimits(limits)) throw bad('limits has to have mounts and memoryBytes, whole numbers')
  if (!isObject(types)) throw bad('types is no object')
  const wrong = Object.entries(types).find(
    ([name, rule]) => !/^(?!no)[a-z0-9][a-z0-9._]{0,62}$/.test(name) || !isRule(rule),
  )
  if (wrong !== undefined) throw bad(`type ${wrong[0]} cannot be used`)
  const given = limits === undefined ? {} : { limits: limits as NonNullable<Lists['limits']> }
  return { format: 1, roots, suid, dev, ...given, types: types as Lists['types'] }
}

/** Reads the file: of root, writable by no other user, and so is each directory above it. */
export const readLists = (path: string = LISTS_FILE): Lists => {
  closeSync(walk(path, true))
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.uid !== 0 || (stat.mode & 0o022) !== 0) {
      throw new Refused(`${path} has to be a file of root that no other user can write: chown root, chmod go-w`)
    }
    return parseLists(readFileSync(fd, 'utf8'))
  } finally {
    closeSync(fd)
  }
}
