// `aliases` of the configuration: the names under which one server is known. Core counts its slots, and refuses new attaches
// for it, under one of them.

import { canonicalServer } from '@mountkeeper/core'
import type { Codec } from './decode-error.js'
import { serverCodec } from './form.js'
import { dictionary, list, refined } from './shape.js'

/** The other names of each server, as they are written. */
export type Aliases = Readonly<Record<string, readonly string[]>>

/** Each other name, with the name that it stands for; both in canonical form. */
const pairsOf = (aliases: Aliases): readonly (readonly [string, string])[] =>
  Object.entries(aliases).flatMap(([server, others]) =>
    others
      .map((other) => [canonicalServer({}, other), canonicalServer({}, server)] as const)
      .filter(([other, name]) => other !== name),
  )

// A name of two servers, or of one that is itself another name, would depend on the order of what is written.
const isUnambiguous = (aliases: Aliases): boolean => {
  const pairs = pairsOf(aliases)
  const names = new Map(pairs)
  return pairs.every(([other, name]) => names.get(other) === name && !names.has(name))
}

/** `aliases`, as the file names them. */
export const aliasesCodec: Codec<Aliases> = refined(
  dictionary(serverCodec, list(serverCodec, 'a list of names of the server')),
  'an object in which each name stands under one server, and no server stands under another',
  isUnambiguous,
)

/** What core's settings say: each other name, and the one name that it stands for. */
export const aliasesOf = (aliases: Aliases): Readonly<Record<string, string>> => Object.fromEntries(pairsOf(aliases))
