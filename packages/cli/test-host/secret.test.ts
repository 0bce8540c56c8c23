// Secrets planted in every way that a caller and an administrator have, through all that a manager does; then everything that any reader
// could read is searched for them (L38).

import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, beforeAll, expect, test } from 'vitest'
import type { Ended, Gate, Started } from './world.js'
import { MAIN, ROOT, STATE, answersOf, attach, detach, newGate, prepareWorld, run, start, until } from './world.js'

prepareWorld()

/** The values. Each is a word of its own, so that a find says which. */
const IN_FILE = 'planted-in-a-file-4711'
const IN_VARIABLE = 'planted-in-a-variable-4712'
const PLAIN = 'planted-as-plain-text-4713'
const ALL = [IN_FILE, IN_VARIABLE, PLAIN]

const DIRECTORY = '/srv/secrets'
const CONFIG = '/srv/config.json'
const CORES = '/srv/cores'
const READ = '/srv/read'
const TRACES = ['/srv/trace', '/srv/trace-again']
const [TRACE = '', TRACE_AGAIN = ''] = TRACES

const fileOf = (value: string): string => `username=tenant\npassword=${value}\n`
const ENVIRONMENT = { PLANTED: fileOf(IN_VARIABLE), DEBUG: '*' }

/**
 * Says what it read by a digest, so that no file of the test has it, then does what its source says. It repeats its secret in its
 * last words, as helpers do that cannot read a line.
 */
const HELPER = `#!/bin/sh
for each in $(echo "$4" | tr , ' '); do
  case $each in credentials=*) sha256sum <"\${each#credentials=}" >>${READ}; file=\${each#credentials=} ;; esac
done
case "$1" in
  refused) cat "$file" >&2; exit 32 ;;
  gate-*) cat "$file" >&2; : >"/tmp/$1.begun"; until [ -e "/tmp/$1.open" ]; do sleep 0.02; done ;;
esac
exec mount -i -t tmpfs -o nosuid,nodev "$1" "$2"
`

beforeAll(() => {
  writeFileSync('/usr/sbin/mount.private', HELPER)
  chmodSync('/usr/sbin/mount.private', 0o755)
  mkdirSync(DIRECTORY, { mode: 0o700 })
  mkdirSync(CORES)
  writeFileSync(`${DIRECTORY}/login`, fileOf(IN_FILE), { mode: 0o600 })
  const configuration = {
    roots: [ROOT],
    stateDirectory: STATE,
    types: { private: { sources: ['*'], options: { credentials: { secret: 'credentials-file' } } } },
    secretDirectories: [DIRECTORY],
    secretEnvironment: ['PLANTED'],
    deadlines: { perType: { private: { mountMs: 5_000 } } },
    // Every fact is compacted at once.
    journalFactsMax: 1,
  }
  writeFileSync(CONFIG, JSON.stringify(configuration))
  const { stateDirectory: _, ...simulated } = configuration
  writeFileSync('/srv/simulated.json', JSON.stringify(simulated))
})

const file = { name: 'credentials', secretFile: `${DIRECTORY}/login` }
const variable = { name: 'credentials', secretEnvironment: 'PLANTED' }
const of = (source: string, ...options: readonly unknown[]): object => ({ type: 'private', source, options })

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Where the values are, of all that is given by name. */
const finds = (texts: Iterable<readonly [name: string, text: string]>): readonly string[] =>
  [...texts].flatMap(([name, text]) => ALL.filter((value) => text.includes(value)).map((value) => `${value}: ${name}`))

/** Every file of the world, but for the one that has its secret. */
const files = (): readonly (readonly [string, string])[] =>
  readdirSync('/srv', { recursive: true, encoding: 'utf8' })
    .map((name) => join('/srv', name))
    .concat(readdirSync('/').map((name) => join('/', name)))
    .filter((path) => path !== `${DIRECTORY}/login`)
    .map((path) => [path, textOf(path)] as const)

/** What every process shows of its arguments, and of its environment. */
const processes = (): readonly (readonly [string, string])[] =>
  readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((pid) =>
      ['cmdline', 'environ'].map((what) => [`/proc/${pid}/${what}`, textOf(`/proc/${pid}/${what}`)] as const),
    )

const outputs = (ended: Ended): readonly (readonly [string, string])[] => [
  ['stdout', ended.stdout],
  ['stderr', ended.stderr],
]

const digest = (value: string): string => createHash('sha256').update(fileOf(value)).digest('hex')
const wasRead = (value: string): boolean => textOf(READ).includes(digest(value))

let running: Started | undefined
afterEach(() => {
  running?.kill('SIGKILL')
})

/** Starts `mountkeeper run` where a core would be written, with the secret of a variable. */
const manager = (trace: string): Started => {
  const run = [process.execPath, MAIN, 'run', '--config', CONFIG, '--trace', trace, '--concurrent']
  running = start(['sh', '-c', `ulimit -c unlimited; cd ${CORES}; exec "$@"`, 'sh', ...run], ENVIRONMENT)
  return running
}

/** The manager's own environment holds its variable; that of no other process may. */
const isOwn =
  (started: Started) =>
  ([name]: readonly [string, string]) =>
    name === `/proc/${started.pid}/environ`

const whileHelperRuns = async (started: Started, gate: Gate): Promise<void> => {
  await gate.begun()
  const seen = (): readonly string[] => finds(processes().filter((each) => !isOwn(started)(each)))
  // Until it calls execve(2) a child of the manager is a copy of it, and shows the environment of that.
  for (let at = 0; at < 20 && seen().length > 0; at += 1) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(seen()).toEqual([])
  expect(finds(files())).toEqual([])
}

test('L38: a secret by reference stands in its file or variable, and with its helper, alone', async () => {
  const gates = [newGate(), newGate()]
  const [first, second] = gates as [Gate, Gate]
  const started = manager(TRACE)
  started.send(
    attach('1', 'file', of('share', file)),
    attach('2', 'variable', of('share', variable)),
    attach('3', 'refused', of('refused', file)),
    attach('4', 'both', of('refused', variable)),
    // Its command passes its deadline; of the next one the request does.
    attach('5', 'late', of(first.source, file)),
    { ...attach('6', 'later', of(second.source, variable)), deadlineMs: 1_500 },
    // Another reference is another filesystem, whatever the value.
    attach('7', 'file', of('share', variable)),
    attach('8', 'file', of('share', { ...file, secretFile: '/etc/shadow' })),
    attach('9', 'file', of('share', { ...variable, secretEnvironment: 'HOME' })),
  )
  await whileHelperRuns(started, first)
  await whileHelperRuns(started, second)
  await started.until(9)
  for (const gate of gates) gate.open()
  started.send({ op: 'status', id: '10' }, { op: 'reconcile', id: '11', apply: true }, detach('12', '2', 'variable'))
  await started.until(12)
  started.end()
  const ended = await started.ended
  const said = new Map(answersOf(ended).map((answer) => [answer['id'], answer]))
  expect(
    [...said.entries()]
      .filter(([, { ok }]) => ok === true)
      .map(([id]) => id)
      .sort(),
  ).toEqual(['1', '10', '11', '12', '2'])
  expect([IN_FILE, IN_VARIABLE].map(wasRead)).toEqual([true, true])
  // So that it is known to have been there to be seen.
  for (const id of ['3', '4', '5']) expect(JSON.stringify(said.get(id))).toContain('***')
  expect(
    [ended.stdout, textOf(TRACE), ...readdirSync(STATE).map((name) => textOf(join(STATE, name)))].join(),
  ).toContain('PLANTED')
  expect(finds([...outputs(ended), ...files()])).toEqual([])
})

test('nor is it anywhere after a restart, in a replay, or in what other commands show', async () => {
  const started = manager(TRACE_AGAIN)
  started.send({ op: 'status', id: '1' }, attach('2', 'file', of('share', file)))
  await started.until(2)
  started.end()
  const again = await started.ended
  expect(answersOf(again).map(({ ok }) => ok)).toEqual([true, true])
  const requests = [attach('1', 'x', of('share', file))]
  const others = await Promise.all([
    run(['replay', TRACE]),
    run(['replay', TRACE_AGAIN]),
    run(['status', '--config', CONFIG]),
    run(['reconcile', '--config', CONFIG]),
    run(['plan', '--config', CONFIG, '-'], requests),
    run(['doctor', '--config', CONFIG]),
    run(['run', '--host', 'simulator', '--config', '/srv/simulated.json', '--output', 'transcript'], requests),
  ])
  const texts = [again, ...others].flatMap(outputs)
  expect(others.slice(0, 2).map(({ code }) => code)).toEqual([0, 0])
  expect(finds([...texts, ...files()])).toEqual([])
})

test('nor in a core of the manager or of its helper, and it is gone when both were killed', async () => {
  const gate = newGate()
  const started = manager('/srv/trace-core')
  started.send(attach('1', 'killed', of(gate.source, file)))
  await whileHelperRuns(started, gate)
  const helpers = processes()
    .filter(([name, text]) => name.endsWith('cmdline') && text.includes(gate.source))
    .map(([name]) => Number(name.split('/')[2]))
  const unnamed = (): readonly string[] =>
    helpers.filter((pid) => existsSync(`/proc/${pid}/fd`)).flatMap((pid) => readdirSync(`/proc/${pid}/fd`))
  started.kill('SIGABRT')
  expect((await started.ended).signal).toBe('SIGABRT')
  // The helper goes on with what it has.
  expect(unnamed()).not.toEqual([])
  for (const pid of helpers) process.kill(pid, 'SIGABRT')
  await until(() => helpers.every((pid) => textOf(`/proc/${pid}/cmdline`) === ''))
  expect(readdirSync(CORES).concat(readdirSync('/').filter((name) => basename(name).startsWith('core')))).toEqual([])
  expect(finds(files())).toEqual([])
})

/** A password where none belongs: in an option, in a source, behind a key that means nothing, in a line that is no request. */
const careless = (id: string): readonly (string | object)[] => {
  const good = attach(id, 'plain', of('share')) as Record<string, unknown>
  const having = (patch: object): object => ({ ...good, filesystem: { ...of('share'), ...patch } })
  const options = ['password=', 'pass=', 'credentials=', 'secretfile=', 'user=bob%', 'PASSWD=', 'x-token=', 'api_key=']
  const sources = [
    `bob:${PLAIN}@nas:/export`,
    `//bob:${PLAIN}@nas/share`,
    `nas:/x?token=${PLAIN}`,
    `//nas/s,pass=${PLAIN}`,
  ]
  return [
    ...options.map((name) => having({ options: [`${name}${PLAIN}`] })),
    ...sources.map((source) => having({ source })),
    having({ options: `password=${PLAIN}` }),
    having({ options: [{ name: 'credentials', value: PLAIN }] }),
    having({ options: [{ name: `password=${PLAIN}`, secretFile: `${DIRECTORY}/login` }] }),
    having({ options: [{ name: 'credentials', secretFile: PLAIN }] }),
    having({ options: [{ name: 'credentials', secretEnvironment: PLAIN }] }),
    having({ password: PLAIN }),
    having({ password: { is: PLAIN } }),
    { ...good, password: PLAIN },
    { ...good, filesystem: `password=${PLAIN}` },
    { ...good, filesystem: [PLAIN] },
    { op: `password=${PLAIN}`, id },
    `{"op":"attach","filesystem":{"password":"${PLAIN}"`,
    `{"op":"attach","password":"${PLAIN}","password":"${PLAIN}"}`,
    `password=${PLAIN}`,
  ]
}

test('a password as plain text is refused, and is nowhere afterwards', async () => {
  const lines = careless('1')
  const started = manager('/srv/trace-plain')
  started.send(...lines, { op: 'status', id: '2' }, { op: 'reconcile', id: '3', apply: false })
  await started.until(lines.length + 2)
  started.end()
  const ended = await started.ended
  const refused = answersOf(ended).filter(({ ok }) => ok === false)
  expect(refused.map(({ error }) => (error as { _tag: string })._tag)).toEqual(lines.map(() => 'Invalid'))
  const others = await Promise.all([
    run(['run', '--config', CONFIG, '--output', 'transcript', '--trace', '/srv/trace-shown'], lines),
    run(['replay', '/srv/trace-plain']),
    run(['run', '--host', 'simulator', '--config', '/srv/simulated.json', '--trace', '/srv/trace-simulated'], lines),
  ])
  const planned = await run(['plan', '--config', CONFIG, '-'], lines)
  const shown = await run(['plan', '--config', CONFIG, '--output', 'transcript', '-'], lines)
  expect(finds([ended, ...others, planned, shown].flatMap(outputs))).toEqual([])
  expect(finds(files())).toEqual([])
  expect(textOf('/srv/trace-plain')).toContain('***')
})
