// That a codec which no longer fits its type is a compile error. Each line below that is expected to be one is; if one of
// them compiles, the compiler says so here.

import type * as t from 'io-ts'
import { expect, test } from 'vitest'
import { literal, maybe, oneOf, optional, record, tagged, text, wholeNumber } from '../src/shape.js'

interface Thing {
  readonly name: string
  readonly size?: number
  readonly parent: string | undefined
  readonly kind: 'big' | 'small'
}
type Union = { readonly _tag: 'A'; readonly a: string } | { readonly _tag: 'B' }

const kind = oneOf({ big: true, small: true })
const size = optional(wholeNumber)
const parent = maybe(text)

const drifted: readonly (() => unknown)[] = [
  () => record<Thing>('a thing', { name: text, size, parent, kind }),
  // @ts-expect-error an optional field is not known
  () => record<Thing>('a thing', { name: text, parent, kind }),
  // @ts-expect-error a field that is gone
  () => record<Thing>('a thing', { name: text, size, parent, kind, more: text }),
  // @ts-expect-error a field that may be left out is demanded
  () => record<Thing>('a thing', { name: text, size: wholeNumber, parent, kind }),
  // @ts-expect-error a field that has to be there may be left out
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- sees it as well
  () => record<Thing>('a thing', { name: size, size, parent, kind }),
  // @ts-expect-error a value that may be undefined may not
  () => record<Thing>('a thing', { name: text, size, parent: text, kind }),
  // @ts-expect-error a name is not known
  () => record<Thing>('a thing', { name: text, size, parent, kind: oneOf({ big: true }) }),
  // @ts-expect-error a name too many
  () => record<Thing>('a thing', { name: text, size, parent, kind: oneOf({ big: true, small: true, tiny: true }) }),
  // @ts-expect-error another kind of value
  () => record<Thing>('a thing', { name: text, size: optional(text), parent, kind }),
  (): t.Type<Union, unknown> => tagged('_tag', 'a union', { A: { a: text }, B: {} }),
  // @ts-expect-error a member is not known
  (): t.Type<Union, unknown> => tagged('_tag', 'a union', { A: { a: text } }),
  // @ts-expect-error a member that is gone
  (): t.Type<Union, unknown> => tagged('_tag', 'a union', { A: { a: text }, B: {}, C: {} }),
  // @ts-expect-error a field of a member is not known
  (): t.Type<Union, unknown> => tagged('_tag', 'a union', { A: {}, B: {} }),
  // @ts-expect-error a field of a member is of another kind
  (): t.Type<Union, unknown> => tagged('_tag', 'a union', { A: { a: literal(1) }, B: {} }),
]

test('drift is a compile error', () => {
  expect(drifted.map((make) => typeof make()).every((made) => made === 'object')).toBe(true)
})
