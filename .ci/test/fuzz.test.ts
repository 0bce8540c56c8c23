// The parsers of what comes from outside, each with some of the inputs of `npm run fuzz`; and that the fuzzer finds a mistake of
// each kind that it is to find.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { damaged, inputsOf } from '../fuzz/damage.mjs'
import { fuzz } from '../fuzz/fuzz.mjs'
import { parsers } from '../fuzz/parsers.mjs'

const RUNS = Number(process.env['FC_NUM_RUNS'] ?? 1_000)
const seed = Number(process.env['FC_SEED'] ?? 1)

describe('takes any text', () => {
  test.each(parsers.map((parser) => [parser.name, parser] as const))('%s', (_, parser) => {
    const seen = { accepted: 0, refused: 0 }
    fc.assert(
      fc.property(inputsOf(parser), (text) => {
        seen[parser.check(parser.parse(text), text) ? 'accepted' : 'refused'] += 1
      }),
      { numRuns: RUNS, seed },
    )
    // Else it would be shown only that it refuses, or only that it accepts.
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(RUNS / 100)
  })
})

describe('a valid text is accepted', () => {
  // Valid options of others among them are flags of every type, and secrets as text.
  test.each(parsers.filter(({ name }) => name !== 'options').map((parser) => [parser.name, parser] as const))(
    '%s',
    (_, parser) => {
      const texts = fc.sample(parser.valid, { numRuns: 200, seed })
      const accepted = texts.filter((text) => parser.check(parser.parse(text), text))
      expect(accepted.length).toBeGreaterThan(100)
    },
  )
})

test('the same seed does the same damage, and another one another', () => {
  const { format, valid } = parsers[0]!
  const [text = ''] = fc.sample(valid, { numRuns: 1, seed })
  const all = Array.from({ length: 200 }, (_, at) => damaged(format, text, at + 1))
  expect(Array.from({ length: 200 }, (_, at) => damaged(format, text, at + 1))).toEqual(all)
  expect(new Set(all).size).toBeGreaterThan(150)
})

describe('a planted mistake', () => {
  const module = new URL('../fuzz/planted.mjs', import.meta.url).href
  const run = (name: string, more: object = {}) => fuzz({ name, inputs: 20_000, seed: 1, module, ...more })

  test('none: all inputs are tried', async () => {
    expect(await run('good')).toMatchObject({ _tag: 'Done', done: 20_000 })
  })

  test.each([
    ['throws', {}, 'SyntaxError'],
    ['throws-deep', {}, 'TypeError'],
    ['hangs', { hangMs: 4_000 }, 'does not come back'],
    ['slow', { hangMs: 60_000 }, 'more than 50'],
    ['grows', {}, 'the heap grew'],
    ['differs', {}, 'another text'],
  ])('%s: it is found', async (name, more, why) => {
    const found = await run(name, more)
    expect(found._tag).toBe('Fault')
    if (found._tag === 'Fault') expect(found.why).toContain(why)
  })

  test('it is shown with a short input', async () => {
    const found = await run('throws-deep')
    expect(found._tag === 'Fault' ? found.input.length : undefined).toBeLessThan(25)
  })
})
