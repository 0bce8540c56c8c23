// The manager as an ordinary user, with the real sudo and mountkeeper-exec: the only thing that sudo allows. Roots and mountpoints
// belong to root; the manager has no right over them, and serves all the same.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { processesWith } from '@mountkeeper/lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UID, USER, commandAsUser, give, hasSudo, prepareUser, runAsUser, seen, startAsUser } from './ordinary.js'
import type { Ended } from './world.js'
import {
  MAIN,
  ROOT,
  SOURCE,
  STATE,
  answersOf,
  attach,
  detach,
  entriesOf,
  isRoot,
  mounted,
  newGate,
  prepareWorld,
  run,
  sh,
  until,
  waitsAt,
} from './world.js'

prepareWorld()

const BUILT = fileURLToPath(new URL('../../exec/dist/mountkeeper-exec.cjs', import.meta.url))
const PROGRAM = '/srv/lib/mountkeeper-exec.cjs'
const CONFIG = '/srv/config.json'
const LISTS = '/etc/mountkeeper/exec.json'
const EXEC = ['sudo', '-n', '--', process.execPath, PROGRAM]

const SECRET = 'planted-4711'

/** What the helper got: its standard input by name and as it is, and a variable; each by a digest, and what all can see of it. */
const SHOWS_SECRET = `#!/bin/sh
{ echo "$1"; cat /proc/self/fd/0 | sha256sum; cat | sha256sum; printf %s "$LOGIN" | sha256sum; } >/srv/read
tr '\\0' ' ' </proc/$$/cmdline >/srv/seen
echo "it was $(cat /proc/self/fd/0)$LOGIN" >&2
case $1 in refused) exit 32 ;; esac
exec mount -i -t tmpfs -o nosuid,nodev "$1" "$2"
`

/** What Debian has in its sudoers, before that of the manager is read. */
const DEBIAN = `Defaults env_reset
Defaults mail_badpass
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
Defaults use_pty
root ALL=(ALL:ALL) ALL
`

describe.runIf(isRoot && hasSudo)('an ordinary user with mountkeeper-exec', () => {
  // An overlay over /etc comes first, so that files can be added there.
  beforeAll(() => {
    for (const path of ['/srv/etc-up', '/srv/etc-work', '/srv/lib']) mkdirSync(path, { mode: 0o755 })
    sh('mount', '-t', 'overlay', '-o', 'lowerdir=/etc,upperdir=/srv/etc-up,workdir=/srv/etc-work', 'etc', '/etc')
    mkdirSync('/etc/mountkeeper', { mode: 0o755 })
    copyFileSync(BUILT, PROGRAM)
    chmodSync(PROGRAM, 0o644)
    chmodSync(ROOT, 0o755)
    give(STATE)
    for (const path of [SOURCE, `${SOURCE}/one`, `${SOURCE}/two`]) mkdirSync(path, { recursive: true })
    for (const path of [SOURCE, `${SOURCE}/one`, `${SOURCE}/two`]) chmodSync(path, 0o755)
    writeFileSync(`${SOURCE}/one/file`, 'one')
    const types = {
      slow: { sources: ['*'] },
      bind: { sources: [`${SOURCE}/`] },
      'fuse.bindfs': { sources: [`${SOURCE}/`] },
      private: {
        sources: ['*'],
        options: {
          credentials: { secret: 'credentials-file' },
          password: { secret: 'stdin' },
          LOGIN: { secret: 'environment' },
        },
      },
    }
    writeFileSync('/usr/sbin/mount.private', SHOWS_SECRET)
    chmodSync('/usr/sbin/mount.private', 0o755)
    mkdirSync('/srv/secrets', { mode: 0o700 })
    writeFileSync('/srv/secrets/login', SECRET, { mode: 0o600 })
    for (const path of ['/srv/secrets', '/srv/secrets/login']) give(path)
    const secretDirectories = ['/srv/secrets']
    const configuration = {
      ...{ roots: [ROOT], stateDirectory: STATE, types, exec: EXEC, deadlines: { mountMs: 3_000 }, secretDirectories },
    }
    writeFileSync(CONFIG, JSON.stringify(configuration), { mode: 0o644 })
  })
  afterAll(() => {
    sh('umount', '-l', '/etc')
  })
  prepareUser([])
  const all = ['run', '--config', CONFIG]
  const bind = { type: 'bind', source: `${SOURCE}/one`, options: [] }
  const bindfs = { type: 'fuse.bindfs', source: `${SOURCE}/two`, options: [] }
  const okOf = (ended: Ended): readonly unknown[] => answersOf(ended).map(({ ok }) => ok)

  test('before anything is installed doctor fails, and says what to do', async () => {
    const { code, stdout } = await runAsUser(['doctor', '--config', CONFIG])
    expect(code).toBe(1)
    expect(stdout).toMatch(/FAIL {2}privilege +mountkeeper-exec: .*; fix: see mountkeeper doctor --sudoers/)
    expect(stdout).toMatch(/FAIL {2}lock of .*as root: install -m 0600 -o 4242/)
    expect(stdout).toMatch(/FAIL {2}\/etc\/mountkeeper\/exec.json +it cannot be read/)
  })

  test('doctor prints the sudoers file and the lists; with them it is ready', async () => {
    const sudoers = await runAsUser(['doctor', '--config', CONFIG, '--sudoers'])
    expect(sudoers).toMatchObject({ code: 0, stderr: '' })
    expect(sudoers.stdout.split('\n').filter((line) => !line.startsWith('#'))).toEqual([
      `Cmnd_Alias MOUNTKEEPER_EXEC = ${process.execPath} ${PROGRAM}`,
      'Defaults!MOUNTKEEPER_EXEC env_reset, !setenv, !requiretty',
      `${USER} ALL=(root) NOPASSWD: NOSETENV: MOUNTKEEPER_EXEC`,
      '',
    ])
    writeFileSync('/srv/sudoers', sudoers.stdout, { mode: 0o440 })
    expect(sh('visudo', '-c', '-f', '/srv/sudoers')).toContain('parsed OK')
    writeFileSync('/etc/sudoers', `${DEBIAN}${sudoers.stdout}`)
    const lists = await run(['doctor', '--config', CONFIG, '--exec'])
    expect(lists).toMatchObject({ code: 0, stderr: '' })
    writeFileSync(LISTS, lists.stdout, { mode: 0o644 })
    writeFileSync(`${ROOT}/.mountkeeper-lock`, '', { mode: 0o600 })
    give(`${ROOT}/.mountkeeper-lock`)
    const { code, stdout, stderr } = await runAsUser(['doctor', '--config', CONFIG])
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('changes are made by mountkeeper-exec, as root')
    expect(stdout).toContain('it allows what this configuration allows')
  })

  test('without exec the sudoers file is refused with the reason', async () => {
    writeFileSync('/srv/plain.json', JSON.stringify({ roots: [ROOT] }), { mode: 0o644 })
    const { code, stdout, stderr } = await runAsUser(['doctor', '--config', '/srv/plain.json', '--sudoers'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('would make this user root')
    expect(stderr).toContain('"exec": ["sudo", "-n", "--"')
  })

  test('a program that the user can change is refused', async () => {
    mkdirSync('/srv/theirs')
    give('/srv/theirs')
    const exec = ['sudo', '-n', '--', process.execPath, '/srv/theirs/exec.cjs']
    writeFileSync('/srv/theirs.json', JSON.stringify({ roots: [ROOT], exec }), { mode: 0o644 })
    writeFileSync('/srv/theirs/exec.cjs', '')
    const { code, stderr } = await runAsUser(['doctor', '--config', '/srv/theirs.json', '--sudoers'])
    expect(code).toBe(2)
    expect(stderr).toContain('/srv/theirs/exec.cjs would run as root, and users other than root can change it')
  })

  test('tmpfs, bind and bindfs are attached and detached; directories belong to root', async () => {
    const attached = await runAsUser(all, [
      attach('1', 'scratch'),
      attach('2', 'bound', bind),
      attach('3', 'shown', bindfs),
      { op: 'status', id: 'between' },
    ])
    const [first, second, third, status] = answersOf(attached)
    for (const answer of [first, second, third])
      expect(answer).toMatchObject({ ok: true, result: { mount: 'mounted' } })
    expect(JSON.stringify(status)).toContain(`${ROOT}/shown`)
    expect(readFileSync(`${ROOT}/bound/file`, 'utf8')).toBe('one')
    sh('umount', `${ROOT}/scratch`)
    expect(lstatSync(`${ROOT}/scratch`)).toMatchObject({ uid: 0 })
    const detached = await runAsUser(all, [
      detach('4', '1', 'scratch'),
      detach('5', '2', 'bound'),
      detach('6', '3', 'shown'),
    ])
    expect(okOf(detached)).toEqual([true, true, true])
    expect(mounted()).toEqual([])
    expect(entriesOf(ROOT)).toEqual([])
  })

  test('mounts outlive the manager, also one that is killed; the next one takes them off', async () => {
    const killed = commandAsUser(...all)
    killed.send(attach('1', 'kept'), attach('2', 'bound', bind))
    await killed.until(2)
    const [exec] = processesWith(`${process.execPath} ${PROGRAM}`)
    expect(exec).toBeDefined()
    killed.kill('SIGKILL')
    await killed.ended
    await until(() => processesWith(PROGRAM).length === 0)
    expect(mounted()).toHaveLength(2)
    expect(okOf(await runAsUser(all, [attach('3', 'kept'), detach('4', '3', 'kept')]))).toEqual([true, true])
    expect(okOf(await runAsUser(all, [detach('5', '1', 'kept'), detach('6', '2', 'bound')]))).toEqual([true, true])
    expect(mounted()).toEqual([])
  })

  test('a mount that passes its deadline is ended, and others go on', async () => {
    const gate = newGate()
    const ended = await runAsUser(all, [
      attach('1', 'slow', waitsAt(gate)),
      attach('2', 'quick'),
      detach('3', '2', 'quick'),
    ])
    expect(okOf(ended)).toEqual([false, true, true])
    await until(() => processesWith(gate.source).length === 0)
    expect(mounted()).toEqual([])
    expect(entriesOf(ROOT)).toEqual([])
  })

  test('a secret reaches its helper over mountkeeper-exec, and no other process', async () => {
    const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
    const nothing = digest('')
    const of = (name: string, source: string): object => ({
      ...{ type: 'private', source },
      options: [{ name, secretFile: '/srv/secrets/login' }],
    })
    const ways = [
      ['credentials', 'credentials=/proc/self/fd/0', [digest(SECRET), digest(SECRET), nothing]],
      ['password', 'password_stdin', [digest(SECRET), digest(SECRET), nothing]],
      ['LOGIN', 'nosuid', [nothing, nothing, digest(SECRET)]],
    ] as const
    for (const [name, text, got] of ways) {
      const ended = await runAsUser(all, [
        attach('1', 'secret', of(name, name)),
        detach('2', '1', 'secret'),
        attach('3', 'failed', of(name, 'refused')),
      ])
      expect(okOf(ended), ended.stdout).toEqual([true, true, false])
      const [source, ...read] = readFileSync('/srv/read', 'utf8').trim().split('\n')
      expect([source, ...read.map((line) => line.replace('  -', ''))]).toEqual(['refused', ...got])
      expect(readFileSync('/srv/seen', 'utf8')).toContain(text)
      const journal = readdirSync(STATE).map((file) => readFileSync(`${STATE}/${file}`, 'utf8'))
      const seenByAll = [ended.stdout, ended.stderr, readFileSync('/srv/seen', 'utf8'), ...journal].join('\n')
      expect(seenByAll).not.toContain(SECRET)
      expect(ended.stdout).toContain('***')
    }
    expect(mounted()).toEqual([])
  })

  test('mountkeeper-exec is killed while a mount runs: that one is waited for, and the next change starts it again', async () => {
    const gate = newGate()
    const manager = commandAsUser(...all, '--concurrent')
    manager.send(attach('1', 'slow', waitsAt(gate)))
    await gate.begun()
    for (const { pid } of processesWith(PROGRAM)) {
      // sudo ends with what it has started.
      spawnSync('kill', ['-KILL', String(pid)])
    }
    gate.open()
    await manager.until(1)
    manager.send(attach('2', 'quick'), detach('3', '2', 'quick'))
    await manager.until(3)
    manager.end()
    const ended = await manager.ended
    const answers = answersOf(ended)
    expect(answers.filter(({ id }) => id !== '1').map(({ ok }) => ok)).toEqual([true, true])
    // Whatever became of the first one is reported as it is, and can be taken off.
    await runAsUser(all, [detach('4', '1', 'slow')])
    expect(mounted()).toEqual([])
  })

  test('what the lists do not allow is refused by mountkeeper-exec, whatever the manager believes', async () => {
    const types = { bind: { sources: ['/srv/'] } }
    const wider = { roots: [ROOT], stateDirectory: STATE, types, exec: EXEC }
    writeFileSync('/srv/wider.json', JSON.stringify(wider), { mode: 0o644 })
    mkdirSync('/srv/outside', { mode: 0o755 })
    const ended = await runAsUser(
      ['run', '--config', '/srv/wider.json'],
      [attach('1', 'out', { type: 'bind', source: '/srv/outside', options: [] })],
    )
    expect(okOf(ended)).toEqual([false])
    expect(ended.stdout).toContain('mountkeeper-exec refuses it: the source is not allowed for type bind')
    expect(existsSync(`${ROOT}/out`)).toBe(false)
    const doctor = await startAsUser(process.execPath, seen(MAIN), 'doctor', '--config', '/srv/wider.json').ended
    expect(doctor.stdout).toContain('it differs from this configuration')
  })

  test('the user may start nothing else by sudo', () => {
    expect(() => sh('setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups', '--', 'sudo', '-n', 'id')).toThrow(
      /password is required|not allowed/,
    )
  })
})
