// A filesystem as it is asked for. Only the shape is checked here: what a type, a source and an option may say is decided
// at the border of core, with an answer that names the field.

import type { Filesystem, MountOption, SecretOption } from '@mountkeeper/core'
import type { Codec } from './decode-error.js'
import { either, list, record, text } from './shape.js'

const secretOption: Codec<SecretOption> = record('an object', { name: text, secretFile: text })

/** One option: a string, or a reference to a secret. */
export const mountOptionCodec: Codec<MountOption> = either(
  'a string or { name, secretFile }',
  text,
  secretOption,
  (value) => {
    if (typeof value === 'string') return 'first'
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? 'second' : 'neither'
  },
)

/** A filesystem as it is asked for. */
export const filesystemCodec: Codec<Filesystem> = record('an object with type, source and options', {
  type: text,
  source: text,
  options: list(mountOptionCodec),
})
