// How values and paths look in messages: short, on one line, without a character that a terminal would act on. What is
// inside lists and objects is never shown: a message may end up in a log, and a value may be a secret (L38).

import { maskText } from '@mountkeeper/types'

/** The longest piece of a caller's value that a message repeats, in characters. */
export const SHOWN_MAX = 60

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/

// Controls, line and paragraph separators, marks that change the direction of text, and halves of surrogate pairs.
const UNSHOWN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

const shownCharacter = (character: string): string => {
  if (character === '"' || character === '\\') return `\\${character}`
  if (!UNSHOWN.test(character)) return character
  const plain = JSON.stringify(character).slice(1, -1)
  if (plain !== character) return plain
  return [...Array(character.length).keys()]
    .map((unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`)
    .join('')
}

/** Text as messages show it: escaped, cut after `SHOWN_MAX` characters, and with what looks like a secret masked. */
export const shownText = (given: string): string => {
  const text = maskText(given)
  let shown = ''
  for (const character of text) {
    const next = shownCharacter(character)
    if (shown.length + next.length > SHOWN_MAX) return `${shown}…`
    shown += next
  }
  return shown
}

/** Text in quotes, escaped and cut. */
export const quoted = (text: string): string => `"${shownText(text)}"`

/** A value as messages show it after `got`. */
export const shownValue = (value: unknown): string => {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`
  return typeof value === 'object' ? 'an object' : typeof value
}

/** A number with its thousands apart, the same in every locale. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')

/** One step of a path into an object. */
export const keyStep = (key: string): string =>
  NAME.test(key) && key.length <= SHOWN_MAX ? `.${key}` : `[${quoted(key)}]`

/** One step of a path into a list. */
export const indexStep = (index: number): string => `[${index}]`

/** A path in writing: `filesystem.options[2]`; the whole value is the empty path. */
export const pathOf = (steps: readonly string[]): string => {
  const path = steps.join('')
  return path.startsWith('.') ? path.slice(1) : path
}
