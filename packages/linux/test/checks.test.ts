import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, expect, test } from 'vitest'
import type { Check } from '../src/checks.js'
import { linuxChecks } from '../src/checks.js'

const base = realpathSync(mkdtempSync(`${tmpdir()}/mountkeeper-`))
mkdirSync(`${base}/root`, { mode: 0o700 })
mkdirSync(`${base}/state`, { mode: 0o700 })
afterAll(() => {
  rmSync(base, { recursive: true })
})
const options = { roots: [`${base}/root`], stateDirectory: `${base}/state` }
const named = (checks: readonly Check[], name: string): Check | undefined => checks.find((check) => check.name === name)

test('every check has its line, and a mend unless it is well', () => {
  const checks = linuxChecks(options)
  for (const { ok, mend, text } of checks) {
    expect(text).not.toBe('')
    expect(mend === undefined).toBe(ok === 'ok')
  }
  expect(named(checks, 'mount')?.text).toContain('util-linux')
  expect(named(checks, `root ${base}/root`)?.ok).toBe('ok')
  expect(named(checks, `state directory ${base}/state`)?.ok).toBe('ok')
  expect(named(checks, 'mount table')?.ok).toBe('ok')
})

test('nothing is said about a state directory where none is configured', () => {
  const names = linuxChecks({ roots: options.roots }).map(({ name }) => name)
  expect(names.filter((name) => name.includes('state') || name === 'nesting')).toEqual([])
  expect(names).toContain(`root ${base}/root`)
})

test('who can read a directory can lock it', () => {
  chmodSync(`${base}/root`, 0o755)
  expect(named(linuxChecks(options), `lock of ${base}/root`)).toEqual({
    name: `lock of ${base}/root`,
    ok: 'warn',
    text: 'mode 755: who can read it can take its lock',
    mend: `chmod 0700 ${base}/root`,
  })
  chmodSync(`${base}/root`, 0o700)
})

test('what is wrong is told with its mend', () => {
  const checks = linuxChecks({
    roots: [`${base}/none`, `${base}/root`],
    stateDirectory: `${base}/root/state`,
    prefix: ['no-such-sudo'],
    uid: 4321,
  })
  expect(named(checks, `root ${base}/none`)).toMatchObject({
    ok: 'fail',
    mend: `make it: install -d -m 0700 ${base}/none`,
  })
  expect(named(checks, `root ${base}/root`)).toMatchObject({ ok: 'fail', mend: `chown 4321 ${base}/root` })
  expect(named(checks, 'nesting')).toMatchObject({ ok: 'fail', text: `${base}/root/state lies in ${base}/root` })
  expect(named(checks, 'privilege')).toMatchObject({ ok: 'fail', text: 'no-such-sudo does not run mount (ENOENT)' })
})
