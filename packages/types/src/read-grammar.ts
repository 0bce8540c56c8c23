// Grammars from outside: of settings that an embedder hands in, and of traces. A plain copy is made; the caller's object is not
// kept.

import type { Grammar, SecretBy } from './grammar.js'
import type { ValueReader } from './size.js'

const READERS: Readonly<Record<ValueReader, true>> = {
  'kernel-size': true,
  'mount-size': true,
  'decimal-size': true,
  number: true,
  'prefixed-number': true,
  octal: true,
  'inner-path': true,
}

const WAYS: Readonly<Record<SecretBy, true>> = {
  'credentials-file': true,
  'secret-file': true,
  stdin: true,
  environment: true,
}

const isReader = (value: unknown): value is ValueReader => typeof value === 'string' && Object.hasOwn(READERS, value)

/** Whether text names a way in which a secret is handed on. */
export const isSecretBy = (value: unknown): value is SecretBy => typeof value === 'string' && Object.hasOwn(WAYS, value)

const isBound = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')

type Given = Readonly<Record<string, unknown>>

const numeric = (tag: 'Number' | 'Size', { reader, least, most }: Given): Grammar | undefined =>
  isReader(reader) && isBound(least) && isBound(most) ? { _tag: tag, reader, least, most } : undefined

const path = ({ below, list }: Given): Grammar | undefined => {
  if (typeof list !== 'boolean') return undefined
  if (below === 'sources') return { _tag: 'Path', below, list }
  return isTexts(below) ? { _tag: 'Path', below: [...below], list } : undefined
}

const KEYS: Readonly<Record<Grammar['_tag'], number>> = {
  Flag: 1,
  Number: 4,
  Size: 4,
  Word: 3,
  Name: 1,
  InnerPath: 1,
  Path: 3,
  Host: 2,
  Secret: 2,
  Text: 1,
}

const copyOf = (tag: Grammar['_tag'], given: Given): Grammar | undefined => {
  switch (tag) {
    case 'Flag':
    case 'Name':
    case 'InnerPath':
    case 'Text':
      return { _tag: tag }
    case 'Number':
    case 'Size':
      return numeric(tag, given)
    case 'Word': {
      const { words, bare } = given
      return isTexts(words) && typeof bare === 'boolean' ? { _tag: 'Word', words: [...words], bare } : undefined
    }
    case 'Path':
      return path(given)
    case 'Host':
      return typeof given['list'] === 'boolean' ? { _tag: 'Host', list: given['list'] } : undefined
    case 'Secret':
      return isSecretBy(given['by']) ? { _tag: 'Secret', by: given['by'] } : undefined
  }
}

const isTag = (value: unknown): value is Grammar['_tag'] => typeof value === 'string' && Object.hasOwn(KEYS, value)

/** A grammar, copied; `undefined` for anything else, also for one with a field that means nothing. */
export const readGrammar = (value: unknown): Grammar | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  const given = { ...value } as Given
  const tag = given['_tag']
  return isTag(tag) && Object.keys(given).length === KEYS[tag] ? copyOf(tag, given) : undefined
}

/** What a grammar has to be, so that it reads well after `expected`. */
export const GRAMMAR_KIND: string = 'a grammar: an object with _tag, such as { "_tag": "Flag" }'
