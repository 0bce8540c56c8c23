// What a user gets: the tarballs, unpacked in an empty folder, with nothing within reach but what the manifests
// declare. The only test that sees imports that die in plain Node, missing files, and undeclared dependencies.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { command, node, temporaryFolder, top } from './tree.js'

interface Manifest {
  readonly name: string
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, unknown>>
}

const folder = temporaryFolder('packed')
const isPrivate = (name: string): boolean =>
  (JSON.parse(readFileSync(join(top, 'packages', name, 'package.json'), 'utf8')) as { private?: boolean }).private ===
  true
/** The one package that a service installs has its name to itself. */
const packages = readdirSync(join(top, 'packages'))
  .filter((name) => !isPrivate(name))
  .map((name) => ({ full: name === 'mountkeeper' ? name : `@mountkeeper/${name}` }))

const manifestOf = (full: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'node_modules', full, 'package.json'), 'utf8')) as Manifest

const link = (name: string, place: string): void => {
  mkdirSync(dirname(place), { recursive: true })
  symlinkSync(join(top, 'node_modules', name), place)
}

beforeAll(() => {
  const tarballs = join(folder, 'tarballs')
  mkdirSync(tarballs)
  const packed = command(
    top,
    'npm',
    'pack',
    ...packages.map(({ full }) => `--workspace=${full}`),
    '--silent',
    '--pack-destination',
    tarballs,
  )
  expect(packed.status, packed.output).toBe(0)
  for (const { full } of packages) {
    const place = join(folder, 'node_modules', full)
    mkdirSync(place, { recursive: true })
    expect(command(place, 'tar', '-xzf', tarballOf(full), '--strip-components=1').output).toBe('')
    // Instead of an install, which would need a network: each package reaches the packages it declares, no others.
    const { dependencies = {}, peerDependencies = {} } = manifestOf(full)
    for (const other of Object.keys({ ...dependencies, ...peerDependencies })) {
      if (!/^(@mountkeeper\/|mountkeeper$)/.test(other)) link(other, join(place, 'node_modules', other))
    }
  }
  link('@types/node', join(folder, 'node_modules/@types/node'))
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

test.each(packages)('$full holds its build, its sources, the licence and no build information', ({ full }) => {
  const place = join(folder, 'node_modules', full)
  expect(existsSync(join(place, 'dist/index.js')), 'not built: npm run build').toBe(true)
  expect(existsSync(join(place, 'dist/index.d.ts'))).toBe(true)
  expect(existsSync(join(place, 'src/index.ts'))).toBe(true)
  expect(existsSync(join(place, 'dist/.tsbuildinfo'))).toBe(false)
  expect(readFileSync(join(place, 'LICENSE'), 'utf8')).toBe(readFileSync(join(top, 'LICENSE'), 'utf8'))
})

const tarballOf = (full: string): string =>
  join(folder, 'tarballs', `${full.replace(/^@/, '').replace('/', '-')}-0.1.0.tgz`)

test.each(packages)('$full is published as publint wants it', async ({ full }) => {
  const pkgDir = join(folder, 'node_modules', full)
  const { messages, pkg } = await publint({ pkgDir, strict: true, pack: false })
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
})

/** `node10` knows no exports, and these are ES modules: `require` of Node 20.19 and later loads them. */
const EXPECTED: readonly string[] = ['node10', 'CJSResolvesToESM']

test.each(packages)('$full has types that attw finds right', async ({ full }) => {
  const found = await checkPackage(createPackageFromTarballData(readFileSync(tarballOf(full))), {
    excludeEntrypoints: ['./look-process'],
  })
  if (found.types === false) throw new Error(`${full} has no types`)
  const problems = found.problems.filter(
    (problem) =>
      !EXPECTED.includes(problem.kind) && !('resolutionKind' in problem && EXPECTED.includes(problem.resolutionKind)),
  )
  expect(problems).toEqual([])
})

/** By what names others import a package: its own, and those of its further entries. */
const entriesOf = (full: string): readonly string[] =>
  Object.keys(manifestOf(full).exports)
    .filter((entry) => entry !== './package.json' && entry !== './look-process')
    .map((entry) => `${full}${entry.slice(1)}`)

test.each(packages)('$full, and each further entry of it, can be imported in plain Node', ({ full }) => {
  const imports = entriesOf(full).map((entry) => `await import('${entry}')`)
  const { status, output } = node(folder, '--input-type=module', '-e', imports.join('\n'))
  expect({ status, output }).toEqual({ status: 0, output: '' })
})

test.each([
  { compiler: 'ts7', moduleResolution: 'nodenext' },
  { compiler: 'ts7', moduleResolution: 'bundler' },
  { compiler: 'typescript', moduleResolution: 'nodenext' },
])('types resolve for $compiler with $moduleResolution', ({ compiler, moduleResolution }) => {
  const module = moduleResolution === 'bundler' ? 'esnext' : moduleResolution
  // Declarations are checked too: an import in them that does not resolve would otherwise be silently `any`.
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'es2023',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, types: ['node'] }, files: ['consumer.ts'] }),
  )
  writeFileSync(
    join(folder, 'consumer.ts'),
    packages
      .flatMap(({ full }) => entriesOf(full))
      .map((entry, n) => `import * as entry${n} from '${entry}'\nexport type Of${n} = keyof typeof entry${n}\n`)
      .join(''),
  )
  const { status, output } = node(
    folder,
    join(top, 'node_modules', compiler, 'bin/tsc'),
    '--pretty',
    'false',
    '-p',
    '.',
  )
  expect({ status, output }).toEqual({ status: 0, output: '' })
})

test('the examples in the README of mountkeeper compile as they stand there, and the one on a simulated host runs', () => {
  const readme = readFileSync(join(folder, 'node_modules/mountkeeper/README.md'), 'utf8')
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, example]) => example!)
  const place = join(folder, 'examples')
  mkdirSync(place)
  const names = examples.map((example, n) => {
    writeFileSync(join(place, `example${n}.ts`), example)
    return `example${n}`
  })
  const compilerOptions = { module: 'nodenext', target: 'es2023', strict: true, outDir: 'out', types: ['node'] }
  const files = names.map((name) => `${name}.ts`)
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const compiled = node(place, join(top, 'node_modules/ts7/bin/tsc'), '--pretty', 'false', '-p', '.')
  expect(compiled).toMatchObject({ status: 0, output: '' })
  const simulated = names[examples.findIndex((example) => example.includes('export const rehearse'))]!
  const script = `console.log((await (await import('./out/${simulated}.js')).rehearse()).join())`
  const ran = node(place, '--input-type=module', '-e', script)
  expect(ran).toMatchObject({ status: 0, output: 'MountFailed,mounted,already-held\n' })
})

test.runIf(existsSync(join(top, 'packages/cli/src/main.ts')))('the command runs and prints its help', () => {
  const place = join(folder, 'node_modules/@mountkeeper/cli')
  const { bin } = manifestOf('@mountkeeper/cli')
  const { status, output } = node(folder, join(place, bin!['mountkeeper']!), '--help')
  expect({ status, output }).toMatchObject({ status: 0, output: expect.stringContaining('mountkeeper') as string })
})

test.runIf(existsSync(join(top, 'packages/cli/src/main.ts')))('the help of the command loads few files', () => {
  const place = join(folder, 'node_modules/@mountkeeper/cli')
  const counter = join(folder, 'count.cjs')
  const loaded =
    'Object.keys(require.cache).filter((file) => file !== __filename).map((file) => file.split("/").at(-1))'
  writeFileSync(counter, `process.on('exit', () => process.stderr.write(JSON.stringify(${loaded})))`)
  const { bin } = manifestOf('@mountkeeper/cli')
  const { status, output } = node(folder, '--require', counter, join(place, bin!['mountkeeper']!), '--help')
  expect(status).toBe(0)
  const files = JSON.parse(output.slice(output.lastIndexOf('['))) as readonly string[]
  expect(files).toContain('command-line.js')
  expect(files.length, files.join(' ')).toBeLessThanOrEqual(6)
})
