// Where only a person can remove the cause, an attach is refused at once and leaves no record.
import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defaultSettings } from '@mountkeeper/border'
import type { Answer } from '@mountkeeper/core'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import { afterEach, describe, expect, test } from 'vitest'
import { linuxHost } from '../src/index.js'
import { isRoot, prepareWorld, ROOT, sh } from './world.js'

prepareWorld()

/** What is in the way, which each test makes. */
afterEach(() => rmSync(`${ROOT}/way`, { recursive: true, force: true }))

/** Well below every deadline, and below the first look in the background. */
const AT_ONCE_MS = 4_000

interface Ended {
  readonly attached: Answer
  readonly status: Answer
  readonly tookMs: number
}

const attach = async (mountpoint: string): Promise<Ended> => {
  const settings = defaultSettings(ROOT)
  const made = await createMountManager({ settings, host: linuxHost(), journal: createMemoryJournal() })()
  if (made._tag === 'Left') throw new Error(made.left.why)
  const manager = made.right
  expect(await manager.hostUp()()).toMatchObject({ _tag: 'Right' })
  const since = performance.now()
  const filesystem = { type: 'tmpfs', source: 'one', options: [] }
  const attached = await manager.submit({ op: 'attach', mountpoint, filesystem, volume: 'vol', consumer: 'vm' })
  const tookMs = performance.now() - since
  const status = await manager.submit({ op: 'status' })
  await manager.stop()
  return { attached, status, tookMs }
}

const expectRefused = ({ attached, status, tookMs }: Ended, error: object): void => {
  expect(attached).toMatchObject({ ok: false, error: { _tag: 'MountFailed', step: 'directory', ...error } })
  expect(status).toMatchObject({ ok: true, result: { mountpoints: [] } })
  expect(tookMs).toBeLessThan(AT_ONCE_MS)
}

describe('an attach is refused at once, without a record', () => {
  test('below a symbolic link inside of the root', async () => {
    symlinkSync('/srv/source', `${ROOT}/way`)
    const found = { _tag: 'Unknown', why: 'NotADirectory' }
    expectRefused(await attach(`${ROOT}/way/a`), { component: `${ROOT}/way`, found })
    expect(existsSync('/srv/source/a')).toBe(false)
  })
  test('on a symbolic link', async () => {
    symlinkSync('/srv/source', `${ROOT}/way`)
    expectRefused(await attach(`${ROOT}/way`), { found: { _tag: 'Obstacle', kind: 'symlink' } })
  })
  test('below a file', async () => {
    writeFileSync(`${ROOT}/way`, '')
    const found = { _tag: 'Unknown', why: 'NotADirectory' }
    expectRefused(await attach(`${ROOT}/way/a`), { component: `${ROOT}/way`, found })
  })
  test('with a path that the kernel takes, and no command could be given by a descriptor', async () => {
    const names = Array.from({ length: 15 }, () => 'x'.repeat(255))
    const parent = `${ROOT}/way/${names.join('/')}`
    mkdirSync(parent, { recursive: true })
    const mountpoint = `${parent}/${'y'.repeat(4_095 - parent.length - 1)}`
    expectRefused(await attach(mountpoint), { found: { _tag: 'Unknown', why: 'NameTooLong' } })
    expect(sh('find', `${ROOT}/way`, '-name', 'y*')).toBe('')
  })
  test('with a name that no filesystem takes', async () => {
    const { attached } = await attach(`${ROOT}/${'x'.repeat(256)}`)
    expect(attached).toMatchObject({ ok: false, error: { _tag: 'Invalid', field: 'mountpoint' } })
  })
})

/** Attaches as an ordinary user in a user namespace of its own; directories of the host's root are closed to it. */
const ATTACH = `
  const [, border, runtime, linux, root, mountpoint] = process.argv
  const { defaultSettings } = await import(border)
  const { createMemoryJournal, createMountManager } = await import(runtime)
  const { linuxHost } = await import(linux)
  const made = await createMountManager({ settings: defaultSettings(root), host: linuxHost(), journal: createMemoryJournal() })()
  const manager = made.right
  const up = await manager.hostUp()()
  if (up._tag === 'Left') throw new Error(JSON.stringify(up.left))
  const since = performance.now()
  const filesystem = { type: 'tmpfs', source: 'one', options: [] }
  const attached = await manager.submit({ op: 'attach', mountpoint, filesystem, volume: 'vol', consumer: 'vm' })
  const tookMs = performance.now() - since
  const status = await manager.submit({ op: 'status' })
  await manager.stop()
  console.log(JSON.stringify({ attached, status, tookMs }))`

describe.skipIf(!isRoot)('as an ordinary user (needs the rights of the host: skipped in a user namespace)', () => {
  const SEEN = '/srv/repository'
  const USER_ROOT = '/srv/user'
  const asUser = (mountpoint: string): Ended => {
    mkdirSync(SEEN)
    sh('mount', '--bind', fileURLToPath(new URL('../../..', import.meta.url)), SEEN)
    const modules = ['border', 'runtime', 'linux'].map((name) => `${SEEN}/packages/${name}/dist/index.js`)
    const user = ['--reuid=1001', '--regid=1001', '--clear-groups', 'unshare', '-Urm']
    const node = [process.execPath, '--input-type=module', '-e', ATTACH, ...modules, USER_ROOT, mountpoint]
    const { stdout, stderr } = spawnSync('setpriv', [...user, ...node], { encoding: 'utf8' })
    sh('umount', SEEN)
    rmSync(SEEN, { recursive: true })
    rmSync(USER_ROOT, { recursive: true })
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout) as Ended
  }
  const prepare = (): void => {
    mkdirSync(`${USER_ROOT}/closed/deep`, { recursive: true, mode: 0o700 })
    chownSync(USER_ROOT, 1001, 1001)
  }
  test.each(['closed/a', 'closed/deep/a'])('below a directory that it may not enter: %s', (name) => {
    prepare()
    const found = { _tag: 'Unknown', why: 'PermissionDenied' }
    expectRefused(asUser(`${USER_ROOT}/${name}`), { component: `${USER_ROOT}/closed`, found })
  })
})
