// The style that no other tool keeps.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { top } from './tree.js'

interface Arrows {
  readonly packages: readonly string[]
  readonly types: readonly string[]
  readonly modules: readonly string[]
}

interface Manifest {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const read = (path: string): string => readFileSync(join(top, path), 'utf8')

const filesUnder = (folder: string): readonly string[] =>
  existsSync(join(top, folder))
    ? readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
    : []

const packages = readdirSync(join(top, 'packages'))
const inPackages = packages.flatMap((name) =>
  ['src', 'test', 'test-host', 'bench'].flatMap((part) => filesUnder(`packages/${name}/${part}`)),
)
const sources = inPackages.filter((path) => /^packages\/[^/]+\/src\/.*\.ts$/.test(path))

describe('sources', () => {
  test('have at most 400 lines a file', () => {
    expect(sources.filter((path) => read(path).trimEnd().split('\n').length > 400)).toEqual([])
  })

  test('of the core have at most 300 lines a file', () => {
    const core = sources.filter((path) => path.startsWith('packages/core/'))
    expect(core.length).toBeGreaterThan(50)
    expect(core.filter((path) => read(path).trimEnd().split('\n').length > 300)).toEqual([])
  })

  test('open with a comment that says what the file holds', () => {
    const beginning = (path: string): string => read(path).replace(/^#!.*\n\n*/, '')
    expect(sources.filter((path) => !/^(\/\/|\/\*\*)/.test(beginning(path)))).toEqual([])
  })

  test('leave nothing to be done', () => {
    expect(sources.filter((path) => /\b(TODO|FIXME|XXX)\b/.test(read(path)))).toEqual([])
  })

  test('have names that say what is in them', () => {
    const NAMELESS = /(^|\/)(utils?|helpers?|common|misc)(\.[^/]*)?(\/|$)/
    expect(inPackages.filter((path) => NAMELESS.test(path))).toEqual([])
  })
})

describe('documents', () => {
  const documents = [
    ...readdirSync(top).filter((name) => name.endsWith('.md')),
    ...packages.flatMap((name) => filesUnder(`packages/${name}/docs`)).filter((path) => path.endsWith('.md')),
    ...packages.map((name) => `packages/${name}/README.md`).filter((path) => existsSync(join(top, path))),
  ]

  test.each(documents)('%s links only to what exists', (document) => {
    const prose = read(document).replaceAll(/^```.*?^```/gms, '')
    const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!.replace(/#.*$/, ''))
    const relative = targets.filter((target) => target !== '' && !/^[a-z]+:/.test(target))
    expect(relative.filter((target) => !existsSync(join(top, dirname(document), target)))).toEqual([])
  })
})

describe('examples', () => {
  test('of the README are those of the library, which its tests run', () => {
    const examples = [...read('README.md').matchAll(/^```ts\n(.*?)^```/gms)].map(([, example]) => example!)
    const run = read('packages/mountkeeper/README.md')
    expect(examples.length).toBeGreaterThan(0)
    expect(examples.filter((example) => !run.includes(example))).toEqual([])
  })
})

describe('the repository', () => {
  test('has nothing else at its top', () => {
    const BELONGS = [
      /^\./,
      /^(node_modules|coverage|packages|test-fixtures)$/,
      /^(package|package-lock|turbo|tsconfig\.base)\.json$/,
      /^(eslint\.config\.js|stryker\.config\.mjs|vitest(\.stryker)?\.config\.ts|LICENSE|(README|CHANGELOG|CONTRIBUTING|SECURITY)\.md)$/,
    ]
    expect(readdirSync(top).filter((name) => !BELONGS.some((known) => known.test(name)))).toEqual([])
  })

  const arrows = createRequire(import.meta.url)('../imports.cjs') as Readonly<Record<string, Arrows>>
  test.each(packages)('draws the same arrows from %s in its manifest and in .ci/imports.cjs', (name) => {
    const {
      dependencies = {},
      peerDependencies = {},
      version,
    } = JSON.parse(read(`packages/${name}/package.json`)) as Manifest
    const inner = Object.entries(dependencies).filter(([full]) => /^(@mountkeeper\/|mountkeeper$)/.test(full))
    const declared = inner.map(([full]) => full.replace('@mountkeeper/', '')).sort()
    const { packages: used, types, modules } = arrows[name]!
    expect([...used, ...types].sort()).toEqual(declared)
    expect(inner.every(([, range]) => range === version)).toBe(true)
    const others = Object.keys({ ...dependencies, ...peerDependencies })
    expect(modules.filter((module) => !others.includes(module))).toEqual([])
  })

  // Else the compiler may read what another package was before it was compiled again.
  test.each(packages)('builds %s after what it imports', (name) => {
    const config = JSON.parse(read(`packages/${name}/tsconfig.src.json`)) as {
      references?: readonly { readonly path: string }[]
    }
    const referenced = (config.references ?? []).map(({ path }) =>
      path.replace(/^\.\.\/(.*)\/tsconfig\.src\.json$/, '$1'),
    )
    expect(referenced.sort()).toEqual([...arrows[name]!.packages, ...arrows[name]!.types].sort())
  })
})
