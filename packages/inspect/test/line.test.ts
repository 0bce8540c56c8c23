// Words on a line: nothing that is shown hides where a value begins and ends.

import { expect, test } from 'vitest'
import { quoted, word } from '../src/show/line.js'

test.each([
  ['plain/path', 'plain/path'],
  ['', '""'],
  ['two words', '"two words"'],
  ['a"b', String.raw`"a\"b"`],
  ['soft\u00adhyphen', String.raw`"soft\u00adhyphen"`],
  ['zero\u200bwidth', String.raw`"zero\u200bwidth"`],
  ['line\u2028end', String.raw`"line\u2028end"`],
  ['tag\u{e0001}', String.raw`"tag\u{e0001}"`],
  ['last\u{10ffff}', String.raw`"last\u{10ffff}"`],
])('%j is shown as %s', (text, shown) => {
  expect(word(text)).toBe(shown)
})

test('what is invisible is reported by its number, also inside of quotes', () => {
  expect(quoted('\u0085')).toBe(String.raw`"\u0085"`)
})
