import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, expect, test } from 'vitest'
import type { Check } from '../src/check.js'
import { linuxChecks } from '../src/checks.js'

const base = realpathSync(mkdtempSync(`${tmpdir()}/mountkeeper-`))
mkdirSync(`${base}/root`, { mode: 0o700 })
mkdirSync(`${base}/state`, { mode: 0o700 })
afterAll(() => {
  rmSync(base, { recursive: true })
})
const options = { roots: [`${base}/root`], stateDirectory: `${base}/state` }
const named = (checks: readonly Check[], name: string): Check | undefined => checks.find((check) => check.name === name)

test('every check has its line, and a fix unless it is well', () => {
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

test('secret directories are safe, real and closed, and nothing is said where none is configured', () => {
  mkdirSync(`${base}/secrets/open`, { recursive: true, mode: 0o700 })
  chmodSync(`${base}/secrets/open`, 0o755)
  mkdirSync(`${base}/wide`)
  chmodSync(`${base}/wide`, 0o777)
  symlinkSync(`${base}/secrets`, `${base}/link`)
  writeFileSync(`${base}/secrets/file`, '', { mode: 0o600 })
  const names = ['secrets', 'secrets/open', 'secrets/file', 'wide', 'link', 'none']
  const directories = names.map((name) => `${base}/${name}`)
  const checks = linuxChecks({ ...options, secrets: { directories, environment: [] } })
  const said = (name: string): Partial<Check> | undefined => {
    const { ok, text, mend } = named(checks, `secret directory ${base}/${name}`) ?? {}
    return JSON.parse(JSON.stringify({ ok, text, mend }).replaceAll(base, '')) as Partial<Check>
  }
  expect(said('secrets')).toEqual({ ok: 'ok', text: 'mode 700, closed to others' })
  expect(said('secrets/open')).toEqual({
    ok: 'warn',
    text: 'mode 755: others can see which secrets there are',
    mend: 'chmod 0700 /secrets/open',
  })
  expect(said('secrets/file')).toMatchObject({ ok: 'fail', text: 'it is not a directory' })
  expect(said('wide')).toEqual({
    ok: 'fail',
    text: '/wide can be written by others (mode 777)',
    mend: 'chmod go-w /wide',
  })
  expect(said('link')).toEqual({
    ok: 'fail',
    text: 'a link on the way leads to /secrets',
    mend: 'configure /secrets instead',
  })
  expect(said('none')).toEqual({
    ok: 'fail',
    text: '/none does not exist',
    mend: 'create it: install -d -m 0700 /none',
  })
  expect(named(checks, 'secrets in memory')?.ok).toBe('ok')
  expect(named(checks, 'prlimit')?.ok).toBe('ok')
  const none = linuxChecks({ ...options, secrets: { directories: [], environment: [] } }).map(({ name }) => name)
  expect(none.filter((name) => name.includes('secret') || name === 'prlimit')).toEqual([])
})

test('what is wrong is reported with its fix', () => {
  const OWN = process.getuid?.() ?? 0
  const checks = linuxChecks({
    roots: [`${base}/none`, `${base}/root`],
    stateDirectory: `${base}/root/state`,
    prefix: ['no-such-sudo'],
    uid: 4321,
    // Of the directories above.
    trustedOwners: { [`${base}/none`]: [OWN], [`${base}/root`]: [OWN] },
  })
  expect(named(checks, `root ${base}/none`)).toMatchObject({
    ok: 'fail',
    text: `${base}/none does not exist`,
    mend: `create it: install -d -m 0700 ${base}/none`,
  })
  expect(named(checks, `root ${base}/root`)).toMatchObject({ ok: 'fail', mend: `chown 4321 ${base}/root` })
  expect(named(checks, 'nesting')).toMatchObject({ ok: 'fail', text: `${base}/root/state is in ${base}/root` })
  expect(named(checks, 'privilege')).toMatchObject({ ok: 'fail', text: 'no-such-sudo does not run mount (ENOENT)' })
})
