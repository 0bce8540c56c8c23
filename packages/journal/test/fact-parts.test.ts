// Facts that are read by patterns, with parts that the codec refuses: they are refused as the codec does, and what was read once is
// read again the same, however many other parts came between.

import type { Fact } from '@mountkeeper/core'
import { encodeFact } from '@mountkeeper/codec'
import { describe, expect, test } from 'vitest'
import { createFactReader, readFact } from '../src/fact-reader.js'
import { cycleFacts } from './facts.js'

const lines = cycleFacts(1).map(encodeFact)

const DAMAGES: readonly (readonly [what: string, from: RegExp, to: string])[] = [
  ['a filesystem without a type', /"type":"tmpfs",/, ''],
  ['a filesystem with a number for a source', /"source":"scratch","options"/, '"source":7,"options"'],
  ['a filesystem with one more field', /"options":\[\]/, '"options":[],"more":1'],
  ['a filesystem that is no JSON', /"options":\[\]/, '"options":[}'],
  ['found what does not exist', /"found":\{"_tag":"\w+"\}/, '"found":{"_tag":"Nonsense"}'],
  ['found what has more to it', /"found":\{"_tag":"\w+"\}/, '"found":{"_tag":"Mounted"}'],
  ['a source that does not exist', /"_tag":"At"/, '"_tag":"Nowhere"'],
  ['a source without a device', /"device":"8:1",/, ''],
]

describe('a line is read as the codec reads it', () => {
  test.each(DAMAGES)('with %s', (_, from, to) => {
    const damaged = lines.filter((line) => from.test(line)).map((line) => line.replace(from, to))
    expect(damaged.length).toBeGreaterThan(0)
    const read = createFactReader()
    for (const line of damaged) {
      expect(readFact(line)).toMatchObject({ _tag: 'Left' })
      expect(read(line)).toEqual(readFact(line))
    }
  })

  test('that is no JSON at all', () => {
    expect(createFactReader()('{"_tag":"Held"')).toEqual(readFact('{"_tag":"Held"'))
    expect(readFact('{')).toMatchObject({ _tag: 'Left' })
  })

  test('with thousands of parts before it', () => {
    let asked = 0
    const read = createFactReader((json) => {
      asked += 1
      return readFact(json)
    })
    const [claimed] = cycleFacts(1) as [Extract<Fact, { readonly _tag: 'Claimed' }>]
    const each = (index: number): string =>
      encodeFact({ ...claimed, filesystem: { ...claimed.filesystem, source: `s${index}` } })
    for (const index of [...Array(5_000).keys(), 0, 1, 4_999])
      expect(read(each(index))).toEqual({
        _tag: 'Right',
        right: { ...claimed, filesystem: { ...claimed.filesystem, source: `s${index}` } },
      })
    expect(asked).toBe(0)
  })
})
