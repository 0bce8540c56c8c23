// Each snippet of the guides is a part of an example that runs.

import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const docs = new URL('../../mountkeeper/docs/', import.meta.url)
const codeIn = (folder: string): readonly string[] => {
  const place = new URL(folder, import.meta.url)
  return readdirSync(place)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(name, place), 'utf8'))
}
const code = [...codeIn('../src/'), ...codeIn('../test/'), ...codeIn('../../mountkeeper/test/examples/')]
/** The reference is made of docstrings, whose examples are parts of a statement. */
const guides = readdirSync(docs).filter((name) => name.endsWith('.md') && name !== 'reference.md')

describe('the snippets of the guides', () => {
  test.each(guides)('of %s are parts of what is run here', (name) => {
    const page = readFileSync(new URL(name, docs), 'utf8')
    const snippets = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, snippet]) => snippet!.trimEnd())
    expect(snippets.filter((snippet) => !code.some((text) => text.includes(snippet)))).toEqual([])
  })

  test('are in the guides to embedding, testing and migrating', () => {
    const withCode = guides.filter((name) => readFileSync(new URL(name, docs), 'utf8').includes('```ts\n'))
    expect(withCode).toEqual(expect.arrayContaining(['embed.md', 'migrate.md', 'test.md']))
  })
})
