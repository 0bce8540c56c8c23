// The runner that speaks with mountkeeper-exec, against one that says what a test wants it to say.

import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import type { Command, CommandEnd, CommandRunner } from '../src/command-runner.js'
import { execRunner } from '../src/exec-runner.js'

const folder = mkdtempSync(join(tmpdir(), 'mountkeeper-exec-runner-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const unused: CommandRunner = { run: () => Promise.reject(new Error('no command of its own is run here')) }

let scripts = 0

/** A runner whose other side is this script; `line` is what it was sent, `say` answers. */
const against = (script: string, reader: CommandRunner = unused): CommandRunner => {
  scripts += 1
  const file = join(folder, `exec-${scripts}.mjs`)
  const body = `import { createInterface } from 'node:readline'
    import { spawn } from 'node:child_process'
    const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\\n')
    const lines = createInterface({ input: process.stdin })
    say({ _tag: 'ready', pid: process.pid, roots: [] })
    lines.on('line', (text) => { const line = JSON.parse(text); ${script} })`
  writeFileSync(file, body)
  return execRunner({ vector: [process.execPath, file], reader })
}

const command = (more: Partial<Command> = {}): Command => ({
  ...{ program: 'mkdir', options: ['-m', '0700'], operands: ['/proc/1/fd/2/a'], rights: 'own', deadlineMs: 20_000 },
  change: { do: 'make-directory', mountpoint: '/srv/mounts/a' },
  ...more,
})

const brief = (end: CommandEnd): object => ({
  tag: end._tag,
  vector: end.vector.join(' '),
  stderr: end.stderr,
  ...('exitStatus' in end ? { status: end.exitStatus } : {}),
  ...('why' in end ? { why: end.why } : {}),
  ...('signal' in end ? { signal: end.signal } : {}),
})

/** No process may be there to wait for it: a zombie has ended. */
const lives = (pid: number): boolean => {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

const VECTOR = 'mkdir -m 0700 -- /proc/1/fd/2/a'

test('a change is sent as it is, with an id that grows, and never as a command', async () => {
  const runner = against(`say({ _tag: 'done', id: line.id, status: 0, signal: null, stderr: text })`)
  const ends = [await runner.run(command()), await runner.run(command())]
  const sent = ends.map(({ stderr }) => JSON.parse(stderr) as unknown)
  expect(sent).toEqual([1, 2].map((id) => ({ id, do: 'make-directory', mountpoint: '/srv/mounts/a' })))
})

test('how it ended is reported like that of any other command, in the words of this side', async () => {
  const runner = against(`
    say({ _tag: 'started', id: line.id, pid: 1, vector: ['mkdir', '--', '/proc/77/fd/9/a'] })
    say({ _tag: 'done', id: line.id, status: 32, signal: null, stderr: 'no /proc/77/fd/9/a here' })`)
  const told: number[] = []
  const end = await runner.run(command(), (pid) => told.push(pid))
  expect(brief(end)).toMatchObject({ tag: 'Exited', status: 32, vector: VECTOR, stderr: 'no /proc/1/fd/2/a here' })
  expect(told).toEqual([1])
})

test('a refusal is a command that was not started, with the reason', async () => {
  const runner = against(`say({ _tag: 'refused', id: line.id, why: 'it is not in the lists' })`)
  expect(brief(await runner.run(command()))).toEqual({
    ...{ tag: 'NotStarted', vector: VECTOR, stderr: '' },
    why: 'mountkeeper-exec refuses it: it is not in the lists',
  })
})

test('a signal that ended it is named', async () => {
  const runner = against(`say({ _tag: 'done', id: line.id, status: null, signal: 'SIGKILL', stderr: '' })`)
  expect(brief(await runner.run(command()))).toMatchObject({ tag: 'Signalled', signal: 'SIGKILL' })
})

test('answers come in any order', async () => {
  const runner = against(`
    globalThis.held ??= []
    globalThis.held.push(line.id)
    if (globalThis.held.length === 3) for (const id of globalThis.held.reverse())
      say({ _tag: 'done', id, status: id, signal: null, stderr: '' })`)
  const ends = await Promise.all([runner.run(command()), runner.run(command()), runner.run(command())])
  expect(ends.map((end) => (end._tag === 'Exited' ? end.exitStatus : end._tag))).toEqual([1, 2, 3])
})

test('it ends before anything was started: not started, with what it said last', async () => {
  const runner = against(`process.stderr.write('sudo: a password is required\\n', () => process.exit(1))`)
  expect(brief(await runner.run(command()))).toMatchObject({
    tag: 'NotStarted',
    why: 'mountkeeper-exec: sudo: a password is required',
  })
})

test('it ends while a command runs: the command is waited for, for it goes on', async () => {
  const runner = against(`
    const child = spawn('sleep', ['0.7'], { detached: true, stdio: 'ignore' })
    say({ _tag: 'started', id: line.id, pid: child.pid, vector: ['sleep', '0.7'] })
    setTimeout(() => process.exit(1), 300)`)
  const end = await runner.run(command())
  expect(end._tag).toBe('TimedOut')
  if (end._tag !== 'TimedOut') return
  expect(lives(end.pid)).toBe(true)
  await end.ended
  expect(lives(end.pid)).toBe(false)
})

test('after it has ended the next change starts it again', async () => {
  const runner = against(`
    if (line.mountpoint === '/srv/mounts/b') process.exit(1)
    say({ _tag: 'done', id: line.id, status: 0, signal: null, stderr: String(process.pid) })`)
  const first = await runner.run(command())
  await runner.run(command({ change: { do: 'make-directory', mountpoint: '/srv/mounts/b' } }))
  const second = await runner.run(command())
  expect(first._tag === 'Exited' && second._tag === 'Exited' && first.stderr !== second.stderr).toBe(true)
})

test('a deadline settles, and asks for the end of that command', async () => {
  const runner = against(`
    if (line.do === 'end') { globalThis.child.kill('SIGKILL'); return }
    globalThis.child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
    say({ _tag: 'started', id: line.id, pid: globalThis.child.pid, vector: ['sleep', '60'] })`)
  const end = await runner.run(command({ deadlineMs: 500 }))
  expect(end._tag).toBe('TimedOut')
  if (end._tag === 'TimedOut') await end.ended
})

test('a deadline settles too where it does not answer at all', async () => {
  const runner = against(`setTimeout(() => say({ _tag: 'refused', id: 1, why: 'late' }), 1_000)`)
  const end = await runner.run(command({ deadlineMs: 300 }))
  expect(end._tag).toBe('TimedOut')
  if (end._tag === 'TimedOut') await end.ended
})

test('a command that is started after its deadline is over when it has ended, not when it is answered', async () => {
  const runner = against(`
    if (line.do !== 'end') return
    const child = spawn('sleep', ['0.7'], { detached: true, stdio: 'ignore' })
    say({ _tag: 'started', id: line.of, pid: child.pid, vector: ['sleep', '0.7'] })
    say({ _tag: 'done', id: line.of, status: 0, signal: null, stderr: '' })`)
  const started: number[] = []
  const end = await runner.run(command({ deadlineMs: 300 }), (pid) => started.push(pid))
  expect(end._tag).toBe('TimedOut')
  if (end._tag === 'TimedOut') await end.ended
  expect(started.map(lives)).toEqual([false])
})

test.each<[string, string, Partial<Command>]>([
  ['its program cannot be started', 'a NUL\0', {}],
  ['the descriptor of the secret is closed', '/no/such/sudo', { stdin: 1_048_570, secretName: 'password' }],
])('never rejects: %s', async (_, program, more) => {
  const runner = execRunner({ vector: [program], reader: unused })
  expect(brief(await runner.run(command(more)))).toMatchObject({
    ...{ tag: 'NotStarted', vector: VECTOR },
    why: expect.stringMatching(/^mountkeeper-exec cannot be asked: (?:ENOENT|ERR_INVALID_ARG_VALUE)$/) as string,
  })
})

const built = fileURLToPath(new URL('../dist/exec-runner.js', import.meta.url))
test.skipIf(!existsSync(built))(
  'no descriptor is left: not started, and this process goes on (skipped before a build)',
  () => {
    const script = `
    import { openSync } from 'node:fs'
    import { execRunner } from '${built}'
    const runner = execRunner({ vector: ['true'], reader: { run: () => undefined } })
    try { for (;;) openSync('/dev/null') } catch {}
    const end = await runner.run(${JSON.stringify(command())})
    process.stdout.write(end.why, () => setTimeout(() => process.exit(0), 100))`
    const args = ['-c', 'ulimit -n 64; exec "$0" --input-type=module --eval "$1"', process.execPath, script]
    const { status, stdout, stderr } = spawnSync('sh', args, { encoding: 'utf8' })
    expect({ status, stdout, stderr }).toEqual({
      ...{ status: 0, stderr: '' },
      stdout: 'mountkeeper-exec cannot be asked: Error: too many open files',
    })
  },
)

test('what is no answer ends the conversation, not this process', async () => {
  const runner = against(`
    say({ _tag: 'ready', pid: process.pid, roots: [] })
    process.stdout.write(JSON.stringify({ _tag: 'ready' }) + '\\n{{{\\nmore\\n')`)
  expect(brief(await runner.run(command()))).toMatchObject({
    tag: 'NotStarted',
    why: 'mountkeeper-exec: it said what is no answer: {{{',
  })
})

test('a program that is not there', async () => {
  const runner = execRunner({ vector: ['/no/such/sudo'], reader: unused })
  expect(brief(await runner.run(command()))).toMatchObject({
    tag: 'NotStarted',
    why: expect.stringContaining('ENOENT') as string,
  })
})

test('a secret goes with its change, from a descriptor or from the environment that was meant for the helper', async () => {
  const runner = against(`say({ _tag: 'done', id: line.id, status: 0, signal: null, stderr: text })`)
  const file = join(folder, 'secret')
  writeFileSync(file, 'from a pipe\n')
  const stdin = openSync(file, 'r')
  const ends = [
    await runner.run(command({ stdin, secretName: 'password' })),
    await runner.run(command({ environment: { PASSWD: 'of cifs', OTHER: 'x' }, secretName: 'PASSWD' })),
    await runner.run(command({ environment: { OTHER: 'x' }, secretName: 'PASSWD' })),
    await runner.run(command({ stdin, environment: { OTHER: 'x' } })),
  ]
  closeSync(stdin)
  const secrets = ends.map(({ stderr }) => (JSON.parse(stderr) as { readonly secret?: unknown }).secret)
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  expect(secrets).toEqual([
    { name: 'password', value: base64('from a pipe\n') },
    { name: 'PASSWD', value: base64('of cifs') },
    { name: 'PASSWD', value: '' },
    undefined,
  ])
})

test('what changes nothing is run by the other runner', async () => {
  const end: CommandEnd = { _tag: 'Exited', vector: ['stat'], stderr: '', durationMs: 1, exitStatus: 0, pid: 5 }
  const { change: _, ...probe } = command()
  expect(await against(`process.exit(1)`, { run: () => Promise.resolve(end) }).run(probe)).toBe(end)
})
