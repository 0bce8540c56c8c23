// npm run check: what is worth knowing after each change, within half a minute: types, format and lint of what differs from the
// last commit (or, where nothing does, of that commit), and the unit tests of the packages that decide. npm test has all of it.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { run, top } from './prepare.mjs'
import { makeReady } from './ready.mjs'
import { quote, stage } from './report.mjs'

const QUICK = ['types', 'core', 'border', 'plan', 'inspect', 'codec', 'runtime']
const LEFT_OUT = ['**/core/test/model/**', '**/runtime/test/cost.test.ts']

const namesOf = (...args) => {
  const { stdout } = spawnSync('git', args, { cwd: top, encoding: 'utf8' })
  return stdout.split('\n').filter((name) => name !== '')
}

const CODE = /^(packages|\.ci)\/.*\.(ts|mts|js|mjs|cjs)$/
const differing = () => [...namesOf('diff', '--name-only', 'HEAD'), ...namesOf('ls-files', '-o', '--exclude-standard')]
const names = differing()
const changed = (names.length > 0 ? names : namesOf('diff', '--name-only', 'HEAD^', 'HEAD'))
  .filter((name) => CODE.test(name))
  .filter((name) => existsSync(join(top, name)))

const onChanged = (name, ...command) => (changed.length === 0 ? [] : [{ name, command: [...command, ...changed] }])

await makeReady()
const stages = [
  { name: 'types', command: ['npm', 'run', '--silent', 'types'] },
  ...onChanged('format', 'prettier', '--check', '--log-level', 'warn'),
  ...onChanged('lint', 'eslint', '--max-warnings', '0', '--no-warn-ignored'),
  {
    name: 'quick tests',
    command: [
      'vitest',
      'run',
      ...QUICK.flatMap((name) => ['--project', name]),
      ...LEFT_OUT.flatMap((pattern) => ['--exclude', pattern]),
    ],
  },
]
for (const { name, command } of stages) {
  const { ok, output } = await stage(name, () => run(command))
  if (ok) continue
  quote(output)
  process.exitCode = 1
}
