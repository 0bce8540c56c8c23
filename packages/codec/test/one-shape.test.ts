// The codec reads lines and core's gate reads values: what one takes the other takes, as the same request; what one refuses
// the other refuses, for the same field.

import { readRequest, readSettings } from '@mountkeeper/border'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { decode, requestCodec, settingsCodec } from '../src/index.js'
import { anyRequest, anySettings } from './arbitrary.js'
import { damagesOf } from './damage.js'

const byCodec = (value: unknown): unknown => {
  const decoded = decode(requestCodec, value)
  return E.isRight(decoded) ? decoded.right : { refused: decoded.left.map(({ path }) => path || 'request') }
}

const byGate = (value: unknown): unknown => {
  const read = readRequest(value)
  return read.ok ? read.request : { refused: read.error.field }
}

test('a request is read alike by codec and by the gate, whole or damaged in any place', () => {
  let refused = 0
  fc.assert(
    fc.property(anyRequest, (request) => {
      const json = requestCodec.encode(request)
      for (const { value } of [{ value: json }, ...damagesOf(json)]) {
        const expected = byCodec(value)
        if (typeof expected === 'object' && expected !== null && 'refused' in expected) {
          refused += 1
          expect(expected.refused).toContain((byGate(value) as { readonly refused: string }).refused)
        } else expect(byGate(value)).toEqual(expected)
      }
    }),
  )
  expect(refused).toBeGreaterThan(500)
})

test('settings are read alike by codec and by the gate', () => {
  fc.assert(
    fc.property(anySettings, (settings) => {
      const json = settingsCodec.encode(settings)
      for (const { value } of damagesOf(json)) {
        if (E.isLeft(decode(settingsCodec, value))) expect(readSettings(value)).toMatchObject({ _tag: 'Invalid' })
      }
    }),
    { numRuns: 20 },
  )
})
