// The page around a drawn run: one file that needs nothing else. Nothing of a trace becomes markup: it stands in the page as JSON in
// which no `<` is left, and the script of the page writes it as text only. A policy allows that one script and that one style.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Drawn } from './drawn.js'

const CHARACTERS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => CHARACTERS[character] ?? '')

/** JSON that ends no element and begins no comment. */
const data = (drawn: Drawn): string =>
  JSON.stringify(drawn).replaceAll(/[<>&\u2028\u2029]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0')
    return `\\u${code}`
  })

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** The parts of the page that are the same for every trace. */
export interface PageParts {
  readonly style: string
  readonly script: string
  readonly body: string
}

/** Reads the parts, which the build has put beside the command. */
export const pageParts = (folder: URL): PageParts => {
  const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8')
  return { style: read('page.css'), script: read('page.js'), body: read('page.html') }
}

/** The whole page. */
export const pageOf = (drawn: Drawn, { style, script, body }: PageParts): string => {
  const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escaped(drawn.name)}</title>
<style>${style}</style>
</head>
<body>
${body}
<script type="application/json" id="data">${data(drawn)}</script>
<script>${script}</script>
</body>
</html>
`
}
