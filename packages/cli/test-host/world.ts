// The command as it is started, in the namespace that the test run has made: a tmpfs over /srv with a root and a state
// directory, and a filesystem type whose mount takes as long as its source says, or until the test lets it go on.

import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isRoot, sh } from '@mountkeeper/lab'
import { afterAll, beforeAll } from 'vitest'

export const ROOT = '/srv/mounts'
export const STATE = '/srv/state'
export const SOURCE = '/srv/exports'
export const MAIN = fileURLToPath(new URL('../bundle/main.js', import.meta.url))
export const SAMPLES = fileURLToPath(new URL('../../../test-fixtures/samples', import.meta.url))

export { isRoot, sh }

/** Shell: says that a gate is reached, and waits until it is open. A sandbox covers `/srv`, but not this. */
export const AT_GATE = ': >"/tmp/$1.begun"; until [ -e "/tmp/$1.open" ]; do sleep 0.02; done'

/**
 * Sleeps as many seconds as the source says, or waits at the gate that it names, then mounts a tmpfs; a source that begins
 * with `bad` fails instead.
 */
const SLOW = `#!/bin/sh
case "$1" in
  bad*) echo "no such export: $1" >&2; exit 32 ;;
  gate-*) ${AT_GATE} ;;
  *) sleep "$1" ;;
esac
exec mount -i -t tmpfs -o nosuid,nodev "$1" "$2"
`

/** Where a mount waits for the test. */
export interface Gate {
  /** The source of a filesystem of type `slow` that waits here. */
  readonly source: string
  /** Resolves when its mount has begun, and waits. */
  readonly begun: () => Promise<void>
  readonly open: () => void
  /** The next mount from it waits again. */
  readonly shut: () => void
}

const LIMIT_MS = 150_000

/** Resolves when it holds; throws when that takes longer than a loaded machine needs. */
export const until = async (holds: () => boolean): Promise<void> => {
  for (const from = Date.now(); !holds();) {
    if (Date.now() - from > LIMIT_MS) throw new Error(`not within ${LIMIT_MS} ms: ${holds.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A filesystem that waits at a gate. */
export const waitsAt = ({ source }: Gate): object => ({ type: 'slow', source, options: [] })

const gates: string[] = []

/** A gate of its own. */
export const newGate = (): Gate => {
  const source = `gate-${randomUUID()}`
  gates.push(source)
  return {
    source,
    begun: () => until(() => existsSync(`/tmp/${source}.begun`)),
    open: () => writeFileSync(`/tmp/${source}.open`, ''),
    shut: () => {
      for (const end of ['begun', 'open']) rmSync(`/tmp/${source}.${end}`, { force: true })
    },
  }
}

/** Makes the world, once for a test file. */
export const prepareWorld = (): void => {
  // All test files share one namespace: what is left below would be in the table of every test after it.
  afterAll(() => {
    sh('umount', '-l', '/srv')
    for (const source of gates) for (const end of ['begun', 'open']) rmSync(`/tmp/${source}.${end}`, { force: true })
  })
  beforeAll(() => {
    if (process.env['MOUNTKEEPER_NAMESPACE'] === undefined) throw new Error('run it as npm run test:host')
    if (!existsSync(MAIN)) throw new Error('the command is not built: npm run build')
    sh('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'world', '/srv')
    for (const path of [ROOT, STATE, SOURCE]) mkdirSync(path, { mode: 0o700 })
    if (existsSync('/usr/sbin/mount.slow')) return
    for (const path of ['/srv/up', '/srv/work']) mkdirSync(path, { mode: 0o755 })
    sh('mount', '-t', 'overlay', '-o', 'lowerdir=/usr/sbin,upperdir=/srv/up,workdir=/srv/work', 'sbin', '/usr/sbin')
    writeFileSync('/usr/sbin/mount.slow', SLOW)
    chmodSync('/usr/sbin/mount.slow', 0o755)
  })
}

/** What is in a directory, but for the lock file of a manager, which stays. */
export const entriesOf = (directory: string): readonly string[] =>
  readdirSync(directory).filter((name) => name !== '.mountkeeper-lock')

/** What is mounted below the root, as the table shows it: mountpoint and source. */
export const mounted = (below: string = ROOT): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , , , target = '']) => target.startsWith(`${below}/`))
    .map((fields) => `${fields[4] ?? ''} ${fields[fields.indexOf('-') + 2] ?? ''}`)

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly pid: number
  readonly send: (...lines: readonly (string | object)[]) => void
  readonly end: () => void
  readonly kill: (signal: NodeJS.Signals) => void
  /** Resolves when so many lines are out. */
  readonly until: (lines: number) => Promise<void>
  readonly ended: Promise<Ended>
  /** What has come out by now. */
  readonly stdout: () => string
  readonly stderr: () => string
}

/** Starts a vector; what it writes is kept. */
export const start = (vector: readonly string[], environment: Readonly<Record<string, string>> = {}): Started => {
  const [file = '', ...args] = vector
  const child = spawn(file, args, { stdio: 'pipe', env: { ...process.env, ...environment } })
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => undefined)
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      resolve({ code, signal, stdout, stderr })
    })
  })
  return {
    pid: child.pid ?? -1,
    send: (...lines) => {
      for (const line of lines) child.stdin.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
    },
    end: () => child.stdin.end(),
    kill: (signal) => child.kill(signal),
    until: async (lines) => {
      for (const from = Date.now(); stdout.split('\n').length <= lines && Date.now() - from < LIMIT_MS;) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
  }
}

/** Starts the command. */
export const command = (...args: readonly string[]): Started => start([process.execPath, MAIN, ...args])

/** Runs the command on these lines, to its end. */
export const run = (args: readonly string[], lines: readonly (string | object)[] = []): Promise<Ended> => {
  const started = command(...args)
  started.send(...lines)
  started.end()
  return started.ended
}

/** Each line as JSON. */
export const answersOf = ({ stdout }: Ended): readonly Record<string, unknown>[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

export const attach = (id: string, name: string, patch: object = {}): object => ({
  op: 'attach',
  id,
  mountpoint: `${ROOT}/${name}`,
  filesystem: { type: 'tmpfs', source: 'scratch', options: ['size=1m'], ...patch },
  volume: `vol-${id}`,
  consumer: `vm-${id}`,
})

export const detach = (id: string, of: string, name: string): object => ({
  op: 'detach',
  id,
  mountpoint: `${ROOT}/${name}`,
  volume: `vol-${of}`,
  consumer: `vm-${of}`,
})
