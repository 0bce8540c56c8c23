// Text of libvirt as messages repeat it. Owners of domains choose names and paths, and what complains of them ends in a terminal or
// a log: what does more there than show itself is escaped.

const SHOWN_MAX = 500
const UNSHOWN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')

/** A text on one line, cut and escaped. */
export const shown = (text: string): string => text.slice(0, SHOWN_MAX).replace(UNSHOWN, escaped)

/** The same in quotes. */
export const quoted = (text: string): string => shown(JSON.stringify(text))
