// Every name that a package exports has a sentence on what it means, and so has every field of what a service gives and gets. A
// setting says its default as well.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { programOf } from './declarations.js'
import { top } from './tree.js'

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, string | { readonly types?: string }>>
}

const entries = readdirSync(join(top, 'packages')).flatMap((folder) => {
  const path = join(top, 'packages', folder)
  const { name, private: isPrivate, exports } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest
  if (isPrivate === true) return []
  return Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === 'string' || target.types === undefined
      ? []
      : [{ entry: `${name}${entry.slice(1)}`, file: join(path, target.types) }],
  )
})

const program = programOf(entries.map(({ file }) => file))
const checker = program.getTypeChecker()

const meaningOf = (symbol: ts.Symbol): string => ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim()
const itselfOf = (symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol

const exportsOf = (file: string): readonly ts.Symbol[] => {
  const source = program.getSourceFile(file)
  const module = source && checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`${file} is not built: npm run build`)
  return checker.getExportsOfModule(module)
}

/** A name for all of a module has the comment of the module's file. */
const isSilent = (symbol: ts.Symbol): boolean =>
  (itselfOf(symbol).flags & ts.SymbolFlags.ValueModule) === 0 && meaningOf(itselfOf(symbol)) === ''

const undocumented = entries.flatMap(({ entry, file }) =>
  exportsOf(file).flatMap((symbol) => (isSilent(symbol) ? [`${entry} ${symbol.name}`] : [])),
)

/** What a service that embeds the manager writes, with all fields: settings and options. */
const WRITTEN: readonly (readonly [entry: string, name: string])[] = [
  ['mountkeeper', 'OpenOptions'],
  ['mountkeeper', 'ConnectOptions'],
  ['mountkeeper', 'CloseOptions'],
  ['mountkeeper', 'AskOptions'],
  ['mountkeeper', 'Notice'],
  ['@mountkeeper/core', 'Settings'],
  ['@mountkeeper/core', 'Policies'],
  ['@mountkeeper/core', 'RootSettings'],
  ['@mountkeeper/core', 'SecretSettings'],
]

/** The fields of a type, and those of a record that is written out in it. */
const fieldsOf = (type: ts.Type, within = ''): readonly (readonly [name: string, field: ts.Symbol])[] =>
  checker.getPropertiesOfType(type).flatMap((field) => {
    const inner = checker.getNonNullableType(checker.getTypeOfSymbol(field))
    const name = `${within}${field.name}`
    const isRecord =
      (inner.symbol as ts.Symbol | undefined)?.name === '__type' && inner.getCallSignatures().length === 0
    return [[name, field] as const, ...(isRecord ? fieldsOf(inner, `${name}.`) : [])]
  })

test('every exported name has a sentence', () => {
  expect(undocumented).toEqual([])
})

describe('what a service writes', () => {
  test.each(WRITTEN)('%s %s has a sentence for each field', (entry, name) => {
    const { file } = entries.find((each) => each.entry === entry)!
    const symbol = exportsOf(file).find((each) => each.name === name)
    if (symbol === undefined) throw new Error(`${entry} does not export ${name}`)
    const fields = fieldsOf(checker.getDeclaredTypeOfSymbol(itselfOf(symbol)))
    expect(fields.length).toBeGreaterThan(0)
    expect(fields.filter(([, field]) => meaningOf(field) === '').map(([path]) => path)).toEqual([])
  })
})

test('settings and options say their defaults', () => {
  const { file } = entries.find(({ entry }) => entry === '@mountkeeper/core')!
  const settings = exportsOf(file).find(({ name }) => name === 'Settings')!
  const groups = ['limits', 'slots', 'deadlinesMs', 'delaysMs', 'policies'].flatMap((group) => {
    const field = checker.getDeclaredTypeOfSymbol(itselfOf(settings)).getProperty(group)!
    return checker.getPropertiesOfType(checker.getTypeOfSymbol(field))
  })
  const silent = groups.filter((field) => !field.getJsDocTags(checker).some(({ name }) => name === 'default'))
  expect(silent.map(({ name }) => name)).toEqual(['perType'])
})
