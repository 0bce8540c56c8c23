// Parsers with a mistake each, for the test that the fuzzer finds it.
import fc from 'fast-check'

const valid = fc.array(fc.nat(99), { minLength: 3, maxLength: 3 }).map((all) => JSON.stringify({ a: all, b: 'text' }))
const format = {
  isJson: true,
  tokens: /[{}[\]:,]|"[^"]*"?|[^{}[\]:,"]+/g,
  words: ['null', '[', '{'],
  brackets: [['[', ']']],
}

const valueOf = (text) => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
const check = (value) => value !== undefined
const planted = (name, parse, more = {}) => ({ name, valid, format, parse, check, ...more })

const kept = []
const spin = (ms) => {
  for (const until = performance.now() + ms; performance.now() < until;);
}

export const parsers = [
  planted('good', valueOf),
  planted('throws', (text) => JSON.parse(text)),
  // Only where the text is still JSON, and the list has become something else.
  planted('throws-deep', (text) => valueOf(text)?.a?.map((each) => each)),
  planted('hangs', (text) => {
    for (; text.includes('[['););
    return valueOf(text)
  }),
  planted('slow', (text) => {
    if (text.length > 5_000) spin(600)
    return valueOf(text)
  }),
  planted('grows', (text) => {
    kept.push(Array.from({ length: 500 }, (_, at) => at + text.length))
    return valueOf(text)
  }),
  planted('differs', valueOf, {
    check: (value) => {
      const b = value?.b
      if (typeof b === 'string' && b !== b.normalize('NFKC')) throw new Error('written and read: another text')
      return value !== undefined
    },
  }),
]
