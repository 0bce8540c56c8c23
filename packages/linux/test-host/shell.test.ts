// The shell that runs commands, when its manager is killed: what it has in hand goes on, is seen by the next life of the manager at its
// mountpoint and nowhere else, and nothing that was not begun is begun.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { processes, vectorOfProcess } from '../src/processes.js'
import { SHELL_MARK } from '../src/shell-mark.js'
import { ROOT, SOURCE, TYPES, clear, createWorld, hasFuse, prepareWorld, sh, sleep } from './world.js'

prepareWorld()

const UMOUNT = '/usr/sbin/umount'
const HELPER = '/usr/sbin/umount.tmpfs'
const GO = '/srv/go'
const STARTED = '/srv/started'

/** Waits until something is so; fails after a minute, which is longer than any machine takes. */
const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  for (let at = 0; at < 3_000 && !(await isSo()); at += 1) await sleep(20)
  expect(await isSo()).toBe(true)
}

/** A life of the manager's host port in a process of its own, which does what the test says and then says so. */
const LIFE = `
import(process.argv[1]).then(async ({ linuxHost }) => {
  const [, , root, deeds] = process.argv
  const host = linuxHost({ types: JSON.parse(process.argv[4]) })
  let effect = 0
  const run = (more) => host.run({ effect: effect += 1, deadlineMs: 60000, ...more })
  const { found } = await run({ _tag: 'Discover', roots: [root], known: [] })
  const on = (name) => ({ mountpoint: root + '/' + name, root: found.roots[0], filesystem: undefined })
  const tmpfs = { type: 'tmpfs', source: 'one', options: [] }
  for (const [what, name, source] of JSON.parse(deeds)) {
    if (what === 'make') await run({ _tag: 'MakeDirectory', ...on(name) })
    if (what === 'mount') await run({ _tag: 'Mount', ...on(name), filesystem: tmpfs, options: [] })
    if (what === 'bindfs') {
      const filesystem = { type: 'fuse.bindfs', source, options: [] }
      await run({ _tag: 'Mount', ...on(name), filesystem, options: [] })
    }
    if (what === 'unmount') {
      const seen = await run({ _tag: 'Look', ...on(name) })
      const identity = seen.found.layers[0]
      const deadline = source === undefined ? {} : { deadlineMs: Number(source) }
      await run({ _tag: 'Unmount', ...on(name), identity, how: 'plain', mayHang: false, ...deadline })
    }
  }
  console.log('done')
  setInterval(() => undefined, 60000)
})`

type Deed = readonly [what: 'make' | 'mount' | 'unmount' | 'bindfs', name: string, source?: string]

const lives: ChildProcess[] = []
const live = (deeds: readonly Deed[]): ChildProcess => {
  const module = fileURLToPath(new URL('../dist/index.js', import.meta.url))
  const child = spawn(process.execPath, ['-e', LIFE, module, ROOT, JSON.stringify(deeds), JSON.stringify(TYPES)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  lives.push(child)
  return child
}

const isDone = (child: ChildProcess): Promise<unknown> => new Promise((done) => child.stdout!.once('data', done))

const kill = async (child: ChildProcess): Promise<void> => {
  const ended = new Promise((done) => child.once('exit', done))
  if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended
}

const shellsOf = (child: ChildProcess): readonly number[] =>
  processes().flatMap(({ pid, entry }) => {
    const vector = vectorOfProcess(entry)
    return vector[vector.indexOf(SHELL_MARK) + 1] === String(child.pid) && vector.includes(SHELL_MARK) ? [pid] : []
  })

beforeEach(() => {
  for (const path of [GO, STARTED]) rmSync(path, { force: true })
})
afterEach(async () => {
  for (const child of lives.splice(0)) await kill(child)
  for (const path of [UMOUNT, HELPER]) rmSync(path, { force: true })
})

describe('L31: the manager is killed', () => {
  test('while a command runs: it goes on, and the next life waits for it at its mountpoint alone', async () => {
    // A process that looks like umount in /proc, as the real one does.
    const wait = `$| = 1; open my $f, ">", "${STARTED}"; select undef, undef, undef, 0.01 while !-e "${GO}"; exec "/usr/bin/umount", @ARGV`
    writeFileSync(UMOUNT, `#!/bin/bash\nexec -a umount perl -e '${wait}' -- "$@"\n`)
    chmodSync(UMOUNT, 0o755)
    const child = live([
      ['make', 'a'],
      ['make', 'b'],
      ['mount', 'a'],
      ['unmount', 'a'],
    ])
    await until(() => existsSync(STARTED))
    rmSync(UMOUNT)
    expect(shellsOf(child)).toHaveLength(1)
    await kill(child)
    const world = await createWorld()
    expect((await world.look('a')).found).toMatchObject({ _tag: 'Unknown', why: 'CommandAlive' })
    expect((await world.look('b')).found).toEqual({ _tag: 'Directory' })
    writeFileSync(GO, '')
    // The descriptor that it was given has gone with the manager, and so it has taken nothing off.
    await until(async () => (await world.look('a')).found._tag === 'Mounted')
    await until(() => shellsOf(child).length === 0)
    await clear(world, 'a')
    await world.remove('b')
  })
  test('while a command is being ended whose helper does not end: the next life waits for the helper', async () => {
    writeFileSync(HELPER, `#!/bin/sh\ntrap "" TERM\n: >"${STARTED}"\nuntil [ -e "${GO}" ]; do sleep 0.02; done\n`)
    chmodSync(HELPER, 0o755)
    const child = live([
      ['make', 'a'],
      ['mount', 'a'],
      ['unmount', 'a', '300'],
    ])
    await until(() => existsSync(STARTED))
    await isDone(child)
    await kill(child)
    const world = await createWorld()
    expect((await world.look('a')).found).toMatchObject({ _tag: 'Unknown', why: 'CommandAlive' })
    writeFileSync(GO, '')
    await until(async () => (await world.look('a')).found._tag === 'Mounted')
    rmSync(HELPER)
    await clear(world, 'a')
  })
  test('while its shell rests: the shell ends', async () => {
    const child = live([['make', 'a']])
    await isDone(child)
    expect(shellsOf(child)).toHaveLength(1)
    await kill(child)
    await until(() => shellsOf(child).length === 0)
    const world = await createWorld()
    await world.remove('a')
  })
  test('while its shell is stopped: the next life ends that, and holds up no mountpoint', async () => {
    const child = live([['make', 'a']])
    await isDone(child)
    for (const pid of shellsOf(child)) process.kill(pid, 'SIGSTOP')
    await kill(child)
    expect(shellsOf(child)).toHaveLength(1)
    const world = await createWorld()
    expect((await world.look('a')).found).toEqual({ _tag: 'Directory' })
    expect(shellsOf(child)).toEqual([])
    await world.remove('a')
  })
  test.skipIf(!hasFuse('bindfs'))(
    'FUSE daemons live on, also when the shell is killed (skipped without bindfs)',
    async () => {
      mkdirSync(`${SOURCE}/shown`)
      writeFileSync(`${SOURCE}/shown/file`, 'text')
      const child = live([
        ['make', 'a'],
        ['make', 'b'],
        ['mount', 'b'],
        ['bindfs', 'a', `${SOURCE}/shown`],
      ])
      await isDone(child)
      for (const pid of shellsOf(child)) process.kill(pid, 'SIGKILL')
      await kill(child)
      expect(readFileSync(`${ROOT}/a/file`, 'utf8')).toBe('text')
      const world = await createWorld()
      await clear(world, 'a', true)
      await clear(world, 'b')
      sh('rm', '-r', `${SOURCE}/shown`)
    },
  )
})
