// The conformance kit under node:test, as the guide shows it.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../test/examples/write-a-port.mjs', import.meta.url))

test('the program of the guide runs all cases under node:test', () => {
  const guide = readFileSync(new URL('../docs/write-a-port.md', import.meta.url), 'utf8')
  expect(guide).toContain(`\`\`\`js\n${readFileSync(program, 'utf8')}\`\`\`\n`)
  // Node's runner does not nest; this run is one of its own.
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env
  const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', program], {
    encoding: 'utf8',
    env,
  })
  expect(stdout).toContain('ok 1 - L15 host: every outcome says what was found')
  expect(stdout).toMatch(/^# pass 12$/m)
  expect(status).toBe(0)
})
