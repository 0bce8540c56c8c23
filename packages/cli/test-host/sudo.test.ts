// The command prefix, with the real sudo: an ordinary user runs the manager, and only mount, umount and kill run as root.

import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { processesWith } from '@mountkeeper/lab'
import { beforeAll, describe, expect, test } from 'vitest'
import { UID, USER, commandAsUser, give, hasSudo, prepareUser, runAsUser, seen } from './ordinary.js'
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
  start,
  until,
  waitsAt,
} from './world.js'

prepareWorld()
const CONFIG = '/srv/config.json'
const SECRET = 'username=u\npassword=correct horse\n'

describe.runIf(isRoot)('an ordinary user with CAP_SYS_ADMIN, but without a prefix', () => {
  prepareUser([])
  const AMBIENT = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups']
  const CAPABLE = [...AMBIENT, '--inh-caps=+sys_admin', '--ambient-caps=+sys_admin', '--']
  const capable = async (...args: readonly string[]): Promise<Ended> => {
    const started = start([...CAPABLE, process.execPath, seen(MAIN), ...args])
    started.send(attach('1', 'scratch'))
    started.end()
    return started.ended
  }

  test('A15: doctor and run agree that it may not mount', async () => {
    const problem = `uid ${UID} may not mount, whatever its capabilities are: mount(8) asks for root`
    const doctor = await capable('doctor')
    expect(doctor.code).toBe(1)
    expect(doctor.stdout).toContain(problem)
    const run = await capable('run', '--root', ROOT, '--state-dir', STATE)
    expect(run).toMatchObject({ code: 3, stdout: '' })
    expect(run.stderr).toContain(problem)
  })
})

describe.runIf(isRoot && hasSudo)('an ordinary user with the prefix sudo -n --', () => {
  prepareUser([`${USER} ALL=(root) NOPASSWD: /usr/bin/mount, /usr/bin/umount, /usr/bin/kill`])
  beforeAll(() => {
    for (const path of [ROOT, STATE]) give(path)
    for (const path of [`${SOURCE}/one`, `${SOURCE}/two`]) mkdirSync(path)
    for (const path of [SOURCE, `${SOURCE}/one`, `${SOURCE}/two`]) give(path)
    writeFileSync(`${SOURCE}/one/file`, 'one')
    const types = {
      slow: { sources: ['*'] },
      bind: { sources: [`${SOURCE}/`] },
      'fuse.bindfs': { sources: [`${SOURCE}/`] },
      private: {
        sources: ['*'],
        options: { credentials: { secret: 'credentials-file' }, LOGIN: { secret: 'environment' } },
      },
    }
    // Says what it read by a digest.
    writeFileSync(
      '/usr/sbin/mount.private',
      `#!/bin/sh\nsha256sum /proc/self/fd/0 >/srv/read\nexec mount -i -t tmpfs -o nosuid,nodev "$1" "$2"\n`,
    )
    chmodSync('/usr/sbin/mount.private', 0o755)
    mkdirSync('/srv/secrets', { mode: 0o700 })
    writeFileSync('/srv/secrets/login', SECRET, { mode: 0o600 })
    for (const path of ['/srv/secrets', '/srv/secrets/login']) give(path)
    const prefix = ['sudo', '-n', '--']
    writeFileSync(
      CONFIG,
      JSON.stringify({
        ...{ roots: [ROOT], stateDirectory: STATE, types, prefix, deadlines: { mountMs: 2_000 } },
        secretDirectories: ['/srv/secrets'],
      }),
      {
        mode: 0o644,
      },
    )
  })
  const all = ['run', '--config', CONFIG]
  const bind = { type: 'bind', source: `${SOURCE}/one`, options: [] }
  const bindfs = { type: 'fuse.bindfs', source: `${SOURCE}/two`, options: [] }

  test('doctor finds that mount and umount run with it', async () => {
    const { code, stdout, stderr } = await runAsUser(['doctor', '--config', CONFIG])
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`ok {4}privilege +uid ${UID}, mount and umount run with sudo -n --`))
  })

  test('tmpfs, bind and bindfs are attached and detached, and nothing stays', async () => {
    const ended = await runAsUser(all, [
      attach('1', 'scratch'),
      attach('2', 'bound', bind),
      attach('3', 'shown', bindfs),
      { op: 'status', id: 'between' },
      detach('4', '1', 'scratch'),
      detach('5', '2', 'bound'),
      detach('6', '3', 'shown'),
    ])
    const [first, second, third, status, ...detached] = answersOf(ended)
    for (const answer of [first, second, third])
      expect(answer).toMatchObject({ ok: true, result: { mount: 'mounted' } })
    expect(JSON.stringify(status)).toContain(`${ROOT}/shown`)
    expect(detached).toHaveLength(3)
    for (const answer of detached) {
      expect(answer).toMatchObject({ ok: true, result: { mount: 'unmounted', directory: 'removed' } })
    }
    expect(mounted()).toEqual([])
    expect(entriesOf(ROOT)).toEqual([])
  })

  test('a secret passes through sudo as standard input, and is refused as a variable', async () => {
    const of = (name: string): object => ({
      ...{ type: 'private', source: 'share' },
      options: [{ name, secretFile: '/srv/secrets/login' }],
    })
    const ended = await runAsUser(all, [
      attach('1', 'secret', of('credentials')),
      detach('2', '1', 'secret'),
      attach('3', 'variable', of('LOGIN')),
    ])
    const [first, second, third] = answersOf(ended)
    expect([first, second]).toMatchObject([{ ok: true }, { ok: true }])
    expect(third).toMatchObject({ ok: false, error: { _tag: 'MountFailed' } })
    expect(JSON.stringify(third)).toContain('sudo passes no variable on')
    expect(readFileSync('/srv/read', 'utf8')).toContain(createHash('sha256').update(SECRET).digest('hex'))
    expect(mounted()).toEqual([])
  })

  test('mounts outlive the manager, the next one knows them, and takes them off', async () => {
    const before = await runAsUser(all, [attach('1', 'kept'), attach('2', 'bound', bind), attach('3', 'shown', bindfs)])
    expect(answersOf(before).map(({ ok }) => ok)).toEqual([true, true, true])
    expect(readFileSync(`${ROOT}/bound/file`, 'utf8')).toBe('one')
    expect(lstatSync(STATE).uid).toBe(UID)
    const status = await runAsUser(['status', '--config', CONFIG, '--json'])
    for (const name of ['kept', 'bound', 'shown']) expect(status.stdout).toContain(`"${ROOT}/${name}"`)
    const after = await runAsUser(all, [
      attach('4', 'kept'),
      detach('5', '4', 'kept'),
      detach('6', '1', 'kept'),
      detach('7', '2', 'bound'),
      detach('8', '3', 'shown'),
    ])
    expect(answersOf(after).map(({ ok }) => ok)).toEqual([true, true, true, true, true])
    expect(answersOf(after)[0]).toMatchObject({ result: { mount: 'shared' } })
    expect(mounted()).toEqual([])
  })

  test('a mount that passes its deadline is ended, though it runs as root', async () => {
    const gate = newGate()
    const ended = await runAsUser(all, [
      attach('1', 'slow', waitsAt(gate)),
      attach('2', 'quick'),
      detach('3', '2', 'quick'),
    ])
    expect(answersOf(ended).map(({ ok }) => ok)).toEqual([false, true, true])
    await until(() => processesWith(gate.source).length === 0)
    expect(mounted()).toEqual([])
    expect(entriesOf(ROOT)).toEqual([])
  })

  test('a manager that is killed leaves its mounts, and the next one takes them off', async () => {
    const killed = commandAsUser(...all)
    killed.send(attach('1', 'kept'))
    await killed.until(1)
    killed.kill('SIGKILL')
    await killed.ended
    expect(mounted()).toEqual([`${ROOT}/kept scratch`])
    expect(answersOf(await runAsUser(all, [detach('2', '1', 'kept')]))).toMatchObject([{ ok: true }])
    expect(mounted()).toEqual([])
  })
})
