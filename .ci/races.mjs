// npm run races [-- --attaches N] [--only WORDS]: another user exchanges directories and links without pause while attaches and
// detaches run, in a namespace of its own; 1,000 attaches for each race by default. Something outside that was touched ends it with
// exit status 1, and so does a race that finds nothing where the tenant is trusted.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { top } from './prepare.mjs'
import { makeReady, typesOf } from './ready.mjs'

await makeReady(typesOf('packages/linux'))

const script = join(top, 'packages/linux/node_modules/.tsbuild/test-host/races/main.js')
const args = [join(top, '.ci/in-namespace.mjs'), process.execPath, script, ...process.argv.slice(2)]
process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1
