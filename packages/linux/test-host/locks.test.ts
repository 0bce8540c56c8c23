// One owner over mount and pid namespaces: there the same path may be another directory, another path the same directory, and
// the process that holds a lock may not be seen. The other manager is a process of its own that takes its locks as any does.

import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { linuxLocks } from '../src/index.js'
import { lockFileIn, makeLockFile } from '../src/lock-file.js'
import { lockedBelow } from '../src/lock-places.js'
import { isRoot, prepareWorld, sh } from './world.js'

prepareWorld()
const HERE = '/srv/here'
const APART = '/srv/apart'
beforeAll(() => {
  mkdirSync(`${HERE}/a/b`, { recursive: true })
  mkdirSync(APART)
})

const started: ChildProcess[] = []
afterEach(async () => {
  for (const child of started.splice(0)) {
    const ended = new Promise((done) => child.once('close', done))
    child.stdin?.end()
    await ended
  }
})

const LOCKS = fileURLToPath(new URL('../dist/locks.js', import.meta.url))
/** A manager as far as its locks go: says what became of them, and keeps them until its stdin ends. */
const MANAGER = `
const { linuxLocks } = await import(${JSON.stringify(LOCKS)})
const taken = await linuxLocks().acquire(process.argv.slice(1))()
console.log(taken._tag === 'Right' ? 'taken' : taken.left.why)
process.stdin.on('end', async () => { if (taken._tag === 'Right') await taken.right.release() }).resume()
`

/** Starts something that says one line when it is so far; gives the line. */
const begin = async (vector: readonly string[]): Promise<string> => {
  const [file = '', ...args] = vector
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  started.push(child)
  return new Promise((said) => child.stdout.once('data', (line: Buffer) => said(line.toString().trim())))
}

const managing = (...directories: readonly string[]): readonly string[] => [
  process.execPath,
  '--input-type=module',
  '-e',
  MANAGER,
  ...directories,
]

const OTHER_MOUNTS = ['unshare', '-m', '--fork', '--propagation', 'private']
const OTHER_PIDS = [...OTHER_MOUNTS, '--pid', '--mount-proc']

/** A manager of `directory` in namespaces of its own, whose mounts are as `mounts` makes them. */
const manageElsewhere = (namespaces: readonly string[], mounts: string, directory: string): Promise<string> =>
  begin([...namespaces, 'sh', '-c', `${mounts} && exec "$@"`, 'sh', ...managing(directory)])

const answer = async (directory: string): Promise<string> => {
  const taken = await linuxLocks().acquire([directory])()
  if (taken._tag === 'Left') return taken.left.why
  await taken.right.release()
  return 'taken'
}

describe.each([
  ['of mounts', OTHER_MOUNTS],
  ['of mounts and pids', OTHER_PIDS],
])('a manager in another namespace %s', (_, namespaces) => {
  test('whose root has the same name and is another directory', async () => {
    expect(await manageElsewhere(namespaces, `mount -t tmpfs -o mode=0755 other ${HERE}`, HERE)).toBe('taken')
    expect(await answer(HERE)).toBe('taken')
  })

  test('with the same root', async () => {
    expect(await manageElsewhere(namespaces, ':', HERE)).toBe('taken')
    expect(await answer(HERE)).toContain(`${HERE} belongs to another manager (pid `)
  })

  test('with the same root under another name', async () => {
    expect(await manageElsewhere(namespaces, `mount --bind ${HERE} ${APART}`, APART)).toBe('taken')
    expect(await answer(HERE)).toContain(`${HERE} belongs to another manager (pid `)
  })

  test.each([
    ['above ours', HERE, `${HERE}/a/b`],
    ['below ours', `${HERE}/a/b`, HERE],
  ])('with a root %s, in either order', async (__, theirs, ours) => {
    expect(await manageElsewhere(namespaces, ':', theirs)).toBe('taken')
    expect(await answer(ours)).toContain('roots of two managers may not overlap')
  })

  test.each([
    ['above ours', `mount --bind ${HERE} ${APART}`, APART, `${HERE}/a/b`],
    ['below ours', `mount --bind ${HERE} ${APART}`, `${APART}/a/b`, HERE],
    ['above ours, which it sees at its own place only', `mount --bind ${HERE}/a ${APART}`, APART, `${HERE}/a/b`],
    ['below ours, mounted alone', `mount --bind ${HERE}/a/b ${APART}`, APART, HERE],
  ])('with a root %s, by another name', async (__, mounts, theirs, ours) => {
    expect(await manageElsewhere(namespaces, mounts, theirs)).toBe('taken')
    expect(await answer(ours)).toContain('roots of two managers may not overlap')
  })
})

test('two managers with nested roots that start together: never both, and never none', async () => {
  const rounds = 10
  for (let round = 0; round < rounds; round += 1) {
    const said = await Promise.all([begin(managing(HERE)), begin(managing(`${HERE}/a`))])
    expect(said.filter((each) => each === 'taken')).toHaveLength(1)
    expect(said.find((each) => each !== 'taken')).toContain('roots of two managers may not overlap')
    for (const child of started.splice(0)) {
      const ended = new Promise((done) => child.once('close', done))
      child.stdin?.end()
      await ended
    }
  }
}, 120_000)

/** flock(1) for a manager: waits, before it takes locks, until the gate has been removed. */
const GATED = `#!/bin/sh
case " $* " in *" -x "*) echo reached >/srv/reached; while [ -e /srv/gate ]; do sleep 0.01; done ;; esac
exec /srv/flock "$@"
`

test('a manager above that came between our first look and our locks is seen', async () => {
  sh('cp', '/usr/bin/flock', '/srv/flock')
  writeFileSync('/srv/gated', GATED, { mode: 0o755 })
  writeFileSync('/srv/gate', '')
  const ours = manageElsewhere(OTHER_MOUNTS, 'mount --bind /srv/gated /usr/bin/flock', `${HERE}/a`)
  await expect.poll(() => existsSync('/srv/reached'), { timeout: 30_000 }).toBe(true)
  // As one has it that shares the lock of its directory with a stranger, so that the kernel refuses no lock below it.
  makeLockFile(HERE)
  expect(await begin(['flock', '-x', lockFileIn(HERE), 'sh', '-c', 'echo locked; read -r _'])).toBe('locked')
  rmSync('/srv/gate')
  expect(await ours).toContain('roots of two managers may not overlap')
}, 60_000)

// In a user namespace of its own a test has no second user.
describe.skipIf(!isRoot)('another user, where directories are open to all (skipped without root)', () => {
  const AS_OTHER = ['setpriv', '--reuid=4242', '--regid=4242', '--clear-groups']
  beforeAll(() => {
    for (const path of ['/srv', HERE, `${HERE}/a`]) chmodSync(path, 0o755)
  })

  test.each([
    ['the root', HERE, '-x'],
    ['the root, shared', HERE, '-s'],
    ['a directory above', '/srv', '-x'],
    ['the whole host', '/', '-x'],
  ])('holds the lock of %s: that is no hindrance', async (_, locked, mode) => {
    expect(await begin([...AS_OTHER, 'flock', mode, locked, 'sh', '-c', 'echo locked; read -r _'])).toBe('locked')
    expect(await answer(HERE)).toBe('taken')
  })

  test('has taken it with a process that has ended, or by the name of a manager', async () => {
    const script = `exec 9<"$0"; flock -x 9; echo locked; exec -a flock sh -c 'read -r _' mountkeeper-lock "$0"`
    expect(await begin([...AS_OTHER, 'bash', '-c', script, HERE])).toBe('locked')
    expect(await begin([...AS_OTHER, 'bash', '-c', script, '/srv'])).toBe('locked')
    expect(await answer(HERE)).toBe('taken')
  })

  test.each([
    ['a file', `: >"$0/.mountkeeper-lock"; exec flock -x "$0/.mountkeeper-lock" sh -c 'echo locked; read -r _'`],
    [
      'a file that is closed',
      `umask 077; : >"$0/.mountkeeper-lock"; exec flock -x "$0/.mountkeeper-lock" sh -c 'echo locked; read -r _'`,
    ],
    ['a link', `exec 9<"$0"; flock -x 9; ln -s "$0" "$0/.mountkeeper-lock"; echo locked; read -r _`],
    ['a fifo', `mkfifo "$0/.mountkeeper-lock"; exec 9<"$0"; flock -x 9; echo locked; read -r _`],
  ])('has planted %s of that name, locked, in a sticky directory above', async (_, script) => {
    const sticky = '/srv/sticky'
    mkdirSync(`${sticky}/mine`, { recursive: true, mode: 0o700 })
    chmodSync(sticky, 0o1777)
    rmSync(`${sticky}/.mountkeeper-lock`, { force: true })
    expect(await begin([...AS_OTHER, 'sh', '-c', script, sticky])).toBe('locked')
    expect(await answer(`${sticky}/mine`)).toBe('taken')
  })

  // sendmsg(2) with SCM_RIGHTS by its number: a core Perl has no function for it.
  const sendmsg = new Map([
    ['x64', 46],
    ['arm64', 211],
  ]).get(process.arch)
  const SEND = String.raw`
    use Socket; $| = 1;
    socketpair(my $to, my $from, AF_UNIX, SOCK_DGRAM, 0) or die $!;
    if (fork() == 0) {
      open(my $root, '<', $ARGV[0]) or die $!; flock($root, 2) or die $!;
      my ($data, $rights) = ('x', pack('Q l l l x4', 20, 1, 1, fileno($root)));
      my $parts = pack('Q Q', unpack('Q', pack('P', $data)), 1);
      my $at = sub { unpack('Q', pack('P', $_[0])) };
      my $message = pack('Q L x4 Q Q Q Q l x4', 0, 0, $at->($parts), 1, $at->($rights), length($rights), 0);
      syscall($ARGV[1], fileno($to), $message, 0) == 1 or die $!;
      exit 0;
    }
    wait; print $? == 0 ? "locked\n" : "failed\n"; <STDIN>`

  test.skipIf(sendmsg === undefined)('has locked the root by a descriptor that no process has', async () => {
    chmodSync(HERE, 0o755)
    expect(await begin([...AS_OTHER, 'perl', '-e', SEND, HERE, String(sendmsg)])).toBe('locked')
    expect(await answer(HERE)).toBe('taken')
    // A manager below is still seen.
    expect(await begin(managing(`${HERE}/a/b`))).toBe('taken')
    expect(await answer(HERE)).toContain(`${HERE}/a/b belongs to another manager`)
  })

  test('cannot open the file that counts', async () => {
    expect(await answer(HERE)).toBe('taken')
    const script = `flock -n "$0" true 2>/dev/null && echo taken || echo refused; read -r _`
    expect(await begin([...AS_OTHER, 'sh', '-c', script, `${HERE}/.mountkeeper-lock`])).toBe('refused')
  })
})

test('the roots of mounts below a directory are not asked: they may be those of servers that do not answer', () => {
  const [top, other] = ['/srv/below', '/srv/below/other']
  for (const path of [`${top}/mount`, `${other}/inside`]) mkdirSync(path, { recursive: true })
  for (const path of [other, `${other}/inside`]) writeFileSync(`${path}/.mountkeeper-lock`, '', { mode: 0o600 })
  // Of the same device, so that only the table can say that it is a mount.
  sh('mount', '--bind', other, `${top}/mount`)
  expect(lockedBelow(top)).toEqual([other, `${other}/inside`])
  sh('umount', `${top}/mount`)
})
