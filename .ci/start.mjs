// npm start: from a bare clone to real mounts, in a namespace of their own, for a sample of requests; where bindfs is
// installed and FUSE may be used, one that is served by a daemon is among them.
import { spawn } from 'node:child_process'
import { accessSync, constants as modes, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { top } from './prepare.mjs'
import { makeReady } from './ready.mjs'

const COMMAND = ['run', '--sandbox', '--output', 'transcript', '-']

const may = (path, mode) => {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

const installed = (program) =>
  ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((folder) => may(join(folder, program), modes.X_OK))

const samples = [
  'shared-mounts.jsonl',
  ...(installed('bindfs') && may('/dev/fuse', modes.R_OK | modes.W_OK) ? ['fuse.jsonl'] : []),
]
const requests = () => samples.map((name) => readFileSync(join(top, 'test-fixtures/samples', name), 'utf8')).join('')

// Until the command has said how it ended.
process.exitCode = 1

await makeReady()

const child = spawn(process.execPath, ['packages/cli/bundle/main.js', ...COMMAND], {
  cwd: top,
  stdio: ['pipe', 'inherit', 'inherit'],
})
// It may end before it has read all of it, and says why.
child.stdin.on('error', () => {})
child.stdin.end(requests())
// A terminal interrupts the child as well, and the child decides when to stop.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal]
})
