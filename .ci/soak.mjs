// npm run soak [-- --minutes N] [--seed N]: random requests, faults, hangs, kills and third parties on real filesystems, in a
// namespace of its own, with the laws checked from outside all along. A broken law ends it with exit status 1, and with the name of
// the trace of the manager's life.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { top } from './prepare.mjs'
import { makeReady } from './ready.mjs'

await makeReady()

const script = join(top, 'packages/lab/dist/soak/soak.js')
const command = [join(top, '.ci/in-namespace.mjs'), process.execPath, script, ...process.argv.slice(2)]
const child = spawn(process.execPath, command, { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill('SIGTERM'))
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})
