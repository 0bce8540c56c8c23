// The rule book (packages/core/docs) is complete and true: every law, rule, transcript, answer and link that it names exists, and
// what the code refers to is in it.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { top } from './tree.js'

const DOCS = 'packages/core/docs'

const read = (path: string): string => readFileSync(join(top, path), 'utf8')
const page = (name: string): string => read(`${DOCS}/${name}`)
const matches = (text: string, pattern: RegExp): readonly string[] => [...text.matchAll(pattern)].map(([, one]) => one!)
const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, index) => index + 1)

describe('laws.md', () => {
  const entries = page('laws.md')
    .split(/^### /m)
    .slice(1)
    .map((entry) => ({ law: /^(L\d+|section \d+)\. /.exec(entry)?.[1] ?? entry, entry }))

  /** Names of tests that hold several laws say so by their numbers; `STATEMENTS` gives a name to each law of the random runs. */
  const STATEMENTS = 'packages/simulator/src/oracle/statements.ts'
  const RANDOM_RUNS = 'packages/simulator/test/laws.test.ts'

  test('has every law once, in order', () => {
    const laws = upTo(48).map((number) => `L${number}`)
    expect(entries.map(({ law }) => law)).toEqual([...laws, 'section 4', 'section 5', 'section 7'])
  })

  test.each(entries)('$law is enforced where the page says', ({ entry }) => {
    const [, enforced = ''] = /^- Enforced: (.*)$/m.exec(entry) ?? []
    const places = enforced.split('; ').map((place) => ({ path: matches(place, /^`([^`]+)`/g)[0] ?? '', place }))
    expect(places.length).toBeGreaterThan(0)
    for (const { path, place } of places) {
      const source = existsSync(join(top, path)) ? read(path) : ''
      const symbols = matches(place.slice(path.length + 2), /`([^`]+)`/g)
      const isThere = (name: string): boolean =>
        new RegExp(`\\b(const|interface|type|function) ${name}\\b`).test(source)
      expect(source, path).not.toBe('')
      expect(
        symbols.filter((name) => !isThere(name)),
        path,
      ).toEqual([])
    }
  })

  test.each(entries)('$law is tested where the page says, by a test that names it', ({ law, entry }) => {
    const named = [...entry.matchAll(/^ {2}- `([^`]+)`: "([^"]+)"$/gm)].map(([, path = '', name = '']) => {
      const source = existsSync(join(top, path)) ? read(path) : ''
      return { path, name, lines: source.split('\n').filter((line) => line.includes(name)) }
    })
    expect(named.filter(({ lines }) => lines.length === 0)).toEqual([])
    const stated = new RegExp(`^ {2}'?${law}'?: '`, 'm').test(read(STATEMENTS))
    const byName = named.filter(
      ({ path, lines }) =>
        (path === RANDOM_RUNS && stated) || lines.some((line) => new RegExp(`\\b${law}\\b`).test(line)),
    )
    expect(byName.length).toBeGreaterThan(0)
  })

  test('names the random runs for every law that is judged over them', () => {
    const judged = matches(read(STATEMENTS), /^ {2}'?(L\d+|section \d+)'?: '/gm)
    const random = entries.filter(({ entry }) => entry.includes(`\`${RANDOM_RUNS}\``)).map(({ law }) => law)
    expect(random).toEqual(judged)
  })
})

describe('rules.md', () => {
  const rules = page('rules.md')
  const INTERACTIONS = 'test-fixtures/interactions'
  const transcripts = readdirSync(join(top, INTERACTIONS)).filter((name) => name.endsWith('.txt'))
  const ids = matches(rules, /^\*\*(R\d+\.\d+) /gm)
  const shown = matches(rules, /^\*Shown:\* ([^]*?)\n\n/gm).map((list) => list.replaceAll(/\s+/g, ' '))
  const testsOf = (list: string): readonly (readonly [string, string])[] =>
    [...list.matchAll(/`([^`]+)`: "([^"]+)"/g)].map(([, path = '', name = '']) => [path, name] as const)
  const namesOf = (list: string): readonly string[] =>
    matches(list.replaceAll(/`[^`]+`: "[^"]+"/g, ''), /`([^`]+)`/g).map((name) => `${name}.txt`)

  test('numbers the rules of each section from one on', () => {
    const sections = [...new Set(ids.map((id) => id.split('.')[0]!))]
    const inOrder = sections.flatMap((section) =>
      upTo(ids.filter((id) => id.startsWith(`${section}.`)).length).map((number) => `${section}.${number}`),
    )
    expect(ids).toEqual(inOrder)
    expect(sections).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((section) => `R${section}`))
  })

  test('has a heading for each section', () => {
    expect(matches(rules, /^## (\d+)\. /gm)).toEqual(upTo(11).map(String))
  })

  test('shows every rule by a transcript or a test that exists', () => {
    expect(shown.length).toBe(ids.length)
    const tests = shown.flatMap(testsOf)
    const missing = tests.filter(([path, name]) => !existsSync(join(top, path)) || !read(path).includes(name))
    expect(missing).toEqual([])
    expect(shown.flatMap(namesOf).filter((name) => !transcripts.includes(name))).toEqual([])
    expect(shown.filter((list) => testsOf(list).length + namesOf(list).length === 0)).toEqual([])
  })

  // A new transcript belongs to a rule: add its name where the rule is, or the rule that it shows.
  test('names every transcript', () => {
    const named = new Set(shown.flatMap(namesOf))
    expect(transcripts.filter((name) => !named.has(name))).toEqual([])
  })

  const sourcesUnder = (folder: string): readonly string[] =>
    existsSync(join(top, folder))
      ? readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' })
          .filter((name) => /\.(ts|md|mjs)$/.test(name))
          .map((name) => join(folder, name))
      : []
  const texts = [
    'README.md',
    ...readdirSync(join(top, 'packages')).flatMap((name) => [
      `packages/${name}/README.md`,
      ...['src', 'test', 'test-host', 'bench', 'docs'].flatMap((part) => sourcesUnder(`packages/${name}/${part}`)),
    ]),
  ]

  test('has every rule and section that code and pages refer to', () => {
    const known = new Set([...ids, ...upTo(11).map((section) => `R${section}`)])
    const unknown = texts.flatMap((path) => {
      const named = matches(read(path), /[( ](R(?:1[01]|[1-9])(?:\.\d+)?)(?=[,;:). ]|$)/gm)
      return named.filter((rule) => !known.has(rule)).map((rule) => `${path}: ${rule}`)
    })
    expect(unknown).toEqual([])
  })

  test('is what code refers to, and no other document', () => {
    const elsewhere = texts.filter((path) => /\bspecification\b/i.test(read(path)))
    expect(elsewhere).toEqual([])
  })
})

describe('answers.md', () => {
  const TAGS = /_tag:((?:\s*\|?\s*'[A-Za-z-]+')+)/g

  const tagsOf = (path: string): readonly string[] => [
    ...new Set(matches(read(path), TAGS).flatMap((union) => matches(union, /'([A-Za-z-]+)'/g))),
  ]

  const answers = page('answers.md')
  const isExplained = (tag: string): boolean => new RegExp(`^(\\| \`${tag}\` \\||### ${tag}$)`, 'm').test(answers)

  test('explains every tag of an answer', () => {
    const tags = [...tagsOf('packages/core/src/answer.ts'), ...tagsOf('packages/core/src/refusal.ts')]
    expect(tags.length).toBeGreaterThan(50)
    expect(tags.filter((tag) => !isExplained(tag))).toEqual([])
  })

  test('explains why a look was inconclusive', () => {
    const [, union = ''] = /export type UnknownWhy =([^]*?)\n\n/.exec(read('packages/core/src/found.ts')) ?? []
    const whys = matches(union, /\| '(\w+)'/g)
    expect(whys.length).toBeGreaterThan(5)
    expect(whys.filter((why) => !isExplained(why))).toEqual([])
  })

  test('names every value of the parts of an answer', () => {
    const [, attached = ''] = /interface Attached \{([^]*?)\n\}/.exec(read('packages/core/src/answer.ts')) ?? []
    const [, detached = ''] = /interface Detached \{([^]*?)\n\}/.exec(read('packages/core/src/answer.ts')) ?? []
    const values = matches(attached + detached, /'([a-z-]+)'/g)
    expect(values.filter((value) => !new RegExp(`^\\|.* \`${value}\` \\|`, 'm').test(answers))).toEqual([])
  })
})

describe('architecture.md', () => {
  test('has a row for every package', () => {
    const named = matches(page('architecture.md'), /^\| `([a-z]+)` \| [^|]+ \| [^|]+ \|$/gm)
    expect(readdirSync(join(top, 'packages')).filter((name) => !named.includes(name))).toEqual([])
  })
})

describe('decisions', () => {
  const pages = readdirSync(join(top, DOCS, 'decisions')).filter((name) => /^\d/.test(name))

  test('are numbered, and each is in the list by its title', () => {
    const index = page('decisions/README.md')
    expect(pages.map((name) => Number(name.slice(0, 2)))).toEqual(upTo(pages.length))
    const listed = pages.filter((name, at) => {
      const [, title = ''] = /^# \d+\. (.*)$/m.exec(page(`decisions/${name}`)) ?? []
      return index.includes(`${at + 1}. [${title}](${name})`)
    })
    expect(listed).toEqual(pages)
  })

  test.each(pages)('%s has context, decision and consequences', (name) => {
    expect(matches(page(`decisions/${name}`), /^## (.*)$/gm)).toEqual(['Context', 'Decision', 'Consequences'])
  })
})

describe('links', () => {
  /** The anchor that a heading gets where Markdown is shown. */
  const anchorOf = (heading: string): string =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')

  const pages = readdirSync(join(top, DOCS), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  )

  test.each(pages)('of %s lead somewhere', (name) => {
    const links = matches(page(name).replaceAll(/^```.*?^```/gms, ''), /\]\(([^)\s]+)\)/g).filter(
      (link) => !/^[a-z]+:/.test(link),
    )
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? join(top, DOCS, name) : join(top, DOCS, dirname(name), path)
      if (!existsSync(target)) return true
      if (anchor === undefined) return false
      const headings = matches(readFileSync(target, 'utf8'), /^#+ (.*)$/gm).map(anchorOf)
      return !headings.includes(anchor)
    })
    expect(broken).toEqual([])
  })
})
