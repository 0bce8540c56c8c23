// How a line is put together: words that are unambiguous where a value begins and ends.

const PLAIN = /^[^\s"\\\p{C}]+$/u
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu

const escaped = (character: string): string => {
  const code = (character.codePointAt(0) ?? 0).toString(16)
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\u{${code}}`
}

/** A text as a JSON string in which nothing invisible is left, so that it stays on one line. */
export const quoted = (text: string): string => JSON.stringify(text).replace(INVISIBLE, escaped)

/** A name or a path as it is; quoted where it could be mistaken for something else or for more than one word. */
export const word = (text: string): string => (PLAIN.test(text) ? text : quoted(text))

/** The parts that are there, with a blank between them. */
export const line = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(' ')

/** `1 holder`, `2 holders`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`
