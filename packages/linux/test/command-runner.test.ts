import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Command, CommandEnd } from '../src/command-runner.js'
import { STDERR_MAX, execaRunner, vectorOf } from '../src/command-runner.js'
import type { Leader } from '../src/processes.js'
import { anyLives, membersOf } from '../src/processes.js'

const known = (pid: number): Leader => ({ pid, started: undefined })

const shell = (script: string, deadlineMs = 5_000): Command => ({
  program: 'sh',
  options: ['-c', script],
  operands: [],
  rights: 'own',
  deadlineMs,
})
const { run } = execaRunner({ graceMs: 200 })
const sleep = (delayMs: number): Promise<void> => new Promise((wake) => setTimeout(wake, delayMs))

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
    expect(end.durationMs).toBeLessThan(5_000)
  })
  test('with the prefix', async () => {
    const prefixed = execaRunner({ prefix: ['env', 'SEEN=yes'] })
    const end = await prefixed.run({ ...shell('echo "$SEEN" >&2'), rights: 'privileged' })
    expect(end.stderr).toBe('yes\n')
  })
  test('having told its process', async () => {
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
  test('NUL is refused, whatever would come of it', async () => {
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
    const end = as('Exited', await run(shell('setsid sh -c "sleep 0.6; echo late >&2; sleep 0.2" & echo early >&2')))
    expect(end.stderr).toBe('early\n')
    expect(end.durationMs).toBeLessThan(600)
    await sleep(700)
  })
  test('several at once do not wait for one another', async () => {
    const since = performance.now()
    await Promise.all(Array.from({ length: 8 }, () => run(shell('sleep 0.3'))))
    expect(performance.now() - since).toBeLessThan(2_000)
  })
})

describe('deadlines', () => {
  test('the result comes at the deadline, the end later', async () => {
    const end = as(
      'TimedOut',
      await run(shell(`echo begun >&2; sh -c 'trap "sleep 0.1; exit 0" TERM; sleep 60 & wait'; :`, 300)),
    )
    expect(end.stderr).toBe('begun\n')
    expect(end.durationMs).toBeLessThan(600)
    expect(anyLives(known(end.pid))).toBe(true)
    await end.ended
    expect(anyLives(known(end.pid))).toBe(false)
  })
  test('the command ends after its helpers, so that it is seen as long as one of them lives', async () => {
    const end = as('TimedOut', await run(shell(`sh -c 'trap "" TERM; sleep 0.4; :'; :`, 100)))
    const wait = { isOver: false }
    const ended = end.ended.then(() => (wait.isOver = true))
    while (!wait.isOver) {
      const members = membersOf(known(end.pid)).map(({ pid }) => pid)
      if (members.length > 0) expect(members).toContain(end.pid)
      await sleep(5)
    }
    await ended
    expect(anyLives(known(end.pid))).toBe(false)
  })

  test('who ignores TERM is killed after the grace', async () => {
    const end = as('TimedOut', await run(shell('trap "" TERM; sleep 60; sleep 60', 100)))
    const since = performance.now()
    await end.ended
    expect(performance.now() - since).toBeGreaterThan(150)
    expect(performance.now() - since).toBeLessThan(3_000)
  })
  test('helpers end with it, also in a group of their own', async () => {
    // With job control a shell gives its child a group of its own, in the same session.
    const jobs = { ...shell('set -m; trap "" TERM; (trap "" TERM; sleep 60) & wait', 100), program: 'bash' }
    const end = as('TimedOut', await run(jobs))
    const since = performance.now()
    await end.ended
    expect(performance.now() - since).toBeGreaterThan(150)
    expect(anyLives(known(end.pid))).toBe(false)
  })
  test('and who ends slowly is waited for', async () => {
    const end = as('TimedOut', await run(shell('trap "" TERM; sleep 0.25', 50)))
    let ended = false
    void end.ended.then(() => {
      ended = true
    })
    await sleep(50)
    expect(ended).toBe(false)
    await end.ended
    expect(anyLives(known(end.pid))).toBe(false)
  })
  test('a process that left group and session is not of the command', async () => {
    const end = as('TimedOut', await run(shell('setsid sleep 1.5 & sleep 60', 100)))
    const since = performance.now()
    await end.ended
    expect(performance.now() - since).toBeLessThan(1_200)
  })
})

test('with a prefix processes are named one by one, never a group: some kill(1) take a negative number for everybody', async () => {
  const log = `${mkdtempSync(`${tmpdir()}/mountkeeper-`)}/log`
  const prefix = ['sh', '-c', `printf '%s\\n' "$*" >> ${log}; exec "$@"`, 'sh']
  const prefixed = execaRunner({ graceMs: 200, prefix })
  const command = { ...shell('trap "" TERM; sleep 60 & sleep 60', 200), rights: 'privileged' } as const
  const end = as('TimedOut', await prefixed.run(command))
  await end.ended
  const kills = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('kill'))
  expect(kills[0]).toMatch(/^kill -s TERM --( [1-9]\d+)+$/)
  expect(kills[0]?.split(' ')).not.toContain(String(end.pid))
  expect(kills.some((line) => / -\d/.test(line))).toBe(false)
  rmSync(dirname(log), { recursive: true })
})

describe('killed by somebody else', () => {
  test('the result waits for the helper, which goes on', async () => {
    const end = as('Signalled', await run(shell('sleep 0.5 & kill -KILL $$')))
    expect(end.signal).toBe('SIGKILL')
    expect(end.durationMs).toBeGreaterThan(400)
  })
  test('a helper that outlives the deadline is killed, too', async () => {
    const end = as('TimedOut', await run(shell('sleep 60 & kill -KILL $$', 300)))
    await end.ended
    expect(anyLives(known(end.pid))).toBe(false)
  })
})

test('a process is told from a zombie', async () => {
  // Nobody waits for the leader of the session: its parent has become a sleep.
  const parent = spawn('sh', ['-c', 'setsid sleep 0.3 & echo $!; exec sleep 3'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const leader = await new Promise<number>((told) => parent.stdout.once('data', (line: Buffer) => told(Number(line))))
  await sleep(100)
  expect(anyLives(known(leader))).toBe(true)
  await sleep(400)
  expect(readFileSync(`/proc/${leader}/status`, 'latin1')).toMatch(/^State:\tZ/m)
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
  try {
    expect(membersOf(known(leader.pid!)).map((each) => each.pid)).toEqual([pid])
    expect(anyLives(known(leader.pid!))).toBe(counts)
  } finally {
    process.kill(pid)
    rmSync(directory, { recursive: true })
  }
})
