// Plants what the gates forbid, in a copy of the tree with stubs for sources, and sees that each gate reports exactly that.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { node, temporaryFolder, top } from './tree.js'

const copy = temporaryFolder('gates')

const LEFT_OUT =
  /(^|\/)(node_modules|dist|src|test|test-host|test-fixtures|coverage|\.git|\.turbo)$|^packages\/[^/]+\/bench$/

const link = (from: string, to: string): void => {
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from)) {
    if (name === '@mountkeeper' || name === 'mountkeeper') continue
    if (name.startsWith('@')) link(join(from, name), join(to, name))
    else symlinkSync(join(from, name), join(to, name))
  }
}

const write = (path: string, ...lines: readonly string[]): void => {
  mkdirSync(dirname(join(copy, path)), { recursive: true })
  writeFileSync(join(copy, path), `${lines.join('\n')}\n`)
}

const packages = readdirSync(join(top, 'packages'))

beforeAll(() => {
  cpSync(top, copy, { recursive: true, filter: (path) => !LEFT_OUT.test(relative(top, path)) })
  link(join(top, 'node_modules'), join(copy, 'node_modules'))
  mkdirSync(join(copy, 'node_modules/@mountkeeper'))
  for (const name of packages) {
    const { name: full } = JSON.parse(readFileSync(join(top, 'packages', name, 'package.json'), 'utf8')) as {
      name: string
    }
    symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules', full))
    write(`packages/${name}/src/index.ts`, 'export type Stub = string', `export const stub: Stub = '${name}'`)
  }

  write(
    'packages/core/src/allowed.ts',
    "import { stub } from './index.js'",
    'export const allowed = (draft: { seen: string }): string => {',
    '  draft.seen = stub',
    '  return draft.seen',
    '}',
  )
  write('packages/core/src/io.ts', "import * as fs from 'node:fs'", 'export const io: unknown = fs')
  write('packages/core/src/later.ts', "export const later = (): unknown => import('node:fs')")
  write('packages/core/src/clock.ts', 'export const now = (): number => Date.now()')
  write('packages/core/src/global.ts', 'export const host: unknown = process')
  write('packages/core/src/there.ts', "import type { Back } from './back.js'", 'export type There = Back | 1')
  write(
    'packages/core/src/back.ts',
    "import type { There } from './there.js'",
    'export interface Back { there: There }',
  )
  write(
    'packages/core/src/mutation.ts',
    'export const rename = (host: { name: string }): void => {',
    "  host.name = 'x'",
    '}',
  )
  write(
    'packages/runtime/src/deep.ts',
    "import { identity } from 'fp-ts/function'",
    'export const one: number = identity(1)',
  )
  write(
    'packages/runtime/src/discarded.ts',
    "import type { TaskEither } from 'fp-ts/lib/TaskEither.js'",
    'export const stop = async (unmount: (path: string) => TaskEither<Error, void>): Promise<void> => {',
    "  await unmount('/srv/mounts/kept')()",
    "  unmount('/srv/mounts/forgotten')",
    '}',
  )
  write(
    'packages/linux/src/allowed.ts',
    "import { hostname } from 'node:os'",
    "import type { Stub } from '@mountkeeper/runtime'",
    'export const allowed: Stub = hostname()',
  )
  write(
    'packages/linux/src/values.ts',
    "import { stub } from '@mountkeeper/runtime'",
    'export const values: string = stub',
  )
  write('packages/linux/src/upward.ts', "import '@mountkeeper/cli'")
  write('packages/linux/src/long.ts', ...Array.from({ length: 401 }, (_, line) => `export const line${line} = ${line}`))
})

afterAll(() => {
  rmSync(copy, { recursive: true, force: true })
})

const sorted = (found: Iterable<string>): readonly string[] => [...new Set(found)].sort()

test('the compiler lets core see neither Node nor its globals', () => {
  const { output } = node(
    copy,
    'node_modules/ts7/bin/tsc',
    '-b',
    '--pretty',
    'false',
    'packages/core/tsconfig.src.json',
  )
  const found = output.matchAll(/^packages\/(\S+?)\(\d+,\d+\): error (TS\d+)/gm)
  expect(sorted([...found].map(([, file, code]) => `${file} ${code}`))).toEqual([
    'core/src/global.ts TS2591',
    'core/src/io.ts TS2591',
    'core/src/later.ts TS2591',
  ])
})

test('eslint knows what the pure packages may not use, and what dies or does nothing at run time', () => {
  const { stdout } = node(copy, 'node_modules/eslint/bin/eslint.js', '--format', 'json', 'packages')
  const files = JSON.parse(stdout) as { filePath: string; messages: { ruleId: string }[] }[]
  const found = files.flatMap(({ filePath, messages }) =>
    messages.map(({ ruleId }) => `${relative(join(copy, 'packages'), filePath)} ${ruleId}`),
  )
  expect(sorted(found)).toEqual([
    'core/src/clock.ts no-restricted-properties',
    'core/src/global.ts no-restricted-globals',
    'core/src/later.ts no-restricted-syntax',
    'core/src/mutation.ts functional/immutable-data',
    'linux/src/long.ts max-lines',
    'runtime/src/deep.ts no-restricted-imports',
    'runtime/src/discarded.ts local/no-discarded-effect',
  ])
})

test('dependency-cruiser knows every arrow, dynamic and type-only ones too', () => {
  const config = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json']
  const sources = packages.map((name) => `packages/${name}/src`)
  const { stdout } = node(copy, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs', ...sources, ...config)
  const { summary } = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } }
  const found = summary.violations.map(({ from, rule }) => `${relative('packages', from)} ${rule.name}`)
  expect(sorted(found)).toEqual([
    'core/src/back.ts no-circular',
    'core/src/io.ts core-imports',
    'core/src/later.ts core-imports',
    'linux/src/upward.ts linux-imports',
    'linux/src/values.ts linux-needs-only-types-of-runtime',
  ])
})
