// Characters that show nothing, or that change how what stands beside them is shown: two names with and without one look the same,
// and a line with one reads as another. The only list of them; by number, so that every Node decides alike.

/**
 * Soft hyphen, joiners and fillers; marks, embeddings, overrides and isolates of direction; separators of lines and paragraphs; the
 * byte order mark; variation selectors; annotations, shorthand and music controls; tags.
 */
export const INVISIBLE: RegExp =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u

/** What is wrong with a name that has one; nothing where it has none. */
export const invisibleFault = (text: string): string | undefined => {
  const found = INVISIBLE.exec(text)
  if (found === null) return undefined
  const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return `has the invisible or bidirectional character U+${code} at position ${found.index}`
}
