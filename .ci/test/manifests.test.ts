// What npm shows of each package, and what it installs with it: where it comes from, and no module more or fewer than are imported.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { top } from './tree.js'

interface Manifest {
  readonly name: string
  readonly private?: true
  readonly description?: string
  readonly license?: string
  readonly homepage?: string
  readonly bugs?: string
  readonly keywords?: readonly string[]
  readonly engines?: { readonly node?: string }
  readonly repository?: { readonly directory?: string }
  readonly publishConfig?: { readonly access?: string; readonly provenance?: boolean }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const folders = readdirSync(join(top, 'packages'))
const manifests = new Map(
  folders.map((folder) => {
    const manifest = JSON.parse(readFileSync(join(top, 'packages', folder, 'package.json'), 'utf8')) as Manifest
    return [manifest.name, { folder, manifest }] as const
  }),
)
const published = [...manifests.values()].filter(({ manifest }) => manifest.private !== true)

const IMPORT = /(?:from |import\()'((?:@[a-z-]+\/)?[a-z][a-z-]*)[^']*'/g
const importsOf = (folder: string): ReadonlySet<string> => {
  const source = join(top, 'packages', folder, 'src')
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const texts = files.map((file) => readFileSync(join(source, file), 'utf8'))
  return new Set(texts.flatMap((text) => [...text.matchAll(IMPORT)].map(([, name]) => name!)))
}

describe.each(published)('$manifest.name', ({ folder, manifest }) => {
  const { dependencies = {}, peerDependencies: peers = {} } = manifest
  const inherited = Object.keys(dependencies).flatMap((name) =>
    Object.keys(manifests.get(name)?.manifest.peerDependencies ?? {}),
  )

  test('says what it is, where it comes from, and that it is published for all with its provenance', () => {
    const { description, license, homepage, bugs, keywords, engines, repository, publishConfig } = manifest
    expect({ description, homepage, bugs }).toEqual({
      description: expect.stringMatching(/\.$/) as string,
      homepage: expect.stringContaining(`packages/${folder}`) as string,
      bugs: expect.stringContaining('/issues') as string,
    })
    expect({ license, node: engines?.node }).toEqual({ license: 'Apache-2.0', node: '>=20.19' })
    expect(keywords).toContain('mount')
    expect(repository?.directory).toBe(`packages/${folder}`)
    expect(publishConfig).toEqual({ access: 'public', provenance: true })
  })

  test('asks for no module that neither it nor a package below it imports', () => {
    const used = importsOf(folder)
    const asked = Object.keys({ ...dependencies, ...peers }).filter((name) => !manifests.has(name))
    expect(asked.filter((name) => !used.has(name) && !inherited.includes(name))).toEqual([])
  })

  test('passes on each peer that a package below it asks for', () => {
    expect(inherited.filter((name) => !(name in dependencies) && !(name in peers))).toEqual([])
  })
})
