// What the processes inherit that a run starts: none of its descriptors, whatever their numbers, and no file mode mask.

import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { MAIN, ROOT, SOURCE, STATE, answersOf, attach, detach, prepareWorld, sh, start, until } from './world.js'

prepareWorld()

const HELD = '/srv/held'
const NUMBERS = ['8', '9', '20', '200', '1000']
/** Each program writes here what it has. */
const SEEN = '/srv/seen'

const NOTE = `{ echo "$0 umask $(umask)"; ls -l /proc/$$/fd; } >>${SEEN} 2>&1`

const plant = (name: string, script: string): void => {
  writeFileSync(`/usr/sbin/${name}`, `#!/bin/sh\n${NOTE}\n${script}\n`)
  chmodSync(`/usr/sbin/${name}`, 0o755)
}

const PLANTED = ['mount.writes', 'mkdir', 'rmdir', 'umount']

beforeAll(() => {
  plant('mount.writes', 'exec mount -i -t tmpfs -o nosuid,nodev "$1" "$2"')
  for (const name of ['mkdir', 'rmdir', 'umount']) plant(name, `exec /usr/bin/${name} "$@"`)
  const types = { writes: { sources: ['*'] }, 'fuse.bindfs': { sources: [`${SOURCE}/`] } }
  writeFileSync('/srv/config.json', JSON.stringify({ roots: [ROOT], stateDirectory: STATE, types }))
  return () => {
    for (const name of PLANTED) sh('rm', `/usr/sbin/${name}`)
  }
})

interface Seen {
  readonly pid: number
  readonly words: string
  readonly mask: string
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const statusOf = (pid: number, name: string): string =>
  new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(textOf(`/proc/${pid}/status`))?.[1] ?? ''

const CAPABILITIES = ['CapPrm', 'CapEff', 'CapBnd', 'CapInh', 'CapAmb']

const bitsOf = (pid: number | undefined, set: string): number => Number(`0x${statusOf(pid ?? 0, set)}`)

/** Bits of setpcap and sys_ptrace: without one of them nothing can be taken of a child. */
const canTake = [8, 19].every((bit) => (BigInt(`0x${statusOf(process.pid, 'CapEff')}`) >> BigInt(bit)) % 2n === 1n)

const all = (): readonly Seen[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({
      pid: Number(name),
      words: textOf(`/proc/${name}/cmdline`).replaceAll('\0', ' '),
      mask: statusOf(Number(name), 'Umask'),
    }))

/** Whether a process has the file that the run was started with. */
const holds = ({ pid }: Seen): boolean => {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === HELD)
  } catch {
    return false
  }
}

const opens = (path: string): boolean => {
  try {
    closeSync(openSync(path, 'r+'))
    return true
  } catch {
    return false
  }
}

const fuse = existsSync('/usr/bin/bindfs') && opens('/dev/fuse')

test(`no process that a run starts has a descriptor of it${fuse ? '' : ', but for FUSE daemons, which cannot be tried here'}`, async () => {
  writeFileSync(HELD, '')
  mkdirSync(`${SOURCE}/f`, { recursive: true })
  // So long a table that a process of its own looks.
  const far = '/srv/far'
  mkdirSync(far)
  for (let at = 0; at < 9; at += 1) sh('mount', '-t', 'tmpfs', 'x'.repeat(4_000), far)
  const held = NUMBERS.map((number) => `${number}<${HELD}`).join(' ')
  const shell = `umask 000; exec ${held}; exec "$@"`
  const run = [process.execPath, MAIN, 'run', '--config', '/srv/config.json']
  const before = new Set(all().map(({ pid }) => pid))
  const started = start(['bash', '-c', shell, 'bash', ...run])
  const bindfs = { type: 'fuse.bindfs', source: `${SOURCE}/f`, options: [] }
  started.send(attach('1', 'a', { type: 'writes', source: 'one', options: [] }))
  if (fuse) started.send(attach('2', 'b', bindfs))
  const early = started.ended.then((end) => {
    throw new Error(`the run ended early: ${JSON.stringify(end)}`)
  })
  early.catch(() => undefined)
  await Promise.race([started.until(fuse ? 2 : 1), early])
  const isManager = ({ pid }: Seen): boolean => pid === started.pid
  const since = (): readonly Seen[] => all().filter((one) => !before.has(one.pid) && !isManager(one))
  const found = (word: string): readonly Seen[] => since().filter(({ words }) => words.includes(word))
  // Lock, look, watch, daemon: they are there to be seen, some of them only a while after the answers.
  const kinds = ['mountkeeper-lock', 'look-process', 'perl', ...(fuse ? ['bindfs'] : [])]
  await Promise.race([until(() => kinds.every((kind) => found(kind).length > 0)), early])
  expect(
    since()
      .filter(holds)
      .map(({ words }) => words),
  ).toEqual([])
  // bindfs sets a mask of its own.
  const masks = kinds.filter((kind) => kind !== 'bindfs').map((kind) => [kind, found(kind)[0]?.mask])
  expect(masks).toEqual(masks.map(([kind]) => [kind, '0077']))
  // capabilities(7): dac_override 1, dac_read_search 2, sys_ptrace 19, sys_admin 21.
  const KEPT = { 'mountkeeper-lock': 0x6, 'look-process': 0x4, perl: 0, 'mountkeeper-shell': 0x280006 }
  const kept = Object.keys(KEPT).map((kind) => [kind, CAPABILITIES.map((set) => bitsOf(found(kind)[0]?.pid, set))])
  if (canTake) expect(kept).toEqual(Object.entries(KEPT).map(([kind, bits]) => [kind, [bits, bits, bits, 0, 0]]))
  started.send(detach('3', '1', 'a'))
  if (fuse) started.send(detach('4', '2', 'b'))
  started.end()
  const ended = await started.ended
  expect(answersOf(ended).map(({ ok }) => ok)).toEqual(fuse ? [true, true, true, true] : [true, true])
  const seen = readFileSync(SEEN, 'utf8')
  for (const name of PLANTED) expect(seen).toContain(`sbin/${name} umask 0077`)
  expect(seen).not.toContain(HELD)
  sh('umount', '-l', far)
  await until(() => all().every((one) => before.has(one.pid) || !holds(one)))
})
