// npm run mutation -- [PACKAGE] [OPTIONS of stryker]: changes a package at every place and runs its tests against each change.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import process from 'node:process'

const [first = '', ...rest] = process.argv.slice(2)
const isPackage = first !== '' && !first.startsWith('-')
if (isPackage && !existsSync(`packages/${first}/test`)) {
  process.stderr.write(`there is no packages/${first} with tests; name one of core, codec, journal, runtime, linux\n`)
  process.exit(2)
}
const args = isPackage ? rest : process.argv.slice(2)
const env = { ...process.env, MUTATION_PACKAGE: isPackage ? first : 'core' }
const { status } = spawnSync('stryker', ['run', 'stryker.config.mjs', ...args], { stdio: 'inherit', env })
process.exitCode = status ?? 1
