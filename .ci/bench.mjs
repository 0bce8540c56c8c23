// npm run bench [-- PACKAGE...]: runs packages/*/bench/*.bench.ts one after the other, as plain Node scripts.
// Node 20 runs no TypeScript, so they are compiled together with the tests (tsconfig.test.json) into
// node_modules/.tsbuild. They import packages by name, and so measure what is published: the built code.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { preparation, run, top } from './prepare.mjs'
import { quote, stage } from './report.mjs'

const wanted = process.argv.slice(2)
const names = readdirSync(join(top, 'packages')).filter((name) => wanted.length === 0 || wanted.includes(name))
const benchmarks = names.flatMap((name) => {
  const folder = join(top, 'packages', name, 'bench')
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.bench.ts')) : []
  return files.map((file) => ({ name, file: file.replace(/\.ts$/, '.js') }))
})

const projects = [...new Set(benchmarks.map(({ name }) => join('packages', name)))]
const types = { name: 'types', command: ['node', 'node_modules/ts7/bin/tsc', '-b', ...projects] }
for (const { name, command } of [...preparation(), ...(projects.length === 0 ? [] : [types])]) {
  const { ok, output } = await stage(name, () => run(command))
  if (ok) continue
  quote(output)
  process.exit(1)
}

if (benchmarks.length === 0) process.stdout.write('no benchmarks\n')
for (const { name, file } of benchmarks) {
  process.stdout.write(`\n${name}: ${file}\n`)
  const script = join('node_modules/.tsbuild/bench', file)
  const { ok } = await run([process.execPath, '--expose-gc', script], { show: true, cwd: join(top, 'packages', name) })
  if (!ok) process.exitCode = 1
}
