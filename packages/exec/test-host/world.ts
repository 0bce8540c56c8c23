// A host with mountkeeper-exec installed, in the namespace of the test: /srv with a root and sources, an ordinary user who may start
// it by sudo, and root's lists. Overlays are over /etc, /usr/local/lib and /usr/sbin, so that nothing of the machine is changed.

import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { typeRule } from '@mountkeeper/types'
import { afterAll, beforeAll } from 'vitest'
import type { Lists } from '../src/lists.js'
import type { Answer } from '../src/protocol.js'

export const isRoot = process.env['MOUNTKEEPER_NAMESPACE'] === 'root'
export const hasSudo = spawnSync('sudo', ['--version']).status === 0
export const has = (program: string): boolean => spawnSync('which', [program]).status === 0

export const ROOT = '/srv/mounts'
export const UID = 4242
const USER = 'mountkeeper-test'
const BUILT = fileURLToPath(new URL('../dist/mountkeeper-exec.cjs', import.meta.url))
export const PROGRAM = '/usr/local/lib/mountkeeper/mountkeeper-exec.cjs'
export const START = [process.execPath, PROGRAM]
export const LISTS = '/etc/mountkeeper/exec.json'

export const sh = (file: string, ...args: readonly string[]): string => {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

export const lists: Lists = {
  format: 1,
  roots: [ROOT],
  suid: false,
  dev: false,
  types: {
    tmpfs: typeRule('tmpfs', ['*']),
    bind: typeRule('bind', ['/srv/exports/']),
    overlay: typeRule('overlay', ['overlay', '/srv/layers/']),
    ext4: typeRule('ext4', ['/srv/images/']),
    nfs: typeRule('nfs', ['*.corp.example:/export/*']),
    cifs: typeRule('cifs', ['//*.corp.example/share*']),
    sshfs: typeRule('sshfs', ['*.corp.example:/export/*']),
    glusterfs: typeRule('glusterfs', ['gluster.corp.example:/vol*']),
    'fuse.bindfs': typeRule('fuse.bindfs', ['/srv/exports/']),
    stuck: typeRule('stuck', ['*']),
  },
}

export const writeLists = (value: unknown = lists): void => {
  writeFileSync(LISTS, JSON.stringify(value))
  chmodSync(LISTS, 0o644)
  chownSync(LISTS, 0, 0)
}

const cover = (path: string): void => {
  const at = `/srv/over${path.replaceAll('/', '-')}`
  for (const part of ['', '/up', '/work']) mkdirSync(`${at}${part}`, { mode: 0o755 })
  sh('mount', '-t', 'overlay', '-o', `lowerdir=${path},upperdir=${at}/up,workdir=${at}/work`, 'over', path)
}

const COVERED = ['/etc', '/usr/local/lib', '/usr/sbin']

/** Ignores TERM, and so does the helper that it starts; says by a file named like its source that both run. */
const STUCK = `#!/bin/sh
trap '' TERM
sh -c 'trap "" TERM; while :; do sleep 0.1; done' stuck-helper &
echo "$@" >&2
: >"/srv/$1"
while :; do sleep 0.1; done
`

/** Makes the host, once for a test file. */
export const prepareWorld = (): void => {
  beforeAll(() => {
    if (process.env['MOUNTKEEPER_NAMESPACE'] === undefined) throw new Error('run it as npm run test:host')
    if (!existsSync(BUILT)) throw new Error('mountkeeper-exec is not built: npm run build')
    sh('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'world', '/srv')
    for (const path of [ROOT, '/srv/exports', '/srv/layers', '/srv/images', '/srv/outside'])
      mkdirSync(path, { mode: 0o755 })
    for (const path of [
      '/srv/exports/one',
      '/srv/exports/two',
      '/srv/layers/low',
      '/srv/layers/up',
      '/srv/layers/work',
    ]) {
      mkdirSync(path, { mode: 0o755 })
    }
    writeFileSync('/srv/exports/one/file', 'one')
    writeFileSync('/srv/outside/secret', 'secret')
    COVERED.forEach(cover)
    mkdirSync('/etc/mountkeeper', { mode: 0o755 })
    mkdirSync(dirname(PROGRAM), { mode: 0o755 })
    copyFileSync(BUILT, PROGRAM)
    chmodSync(PROGRAM, 0o644)
    writeFileSync('/etc/passwd', `${readFileSync('/etc/passwd', 'utf8')}${USER}:*:${UID}:${UID}::/:/bin/sh\n`)
    writeFileSync('/etc/sudoers', `root ALL=(ALL) ALL\n${USER} ALL=(root) NOPASSWD: ${START.join(' ')}\n`)
    chmodSync('/etc/sudoers', 0o440)
    writeFileSync('/usr/sbin/mount.stuck', STUCK)
    chmodSync('/usr/sbin/mount.stuck', 0o755)
    writeLists()
  })
  afterAll(() => {
    for (const path of COVERED) sh('umount', path)
    sh('umount', '-l', '/srv')
  })
}

const AS_USER = ['/usr/bin/setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups', '--inh-caps=-all', '--']

/** What is mounted at or below a path, as the table shows it: mountpoint and type. */
export const mounted = (below: string = ROOT): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , , , target = '']) => target.startsWith(`${below}/`))
    .map((fields) => `${fields[4] ?? ''} ${fields[fields.indexOf('-') + 1] ?? ''}`)

/** Every mountpoint of this namespace. */
export const allMounts = (): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .filter((target) => target !== '')
    .sort()

/** A conversation with mountkeeper-exec. */
export interface Talk {
  /** Sends a change, and resolves with its one answer. */
  readonly ask: (change: object) => Promise<Extract<Answer, { readonly _tag: 'done' | 'refused' }>>
  /** Sends a text as it stands. */
  readonly say: (text: string) => void
  readonly answers: () => readonly Answer[]
  /** Resolves when there is an answer that fits. */
  readonly until: (fits: (answer: Answer) => boolean) => Promise<Answer>
  readonly close: () => Promise<number | null>
  readonly stderr: () => string
  readonly child: ChildProcess
}

const LIMIT_MS = 60_000

/** Runs a command as the ordinary user, to its end. */
export const asUser = (...vector: readonly string[]): { readonly status: number | null; readonly stderr: string } => {
  const [file = '', ...rest] = [...AS_USER, ...vector]
  return spawnSync(file, rest, { encoding: 'utf8', input: '' })
}

/** Starts mountkeeper-exec as the ordinary user, by sudo, with these arguments. */
export const talk = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Talk => {
  const [file = '', ...rest] = [...AS_USER, '/usr/bin/sudo', '-n', '--', ...START, ...args]
  const child = spawn(file, rest, { stdio: 'pipe', env: { ...process.env, ...env } })
  let text = ''
  let stderr = ''
  let id = 0
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more))
  child.stderr.setEncoding('utf8').on('data', (more: string) => (stderr += more))
  child.stdin.on('error', () => undefined)
  const ended = new Promise<number | null>((over) => child.once('close', (code) => over(code)))
  const answers = (): readonly Answer[] =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Answer)
  const until = async (fits: (answer: Answer) => boolean): Promise<Answer> => {
    for (const from = Date.now(); ;) {
      const found = answers().find(fits)
      if (found !== undefined) return found
      if (Date.now() - from > LIMIT_MS || child.exitCode !== null) throw new Error(`no such answer: ${text}${stderr}`)
      await new Promise((wake) => setTimeout(wake, 5))
    }
  }
  return {
    child,
    ask: async (change) => {
      id += 1
      const mine = 'id' in change ? change.id : id
      child.stdin.write(`${JSON.stringify({ id: mine, ...change })}\n`)
      const found = await until((one) => (one._tag === 'done' || one._tag === 'refused') && one.id === mine)
      return found as Extract<Answer, { readonly _tag: 'done' | 'refused' }>
    },
    say: (line) => void child.stdin.write(`${line}\n`),
    answers,
    until,
    close: () => {
      child.stdin.end()
      return ended
    },
    stderr: () => stderr,
  }
}
