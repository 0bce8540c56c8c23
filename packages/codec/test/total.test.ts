// Whatever is given, an answer comes back: never an exception, and a message that is short and harmless.

import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Codec } from '../src/index.js'
import {
  answerCodec,
  answerLineCodec,
  configurationErrorLines,
  configurationFileCodec,
  decode,
  decodeAnswerLine,
  decodeConfiguration,
  decodeConfigurationText,
  decodeErrorText,
  decodeFact,
  decodeRequestLine,
  decodeTrace,
  decodeTraceLine,
  effectCodec,
  factCodec,
  inputCodec,
  invalidOf,
  lineErrorText,
  parseAllow,
  requestCodec,
  requestOrPlanCodec,
  settingsCodec,
  traceErrorText,
  traceHeaderCodec,
  traceLineCodec,
} from '../src/index.js'
import { anyAnswer, anyEffect, anyFact, anyInput, anyPlan, anyRequest, anySettings } from './arbitrary.js'
import { damagesOf } from './damage.js'

const HARMLESS = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,2000}$/u

const anyJson = fc.oneof(fc.jsonValue(), fc.anything({ withNullPrototype: true, withSparseArray: true }))
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc
    .array(fc.constantFrom(...'{}[]",:\\ue0-+.1 \n'.split(''), '"op"', '"attach"', '\uFEFF', '\r'), { maxLength: 20 })
    .map((all) => all.join('')),
)

const messageIsHarmless = (codec: Codec<unknown>, value: unknown): void => {
  const decoded = decode(codec, value)
  if (E.isRight(decoded)) return
  for (const error of decoded.left) expect(decodeErrorText(error)).toMatch(HARMLESS)
}

const codecs = {
  request: requestCodec,
  requestOrPlan: requestOrPlanCodec,
  answer: answerCodec,
  answerLine: answerLineCodec,
  fact: factCodec,
  input: inputCodec,
  effect: effectCodec,
  settings: settingsCodec,
  traceHeader: traceHeaderCodec,
  traceLine: traceLineCodec,
  configurationFile: configurationFileCodec,
} as unknown as Readonly<Record<string, Codec<unknown>>>

describe('a codec takes any value', () => {
  test.each(Object.entries(codecs))('%s', (_name, codec) => {
    fc.assert(fc.property(anyJson, (value) => messageIsHarmless(codec, value)))
  })

  test('the whole configuration', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        const decoded = decodeConfiguration(value)
        if (E.isLeft(decoded)) for (const error of decoded.left) expect(decodeErrorText(error)).toMatch(HARMLESS)
      }),
    )
  })
})

describe('a reader takes any text', () => {
  test('request lines', () => {
    fc.assert(
      fc.property(anyText, (line) => {
        const read = decodeRequestLine(line)
        if (E.isRight(read)) return
        expect(lineErrorText(read.left)).toMatch(HARMLESS)
        const { field, why } = invalidOf(read.left)
        expect(`${field}: ${why}`).toMatch(HARMLESS)
      }),
    )
  })

  test('answers, facts, traces, configurations and flags', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const read of [decodeAnswerLine(text), decodeFact(text)]) {
          if (E.isLeft(read)) expect(lineErrorText(read.left)).toMatch(HARMLESS)
        }
        for (const read of [decodeTrace(text), decodeTraceLine(text, 2)]) {
          if (E.isLeft(read)) expect(traceErrorText(read.left)).toMatch(HARMLESS)
        }
        const configuration = decodeConfigurationText(text)
        if (E.isLeft(configuration)) {
          for (const line of configurationErrorLines(configuration.left)) expect(line).toMatch(HARMLESS)
        }
        const allowed = parseAllow(text)
        if (E.isLeft(allowed)) expect(decodeErrorText(allowed.left)).toMatch(HARMLESS)
      }),
    )
  })

  test('a line of nothing but brackets, as long as may be', () => {
    expect(invalidOf(left(decodeRequestLine('['.repeat(65_536)))).why).toBe(
      'not JSON at character 65: nested more than 64 deep',
    )
    expect(invalidOf(left(decodeRequestLine('{"a":'.repeat(13_000)))).why).toBe(
      'not JSON at character 321: nested more than 64 deep',
    )
  })

  test('ten thousand faults in one line', () => {
    const line = JSON.stringify({ op: 'plan', requests: Array.from({ length: 10_000 }, () => 1) })
    expect(lineErrorText(left(decodeRequestLine(line)))).toBe(
      'requests[0]: expected a request: an object with op, got 1 (and 9999 more)',
    )
  })
})

const left = <L>(read: E.Either<L, unknown>): L => {
  if (E.isRight(read)) throw new Error('expected to be refused')
  return read.left
}

describe('what is damaged in one place is refused, or is as valid as before', () => {
  const damaged = <A>(codec: Codec<A>, some: fc.Arbitrary<A>) =>
    fc.assert(
      fc.property(some, (value) => {
        for (const { value: other } of damagesOf(JSON.parse(JSON.stringify(codec.encode(value))))) {
          const decoded = decode(codec, other)
          if (E.isLeft(decoded)) for (const error of decoded.left) expect(decodeErrorText(error)).toMatch(HARMLESS)
          else expect(codec.encode(decoded.right)).toEqual(other)
        }
      }),
      { numRuns: 20 },
    )

  test('requests', () => damaged(requestOrPlanCodec, fc.oneof(anyRequest, anyPlan)))
  test('answers', () => damaged(answerCodec, anyAnswer))
  test('facts', () => damaged(factCodec, anyFact))
  test('inputs', () => damaged(inputCodec, anyInput))
  test('effects', () => damaged(effectCodec, anyEffect))
  test('settings', () => damaged(settingsCodec, anySettings))
})
