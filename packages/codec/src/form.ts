// The strings of the configuration that have to be of a certain form: paths, names of types, patterns of sources. They come
// from the administrator; what requests may say is checked by core.

import { canonicalServer, checkName, checkPath, utf8Length } from '@mountkeeper/core'
import type { Codec } from './decode-error.js'
import { between, list, refined, text } from './shape.js'

const CONTROL = /\p{Cc}/u
const PATTERN_BYTES_MAX = 4095

/** Whether a path is absolute and the only way of writing itself; not `/`. The rule is core's, for mountpoints. */
export const isCanonicalPath = (path: string): boolean => path !== '/' && checkPath('', path) === undefined

/** Whether `inner` is `outer` or is below it; both are canonical. */
export const isWithin = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(`${outer}/`)

/** A path of a directory. */
export const pathCodec: Codec<string> = refined(
  text,
  'an absolute path without "//", "." or "..", that does not end in "/"',
  isCanonicalPath,
)

/** Whether text can be the name of a filesystem type: mount(8) reads `no…` and lists with commas in another way. */
export const isTypeName = (name: string): boolean => /^(?!no)[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}$/.test(name)

/** The name of a filesystem type. */
export const typeNameCodec: Codec<string> = refined(
  text,
  'the name of a filesystem type (letters, digits, "_", ".", "+", "-"; not beginning with "no")',
  isTypeName,
)

/** Whether text can be a pattern of sources. */
export const isSourcePattern = (pattern: string): boolean =>
  pattern.length > 0 && utf8Length(pattern) <= PATTERN_BYTES_MAX && !pattern.startsWith('-') && !CONTROL.test(pattern)

/** A pattern of sources. */
export const patternCodec: Codec<string> = refined(
  text,
  'a pattern of sources: not empty, not beginning with "-", without control characters',
  isSourcePattern,
)

/** The name of a mount option. */
export const optionNameCodec: Codec<string> = refined(
  text,
  'the name of an option, without "=", "," or spaces',
  (name) => /^[^\s=,\p{Cc}]{1,255}$/u.test(name),
)

/** The name or the address of a server, in any spelling. */
export const serverCodec: Codec<string> = refined(
  text,
  'the name or the address of a server',
  (name) => checkName('', name) === undefined && canonicalServer({}, name) !== '',
)

/** The name of a server in its one canonical form. */
export const serverNameCodec: Codec<string> = refined(
  text,
  'a server: a host in lower case without the final dot, or an address in canonical form without brackets',
  (name) => checkName('', name) === undefined && canonicalServer({}, name) === name,
)

/** The name of a variable in the environment. */
export const variableCodec: Codec<string> = refined(
  text,
  'the name of a variable: letters, digits and "_", not beginning with a digit',
  (name) => /^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(name),
)

/** One argument of a command. */
export const argumentCodec: Codec<string> = refined(
  text,
  'a string without control characters, not empty',
  (argument) => argument.length > 0 && !CONTROL.test(argument),
)

/** The largest number of a user; the one above stands for none (chown(2)). */
const UID_MAX = 4_294_967_294

/** Users by their numbers: names would have to be asked for elsewhere. */
export const ownersCodec: Codec<readonly number[]> = list(between(0, UID_MAX), 'a list of numbers of users')

/** The URI of a libvirt. */
export const uriCodec: Codec<string> = refined(
  text,
  'the URI of a libvirt, such as qemu:///system',
  (uri) => /^[A-Za-z][A-Za-z0-9+.-]*:/.test(uri) && !CONTROL.test(uri),
)
