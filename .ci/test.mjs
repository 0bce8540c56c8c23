// npm test: every check and every test of the repository, from a bare clone, one line each.
// --verbose shows what the stages print; without it only a failed one is quoted.
// The last line is `N passed, N failed, N skipped`: a check counts as one, a test as one.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import process from 'node:process'
import { collect, noFigures, tell } from './figures.mjs'
import { preparation, run, top } from './prepare.mjs'
import { quote, red, stage, yellow } from './report.mjs'
import { unreported } from './unreported.mjs'

const verbose = process.argv.includes('--verbose')
const reports = mkdtempSync(join(tmpdir(), 'mountkeeper-reports-'))
process.on('exit', () => rmSync(reports, { recursive: true, force: true }))

const total = { passed: 0, failed: 0 }
const skipped = []
const figures = noFigures()

const scripts = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')).scripts
const npmRun = (script) => ['npm', 'run', '--silent', script]

const packages = readdirSync(join(top, 'packages')).map((name) => {
  const manifest = JSON.parse(readFileSync(join(top, 'packages', name, 'package.json'), 'utf8'))
  return { name, full: manifest.name, scripts: manifest.scripts ?? {} }
})

const show = async (name, work) => {
  const result = await stage(name, work, { shown: verbose })
  if (!result.ok && !verbose) quote(result.output)
  return result.ok
}

const check = async ({ name, command }) => {
  const ok = await show(name, () => run(command, { show: verbose }))
  total[ok ? 'passed' : 'failed'] += 1
  return ok
}

const testFiles = (folder) =>
  existsSync(folder) ? readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.test.ts')) : []

// A file that could not be imported has no tests, and a fault outside of all tests has no file: both are failures.
const count = ({ ok, output, report, files, name }) => {
  if (!existsSync(report)) return unreported({ ok, output, files, name })
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
  const tests = testResults.flatMap((file) =>
    file.assertionResults.map((test) => ({ ...test, file: relative(top, file.name) })),
  )
  collect(figures, tests)
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
  const failed = tests.filter((test) => test.status === 'failed').length + broken
  return {
    passed: tests.filter((test) => test.status === 'passed').length,
    failed: failed === 0 && !ok ? 1 : failed,
    skipped: tests
      .filter((test) => test.status !== 'passed' && test.status !== 'failed')
      .map((test) => `${test.file}: ${test.fullName}`),
  }
}

const suite = async ({ name, command, folder }) => {
  const report = join(reports, `${name.replaceAll(' ', '-')}.json`)
  const reporting = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  await show(name, async () => {
    const { ok, output } = await run([...command, ...reporting], { show: verbose })
    const counted = count({ ok, output, report, files: testFiles(folder), name })
    total.passed += counted.passed
    total.failed += counted.failed
    skipped.push(...counted.skipped)
    const notes = [`${counted.passed} passed`]
    if (counted.failed > 0) notes.push(red(`${counted.failed} failed`))
    if (counted.skipped.length > 0) notes.push(yellow(`${counted.skipped.length} skipped`))
    return { ok: counted.failed === 0, output, note: notes.join(', ') }
  })
}

const turbo = (full, script) => [
  'turbo',
  'run',
  script,
  `--filter=${full}`,
  '--only',
  '--ui=stream',
  '--log-prefix=none',
  '--',
]

const everything = async () => {
  for (const { name, command } of preparation()) {
    if (name !== 'install') await check({ name, command })
    else if (!(await show(name, () => run(command, { show: verbose })))) return void (total.failed += 1)
  }
  for (const name of ['types', 'lint', 'format', 'arch']) {
    const script = `${name}:check` in scripts ? `${name}:check` : name
    await check({ name, command: npmRun(script) })
  }
  for (const { name, full, scripts: own } of packages) {
    if (!('test' in own)) continue
    await suite({ name: `test ${name}`, command: turbo(full, 'test'), folder: join(top, 'packages', name, 'test') })
  }
  for (const { name, full, scripts: own } of packages) {
    if (!('test:host' in own)) continue
    const folder = join(top, 'packages', name, 'test-host')
    await suite({ name: `host ${name}`, command: turbo(full, 'test:host'), folder })
  }
  const repository = ['vitest', 'run', '--config', '.ci/test/vitest.config.ts']
  await suite({ name: 'test repository', command: repository, folder: join(top, '.ci/test') })
}

// Whatever ends this process early, it has not passed.
process.exitCode = 1
await everything()
if (skipped.length > 0) {
  process.stdout.write(
    yellow(`\nSKIPPED, so nothing is known about:\n${skipped.map((name) => `  ${name}\n`).join('')}`),
  )
}
const told = tell(figures)
process.stdout.write(`\nFigures of this run:\n${told.lines.map((line) => `${line}\n`).join('')}`)
if (told.missing.length > 0) process.stdout.write(yellow(`missing: ${told.missing.join(', ')}\n`))
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${skipped.length} skipped\n`)
process.exitCode = total.failed === 0 ? 0 : 1
