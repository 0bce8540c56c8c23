// Damages a valid text by the values and tokens of its format: parts cut off, left out, exchanged, doubled, nested and repeated beyond all
// measure, single characters changed, and characters put in that readers trip over. The same seed does the same damage.
import fc from 'fast-check'

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export const randomOf = (seed) => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const ODD_BYTES = ['\0', '\n', '\r', '\x1b', '\x7f', '\x80', '\x9b', '\xc3', '\xff', ' ', '\t', '\\', '"', "'", '\\000']
const ODD_TEXT = [
  ...ODD_BYTES,
  ...[
    '\u2028',
    '\u202e',
    '\u200d',
    '\u00ad',
    '\ufeff',
    '\ud800',
    '\udc41',
    'e\u0301',
    '\u00e9',
    '\u{1f600}',
    '\u{e0041}',
  ],
  ...['__proto__', 'constructor', '-1', '1e999', '9007199254740993', '0x10', 'NaN', '..', '//', '%00', '$(id)'],
]

/** How long a text may become where one part is repeated, if its format says nothing else. */
const TEXT_MAX = 40_000
/** One damage in so many makes a text that long. */
const OVERSIZED = 64

/** Ways to damage a list of tokens; `at` is one of them. */
const BY_TOKEN = [
  (tokens, at) => tokens.toSpliced(at, 1),
  (tokens, at) => tokens.toSpliced(at, 0, tokens[at]),
  (tokens, at, { random }) => {
    const other = Math.floor(random() * tokens.length)
    return tokens.with(at, tokens[other]).with(other, tokens[at])
  },
  (tokens, at, { pick, words }) => tokens.with(at, pick(words)),
  (tokens, at, { pick, words }) => tokens.toSpliced(at, 0, pick(words)),
  (tokens, at, { random }) => tokens.toSpliced(at, 1 + Math.floor(random() * 8)),
  // A part of the text once more, elsewhere.
  (tokens, at, { random }) => {
    const part = tokens.slice(at, at + 1 + Math.floor(random() * 12))
    return tokens.toSpliced(Math.floor(random() * tokens.length), 0, ...part)
  },
]

const repeated = (part, text, { random, most }) => {
  const room = Math.max(1, Math.floor((most - text.length) / Math.max(1, part.length)))
  return part.repeat(Math.min(room, random() < 0.5 ? 70 : room))
}

const nested = (tokens, at, { random, pick, brackets, most }) => {
  const [open, close] = pick(brackets)
  const room = Math.floor(most / (open.length + close.length))
  const deep = random() < 0.5 ? 65 : Math.floor(random() * room)
  return [...tokens.slice(0, at), open.repeat(deep), tokens[at], close.repeat(deep), ...tokens.slice(at + 1)].join('')
}

const oversized = (text, tokens, at, tools) =>
  tools.random() < 0.3 && tools.brackets.length > 0
    ? nested(tokens, at, tools)
    : tokens.with(at, repeated(tokens[at], text, tools)).join('')

const byCharacter = (text, { random, pick, odd }) => {
  const at = Math.floor(random() * (text.length + 1))
  const way = random()
  if (way < 0.3) return text.slice(0, at)
  if (way < 0.6) return text.slice(0, at) + pick(odd) + text.slice(at + (random() < 0.5 ? 1 : 0))
  // One bit of one character.
  const flipped = (text.charCodeAt(at) || 0) ^ (1 << Math.floor(random() * 8))
  return text.slice(0, at) + String.fromCharCode(flipped) + text.slice(at + 1)
}

const isObject = (value) => typeof value === 'object' && value !== null

/** Every place in a value that holds another: the object or list, and the key. */
const placesOf = (value, places = []) => {
  if (!isObject(value)) return places
  for (const key of Object.keys(value)) {
    places.push([value, key])
    placesOf(value[key], places)
  }
  return places
}

const OTHERS = [null, true, 0, -1, 1.5, 1e308, 9_007_199_254_740_993, '', 'a', [], {}, [[]], [null], { a: 1 }]

/** Ways to damage a value at one place of it; it stays JSON. */
const BY_PLACE = [
  ([holder, key], { pick }) => void (holder[key] = pick(OTHERS)),
  ([holder, key]) => void (Array.isArray(holder) ? holder.splice(Number(key), 1) : delete holder[key]),
  ([holder], { pick }) =>
    void (Array.isArray(holder) ? holder.push(pick(OTHERS)) : (holder[pick(ODD_TEXT)] = pick(OTHERS))),
  ([holder, key], { pick, places }) => {
    const [other, name] = pick(places)
    holder[key] = structuredClone(other[name])
  },
  ([holder, key], { random }) => {
    const many = random() < 0.8 ? 3 : 300
    holder[key] = Array.from({ length: many }, () => structuredClone(holder[key]))
  },
  ([holder, key]) => void (holder[key] = { [key]: holder[key] }),
]

const changedValue = (value, tools) => {
  const places = placesOf(value)
  if (places.length === 0) return undefined
  const [holder, key] = tools.pick(places)
  const old = holder[key]
  // Most of the time what is text stays text.
  if (typeof old === 'string' && tools.random() < 0.7) holder[key] = byCharacter(old, tools)
  else if (typeof old === 'number' && tools.random() < 0.5) holder[key] = old + tools.pick([-1, 1, 0.5, 1e6, -1e6])
  else tools.pick(BY_PLACE)([holder, key], { ...tools, places })
  return JSON.stringify(value)
}

const byValue = (text, tools) => {
  try {
    const changed = changedValue(JSON.parse(text), tools)
    return changed !== undefined && changed.length <= 2 * tools.most ? changed : undefined
  } catch {
    // It is no JSON any more, or nested deeper than can be written.
    return undefined
  }
}

/** One line of a text, as all of it where there is one only. */
const inOneLine = (text, tools, damage) => {
  const lines = text.split('\n')
  const at = Math.floor(tools.random() * lines.length)
  const other = damage(lines[at], tools)
  return other === undefined ? undefined : lines.with(at, other).join('\n')
}

const once = (format, text, random) => {
  const pick = (all) => all[Math.floor(random() * all.length)]
  const { words, brackets = [], isBytes = false, most = TEXT_MAX } = format
  const tools = { random, pick, words, brackets, most, odd: isBytes ? ODD_BYTES : ODD_TEXT }
  if (format.isJson === true && random() < 0.75) {
    const other = inOneLine(text, tools, byValue)
    if (other !== undefined) return other
  }
  if (random() < 0.4) return byCharacter(text, tools)
  const tokens = text.match(format.tokens) ?? []
  if (tokens.length === 0) return text + pick(words)
  const at = Math.floor(random() * tokens.length)
  if (random() * OVERSIZED < 1) return oversized(text, tokens, at, tools)
  return pick(BY_TOKEN)(tokens, at, tools).join('')
}

/** A text of a format, damaged one to four times; by the seed 0 not at all. What the format keeps at its beginning stays. */
export const damaged = (format, text, seed) => {
  if (seed === 0) return text
  const random = randomOf(seed)
  const times = 1 + Math.floor(random() ** 2 * 4)
  const kept = format.keeps?.exec(text)?.[0] ?? ''
  let result = text.slice(kept.length)
  for (let time = 0; time < times && result.length <= (format.most ?? TEXT_MAX); time += 1)
    result = once(format, result, random)
  return kept + result
}

/** Inputs of a parser as an arbitrary: a valid text, and the damage done to it. */
export const inputsOf = (parser) =>
  fc
    .tuple(parser.valid, fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 15, arbitrary: fc.integer() }))
    .map(([text, seed]) => damaged(parser.format, text, seed))
