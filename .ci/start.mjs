// npm start: from a bare clone to real mounts, in a namespace of their own, for a sample request file.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import process from 'node:process'
import { preparation, run, top } from './prepare.mjs'
import { quote, stage } from './report.mjs'

const SAMPLE = ['run', '--sandbox', '--output', 'transcript', 'test-fixtures/samples/shared-mounts.jsonl']

// Until the command has said how it ended.
process.exitCode = 1

for (const { name, command } of preparation()) {
  const { ok, output } = await stage(name, () => run(command))
  if (ok) continue
  quote(output)
  process.exit(1)
}

const child = spawn(process.execPath, ['packages/cli/dist/main.js', ...SAMPLE], { cwd: top, stdio: 'inherit' })
// A terminal interrupts the child as well, and the child decides when to stop.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal]
})
