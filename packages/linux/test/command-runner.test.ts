import { execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, describe, expect, test } from 'vitest'
import type { Command, CommandEnd } from '../src/command-runner.js'
import { STDERR_MAX, execaRunner, vectorOf } from '../src/command-runner.js'
import type { Leader } from '../src/processes.js'
import { anyLives, membersOf } from '../src/processes.js'
import type { VirtualClock } from './virtual-clock.js'
import { virtualClock } from './virtual-clock.js'

const base = mkdtempSync(`${tmpdir()}/mountkeeper-`)
const gates: number[] = []
afterAll(() => {
  gates.forEach(closeSync)
  rmSync(base, { recursive: true })
})

const known = (pid: number): Leader => ({ pid, started: undefined })

const shell = (script: string, deadlineMs = 60_000): Command => ({
  program: 'sh',
  options: ['-c', script],
  operands: [],
  rights: 'own',
  deadlineMs,
})
const GRACE_MS = 200
const { run } = execaRunner({ graceMs: GRACE_MS })
const sleep = (delayMs: number): Promise<void> => new Promise((wake) => setTimeout(wake, delayMs))
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await sleep(5)
}

/** What a process has executed last. */
const nameOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd()

/** A runner whose time passes when a test says so. */
const timed = (prefix: readonly string[] = []): { readonly clock: VirtualClock; readonly run: typeof run } => {
  const clock = virtualClock()
  return { clock, run: execaRunner({ graceMs: GRACE_MS, prefix, clock }).run }
}

/** Lets time pass until something has happened. */
const passing = async (clock: VirtualClock, happened: Promise<unknown>): Promise<void> => {
  const wait = { isOver: false }
  void happened.then(() => (wait.isOver = true))
  while (!wait.isOver) {
    clock.pass(10)
    await sleep(1)
  }
}

/** Where a script waits, `read -r _ <PATH`, until it is let through; by making the file `begun` it says that it is so far. */
interface Gate {
  readonly path: string
  readonly begun: string
  readonly isBegun: () => boolean
  readonly letThrough: () => void
}

const gate = (): Gate => {
  const path = `${base}/gate-${gates.length}`
  execFileSync('mkfifo', [path])
  // For reading too: so neither side waits for the other to open it.
  const fd = openSync(path, 'r+')
  gates.push(fd)
  const begun = `${path}-begun`
  const letThrough = (): void => {
    writeSync(fd, '\n')
  }
  return { path, begun, isBegun: () => existsSync(begun), letThrough }
}

/** The one with this tag, or a failure that shows what came instead. */
const as = <Tag extends CommandEnd['_tag']>(tag: Tag, end: CommandEnd): CommandEnd & { readonly _tag: Tag } => {
  if (end._tag !== tag) throw new Error(JSON.stringify(end))
  return end as CommandEnd & { readonly _tag: Tag }
}

describe('L37: vectors', () => {
  const mount: Command = {
    program: 'mount',
    options: ['-c', '-t', 'tmpfs'],
    operands: ['-source', '/srv/mounts/a'],
    rights: 'privileged',
    deadlineMs: 1,
  }
  test('operands come after --, the prefix before what is privileged', () => {
    const vector = ['mount', '-c', '-t', 'tmpfs', '--', '-source', '/srv/mounts/a']
    expect(vectorOf(mount, [])).toEqual(vector)
    expect(vectorOf(mount, ['sudo', '-n', '--'])).toEqual(['sudo', '-n', '--', ...vector])
    expect(vectorOf({ ...mount, rights: 'own' }, ['sudo', '-n', '--'])).toEqual(vector)
    expect(vectorOf({ ...mount, options: ['--version'], operands: [] }, [])).toEqual(['mount', '--version'])
  })
})

describe('how a command ends', () => {
  test('by its status, with its stderr, having inherited nothing', async () => {
    const end = as('Exited', await run(shell('pwd >&2; env | grep -v -e PWD= -e _= | sort >&2; cat; exit 32')))
    expect(end).toMatchObject({ exitStatus: 32, stderr: '/\nLC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n' })
    expect(end.durationMs).toBeGreaterThan(0)
  })
  test('with the prefix', async () => {
    const prefixed = execaRunner({ prefix: ['env', 'SEEN=yes'] })
    const end = await prefixed.run({ ...shell('echo "$SEEN" >&2'), rights: 'privileged' })
    expect(end.stderr).toBe('yes\n')
  })
  test('having reported its process', async () => {
    const pids: number[] = []
    const end = await run(shell('exit 0'), (pid) => pids.push(pid))
    expect(end).toMatchObject({ _tag: 'Exited', pid: pids[0] })
    expect(pids).toHaveLength(1)
  })
  test('no such program', async () => {
    expect(as('NotStarted', await run({ ...shell(''), program: 'no-such-program' })).why).toBe('ENOENT')
  })
  test('not to be executed', async () => {
    expect(as('NotStarted', await run({ ...shell(''), program: '/etc/passwd' })).why).toBe('EACCES')
  })
  test('NUL is refused in any case', async () => {
    expect(as('NotStarted', await run(shell('true\0false'))).why).toContain('NUL')
  })
  test('arguments that are too long', async () => {
    expect(as('NotStarted', await run(shell(`: ${'x'.repeat(200_000)}`))).why).toBe('E2BIG')
  })
  test('the beginning of a long stderr is kept, and the command gets rid of all of it', async () => {
    const end = as('Exited', await run(shell('head -c 1000000 /dev/zero | tr "\\0" x >&2')))
    expect(end).toMatchObject({ exitStatus: 0, stderr: 'x'.repeat(STDERR_MAX) })
  })
  test('a daemon that keeps stderr does not hold up the result, and can go on writing', async () => {
    const daemon = gate()
    const written = `${base}/written`
    const script = `setsid sh -c 'read -r _ <${daemon.path}; echo late >&2 && : >${written}' & echo early >&2`
    expect(as('Exited', await run(shell(script, 60_000))).stderr).toBe('early\n')
    daemon.letThrough()
    await until(() => existsSync(written))
  })
  test('several at once do not wait for one another', async () => {
    const place = `${base}/several`
    mkdirSync(place)
    const together = (index: number): string =>
      `: >${place}/${index}; while [ "$(ls ${place} | wc -l)" -lt 8 ]; do sleep 0.02; done`
    const ends = await Promise.all(Array.from({ length: 8 }, (_, index) => run(shell(together(index), 60_000))))
    expect(ends.map((end) => as('Exited', end).exitStatus)).toEqual(Array.from({ length: 8 }, () => 0))
  })
})

describe('deadlines', () => {
  test('the result comes at the deadline, the end later', async () => {
    const trapped = gate()
    const { clock, run: runTimed } = timed()
    const script = `sh -c 'trap "read -r _ <${trapped.path}; exit 0" TERM; echo begun >&2; : >${trapped.begun}; sleep 60 & wait'; :`
    const running = runTimed(shell(script, 300))
    await until(trapped.isBegun)
    await sleep(5)
    clock.pass(300)
    const end = as('TimedOut', await running)
    expect(end).toMatchObject({ stderr: 'begun\n', durationMs: 300 })
    expect(anyLives(known(end.pid))).toBe(true)
    trapped.letThrough()
    await end.ended
    expect(anyLives(known(end.pid))).toBe(false)
  })
  test('a command that has ended before its deadline is not ended by it', async () => {
    const { clock, run: runTimed } = timed()
    const end = as('Exited', await runTimed(shell('exit 7', 300)))
    clock.pass(1_000)
    expect(end.exitStatus).toBe(7)
  })
  test('the command ends after its helpers, so that it is seen as long as one of them lives', async () => {
    const helper = gate()
    const { clock, run: runTimed } = timed()
    const running = runTimed(shell(`sh -c 'trap "" TERM; : >${helper.begun}; read -r _ <${helper.path}; :'; :`, 100))
    await until(helper.isBegun)
    clock.pass(100)
    const end = as('TimedOut', await running)
    await sleep(5)
    clock.pass(GRACE_MS)
    const wait = { isOver: false }
    const ended = end.ended.then(() => (wait.isOver = true))
    while (!wait.isOver) {
      const members = membersOf(known(end.pid)).map(({ pid }) => pid)
      if (members.length > 0) expect(members).toContain(end.pid)
      await sleep(1)
    }
    await ended
    expect(anyLives(known(end.pid))).toBe(false)
  })

  test('who ignores TERM is killed after the grace, and not before', async () => {
    const stubborn = gate()
    const { clock, run: runTimed } = timed()
    const running = runTimed(shell(`trap "" TERM; : >${stubborn.begun}; sleep 60; sleep 60`, 100))
    await until(stubborn.isBegun)
    clock.pass(100)
    const end = as('TimedOut', await running)
    await sleep(20)
    clock.pass(GRACE_MS - 1)
    await sleep(50)
    expect(anyLives(known(end.pid))).toBe(true)
    clock.pass(1)
    await end.ended
    expect(anyLives(known(end.pid))).toBe(false)
  })
  test('helpers end with it, also in a group of their own', async () => {
    const helper = gate()
    const { clock, run: runTimed } = timed()
    // With job control a shell gives its child a group of its own, in the same session.
    const script = `set -m; trap "" TERM; (trap "" TERM; : >${helper.begun}; sleep 60; sleep 60) & wait`
    const running = runTimed({ ...shell(script, 100), program: 'bash' })
    await until(helper.isBegun)
    clock.pass(100)
    const end = as('TimedOut', await running)
    await sleep(20)
    clock.pass(GRACE_MS)
    await end.ended
    expect(anyLives(known(end.pid))).toBe(false)
  })
  test('and who ends slowly is waited for', async () => {
    const slow = gate()
    const { clock, run: runTimed } = timed()
    const running = runTimed(shell(`trap "" TERM; : >${slow.begun}; read -r _ <${slow.path}`, 50))
    await until(slow.isBegun)
    clock.pass(50)
    const end = as('TimedOut', await running)
    const wait = { isOver: false }
    void end.ended.then(() => (wait.isOver = true))
    await sleep(50)
    expect(wait.isOver).toBe(false)
    slow.letThrough()
    await end.ended
    expect(anyLives(known(end.pid))).toBe(false)
  })
  test('a process that left group and session is not of the command', async () => {
    const away = gate()
    const { clock, run: runTimed } = timed()
    const running = runTimed(shell(`setsid sh -c ': >${away.begun}; read -r _ <${away.path}' & sleep 60`, 100))
    await until(away.isBegun)
    clock.pass(100)
    const end = as('TimedOut', await running)
    // It lives on, and waits for the test.
    await end.ended
    away.letThrough()
  })
})

test('with a prefix processes are named one by one, never a group: some kill(1) treat a negative number as every process', async () => {
  const helper = gate()
  const log = `${base}/kills`
  const prefix = ['sh', '-c', `printf '%s\\n' "$*" >> ${log}; exec "$@"`, 'sh']
  const { clock, run: runTimed } = timed(prefix)
  const script = `trap "" TERM; sleep 60 & : >${helper.begun}; sleep 60`
  const running = runTimed({ ...shell(script, 200), rights: 'privileged' })
  await until(helper.isBegun)
  clock.pass(200)
  const end = as('TimedOut', await running)
  const killsSoFar = (): readonly string[] =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('kill'))
  // Each kill(1) is a process of its own: without this the KILL after the grace may be written before the TERM.
  await until(() => killsSoFar().length > 0)
  await passing(clock, end.ended)
  const kills = killsSoFar()
  expect(kills[0]).toMatch(/^kill -s TERM --( [1-9]\d+)+$/)
  expect(kills[0]?.split(' ')).not.toContain(String(end.pid))
  expect(kills.some((line) => / -\d/.test(line))).toBe(false)
})

describe('killed by another process', () => {
  test('the result waits for the helper, which goes on', async () => {
    const helper = gate()
    const { run: runTimed } = timed()
    const wait = { isOver: false }
    const running = runTimed(shell(`(: >${helper.begun}; read -r _ <${helper.path}) & kill -KILL $$`))
    void running.then(() => (wait.isOver = true))
    await until(helper.isBegun)
    await sleep(50)
    expect(wait.isOver).toBe(false)
    helper.letThrough()
    expect(as('Signalled', await running).signal).toBe('SIGKILL')
  })
  test('a helper that outlives the deadline is killed, too', async () => {
    const helper = gate()
    const { clock, run: runTimed } = timed()
    const running = runTimed(shell(`sleep 60 & : >${helper.begun}; kill -KILL $$`, 300))
    await until(helper.isBegun)
    clock.pass(300)
    const end = as('TimedOut', await running)
    await passing(clock, end.ended)
    expect(anyLives(known(end.pid))).toBe(false)
  })
})

test('a process is distinguished from a zombie', async () => {
  const { path: at, letThrough } = gate()
  // No process waits for the leader of the session: its parent has become a sleep.
  const parent = spawn('sh', ['-c', `setsid sh -c 'read -r _ <${at}' & echo $!; exec sleep 60`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const leader = await new Promise<number>((told) => parent.stdout.once('data', (line: Buffer) => told(Number(line))))
  await until(() => anyLives(known(leader)))
  // A shell may wait for its children whenever it likes.
  await until(() => nameOf(parent.pid!) === 'sleep')
  letThrough()
  await until(() => /^State:\tZ/m.test(readFileSync(`/proc/${leader}/status`, 'latin1')))
  expect(anyLives(known(leader))).toBe(false)
  parent.kill()
})

test.each([
  ['ssh', false],
  ['helper', true],
])('L23: what outlives its command as %s counts as part of it: %s', async (name, counts) => {
  const directory = mkdtempSync(`${tmpdir()}/mountkeeper-`)
  symlinkSync('/bin/sleep', `${directory}/${name}`)
  const leader = spawn('sh', ['-c', `${directory}/${name} 60 >&- & echo $!`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = new Promise((wake) => leader.once('exit', wake))
  const pid = await new Promise<number>((told) => leader.stdout.once('data', (line: Buffer) => told(Number(line))))
  await ended
  // Until its exec(2) it is a shell by name.
  await until(() => nameOf(pid) === name)
  try {
    expect(membersOf(known(leader.pid!)).map((each) => each.pid)).toEqual([pid])
    expect(anyLives(known(leader.pid!))).toBe(counts)
  } finally {
    process.kill(pid)
    rmSync(directory, { recursive: true })
  }
})
