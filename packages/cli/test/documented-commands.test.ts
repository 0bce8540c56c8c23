// Each command line of the documentation is one that the command understands: its commands and options exist.

import { readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readArguments } from '../src/arguments.js'

const top = new URL('../../../', import.meta.url)
const packages = readdirSync(new URL('packages/', top))
const pages = [
  'README.md',
  'packages/mountkeeper/docs/',
  ...packages.map((name) => `packages/${name}/README.md`),
].flatMap((path) => {
  const at = new URL(path, top)
  return path.endsWith('/')
    ? readdirSync(at)
        .filter((name) => name.endsWith('.md'))
        .map((name) => new URL(name, at))
    : [at]
})

const commandsOf = (page: URL): readonly string[] => {
  const text = readFileSync(page, 'utf8')
  const inBlocks = [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block]) => block!.split('\n'))
  const inline = [...text.matchAll(/`(mountkeeper [a-z][^`\n]*)`/g)].map(([, command]) => command!)
  return [...inBlocks, ...inline]
    .filter((line) => /^mountkeeper [a-z-]/.test(line))
    .map((line) =>
      line
        .replace(/ +#.*$/, '')
        .replace(/ [<>|&].*$/, '')
        .trim(),
    )
}

/** Words that stand for what a reader puts in their place. */
const written = (command: string): readonly string[] =>
  command
    .split(/\s+/)
    .slice(1)
    .filter((word) => word !== '…')

const OPERANDS: Readonly<Record<string, string>> = { replay: 'TRACE', 'trace view': 'TRACE' }

test.each([...new Set(pages.flatMap(commandsOf))])('%s', async (command) => {
  const words = written(command)
  const ended = words.map((word, index) =>
    word.startsWith('--') && (words[index + 1] ?? '--').startsWith('--') && command.includes(`${word} …`)
      ? [word, 'X']
      : [word],
  )
  const argv = ended.flat()
  const name = argv.join(' ')
  const operand = OPERANDS[name]
  const read = await readArguments(operand === undefined ? argv : [...argv, operand], '0.0.0')
  expect(read._tag === 'Mistake' ? read.text : '').toBe('')
})
