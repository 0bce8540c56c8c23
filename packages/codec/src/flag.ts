// Flags of the command that change single values of the configuration.

import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { RootSettings, Settings } from '@mountkeeper/core'
import { checkedConfiguration, typeRuleOf } from './configuration.js'
import type { Configuration } from './configured.js'
import type { Codec, DecodeError, DecodeErrors } from './decode-error.js'
import { decode } from './decode-error.js'
import { quoted } from './rendering.js'
import { pathCodec, patternCodec, typeNameCodec } from './form.js'

/** A source that is allowed for a type. */
export interface Allowed {
  readonly type: string
  readonly pattern: string
}

/** Values that flags give. */
export interface Flags {
  /** Instead of the configured roots, where there is at least one. A root that is configured too keeps its ladder. */
  readonly roots?: readonly string[]
  /** Instead of the configured one. */
  readonly stateDirectory?: string
  /** `TYPE=PATTERN`, each added to what is configured. */
  readonly allow?: readonly string[]
}

const ALLOW = 'TYPE=PATTERN, such as nfs=server:/export/*'

const flagValue =
  <A>(flag: string, codec: Codec<A>) =>
  (value: unknown): E.Either<DecodeError, A> =>
    pipe(
      decode(codec, value),
      E.mapLeft(([error]): DecodeError => ({ ...error, path: flag })),
    )

/** Reads the value of `--allow`: what stands before the first `=` is the type. */
export const parseAllow = (text: string): E.Either<DecodeError, Allowed> => {
  const equals = text.indexOf('=')
  if (equals < 0) return E.left({ _tag: 'Unfit', path: '--allow', expected: ALLOW, got: quoted(text) })
  return pipe(
    E.Do,
    E.apS('type', flagValue('--allow', typeNameCodec)(text.slice(0, equals))),
    E.apS('pattern', flagValue('--allow', patternCodec)(text.slice(equals + 1))),
  )
}

/** Types with one more source allowed. A type that was not allowed takes its documented options. */
export const withAllowed = (types: Settings['types'], { type, pattern }: Allowed): Settings['types'] => {
  const rule = Object.hasOwn(types, type) ? types[type] : undefined
  const sources = [...(rule?.sources ?? []), pattern]
  // Not by a literal with a computed key alone: entries keep a name such as `__proto__` a name.
  return Object.fromEntries([...Object.entries(types), [type, { ...(rule ?? typeRuleOf(type, { sources })), sources }]])
}

const rootsOf = (configured: readonly RootSettings[], given: readonly string[]): readonly RootSettings[] =>
  given.length === 0
    ? configured
    : given.map((path) => configured.find((root) => root.path === path) ?? { path, ladder: 'off' })

/** A configuration with the values that flags give, checked again as a whole. */
export const withFlags = (configuration: Configuration, flags: Flags): E.Either<DecodeErrors, Configuration> => {
  const { settings, adapter } = configuration
  return pipe(
    E.Do,
    E.apS('roots', E.traverseArray(flagValue('--root', pathCodec))(flags.roots ?? [])),
    E.apS('allow', E.traverseArray(parseAllow)(flags.allow ?? [])),
    E.apS(
      'state',
      E.traverseArray(flagValue('--state-dir', pathCodec))(
        flags.stateDirectory === undefined ? [] : [flags.stateDirectory],
      ),
    ),
    E.mapLeft((error): DecodeErrors => [error]),
    E.chain(({ roots, allow, state: [stateDirectory] }) =>
      checkedConfiguration({
        settings: {
          ...settings,
          roots: rootsOf(settings.roots, roots),
          types: allow.reduce(withAllowed, settings.types),
        },
        adapter: stateDirectory === undefined ? adapter : { ...adapter, stateDirectory },
      }),
    ),
  )
}
