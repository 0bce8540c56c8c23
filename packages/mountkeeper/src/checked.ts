// The configuration of a keeper that is opened in a program: a value or a file, and single values over it. It is checked as the
// command checks its own.

import { totalmem } from 'node:os'
import {
  decodeConfiguration,
  decodeErrorText,
  decodeErrorsText,
  defaultConfiguration,
  withFlags,
} from '@mountkeeper/codec'
import type { Configuration, ConfigurationFile } from '@mountkeeper/codec'
import * as E from 'fp-ts/lib/Either.js'
import { configurationOf, needsRoot, onThisHost } from './configuration-file.js'
import type { Failure } from './failure.js'
import { usageFailure } from './failure.js'

/** What a keeper is configured with. */
export interface Configured {
  /**
   * The value of a configuration file, or the path of one, such as `/etc/mountkeeper/config.json`: the same keys as the command's. A file
   * has to belong to root or to this user. Every key may be left out.
   *
   * @default {}
   * @example { types: { nfs: { sources: ['server:/export/*'] } }, policies: { lost: 'remount' } }
   */
  readonly configuration?: ConfigurationFile | string
  /**
   * The directory below which mountpoints are managed, or several; in place of those that are configured. Without any, a keeper is not
   * opened.
   *
   * @example '/srv/mounts'
   */
  readonly root?: string | readonly string[]
  /**
   * Where the journal is kept; in place of the configured one. Without it, records are lost when the process ends. It belongs to this
   * user, and is closed to others (mode 0700).
   *
   * @example '/var/lib/mountkeeper'
   */
  readonly stateDirectory?: string
  /**
   * Sources that are allowed besides those that are configured, as TYPE=PATTERN.
   *
   * @default []
   * @example ['bind=/srv/exports/']
   */
  readonly allow?: readonly string[]
}

const fromValue = (value: unknown): E.Either<Failure, Configuration> => {
  if (value === undefined) return E.right(defaultConfiguration)
  const decoded = decodeConfiguration(value)
  return E.isRight(decoded)
    ? decoded
    : E.left(usageFailure(`the configuration cannot be used: ${decoded.left.map(decodeErrorText).join('; ')}`))
}

const rootsOf = (root: unknown): readonly string[] => {
  if (root === undefined) return []
  return (Array.isArray(root) ? root : [root]) as readonly string[]
}

/** The configuration, if it can be used and has a root. */
export const checkedOptions = async (options: Configured): Promise<E.Either<Failure, Configuration>> => {
  const { configuration, root, stateDirectory, allow = [] } = options
  const given = { roots: rootsOf(root), stateDirectory, allow }
  const read =
    typeof configuration === 'string'
      ? await configurationOf({ ...given, config: configuration })
      : withGiven(fromValue(configuration), given)
  if (E.isLeft(read)) return read
  const unfit = needsRoot(read.right)
  return unfit === undefined ? read : E.left(usageFailure('no managed root is configured; give a root'))
}

const withGiven = (
  read: E.Either<Failure, Configuration>,
  {
    roots,
    stateDirectory,
    allow,
  }: { roots: readonly string[]; stateDirectory: string | undefined; allow: readonly string[] },
): E.Either<Failure, Configuration> => {
  if (E.isLeft(read)) return read
  const flags = { roots, allow, ...(stateDirectory === undefined ? {} : { stateDirectory }) }
  const configuration = withFlags(read.right, flags)
  return E.isLeft(configuration)
    ? E.left(usageFailure(decodeErrorsText(configuration.left)))
    : E.right(onThisHost(configuration.right, totalmem()))
}
