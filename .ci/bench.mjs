// npm run bench [-- PACKAGE...]: runs packages/*/bench/*.bench.ts one after the other, as plain Node scripts.
// Node 20 runs no TypeScript, so they are compiled together with the tests (tsconfig.test.json) into
// node_modules/.tsbuild. They import packages by name, and so measure what is published: the built code.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { run, top } from './prepare.mjs'
import { makeReady, typesOf } from './ready.mjs'

const wanted = process.argv.slice(2)
const names = readdirSync(join(top, 'packages')).filter((name) => wanted.length === 0 || wanted.includes(name))
const benchmarks = names.flatMap((name) => {
  const folder = join(top, 'packages', name, 'bench')
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.bench.ts')) : []
  return files.map((file) => ({ name, file: file.replace(/\.ts$/, '.js') }))
})

const projects = [...new Set(benchmarks.map(({ name }) => join('packages', name)))]
await makeReady(...(projects.length === 0 ? [] : [typesOf(...projects)]))

if (benchmarks.length === 0) process.stdout.write('no benchmarks\n')
for (const { name, file } of benchmarks) {
  process.stdout.write(`\n${name}: ${file}\n`)
  const script = join('node_modules/.tsbuild/bench', file)
  const { ok } = await run([process.execPath, '--expose-gc', script], { show: true, cwd: join(top, 'packages', name) })
  if (!ok) process.exitCode = 1
}
