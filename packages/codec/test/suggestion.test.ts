// Which known name a misspelt one was meant to be, judged by all texts that one edit makes of it.

import { describe, expect, test } from 'vitest'
import { nearest } from '../src/suggestion.js'

const LETTERS = ['a', 'b', 'c']

/** All texts of these letters with 1 to `longest` of them. */
const texts = (longest: number): readonly string[] =>
  longest === 0 ? [] : [...LETTERS, ...texts(longest - 1).flatMap((text) => LETTERS.map((letter) => text + letter))]

/** What a text becomes by one edit, or by none: a letter deleted, inserted or replaced, or two neighbours swapped. */
const edited = (text: string): ReadonlySet<string> => {
  const places = [...Array(text.length + 1).keys()]
  return new Set([
    text,
    ...places.flatMap((at) => {
      const [before, after] = [text.slice(0, at), text.slice(at)]
      const [first = '', second = ''] = after
      return [
        before + after.slice(1),
        ...LETTERS.flatMap((letter) => [before + letter + after, before + letter + after.slice(1)]),
        before + second + first + after.slice(2),
      ]
    }),
  ])
}

describe('the nearest known name', () => {
  test.each(['bca', 'abac', 'aabb', 'abcab'])('is %s for what one edit makes of it, and for nothing else', (known) => {
    const near = edited(known)
    const misjudged = [...new Set(texts(6))].filter((name) => {
      const isBegun = name.length >= 3 && (known.startsWith(name) || name.startsWith(known))
      return (nearest(name, [known]) === known) !== (isBegun || near.has(name))
    })
    expect(misjudged).toEqual([])
  })

  test('may differ by a third of its letters', () => {
    expect(nearest('mowntpiont', ['mountpoint'])).toBe('mountpoint')
    expect(nearest('mxxxtpoint', ['mountpoint'])).toBe('mountpoint')
    expect(nearest('mxxxxpoint', ['mountpoint'])).toBeUndefined()
  })

  test('may be what the other one begins with, from three letters on', () => {
    expect(nearest('req', ['requestMs'])).toBe('requestMs')
    expect(nearest('re', ['requestMs'])).toBeUndefined()
    expect(nearest('idleSeconds', ['idle'])).toBe('idle')
    expect(nearest('secondsIdle', ['idle'])).toBeUndefined()
    expect(nearest('idleSeconds', ['seconds'])).toBeUndefined()
  })

  test('is none for a name without letters, or of more than forty', () => {
    expect(nearest('', ['a'])).toBeUndefined()
    const long = 'n'.repeat(40)
    expect(nearest(long, [`${long}m`])).toBe(`${long}m`)
    expect(nearest(`${long}m`, [long])).toBeUndefined()
  })

  test('is the first of those that are as near', () => {
    expect(nearest('hoss', ['host', 'hoss1', 'hosts'])).toBe('host')
  })
})
