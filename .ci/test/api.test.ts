// The public names of each published package, with their declarations, are under version control as api.md: a change of what
// others may use shows in the difference of a commit. UPDATE_API=1 rewrites the pages from the declarations that were built.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { programOf } from './declarations.js'
import { top } from './tree.js'

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, string | { readonly types?: string }>>
}

const published = readdirSync(join(top, 'packages'))
  .map((folder) => ({
    folder,
    manifest: JSON.parse(readFileSync(join(top, 'packages', folder, 'package.json'), 'utf8')) as Manifest,
  }))
  .filter(({ manifest }) => manifest.private !== true)

/** The declarations of each entry of a package: what a caller imports it by, and the file. */
const entriesOf = ({ folder, manifest }: (typeof published)[number]): readonly (readonly [string, string])[] =>
  Object.entries(manifest.exports).flatMap(([entry, target]) =>
    typeof target === 'string' || target.types === undefined
      ? []
      : [[`${manifest.name}${entry.slice(1)}`, join(top, 'packages', folder, target.types)] as const],
  )

const files = published.flatMap((one) => entriesOf(one).map(([, file]) => file))
const program = programOf(files)
const checker = program.getTypeChecker()
const printer = ts.createPrinter({ removeComments: true })

const declarationOf = (symbol: ts.Symbol): string => {
  const is = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  return (is.declarations ?? [])
    .map((declaration) => printer.printNode(ts.EmitHint.Unspecified, declaration, declaration.getSourceFile()))
    .join('\n')
}

const pageOf = (one: (typeof published)[number]): string => {
  const sections = entriesOf(one).map(([name, file]) => {
    const source = program.getSourceFile(file)
    const module = source && checker.getSymbolAtLocation(source)
    const names = module === undefined ? [] : checker.getExportsOfModule(module)
    const shown = [...names].sort((a, b) => (a.name < b.name ? -1 : 1)).map(declarationOf)
    return `## ${name}\n\n${names.length} names.\n\n\`\`\`ts\n${shown.join('\n')}\n\`\`\`\n`
  })
  const head = `# What ${one.manifest.name} exports\n\nGenerated: \`UPDATE_API=1 npx vitest run --config .ci/test/vitest.config.ts api\` after a build.\n`
  return [head, ...sections].join('\n')
}

test.each(published)('$manifest.name exports what its api.md says', (one) => {
  for (const [, file] of entriesOf(one)) expect(existsSync(file), `${relative(top, file)}: npm run build`).toBe(true)
  const path = join(top, 'packages', one.folder, 'api.md')
  const page = pageOf(one)
  if (process.env['UPDATE_API'] === '1') writeFileSync(path, page)
  expect(page, 'UPDATE_API=1 rewrites it').toBe(existsSync(path) ? readFileSync(path, 'utf8') : '')
})

/** What the author of a service reads: these entries with their sentences, as one page. */
const READ: readonly (readonly [folder: string, entry: string])[] = [
  ['mountkeeper', 'mountkeeper'],
  ['mountkeeper', 'mountkeeper/simulated'],
  ['core', '@mountkeeper/core'],
]

const said = (symbol: ts.Symbol): string =>
  ts.displayPartsToString(symbol.getDocumentationComment(checker)).replaceAll(/\s*\n\s*/g, ' ')
const tagsOf = (symbol: ts.Symbol): readonly (readonly [name: string, text: string])[] =>
  symbol.getJsDocTags(checker).map(({ name, text }) => [name, ts.displayPartsToString(text)] as const)

const memberLine = (member: ts.Symbol): string => {
  const tags = tagsOf(member).map(([name, text]) => `${name === 'default' ? 'Default' : 'Example'}: \`${text}\`.`)
  const about = [said(member), ...tags].filter(Boolean).join(' ')
  return about === '' ? '' : `- \`${member.name}\`: ${about}`
}

const sectionOf = (exported: ts.Symbol): string => {
  const is = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
  const isRecord = (is.flags & ts.SymbolFlags.Interface) !== 0
  const members = isRecord ? checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(is)).map(memberLine) : []
  const tags = tagsOf(is).map(([name, text]) =>
    name === 'example' ? text : `${name === 'throws' ? 'Throws' : name}: ${text}`,
  )
  const parts = [said(is), `\`\`\`text\n${declarationOf(is)}\n\`\`\``, members.filter(Boolean).join('\n'), ...tags]
  return [`### ${exported.name}`, ...parts.filter(Boolean)].join('\n\n')
}

const referencePage = (): string => {
  const chapters = READ.map(([folder, entry]) => {
    const one = published.find((each) => each.folder === folder)!
    const file = entriesOf(one).find(([name]) => name === entry)![1]
    const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!
    const names = [...checker.getExportsOfModule(module)].sort((a, b) => (a.name < b.name ? -1 : 1))
    return [`## ${entry}`, ...names.map(sectionOf)].join('\n\n')
  })
  return `# Reference\n\nGenerated from the docstrings: \`UPDATE_API=1 npx vitest run --config .ci/test/vitest.config.ts api\` after a build.\n\n${chapters.join('\n\n')}\n`
}

test('the reference is made of the docstrings of today', () => {
  const path = join(top, 'packages/mountkeeper/docs/reference.md')
  const page = referencePage()
  if (process.env['UPDATE_API'] === '1') writeFileSync(path, page)
  expect(page, 'UPDATE_API=1 rewrites it').toBe(existsSync(path) ? readFileSync(path, 'utf8') : '')
})
