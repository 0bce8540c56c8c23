// A long-lived shell in the place of a process for each command: what a command gets, how it ends, and what becomes of the others when
// the shell is killed, stopped or overdue.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { Command, CommandEnd, CommandRunner } from '../src/command-runner.js'
import { STDERR_MAX, execaRunner } from '../src/command-runner.js'
import { anyLives, membersOf, processes, vectorOfProcess } from '../src/processes.js'
import { SHELL_MARK } from '../src/shell-mark.js'
import { shellRunner } from '../src/shell-runner.js'

const base = mkdtempSync(`${tmpdir()}/mountkeeper-`)
afterAll(() => rmSync(base, { recursive: true }))

const sleep = (delayMs: number): Promise<void> => new Promise((wake) => setTimeout(wake, delayMs))
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await sleep(5)
}

const shell = (script: string, deadlineMs = 60_000): Command => ({
  ...{ program: 'sh', options: ['-c', script], operands: [], rights: 'own', deadlineMs, quick: true },
})

const shells = (): readonly number[] =>
  processes().flatMap(({ pid, entry, parentEntry }) =>
    vectorOfProcess(entry).includes(SHELL_MARK) && parentEntry === String(process.pid) ? [pid] : [],
  )
afterEach(async () => {
  for (const pid of shells()) process.kill(pid, 'SIGKILL')
  await until(() => shells().length === 0)
})

const made = (): { readonly run: CommandRunner['run']; readonly others: Command[] } => {
  const others: Command[] = []
  const reader = execaRunner({ graceMs: 200 })
  const other: CommandRunner = {
    run: (command, told) => {
      others.push(command)
      return reader.run(command, told)
    },
  }
  return { run: shellRunner({ other, graceMs: 200 }).run, others }
}

const as = <Tag extends CommandEnd['_tag']>(tag: Tag, end: CommandEnd): Extract<CommandEnd, { readonly _tag: Tag }> => {
  expect(end._tag).toBe(tag)
  return end as Extract<CommandEnd, { readonly _tag: Tag }>
}

let files = 0
const file = (): string => `${base}/${(files += 1)}`

describe('a command that cannot hang', () => {
  test('ends with its own status and its own stderr, and shares a shell with others', async () => {
    const { run, others } = made()
    const ends = await Promise.all(
      Array.from({ length: 40 }, (_, index) => run(shell(`echo "line ${index}" >&2; echo no >&1; exit ${index}`))),
    )
    expect(ends.map((end) => [as('Exited', end).exitStatus, end.stderr])).toEqual(
      ends.map((_, index) => [index, `line ${index}\n`]),
    )
    // A second one helps out where a command is slow.
    expect(new Set(ends.map((end) => as('Exited', end).pid)).size).toBeLessThanOrEqual(4)
    expect(others).toEqual([])
    expect(ends[3]!.vector).toEqual(['sh', '-c', 'echo "line 3" >&2; echo no >&1; exit 3'])
  })
  test('is distinguished from one that was killed', async () => {
    const { run } = made()
    expect(as('Signalled', await run(shell('kill -KILL $$'))).signal).toBe('SIGKILL')
    expect(as('Signalled', await run(shell('kill -TERM $$'))).signal).toBe('SIGTERM')
    expect(as('Exited', await run(shell('exit 0'))).exitStatus).toBe(0)
  })
  test('that is not there was not started', async () => {
    const { run } = made()
    expect(as('NotStarted', await run({ ...shell(''), program: 'no-such-program' })).why).toBe('ENOENT')
    expect(as('Exited', await run(shell('exit 4'))).exitStatus).toBe(4)
  })
  test('may write what looks like a mark, and more than is kept', async () => {
    const { run } = made()
    const forged = '0123456789abcdef0123456789abcdef e 1 0'
    expect(as('Exited', await run(shell(`echo ${forged} >&2; exit 5`)))).toMatchObject({
      ...{ exitStatus: 5, stderr: `${forged}\n` },
    })
    const end = as('Exited', await run(shell('head -c 1000000 /dev/zero | tr "\\0" x >&2; exit 6')))
    expect(end).toMatchObject({ exitStatus: 6, stderr: 'x'.repeat(STDERR_MAX) })
  })
  test('inherits nothing: no descriptor, no directory, no mask, no session', async () => {
    const { run } = made()
    const out = file()
    const script = [
      `ls /proc/$$/fd >${out}.fds; for n in 0 1; do [ /proc/$$/fd/$n -ef /dev/null ] || echo not null >&2; done`,
      `umask >${out}.umask; pwd >${out}.cwd; cut -d' ' -f6 /proc/$$/stat >${out}.session`,
    ]
    expect(as('Exited', await run(shell(script.join('\n')))).stderr).toBe('')
    const read = (name: string): string => readFileSync(`${out}.${name}`, 'utf8').trim()
    // No more than a process of its own would get, of which this process closes none.
    const alone = file()
    await execaRunner().run({ ...shell(script.join('\n').replaceAll(out, alone)), quick: false })
    expect(read('fds')).toBe(readFileSync(`${alone}.fds`, 'utf8').trim())
    expect(read('umask')).toBe('0077')
    expect(read('cwd')).toBe('/')
    expect(Number(read('session'))).toBe(shells()[0])
  })
  test('gets no variable, neither of this process nor of the shell', async () => {
    const { run } = made()
    const out = file()
    expect(
      as('Exited', await run({ ...shell(''), program: 'cp', options: [], operands: ['/proc/self/environ', out] })),
    ).toMatchObject({ exitStatus: 0 })
    expect(
      readFileSync(out, 'utf8')
        .split('\0')
        .filter((line) => line !== '')
        .sort(),
    ).toEqual(['LC_ALL=C', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'])
  })
  test('with a NUL in it goes to the other runner, which refuses it', async () => {
    const { run, others } = made()
    expect(as('NotStarted', await run(shell('true\0false'))).why).toContain('NUL')
    expect(others).toHaveLength(1)
  })
})

test('a command that is not said to be quick has a process of its own', async () => {
  const { run, others } = made()
  await run({ ...shell('exit 0'), quick: false })
  expect([others.length, shells().length]).toEqual([1, 0])
})

describe('a command that passes its deadline', () => {
  test('is ended with its shell, and holds up no other command', async () => {
    const { run } = made()
    const out = file()
    const hanging = run(shell(`: >${out}; exec sleep 60`, 300))
    await until(() => existsSync(out))
    const [first] = shells()
    // While it hangs the others are served by another shell.
    expect(as('Exited', await run(shell('exit 3'))).exitStatus).toBe(3)
    const end = as('TimedOut', await hanging)
    expect(end.pid).toBe(first)
    await end.ended
    expect(membersOf({ pid: first!, started: undefined })).toEqual([])
    expect(as('Exited', await run(shell('exit 4'))).exitStatus).toBe(4)
  })
  test('is killed after the grace if it ignores TERM, its helpers too', async () => {
    const { run } = made()
    const out = file()
    const hanging = run(shell(`trap "" TERM; sleep 60 & : >${out}; sleep 60; sleep 60`, 200))
    await until(() => existsSync(out))
    const end = as('TimedOut', await hanging)
    await end.ended
    expect(anyLives({ pid: end.pid, started: undefined })).toBe(false)
  })
})

test('the time for which a command waited for its turn is none of its own', async () => {
  const { run } = made()
  const ends = await Promise.all(Array.from({ length: 12 }, () => run(shell('sleep 0.3'))))
  const last = as('Exited', ends.at(-1)!)
  expect(last.waitedMs).toBeGreaterThanOrEqual(300)
  expect(as('Exited', ends[0]!).durationMs).toBeGreaterThanOrEqual(300)
})

describe('a shell that is killed', () => {
  test('while it rests is replaced', async () => {
    const { run } = made()
    await run(shell('exit 0'))
    const [first] = shells()
    process.kill(first!, 'SIGKILL')
    expect(as('Exited', await run(shell('exit 3'))).exitStatus).toBe(3)
    expect(shells()).not.toContain(first)
  })
  test('while it runs a command: the command goes on, is waited for, and is not run again', async () => {
    const { run } = made()
    const [out, go] = [file(), file()]
    const running = run(shell(`echo begun >>${out}; while [ ! -e ${go} ]; do sleep 0.01; done; echo ended >>${out}`))
    await until(() => existsSync(out))
    process.kill(shells()[0]!, 'SIGKILL')
    const beside = run(shell('exit 3'))
    expect(as('Exited', await beside).exitStatus).toBe(3)
    expect(readFileSync(out, 'utf8')).toBe('begun\n')
    writeFileSync(go, '')
    expect(as('Signalled', await running).signal).toBe('SIGKILL')
    expect(readFileSync(out, 'utf8')).toBe('begun\nended\n')
  })
})

describe('a shell that is stopped', () => {
  test('while it rests: what it is given is run by another, once', async () => {
    const { run } = made()
    await run(shell('exit 0'))
    const [first] = shells()
    process.kill(first!, 'SIGSTOP')
    const out = file()
    expect(as('Exited', await run(shell(`echo once >>${out}; exit 3`))).exitStatus).toBe(3)
    await until(() => !shells().includes(first!))
    await sleep(50)
    expect(readFileSync(out, 'utf8')).toBe('once\n')
  })
  test('while it runs a command: the command is waited for, and not run again', async () => {
    const { run } = made()
    const [out, go] = [file(), file()]
    const running = run(shell(`echo begun >>${out}; while [ ! -e ${go} ]; do sleep 0.01; done; echo ended >>${out}`))
    await until(() => existsSync(out))
    process.kill(shells()[0]!, 'SIGSTOP')
    writeFileSync(go, '')
    expect(as('Signalled', await running).signal).toBe('SIGKILL')
    expect(readFileSync(out, 'utf8')).toBe('begun\nended\n')
  })
})

test('where no shell can be started each command has a process of its own', async () => {
  const others: Command[] = []
  const reader = execaRunner()
  const other: CommandRunner = { run: (command) => (others.push(command), reader.run(command)) }
  const { run } = shellRunner({ other, start: () => Promise.resolve({ _tag: 'Failed', why: 'EAGAIN' }) })
  expect(as('Exited', await run(shell('exit 3'))).exitStatus).toBe(3)
  expect(others).toHaveLength(1)
})

test('a shell with nothing to do is ended', async () => {
  const { run } = shellRunner({ other: execaRunner(), idleMs: 50 })
  await run(shell('exit 0'))
  expect(shells()).toHaveLength(1)
  await until(() => shells().length === 0)
})
