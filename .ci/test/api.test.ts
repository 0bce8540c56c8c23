// The public names of each published package, with their declarations, are under version control as api.md: a change of what
// others may use shows in the difference of a commit. UPDATE_API=1 rewrites the pages from the declarations that were built.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
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
const program = ts.createProgram(files, {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  types: ['node'],
  noEmit: true,
})
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
