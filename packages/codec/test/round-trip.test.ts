// Whatever leaves comes back the same, through text: what is recorded is what happened.

import { deepStrictEqual } from 'node:assert/strict'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Codec } from '../src/index.js'
import {
  TRACE_FORMAT,
  decode,
  decodeAnswerLine,
  decodeFact,
  decodeRequestLine,
  decodeTrace,
  effectCodec,
  encodeAnswer,
  encodeFact,
  encodeRequest,
  encodeTraceHeader,
  encodeTraceLine,
  encodeUnreadable,
  inputCodec,
  isBlankLine,
  settingsCodec,
} from '../src/index.js'
import { anyAnswer, anyEffect, anyFact, anyInput, anyPlan, anyRequest, anySettings } from './arbitrary.js'

const few = <A>(some: fc.Arbitrary<A>): fc.Arbitrary<A[]> => fc.array(some, { maxLength: 3 })

// The other comparison at hand is misled by a type named `constructor`.
const same = (read: unknown, written: unknown): void => deepStrictEqual(read, written)

const throughText = <A>(codec: Codec<A>, value: A): unknown =>
  decode(codec, JSON.parse(JSON.stringify(codec.encode(value))))

const isOneLine = (line: string): boolean => !/[\n\r]/.test(line) && !isBlankLine(line)

test('requests and plans', () => {
  fc.assert(
    fc.property(fc.oneof(anyRequest, anyPlan), (request) => {
      const line = encodeRequest(request)
      expect(isOneLine(line)).toBe(true)
      same(decodeRequestLine(line), E.right(request))
      same(decodeRequestLine(`\uFEFF${line}\r\n`), E.right(request))
    }),
  )
})

test('answers, all but the number that callers do not know', () => {
  fc.assert(
    fc.property(anyAnswer, ({ request, ...answer }) => {
      const line = encodeAnswer({ request, ...answer })
      expect(isOneLine(line)).toBe(true)
      same(decodeAnswerLine(line), E.right(answer))
    }),
  )
})

test('answers to lines that cannot be read', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (line, number) => {
      const read = decodeRequestLine(line)
      if (E.isRight(read)) return
      expect(decodeAnswerLine(encodeUnreadable(number, read.left))).toMatchObject(
        E.right({ ok: false, line: number, error: { _tag: 'Invalid' } }),
      )
    }),
  )
})

test('facts', () => {
  fc.assert(
    fc.property(anyFact, (fact) => {
      const line = encodeFact(fact)
      expect(isOneLine(line)).toBe(true)
      same(decodeFact(line), E.right(fact))
    }),
  )
})

test('inputs', () => {
  fc.assert(
    fc.property(anyInput, (input) => {
      same(throughText(inputCodec, input), E.right(input))
    }),
  )
})

test('effects', () => {
  fc.assert(
    fc.property(anyEffect, (effect) => {
      same(throughText(effectCodec, effect), E.right(effect))
    }),
  )
})

test('settings', () => {
  fc.assert(
    fc.property(anySettings, (settings) => {
      same(throughText(settingsCodec, settings), E.right(settings))
    }),
  )
})

test('traces', () => {
  const anyDecision = fc.record(
    { facts: few(anyFact), effects: few(anyEffect), answers: few(anyAnswer) },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(anySettings, few(anyFact), few(fc.tuple(anyInput, anyDecision)), (settings, facts, decided) => {
      const header = { format: TRACE_FORMAT, settings, facts }
      const lines = decided.map(([input, decision], index) => ({ n: index + 1, input, decision }))
      const text = [encodeTraceHeader(header), ...lines.map(encodeTraceLine), ''].join('\n')
      same(decodeTrace(text), E.right({ header, lines }))
    }),
  )
})
