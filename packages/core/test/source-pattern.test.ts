// A pattern that no source can match is refused where it is configured (S1), and every other one does match something.

import { defaultSettings, readSettings } from '@mountkeeper/border'
import { patternFault, sourceAllowed, typeRule } from '@mountkeeper/types'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkFilesystem } from '../src/index.js'

const settingsWith = (type: string, pattern: string) => {
  const settings = defaultSettings('/srv/mounts')
  return { ...settings, types: { [type]: typeRule(type, [pattern]) } }
}

const isServed = (type: string, pattern: string, source: string): boolean =>
  checkFilesystem(settingsWith(type, pattern), { type, source, options: [] }) === undefined

describe('settings with a pattern that can match no source', () => {
  test.each([
    ['fuse.sshfs', '*:/srv/*/', 'a pattern with "*" or with "/" at its end; with both it matches no source'],
    ['bind', '/srv/*/', 'a pattern with "*" or with "/" at its end; with both it matches no source'],
    ['bind', 'srv/', 'a path beginning with "/", such as /srv/exports/, or "*"'],
    ['bind', '/srv//exports', 'a path without "//": no source has it'],
    ['nfs', 'server:/export/../', 'a pattern without "." and ".." between slashes: no source has them'],
    ['ext4', 'LABEL=*', 'a path beginning with "/", such as /srv/exports/, or "*"'],
    ['tmpfs', 'UUID=*', 'a device path: a tag is not a source'],
  ])('are refused: %s from %s', (type, pattern, right) => {
    expect(readSettings(settingsWith(type, pattern))).toEqual({
      _tag: 'Invalid',
      field: `settings.types.${type}.sources[0]`,
      why: `${pattern} can match no source; expected ${right}`,
    })
  })
})

const characters = fc.constantFrom('/', '/', '/', '*', '.', 'a', ':')
const tails = fc.string({ unit: characters, maxLength: 8 })

const RUNS = Number(process.env['FC_NUM_RUNS'] ?? 2_000)

test('what is not refused matches a source; what is refused matches none, of a bind', () => {
  let refused = 0
  let fit = 0
  fc.assert(
    fc.property(tails, fc.array(tails, { maxLength: 20 }), (tail, others) => {
      const pattern = `/${tail}`
      // Refused as any other `//`, though it would match `/` itself.
      fc.pre(pattern !== '//')
      if (patternFault({ sourceIsPath: true, server: 'none' }, pattern) === undefined) {
        fit += 1
        const source = pattern.endsWith('/') ? `${pattern}x` : pattern.replaceAll('*', 'x')
        expect(isServed('bind', pattern, source), source).toBe(true)
        return
      }
      refused += 1
      // A star in a source is a star: only for such a name would a star before an ending slash be right.
      const near = [pattern, pattern.replaceAll('*', 'x'), `${pattern.replaceAll('*', 'x')}x`, ...others]
      for (const source of near.filter((each) => !each.includes('*'))) {
        expect(isServed('bind', pattern, source), source).toBe(false)
      }
    }),
    { numRuns: RUNS, seed: Number(process.env['FC_SEED'] ?? 1) },
  )
  expect(Math.min(refused, fit)).toBeGreaterThan(RUNS / 20)
})

test('the two kinds of patterns that take their place', () => {
  const rule = typeRule('fuse.sshfs', ['*:/srv/src/*', 'u@h:/srv/src/'])
  expect(rule.sources.map((pattern) => patternFault(rule, pattern))).toEqual([undefined, undefined])
  expect(sourceAllowed(rule, 'u@h:/srv/src/x/y')).toBe(true)
})
