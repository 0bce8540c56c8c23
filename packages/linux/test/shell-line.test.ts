// Whatever the text is, a shell hands it on as it is, and as one argument.
import { spawnSync } from 'node:child_process'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commandLine, isUnquotable, quoted } from '../src/shell-line.js'

/** Characters that mean something to a shell, among others. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...`'"\\$\`!#&|;<>()[]{}*?~^%=-+,.:/ \t\n\r`.split(/(?=.)/s)),
    fc.constantFrom('\u00e9', '\u{1f512}', '\x1b', '\x7f'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((one) => one !== '\0'),
  ),
  maxLength: 40,
})

const SHELLS = ['dash', 'bash', 'sh'].filter((shell) => spawnSync('which', [shell]).status === 0)

describe.each(SHELLS)('%s', (shell) => {
  test('gets arguments from their quotes as they were, and not one more', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(text, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 10 }),
        (vectors) => {
          const lines = vectors.map((each) => `/usr/bin/printf '%s\\0' ${each.map(quoted).join(' ')}\n`)
          const { stdout, stderr, status } = spawnSync(shell, ['-s'], { input: lines.join('') })
          expect([stderr.toString(), status]).toEqual(['', 0])
          expect(stdout.toString('utf8').split('\0').slice(0, -1)).toEqual(
            vectors.flat().map((each) => Buffer.from(each, 'utf8').toString('utf8')),
          )
        },
      ),
      { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 60) },
    )
  })

  test('runs one line after the other, each with its own marks, whatever stands in them', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (texts) => {
        const script = 'printf "%s" "$1" >&2; read -r _ && exit 9; exit 3'
        const lines = texts.map((each, number) => commandLine(['sh', '-c', script, 'sh', each], 'NONCE', number))
        const { stdout, stderr, status } = spawnSync(shell, ['-s'], { input: lines.join('') })
        expect([stderr.toString(), status]).toEqual(['', 0])
        const sane = (each: string): string => Buffer.from(each, 'utf8').toString('utf8')
        const expected = texts.map((each, number) => `NONCE b ${number}\n${sane(each)}NONCE e ${number} 3\n`)
        expect(stdout.toString('utf8')).toBe(expected.join(''))
      }),
      { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 30) },
    )
  })
})

test('what has a NUL in it is never made a line', () => {
  expect(isUnquotable(['mkdir', '--', 'a\0b'])).toBe(true)
  expect(isUnquotable(['mkdir', '--', "a'b"])).toBe(false)
})
