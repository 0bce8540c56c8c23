// Filesystems as they are asked for, read from any value: the shape only; what they may say is checked by check.ts. A password
// that is given as plain text is masked here, before anything is recorded, and refused there (L38).

import type { Filesystem, MountOption, SecretEnvironmentOption, SecretFileOption } from '@mountkeeper/core'
import { MASK, maskOption, maskSource } from '@mountkeeper/types'
import type { Reader } from './reader.js'
import { either, isWrong, list, record, text } from './reader.js'

/** What is no reference is masked: a caller may have written the secret itself in its place. */
const referenceOr = (isReference: RegExp, given: string): string => (isReference.test(given) ? given : MASK)

const maskedOption = (option: MountOption): MountOption => {
  if (typeof option === 'string') return maskOption(option)
  const name = maskOption(option.name)
  return 'secretFile' in option
    ? { name, secretFile: referenceOr(/^\//, option.secretFile) }
    : { name, secretEnvironment: referenceOr(/^[A-Za-z_][A-Za-z0-9_]*$/, option.secretEnvironment) }
}

/** A filesystem with the passwords in it masked; what is masked is refused as if it were not. Every way in goes through it. */
export const maskedFilesystem = ({ type, source, options }: Filesystem): Filesystem => ({
  type,
  source: maskSource(source),
  options: options.map(maskedOption),
})

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

const mountOption: Reader<MountOption> = either(OPTION, text, secretOption, () => true)

/** No more are looked at; how many are allowed is a setting, and smaller. */
const OPTIONS_READ_MAX = 65_536

const unmasked: Reader<Filesystem> = record<Filesystem>('an object with type, source and options', {
  type: text,
  source: text,
  options: list(mountOption, OPTIONS_READ_MAX),
})

/** A filesystem. */
export const filesystemReader: Reader<Filesystem> = {
  kind: unmasked.kind,
  read: (value) => {
    const read = unmasked.read(value)
    return isWrong(read) ? read : { value: maskedFilesystem(read.value) }
  },
}
