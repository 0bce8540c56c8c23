// npm run crash [-- --kills N] [--seed N] [--lanes N]: kills the built command again and again on real mounts, in a namespace of
// its own, and compares what is there with the answers that callers got. 5,000 kills by default, 4 managers side by side; the seed is
// printed. A broken law ends it with what happened last, the mount table and the journal, and exit status 1.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { top } from './prepare.mjs'
import { makeReady } from './ready.mjs'

await makeReady()

const script = join(top, 'packages/lab/dist/crash/main.js')
const args = [join(top, '.ci/in-namespace.mjs'), process.execPath, script, ...process.argv.slice(2)]
process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1
