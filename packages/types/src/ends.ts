// Characters taken off the ends of a text in linear time. A pattern for them at the end, such as `/\.+$/`, would begin again at each
// one before it, and take the square of their number: callers choose these texts.

/** Without this character at its end, however often it stands there. */
export const withoutEnd = (text: string, character: string): string => {
  let to = text.length
  while (to > 0 && text.charAt(to - 1) === character) to -= 1
  return text.slice(0, to)
}

/** Without this character at both ends. */
export const withoutEnds = (text: string, character: string): string => {
  let from = 0
  while (from < text.length && text.charAt(from) === character) from += 1
  return withoutEnd(text.slice(from), character)
}
