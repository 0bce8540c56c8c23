// What is mounted, and what keeps it busy, on this host; within the time whatever hangs.

import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Busy, InspectQuestion, Inspected } from '../src/inquiry-line.js'
import { inspectMounts as askWhat, whyBusy as askWhy } from '../src/inquiry.js'

const DEADLINE_MS = 20_000
const sh = (file: string, ...args: readonly string[]): void => {
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}`)
}

const inspectMounts = async (question: InspectQuestion, deadlineMs: number): Promise<Inspected> =>
  (await askWhat(question, deadlineMs)) ?? { mounts: [], more: true }
const whyBusy = async (mountpoint: string, deadlineMs: number): Promise<Busy> => {
  const busy = await askWhy(mountpoint, deadlineMs)
  if (busy === undefined) throw new Error('not asked')
  return busy
}

const has = (program: string): boolean => spawnSync('which', [program]).status === 0

const isRoot = process.env['MOUNTKEEPER_NAMESPACE'] === 'root'

describe.runIf(process.env['MOUNTKEEPER_NAMESPACE'] !== undefined)('a mount', () => {
  let place = ''
  let at = ''
  const children: ChildProcess[] = []
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    for (let left = 200; !(await holds()); left -= 1) {
      if (left === 0) throw new Error('not in time')
      await new Promise((wake) => setTimeout(wake, 50))
    }
  }
  const start = (file: string, ...args: readonly string[]): ChildProcess => {
    const child = spawn(file, args, { stdio: 'ignore' })
    children.push(child)
    return child
  }
  beforeAll(() => {
    place = mkdtempSync('/tmp/mountkeeper-inquiry-')
    at = `${place}/a b`
    mkdirSync(at)
    mkdirSync(`${place}/other`)
    sh('mount', '-t', 'tmpfs', '-o', 'size=2m,nr_inodes=100,noexec', `scratch-${process.pid}`, at)
    mkdirSync(`${at}/below`)
    writeFileSync(`${at}/file`, 'x'.repeat(4_096))
  })
  afterEach(async () => {
    for (const child of children.splice(0)) {
      const ended = new Promise((over) => child.once('exit', over))
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await ended
    }
  })
  afterAll(() => {
    sh('umount', '-l', at)
    rmSync(place, { recursive: true })
  })

  test('is shown with its options and what is free, by a path below it and by its source', async () => {
    const byPath = await inspectMounts({ path: `${at}/below/c` }, DEADLINE_MS)
    expect(byPath).toMatchObject({
      more: false,
      mounts: [{ mountpoint: at, type: 'tmpfs', source: `scratch-${process.pid}`, root: '/' }],
    })
    const [mount] = byPath.mounts
    expect(mount?.options).toEqual(expect.arrayContaining(['noexec', 'size=2048k']))
    expect(mount?.space).toMatchObject({ _tag: 'Space', bytes: 2_097_152, bytesFree: 2_093_056, inodes: 100 })
    expect(await inspectMounts({ source: `scratch-${process.pid}` }, DEADLINE_MS)).toEqual(byPath)
    expect(await inspectMounts({ source: 'no such source' }, DEADLINE_MS)).toEqual({ mounts: [], more: false })
  })

  test('that is stacked is shown top first, and what is covered says so', async () => {
    sh('mount', '-t', 'tmpfs', '-o', 'size=1m', 'upper', at)
    const { mounts } = await inspectMounts({ path: at }, DEADLINE_MS)
    expect(mounts.map(({ source, space }) => [source, space._tag])).toEqual([
      ['upper', 'Space'],
      [`scratch-${process.pid}`, 'Covered'],
    ])
    sh('umount', at)
  })

  test('shows no password of another one', async () => {
    sh('mount', '-t', 'tmpfs', '//bob:hunter2@h/s', `${place}/other`)
    const shown = JSON.stringify(await inspectMounts({ path: `${place}/other` }, DEADLINE_MS))
    expect(shown).toContain('//bob:***@h/s')
    expect(shown).not.toContain('hunter2')
    sh('umount', `${place}/other`)
  })

  test('that is not used has no users', async () => {
    expect(await whyBusy(at, DEADLINE_MS)).toMatchObject({ isMounted: true, users: [], isComplete: true })
    expect(await whyBusy(`${at}/below`, DEADLINE_MS)).toMatchObject({ isMounted: false, users: [] })
  })

  test.each<[string, readonly string[], string]>([
    ['its working directory', ['sh', '-c', 'cd "$0" && exec sleep 60'], 'cwd'],
    ['an open file', ['sh', '-c', 'exec sleep 60 <"$0/file"'], 'open file'],
    ['a mapping', ['perl', '-e', 'sleep 60'], 'mapping'],
  ])('is kept busy by %s of a process', async (_, vector, use) => {
    const there = use === 'mapping' ? `${place}/other` : at
    if (use === 'mapping') {
      // The kernel maps a program that is run, so that this one has to be from there.
      sh('mount', '-t', 'tmpfs', 'programs', there)
      sh('cp', '/bin/sleep', `${there}/sleep`)
      start(`${there}/sleep`, '60')
    } else start(vector[0] ?? '', ...vector.slice(1), there)
    const uses = async (): Promise<readonly string[]> =>
      (await whyBusy(there, DEADLINE_MS)).users.flatMap((user) => (user._tag === 'Process' ? user.uses : []))
    await until(async () => (await uses()).includes(use))
    const [user] = (await whyBusy(there, DEADLINE_MS)).users
    expect(user).toMatchObject({ _tag: 'Process', pid: children[0]?.pid, command: 'sleep', uses: [use] })
    if (there !== at) sh('umount', '-l', there)
  })

  test('is kept busy by a process whose root it is, by a mount below and by another mount namespace', async () => {
    sh('mount', '-t', 'tmpfs', 'nested', `${at}/below`)
    start('unshare', '-m', '--propagation', 'private', 'sleep', '60')
    await until(async () => (await whyBusy(at, DEADLINE_MS)).users.length === 2)
    const { users } = await whyBusy(at, DEADLINE_MS)
    expect(users).toContainEqual({ _tag: 'Mount', mountpoint: `${at}/below` })
    expect(users).toContainEqual({
      ...{ _tag: 'Namespace', pid: children[0]?.pid, command: 'sleep', mountpoint: at },
    })
    sh('umount', `${at}/below`)
  })

  const hasLoop = existsSync('/dev/loop-control') && isRoot
  test.runIf(hasLoop)('is kept busy by a loop device of one of its files', async () => {
    sh('mount', '-o', 'remount,size=20m', at)
    sh('truncate', '-s', '1M', `${at}/disk`)
    const device = spawnSync('losetup', ['-f', '--show', `${at}/disk`], { encoding: 'utf8' }).stdout.trim()
    const { users } = await whyBusy(at, DEADLINE_MS)
    sh('losetup', '-d', device)
    expect(users).toContainEqual({ _tag: 'LoopDevice', device, file: `${at}/disk` })
  })

  test('with more users than are shown says so', async () => {
    const fd = openSync(`${at}/file`, 'r')
    for (let index = 0; index < 70; index += 1) mkdirSync(`${at}/m${index}`)
    for (let index = 0; index < 70; index += 1) sh('mount', '-t', 'tmpfs', 'nested', `${at}/m${index}`)
    const busy = await whyBusy(at, DEADLINE_MS)
    expect(busy.users).toHaveLength(64)
    expect(busy.isComplete).toBe(false)
    for (let index = 0; index < 70; index += 1) sh('umount', `${at}/m${index}`)
    closeSync(fd)
  })

  test('is asked about by eight at once, and no more', async () => {
    // Those of before may not have ended yet.
    await until(async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, () => askWhy(at, DEADLINE_MS)))
      const count = answers.filter((answer) => answer !== undefined).length
      expect(count).toBeLessThanOrEqual(8)
      return count === 8
    })
    expect(await askWhy(at, DEADLINE_MS)).toMatchObject({ isMounted: true })
  })

  test.runIf(isRoot && has('bindfs') && has('fusermount3') && existsSync('/dev/fuse'))(
    'that does not answer is shown within the time, and so is what was found of it',
    async () => {
      const hung = `${place}/hung`
      mkdirSync(hung)
      const daemon = start('bindfs', '-f', '--no-allow-other', '/usr', hung)
      await until(async () => (await inspectMounts({ path: hung }, DEADLINE_MS)).mounts[0]?.type === 'fuse')
      daemon.kill('SIGSTOP')
      const since = performance.now()
      const { mounts } = await inspectMounts({ path: hung }, 1_500)
      expect(mounts).toMatchObject([{ mountpoint: hung, space: { _tag: 'NotResponding' } }])
      expect(performance.now() - since).toBeLessThan(5_000)
      expect(await whyBusy(hung, DEADLINE_MS)).toMatchObject({ isMounted: true, isComplete: true })
      daemon.kill('SIGCONT')
      sh('umount', '-l', hung)
    },
  )
})
