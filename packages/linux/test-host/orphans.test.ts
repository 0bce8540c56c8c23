// Which processes count as commands of an earlier life: not one that has the pid of an ended one, none of other users; and no
// start where they would be hidden.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { createOrphans } from '../src/orphans.js'
import { anyLives, leaderOf, membersOf } from '../src/processes.js'
import { isRoot, prepareWorld, sh, sleep } from './world.js'

prepareWorld()

const started: ChildProcess[] = []
afterEach(async () => {
  for (const child of started.splice(0)) {
    const ended = new Promise((done) => child.once('exit', done))
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended
  }
})

/** A process that looks like a command whose manager is gone. */
const forged = async (
  name: string,
  more: { readonly uid?: number; readonly cwd?: string } = {},
): Promise<ChildProcess> => {
  const operand = more.cwd === undefined ? `/proc/99999/fd/3/x/${name}` : `./${name}`
  const vector = ['-c', `exec -a mount perl -e '$| = 1; print "up"; sleep 1000' -- source ${operand}`]
  const { uid, cwd = '/' } = more
  const options = uid === undefined ? {} : { uid, gid: uid }
  const child = spawn('bash', vector, { detached: true, cwd, stdio: ['ignore', 'pipe', 'ignore'], ...options })
  started.push(child)
  await new Promise((up) => child.stdout.once('data', up))
  return child
}

/** `own` is not this process, for whose commands they would be taken otherwise. */
const found = async (uid = 0): Promise<ReturnType<typeof createOrphans>> => {
  const orphans = createOrphans([], 'nobody', uid)
  expect(await orphans.search()).toBeUndefined()
  return orphans
}

test('one is known by the path below its root, or by the directory that it was started in', async () => {
  await forged('victim')
  await forged('inside', { cwd: '/srv/mounts' })
  const orphans = await found()
  expect(orphans.at('/srv/mounts/x/victim')).toContain('(mount) of an earlier life')
  expect(orphans.at('/srv/mounts/victim')).toBeUndefined()
  expect(orphans.at('/srv/mounts/inside')).toContain('(mount) of an earlier life')
  expect(orphans.at('/srv/other/inside')).toBeUndefined()
})

test.skipIf(!isRoot)(
  'A8: a process of another user is none, whatever it calls itself (needs the rights of root)',
  async () => {
    await forged('victim', { uid: 4242 })
    expect((await found()).at('/srv/mounts/x/victim')).toBeUndefined()
    // For a manager of that user it is one.
    expect((await found(4242)).at('/srv/mounts/x/victim')).toContain('of an earlier life')
  },
)

/** Starts processes until one has this pid; nothing where the kernel does not let us choose it. */
const startAs = async (pid: number): Promise<ChildProcess | undefined> => {
  for (let tries = 0; tries < 50; tries += 1) {
    try {
      writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1))
    } catch {
      return undefined
    }
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore', cwd: '/' })
    started.push(child)
    if (child.pid === pid) return child
    child.kill('SIGKILL')
    await sleep(1)
  }
  return undefined
}

describe('F11: a pid that is used again', () => {
  test('is no longer a command, nor one that is waited for', async (context) => {
    const child = await forged('victim')
    const pid = child.pid!
    const leader = leaderOf(pid)
    const orphans = await found()
    expect(orphans.at('/srv/mounts/x/victim')).toContain(`process ${pid} `)
    expect(leader.started).toMatch(/^\d+$/)
    expect([anyLives(leader), membersOf(leader).length]).toEqual([true, 1])
    // Started in another tick of the clock.
    await sleep(50)
    child.kill('SIGKILL')
    await new Promise((done) => child.once('exit', done))
    const stranger = await startAs(pid)
    if (stranger === undefined) context.skip('the kernel does not let this user choose a pid')
    expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('sleep\n')
    expect(orphans.at('/srv/mounts/x/victim')).toBeUndefined()
    expect([anyLives(leader), membersOf(leader).length]).toEqual([false, 0])
  })
})

const DISCOVER = `
import(process.argv[1]).then(async ({ linuxChecks, linuxHost }) => {
  const effect = { _tag: 'Discover', effect: 1, roots: [], known: [], deadlineMs: 20000 }
  const { found } = await linuxHost().run(effect)
  const check = linuxChecks({ roots: [] }).find(({ name }) => name === 'processes')
  console.log(JSON.stringify({ found, check }))
})`

interface AsUser {
  readonly found: { readonly _tag: string; readonly reason?: string }
  readonly check: { readonly ok: string }
}

const asUser = (uid: number): AsUser => {
  const module = fileURLToPath(new URL('../dist/index.js', import.meta.url))
  const child = spawnSync(process.execPath, ['-e', DISCOVER, module], { uid, gid: uid, encoding: 'utf8', cwd: '/' })
  if (child.status !== 0) throw new Error(child.stderr)
  return JSON.parse(child.stdout) as AsUser
}

describe.skipIf(!isRoot)('F12: a manager that does not see the processes of root (needs the rights of root)', () => {
  test('does not come up, and doctor fails; with hidepid off, or as root, all is well', () => {
    expect(asUser(65_534)).toMatchObject({ found: { _tag: 'Discovered' }, check: { ok: 'ok' } })
    sh('mount', '-o', 'remount,hidepid=2', '/proc')
    try {
      const hidden = asUser(65_534)
      expect(hidden).toMatchObject({ found: { _tag: 'NotDiscovered' }, check: { ok: 'fail' } })
      expect(hidden.found.reason).toContain('hidepid')
      expect(asUser(0)).toMatchObject({ found: { _tag: 'Discovered' }, check: { ok: 'ok' } })
    } finally {
      sh('mount', '-o', 'remount,hidepid=0', '/proc')
    }
  })
})
