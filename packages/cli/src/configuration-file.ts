// The configuration of one invocation: the file, then the flags over it. What is wrong is said with the file and the key.

import { readFile } from 'node:fs/promises'
import {
  configurationErrorLines,
  decodeConfigurationText,
  decodeErrorsText,
  defaultConfiguration,
  withFlags,
} from '@mountkeeper/codec'
import type { Configuration } from '@mountkeeper/codec'
import * as E from 'fp-ts/lib/Either.js'
import type { PlaceArguments } from './arguments.js'
import type { Failure } from './exit.js'
import { fileProblem, usageFailure } from './exit.js'

/** Read when no `--config` is given and it is there. */
export const DEFAULT_CONFIGURATION_FILE = '/etc/mountkeeper/config.json'

const SEE = '(see mountkeeper help config)'

const readText = async (path: string | undefined): Promise<E.Either<Failure, string | undefined>> => {
  try {
    return E.right(await readFile(path ?? DEFAULT_CONFIGURATION_FILE, 'utf8'))
  } catch (error) {
    if (path === undefined && error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return E.right(undefined)
    return E.left(
      usageFailure(
        `${path ?? DEFAULT_CONFIGURATION_FILE} ${fileProblem(error)}; name the configuration with --config FILE`,
      ),
    )
  }
}

/** All that is configured. `readFrom` stands for the file where that was opened before, under another name. */
export const configurationOf = async (
  asked: PlaceArguments,
  readFrom: string | undefined = asked.config,
): Promise<E.Either<Failure, Configuration>> => {
  const text = await readText(readFrom)
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
    : configuration
}

/** A command that serves or plans needs a root. */
export const needsRoot = ({ settings }: Configuration): Failure | undefined =>
  settings.roots.length > 0
    ? undefined
    : usageFailure('no managed root is configured; name one with --root DIR, or try it out with run --sandbox')
