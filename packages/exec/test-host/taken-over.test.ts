// A manager that an attacker has taken over: it says to mountkeeper-exec whatever it likes, by the real sudo, and tries the rest of
// what sudo gives it. It can mount only what the lists allow, only below the roots.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { LINE_BYTES_MAX } from '../src/protocol.js'
import {
  PROGRAM,
  ROOT,
  START,
  UID,
  allMounts,
  asUser,
  hasSudo,
  isRoot,
  mounted,
  prepareWorld,
  sh,
  talk,
} from './world.js'

prepareWorld()

/** A generator of numbers with a seed (mulberry32): a failure can be repeated. */
const random = (seed: number): ((below: number) => number) => {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}

const TENANT = '/srv/exports/tenant'

describe.runIf(isRoot && hasSudo)('a manager that was taken over', () => {
  let before: readonly string[] = []
  const outside = (): readonly string[] => allMounts().filter((path) => !path.startsWith(`${ROOT}/`))
  const everything = (): readonly string[] => [
    ...['/srv/outside', '/srv/exports', '/etc/mountkeeper', '/usr/local/lib'].flatMap((path) => [
      path,
      ...readdirSync(path),
    ]),
  ]
  let files: readonly string[] = []
  const clear = (): void => {
    // What is under another mount is reached when that is gone.
    for (let rounds = 0; rounds < 2_000 && mounted().length > 0; rounds += 1) {
      for (const line of [...mounted()].reverse()) spawnSync('umount', ['-l', line.split(' ')[0] ?? ''])
    }
  }

  beforeAll(() => {
    for (const path of [TENANT, `${TENANT}/dir`]) {
      mkdirSync(path, { mode: 0o755 })
      chownSync(path, UID, UID)
    }
    writeFileSync(`${TENANT}/dir/mine`, 'mine')
    symlinkSync('/srv/outside', `${TENANT}/dir/b`)
    symlinkSync('/srv/outside', `${TENANT}/link`)
    for (const name of ['a', 'c', 'd']) mkdirSync(`${ROOT}/${name}`)
    before = outside()
    files = everything()
  })
  afterEach(() => {
    clear()
    expect(outside()).toEqual(before)
    expect(everything()).toEqual(files)
    expect(readFileSync('/srv/outside/secret', 'utf8')).toBe('secret')
  })

  test.each([
    ['mount', ['/usr/bin/mount', '--bind', '/srv/outside', `${ROOT}/a`]],
    ['a shell', ['/bin/sh', '-c', 'id']],
    ['node with another program', [process.execPath, '-e', '0']],
    ['node with an option before it', [process.execPath, '--require', '/srv/x.cjs', PROGRAM]],
    ['mountkeeper-exec with an argument', [...START, '/srv/exports/tenant/lists.json']],
    ['mountkeeper-exec with an empty argument', [...START, '']],
  ])('sudo does not start %s', (_, vector) => {
    const { status, stderr } = asUser('sudo', '-n', '--', ...vector)
    expect(status).toBe(1)
    expect(stderr).toMatch(/password is required|not allowed/)
  })

  test('its environment chooses no program and no library', async () => {
    const evil = "require('fs').writeFileSync('/srv/outside/evil', '')"
    writeFileSync('/srv/evil.cjs', evil)
    mkdirSync('/srv/bin')
    for (const name of ['node', 'mount', 'umount', 'sh']) {
      writeFileSync(`/srv/bin/${name}`, '#!/bin/dash\n: >/srv/outside/evil\n')
      chmodSync(`/srv/bin/${name}`, 0o755)
    }
    const exec = talk([], { NODE_OPTIONS: '--require /srv/evil.cjs', LD_PRELOAD: '/srv/x.so', PATH: '/srv/bin' })
    const ready = await exec.until(({ _tag }) => _tag === 'ready')
    const pid = ready._tag === 'ready' ? ready.pid : 0
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toMatch(/NODE_OPTIONS|LD_PRELOAD/)
    const tmpfs = {
      do: 'mount',
      mountpoint: `${ROOT}/a`,
      type: 'tmpfs',
      source: 'x',
      options: ['size=1m', 'nr_inodes=64'],
    }
    expect(await exec.ask(tmpfs)).toMatchObject({ _tag: 'done', status: 0 })
    expect(await exec.close()).toBe(0)
    expect(existsSync('/srv/outside/evil')).toBe(false)
  })

  test('10,000 lines of parts of what is allowed and what is hostile: only what the lists allow is mounted', async () => {
    const next = random(4_242)
    const one = <T>(of: readonly T[]): T => of[next(of.length)]!
    // Half of the parts are good ones, so that many lines are wrong in one place only.
    const part = (good: readonly unknown[], all: readonly unknown[]): unknown => one(next(2) === 0 ? good : all)
    const spots = ['a', 'c', 'd', 'e'].map((name) => `${ROOT}/${name}`)
    const names = [
      'a',
      'c',
      'd',
      'a/b',
      'c/x',
      'e',
      '../outside',
      '.',
      '',
      'a/../../outside',
      'link/b',
      'a\u0000b',
      'd/',
    ]
    const places = [...names.map((name) => `${ROOT}/${name}`), ROOT, '/', '/etc', '/srv/outside', 'a', '', 7, null]
    const sources = [
      ...[
        'scratch',
        `${TENANT}/dir`,
        '/srv/exports/one',
        '/srv/outside',
        '/etc',
        '/',
        `${TENANT}/link`,
        '-o',
        '/srv/exports/..',
      ],
      ...[
        '/proc/1/root',
        '/proc/self/fd/3',
        `${TENANT}/dir/b`,
        'overlay',
        'UUID=1',
        '/srv/exports/one\n',
        '',
        {},
        null,
      ],
    ]
    const types = [
      'tmpfs',
      'tmpfs',
      'bind',
      'bind',
      'overlay',
      'fuse.bindfs',
      'proc',
      'sysfs',
      'none',
      'constructor',
      '',
      3,
    ]
    const options = [
      ...[
        'size=1m',
        'size=1m',
        'size=1m',
        'ro',
        'suid',
        'dev',
        'exec',
        'nosuid',
        'mode=4777',
        'size=0',
        'bind',
        'rbind',
      ],
      ...['move', 'remount', 'X-mount.mkdir', 'helper=x', 'lowerdir=/srv/outside', 'lowerdir=/srv/layers/low', 'uid=0'],
      ...[
        'upperdir=/srv/outside',
        'nosuid,suid',
        'size=1m,suid',
        'loop=/dev/loop0',
        'create-for-user=root',
        'x-a=b',
        '',
        5,
      ],
    ]
    const hows = ['plain', 'force', 'lazy', 'recursive', '-R', null]
    const kinds = ['make-directory', 'remove-directory', 'mount', 'mount', 'mount', 'mount', 'unmount', 'end', 'run']
    const keys = (kind: string): object => ({
      ...(kind === 'end' ? { of: one([0, 1, -1, 'x', 1e9]) } : { mountpoint: part(spots, places) }),
      ...(kind === 'unmount' ? { how: one(hows) } : {}),
      ...(kind === 'mount'
        ? {
            type: part(['tmpfs', 'bind'], types),
            source: part([`${TENANT}/dir`, '/srv/exports/one'], sources),
            options: [
              ...(next(2) === 0 ? ['size=1m', 'nr_inodes=9'] : []),
              ...Array.from({ length: next(3) }, () => one(options)),
            ],
          }
        : {}),
      ...(next(20) === 0 ? { [one(['cwd', 'env', 'vector', '__proto__'])]: '/bin/sh' } : {}),
    })
    const exec = talk()
    let sent = 0
    for (let round = 0; round < 20; round += 1) {
      for (let line = 0; line < 500; line += 1) {
        sent += 1
        const kind = one(kinds)
        const whole = JSON.stringify({ id: sent, do: kind, ...keys(kind) })
        exec.say(next(30) === 0 ? whole.slice(0, next(whole.length)) : whole)
      }
      // A bind is the only thing that it can mount from a path, and only an allowed one.
      const last = sent
      await exec.until((each) => each._tag !== 'ready' && (each.id ?? 0) >= last - 20)
      expect(outside()).toEqual(before)
    }
    sent += 1
    await exec.ask({ id: sent, do: 'make-directory', mountpoint: `${ROOT}/last` })
    const answers = exec.answers()
    expect(answers.filter(({ _tag }) => _tag === 'started').length).toBeGreaterThan(50)
    expect(answers.filter(({ _tag }) => _tag === 'refused').length).toBeGreaterThan(2_000)
    await exec.close()
    await settled()
    // Nothing is taken off now, so that there is something to look at; one after the other, for a place takes one mount at a time.
    const adding = talk()
    for (let line = 0; line < 1_000; line += 1) {
      const kind = one(['make-directory', 'mount', 'mount', 'mount'])
      await adding.ask({ ...keys(kind), do: kind })
    }
    await adding.close()
    await settled()
    expect(tableBelow().length).toBeGreaterThan(20)
    for (const line of tableBelow()) {
      expect(line.target).toMatch(new RegExp(`^${ROOT}/(?:a|c|d|e|a/b|c/x)$`))
      expect(['tmpfs', 'overlay', 'fuse', 'fuse.bindfs']).toContain(line.fstype)
      expect(line.flags).toContain('nosuid')
      expect(line.flags).toContain('nodev')
      // Binds come from the tmpfs over /srv.
      if (line.fstype === 'tmpfs') expect(line.root).toMatch(/^\/$|^\/exports\/(?:one|tenant\/dir)$/)
    }
    clear()
    for (const name of ['e', 'last', 'a/b', 'c/x']) if (existsSync(`${ROOT}/${name}`)) sh('rmdir', `${ROOT}/${name}`)
    for (const name of ['a', 'c', 'd']) if (!existsSync(`${ROOT}/${name}`)) mkdirSync(`${ROOT}/${name}`)
  })

  test('a bind of a tenant and what the tenant has put below it: no mount leaves the root, in any order', async () => {
    const exec = talk()
    mkdirSync(`${ROOT}/a/b`)
    let id = 0
    for (let round = 0; round < 100; round += 1) {
      // Both at once: the second finds its parent before or after the first has covered it.
      const both = [
        { do: 'mount', mountpoint: `${ROOT}/a`, type: 'bind', source: `${TENANT}/dir`, options: [] },
        { do: 'mount', mountpoint: `${ROOT}/a/b`, type: 'tmpfs', source: 'x', options: ['size=1m', 'nr_inodes=64'] },
      ]
      for (const change of both) exec.say(JSON.stringify({ id: ++id, ...change }))
      const last = id
      await exec.until((one) => (one._tag === 'done' || one._tag === 'refused') && one.id === last)
      await exec.until((one) => one._tag === 'done' && one.id === last - 1)
      expect(outside()).toEqual(before)
      exec.say(JSON.stringify({ id: ++id, do: 'unmount', mountpoint: `${ROOT}/a`, how: 'lazy' }))
      exec.say(JSON.stringify({ id: ++id, do: 'unmount', mountpoint: `${ROOT}/a/b`, how: 'lazy' }))
      const off = id
      await exec.until((one) => (one._tag === 'done' || one._tag === 'refused') && one.id === off)
      await exec.until((one) => one._tag === 'done' && one.id === off - 1)
      clear()
    }
    await exec.close()
    sh('rmdir', `${ROOT}/a/b`)
  })

  test('a source that is exchanged with a link without pause: the bind shows the tenant’s directory, or is refused', async () => {
    const number = process.arch === 'arm64' ? 276 : 316
    const swap = `while (1) { syscall(${number}, -100, "${TENANT}/dir", -100, "${TENANT}/link", 2) }`
    const swapper: ChildProcess = spawn('perl', ['-e', swap], { stdio: 'ignore' })
    const exec = talk()
    let mounts = 0
    try {
      for (let round = 0; round < 300; round += 1) {
        const change = { do: 'mount', mountpoint: `${ROOT}/c`, type: 'bind', source: `${TENANT}/dir`, options: [] }
        const answer = await exec.ask(change)
        if (answer._tag !== 'done' || answer.status !== 0) continue
        mounts += 1
        expect(readdirSync(`${ROOT}/c`)).toContain('mine')
        await exec.ask({ do: 'unmount', mountpoint: `${ROOT}/c`, how: 'plain' })
      }
    } finally {
      swapper.kill('SIGKILL')
      await exec.close()
    }
    expect(mounts).toBeGreaterThan(20)
    if (!readdirSync(TENANT).includes('dir')) throw new Error('the tenant lost its directory')
    if (!existsSync(`${TENANT}/dir/mine`)) sh('sh', '-c', `cd ${TENANT} && mv dir x && mv link dir && mv x link`)
  })

  test('a process of another user is not ended, whatever number is sent', async () => {
    const other = spawn('sleep', ['60'], { stdio: 'ignore' })
    const exec = talk()
    for (const of of [other.pid, 1, 0, process.pid]) {
      exec.say(JSON.stringify({ id: 1_000 + (of ?? 0), do: 'end', of }))
    }
    await exec.ask({ id: 9_999_999, do: 'make-directory', mountpoint: `${ROOT}/z` })
    await new Promise((wake) => setTimeout(wake, 200))
    expect(other.exitCode ?? other.signalCode).toBeNull()
    other.kill('SIGKILL')
    await exec.close()
    sh('rmdir', `${ROOT}/z`)
  })

  test('a line without an end is not kept for ever', async () => {
    const exec = talk()
    await exec.until(({ _tag }) => _tag === 'ready')
    exec.say('x'.repeat(LINE_BYTES_MAX + 1))
    expect(await exec.close()).toBe(1)
    expect(exec.stderr()).toBe('mountkeeper-exec: a line is too long\n')
  })

  const settled = async (): Promise<void> => {
    for (
      let left = 100;
      left > 0 && sh('sh', '-c', 'ps -e -o comm= | grep -c "^mount$" || true').trim() !== '0';
      left -= 1
    ) {
      await new Promise((wake) => setTimeout(wake, 50))
    }
  }
  interface Line {
    readonly root: string
    readonly target: string
    readonly flags: string
    readonly fstype: string
  }
  const tableBelow = (): readonly Line[] =>
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((text) => text.split(' '))
      .filter(([, , , , target = '']) => target.startsWith(`${ROOT}/`))
      .map((fields) => ({
        ...{ root: fields[3] ?? '', target: fields[4] ?? '', flags: fields[5] ?? '' },
        fstype: fields[fields.indexOf('-') + 1] ?? '',
      }))
})
