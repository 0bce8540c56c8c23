// Plain English in what people read: comments, strings, Markdown and the comments of transcripts (words.ts has the words).
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { proseOf } from './prose.js'
import { top } from './tree.js'
import { EXCEPTIONS, WORDS, findingsIn } from './words.js'

/** These have the words themselves. */
const OWN = ['.ci/test/english.test.ts', '.ci/test/words.ts']
const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: top, encoding: 'utf8' }).split('\0')
const readable = tracked.filter((path) => /\.(ts|mts|mjs|cjs|js|md|txt)$/.test(path) && !OWN.includes(path))
const proseIn = (path: string): string => proseOf(path, readFileSync(join(top, path), 'utf8'))

describe('every file', () => {
  test('uses plain words', () => {
    expect(readable.length).toBeGreaterThan(1_000)
    expect(readable.flatMap((path) => findingsIn(path, proseIn(path)))).toEqual([])
  })

  test.each(EXCEPTIONS)('$path needs the exception for "$text"', ({ path, text }) => {
    expect(readFileSync(join(top, path), 'utf8')).toContain(text)
  })
})

describe('a planted sentence is found', () => {
  const CODE = `
    // Nobody holds it.
    /** The mount that it lies on. */
    const told = \`\${mend} was told to \${whoever}\`
    import { tell } from './told.js'
    const anew = { mend: /nobody/, tag: 'Told' }
    const text = 'to be written anew'
  `

  test('in comments, strings and templates, not in names, patterns and modules', () => {
    expect(findingsIn('planted.ts', proseOf('planted.ts', CODE)).map((found) => found.split(': ')[0])).toEqual([
      'planted.ts:2',
      'planted.ts:3',
      'planted.ts:4',
      'planted.ts:7',
    ])
  })

  test('in Markdown, not in code', () => {
    const page = 'It lies here.\n`told`\n```ts\nnobody\n```\n[link](told.md) mends it\n'
    expect(findingsIn('page.md', proseOf('page.md', page)).map((found) => found.split(': ')[0])).toEqual([
      'page.md:1',
      'page.md:6',
    ])
  })

  test('in the comments of a transcript, not in what happened', () => {
    expect(findingsIn('1-a.txt', proseOf('1-a.txt', '# Nobody waits.\n  # Nobody waits.\nnobody\n'))).toHaveLength(2)
  })

  test('with the better words', () => {
    expect(findingsIn('a.md', 'Mend it.')).toEqual(['a.md:1: "Mend": fix, repair'])
  })

  test.each(WORDS)('"%s" is a pattern of whole words in lower case', (pattern) => {
    expect(pattern).toBe(pattern.toLowerCase())
    expect(() => new RegExp(pattern)).not.toThrow()
  })
})
