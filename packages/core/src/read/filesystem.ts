// Filesystems as they are asked for, read from any value: the shape only; what they may say is checked by check.ts. A password
// that is given as plain text is masked here, before anything is recorded, and refused there (L38).

import { maskOption, maskSource } from '@mountkeeper/types'
import type { Filesystem, MountOption, SecretEnvironmentOption, SecretFileOption } from '../filesystem.js'
import type { Reader } from './reader.js'
import { either, isWrong, list, record, text } from './reader.js'

const inFile: Reader<SecretFileOption> = record<SecretFileOption>('an object', { name: text, secretFile: text })
const inEnvironment: Reader<SecretEnvironmentOption> = record<SecretEnvironmentOption>('an object', {
  name: text,
  secretEnvironment: text,
})

const OPTION = 'a string, { name, secretFile } or { name, secretEnvironment }'

const secretOption: Reader<SecretFileOption | SecretEnvironmentOption> = {
  kind: OPTION,
  read: (value) =>
    typeof value === 'object' && value !== null && 'secretEnvironment' in value
      ? inEnvironment.read(value)
      : inFile.read(value),
}

const masked = (mask: (given: string) => string): Reader<string> => ({
  kind: text.kind,
  read: (value) => {
    const read = text.read(value)
    return isWrong(read) ? read : { value: mask(read.value) }
  },
})

const mountOption: Reader<MountOption> = either(OPTION, masked(maskOption), secretOption, () => true)

/** No more are looked at; how many are allowed is a setting, and smaller. */
const OPTIONS_READ_MAX = 65_536

/** A filesystem. */
export const filesystemReader: Reader<Filesystem> = record<Filesystem>('an object with type, source and options', {
  type: text,
  source: masked(maskSource),
  options: list(mountOption, OPTIONS_READ_MAX),
})
