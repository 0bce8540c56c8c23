// npm run scenario -- NAME [LINE]: plays one transcript of test-fixtures/interactions, or of another path, and prints each directive
// with what it produces now; what the file expects and does not get is listed at the end, with exit status 1. Started with
// `node --inspect-brk .ci/scenario.mjs NAME LINE` it stops in the debugger before the directive at that line.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { url } from 'node:inspector'
import { basename, join } from 'node:path'
import process from 'node:process'
import { runnerImport } from 'vite'
import { top } from './prepare.mjs'

const folder = join(top, 'test-fixtures/interactions')
const scenarios = readdirSync(folder).filter((file) => file.endsWith('.txt'))

// As in `npm run scenario -- NAME | head`.
process.stdout.on('error', () => process.exit(0))

const end = (message) => {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

const fileOf = (name) => {
  if (existsSync(name)) return name
  const exact = scenarios.find((file) => file === name || file === `${name}.txt`)
  const like = scenarios.filter((file) => file.includes(name))
  if (exact !== undefined) return join(folder, exact)
  if (like.length === 1) return join(folder, like[0])
  const which =
    like.length === 0 ? `no scenario has ${name} in its name` : `${name} is in the names of several scenarios`
  return end([`${which}; give one of them:`, ...(like.length === 0 ? scenarios : like)].join('\n  '))
}

const [name, line] = process.argv.slice(2)
if (name === undefined)
  end('npm run scenario -- NAME [LINE], with a name, or a part of one, from test-fixtures/interactions')
if (line !== undefined && url() === undefined)
  end(`to stop at line ${line}: node --inspect-brk .ci/scenario.mjs ${name} ${line}`)
const path = fileOf(name)
const file = basename(path)

// The sources of the core as they are, not what was built.
const conditions = ['@mountkeeper/source', 'module', 'node', 'import', 'default']
const options = {
  root: top,
  configFile: false,
  logLevel: 'error',
  ssr: { resolve: { conditions } },
  resolve: { conditions },
}
const { module: tests } = await runnerImport('./packages/core/test/transcript/run.ts', options)

const before = (block) => {
  process.stdout.write([...block.before, `> ${block.directive}`, ''].join('\n'))
  if (String(block.line) === line) debugger
}
const was = readFileSync(path, 'utf8')
const is = tests.rewritten(file, was, {
  before,
  after: (output) => process.stdout.write(output.map((each) => `${each}\n`).join('')),
})
const changed = tests.difference(file, was, is)
if (changed !== undefined) process.stdout.write(`\n${changed}\n`)
process.exitCode = changed === undefined ? 0 : 1
