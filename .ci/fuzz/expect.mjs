// What every parser has to keep, whatever it is given.
import { isDeepStrictEqual } from 'node:util'

const HARMLESS = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,2000}$/u

const written = (value) =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each)) ?? String(value)

const shown = (value) => written(value).slice(0, 300)

/** Throws where a law of the parser is broken. */
export const require = (holds, what) => {
  if (!holds) throw new Error(what)
}

/** Throws where two values differ in what JSON can say: it has no -0. */
export const same = (actual, expected, what) => {
  if (isDeepStrictEqual(actual, expected)) return
  if (written(actual) !== written(expected)) throw new Error(`${what}: ${shown(actual)} is not ${shown(expected)}`)
}

/** Throws where a refusal is no short text that a terminal can show. */
export const harmless = (text) => {
  if (typeof text !== 'string' || !HARMLESS.test(text))
    throw new Error(`a message is not fit to be shown: ${shown(text)}`)
}
