// Filesystems as they are asked for, read from any value: the shape only; what they may say is checked by check.ts.

import type { Filesystem, MountOption, SecretOption } from '../filesystem.js'
import type { Reader } from './reader.js'
import { either, list, record, text } from './reader.js'

const secretOption: Reader<SecretOption> = record<SecretOption>('an object', { name: text, secretFile: text })

const mountOption: Reader<MountOption> = either('a string or { name, secretFile }', text, secretOption, () => true)

/** No more are looked at; how many are allowed is a setting, and smaller. */
const OPTIONS_READ_MAX = 65_536

/** A filesystem. */
export const filesystemReader: Reader<Filesystem> = record<Filesystem>('an object with type, source and options', {
  type: text,
  source: text,
  options: list(mountOption, OPTIONS_READ_MAX),
})
