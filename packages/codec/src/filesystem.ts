// A filesystem as it is asked for. Only the shape is checked here: what a type, a source and an option may say is decided
// at the border of core, with an answer that names the field.

import type { Filesystem, MountOption, SecretEnvironmentOption, SecretFileOption } from '@mountkeeper/core'
import type { Codec } from './decode-error.js'
import { either, list, record, text } from './shape.js'

const OPTION = 'a string, { name, secretFile } or { name, secretEnvironment }'

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const secretOption: Codec<SecretFileOption | SecretEnvironmentOption> = either(
  OPTION,
  record<SecretFileOption>('an object', { name: text, secretFile: text }),
  record<SecretEnvironmentOption>('an object', { name: text, secretEnvironment: text }),
  (value) => (isObject(value) && Object.hasOwn(value, 'secretEnvironment') ? 'second' : 'first'),
)

/** One option: a string, or a reference to a secret. */
export const mountOptionCodec: Codec<MountOption> = either(OPTION, text, secretOption, (value) => {
  if (typeof value === 'string') return 'first'
  return isObject(value) ? 'second' : 'neither'
})

/** A filesystem as it is asked for. */
export const filesystemCodec: Codec<Filesystem> = record('an object with type, source and options', {
  type: text,
  source: text,
  options: list(mountOptionCodec),
})
