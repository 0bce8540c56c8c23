// What people read in a file: comments and strings of code, sentences of Markdown, the comments of a transcript. Everything else is
// replaced by spaces, so that lines keep their numbers.
import { extname } from 'node:path'
import ts from 'typescript'

export const proseOf = (path: string, text: string): string => {
  const ending = extname(path)
  if (ending === '.md') return ofMarkdown(text)
  if (ending === '.txt') return ofTranscript(text)
  return ofCode(path, text)
}

const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ')

/** Without code blocks, inline code and the targets of links. */
const ofMarkdown = (text: string): string =>
  text
    .replaceAll(/^```.*?^```/gms, blank)
    .replaceAll(/`[^`\n]+`/g, blank)
    .replaceAll(/\]\([^)\n]*\)/g, blank)

const ofTranscript = (text: string): string => text.replaceAll(/^(?!\s*#).*$/gm, blank)

const ofCode = (path: string, text: string): string => {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const hidden: [start: number, end: number][] = []
  const hide = (node: ts.Node): void => void hidden.push([node.getStart(source, false), node.end])
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node) || ts.isRegularExpressionLiteral(node)) hide(node)
    else if (isName(node)) hide(node)
    else ts.forEachChild(node, visit)
  }
  visit(source)
  return hidden.reduceRight(
    (rest, [start, end]) => rest.slice(0, start) + blank(rest.slice(start, end)) + rest.slice(end),
    text,
  )
}

/** A string that only names something to the program: a module, a field, a case of a union. */
const isName = (node: ts.Node): boolean =>
  ts.isStringLiteral(node) &&
  (ts.isImportDeclaration(node.parent) ||
    ts.isExportDeclaration(node.parent) ||
    ts.isLiteralTypeNode(node.parent) ||
    /^[A-Z][A-Za-z]*$|\.(js|json|txt|md)$/.test(node.text))
