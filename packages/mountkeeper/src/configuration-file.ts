// The configuration of one invocation: the file, then the flags over it. What is wrong is said with the file and the key.

import { readFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { DEFAULT_LIMITS } from '@mountkeeper/border'
import type { Configuration } from '@mountkeeper/codec'
import {
  configurationErrorLines,
  decodeConfigurationText,
  decodeErrorsText,
  defaultConfiguration,
  withFlags,
} from '@mountkeeper/codec'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure } from './failure.js'
import { usageFailure } from './failure.js'
import type { Unfit } from './own-file.js'
import { readConfiguration } from './own-file.js'

/** Where the manager works, in the words of flags; what is left out is in the configuration. */
export interface PlaceArguments {
  readonly roots: readonly string[]
  readonly stateDirectory: string | undefined
  readonly config: string | undefined
  readonly allow: readonly string[]
}

/** Read when no `--config` is given and it is there. */
export const DEFAULT_CONFIGURATION_FILE = '/etc/mountkeeper/config.json'

const SEE = '(see mountkeeper help config)'

/** Why a file may not be the configuration. */
export const configurationFailure = (file: string, { why, errno }: Unfit): Failure => {
  const mend = errno === undefined || errno === 'ELOOP' ? '' : '; give the configuration with --config FILE'
  return usageFailure(`${file} ${why}${mend}`)
}

/** The text of the configuration at its own name; absent where none is named and there is none. */
const textOf = async (path: string | undefined): Promise<E.Either<Failure, string | undefined>> => {
  const file = path ?? DEFAULT_CONFIGURATION_FILE
  const read = await readConfiguration(file)
  if (E.isRight(read)) return read
  if (path === undefined && read.left.errno === 'ENOENT') return E.right(undefined)
  return E.left(configurationFailure(file, read.left))
}

const textFrom = async (
  named: string | undefined,
  opened: string | undefined,
): Promise<E.Either<Failure, string | undefined>> =>
  opened === undefined ? textOf(named) : E.right(await readFile(opened, 'utf8'))

/**
 * The default of the memory of all tmpfs is a number for any host; here it is at most half of what there is, as the kernel takes it
 * for one. A limit that is configured stays as it is.
 */
export const onThisHost = (configuration: Configuration, totalBytes: number): Configuration => {
  const { settings } = configuration
  const { memoryBytes } = settings.limits
  const half = Math.floor(totalBytes / 2)
  if (memoryBytes !== DEFAULT_LIMITS.memoryBytes || memoryBytes <= half) return configuration
  return { ...configuration, settings: { ...settings, limits: { ...settings.limits, memoryBytes: half } } }
}

/** All that is configured. `opened` is another name of the file where its text was read and judged before. */
export const configurationOf = async (
  asked: PlaceArguments,
  opened?: string,
): Promise<E.Either<Failure, Configuration>> => {
  const text = await textFrom(asked.config, opened)
  if (E.isLeft(text)) return text
  const file = text.right === undefined ? E.right(defaultConfiguration) : decodeConfigurationText(text.right)
  if (E.isLeft(file)) {
    const [first = 'cannot be used', ...others] = configurationErrorLines(file.left)
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`
    return E.left(usageFailure(`${asked.config ?? DEFAULT_CONFIGURATION_FILE}: ${first}${more} ${SEE}`))
  }
  const configuration = withFlags(file.right, {
    roots: asked.roots,
    allow: asked.allow,
    ...(asked.stateDirectory === undefined ? {} : { stateDirectory: asked.stateDirectory }),
  })
  return E.isLeft(configuration)
    ? E.left(usageFailure(`${decodeErrorsText(configuration.left)} ${SEE}`))
    : E.right(onThisHost(configuration.right, totalmem()))
}

/** A command that serves or plans needs a root. */
export const needsRoot = ({ settings }: Configuration): Failure | undefined =>
  settings.roots.length > 0
    ? undefined
    : usageFailure('no managed root is configured; add --root DIR, or try run --sandbox')
