// Text from outside, as it may be shown: whatever a terminal or a log would act on is written out.

const UNSHOWN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
  ).join('')

/** Text on one line, without a character that a terminal would act on. */
export const harmless = (text: string): string => text.replace(UNSHOWN, escaped)
