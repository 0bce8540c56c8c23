// What is not run, or run with a descriptor in place of a path, because others could exchange what a path leads to; and what a
// probe says of each way a stat can end.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import type { Filesystem, Found, Identity, RootIdentity } from '@mountkeeper/core'
import { effectId } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import type { TypeRule } from '@mountkeeper/types'
import { optionEntry, typeRule } from '@mountkeeper/types'
import { afterAll, describe, expect, test } from 'vitest'
import type { Command, CommandEnd } from '../src/command-runner.js'
import { linuxHost } from '../src/effects.js'
import { bindOptions } from '../src/effects/mount-options.js'
import type { Seen } from '../src/look.js'
import { parseMountInfo } from '../src/mountinfo.js'

const base = realpathSync(mkdtempSync(`${tmpdir()}/mountkeeper-refusals-`))
const rootPath = `${base}/mounts`
for (const name of ['mounts', 'safe', 'more', 'open', 'open/a']) mkdirSync(`${base}/${name}`, { mode: 0o700 })
chmodSync(`${base}/open`, 0o777)
writeFileSync(`${base}/secret`, 'username=u\npassword=p\n', { mode: 0o600 })
afterAll(() => rmSync(base, { recursive: true }))

const password = { PASSWD: optionEntry('cifs', 'PASSWD')!.grammar }
const types: Readonly<Record<string, TypeRule>> = {
  tmpfs: typeRule('tmpfs', ['*']),
  bind: typeRule('bind', [`${base}/`]),
  overlay: typeRule('overlay', ['overlay', `${base}/`]),
  ext4: typeRule('ext4', [`${base}/`]),
  cifs: typeRule('cifs', ['*'], password),
  other: typeRule('other', ['*']),
}
const DIRECTORY: Found = { _tag: 'Directory' }
const layer: Identity = { mountId: 70, device: '0:50', fstype: 'tmpfs', source: 's', root: '/', flags: ['rw'] }

type Given = Parameters<ReturnType<typeof linuxHost>['run']>[0]
type Options = NonNullable<Parameters<typeof linuxHost>[0]>

interface Run {
  readonly report: Report
  readonly commands: readonly Command[]
}

/** Runs an effect; each command ends as the next of `ends` says, the last for all that follow. */
const run = async (
  effect: Given,
  seen: Seen = { found: DIRECTORY },
  ends: readonly Partial<CommandEnd>[] = [{}],
  more: Options = {},
): Promise<Run> => {
  const commands: Command[] = []
  const runner = {
    run: (command: Command): Promise<CommandEnd> => {
      const end = ends[Math.min(commands.length, ends.length - 1)]
      commands.push(command)
      const exited = { _tag: 'Exited', vector: [command.program], stderr: '', durationMs: 1, exitStatus: 0, pid: 7 }
      return Promise.resolve({ ...exited, ...end } as CommandEnd)
    },
  }
  const host = linuxHost({
    types,
    runner,
    looker: () => Promise.resolve(seen),
    secrets: { directories: [base], environment: [] },
    ...more,
  })
  return { report: await host.run(effect), commands }
}

const discover = (roots: readonly string[]): Promise<Report> =>
  linuxHost().run({ _tag: 'Discover', effect: effectId(1), roots, known: [], deadlineMs: 5_000 })
const discovered = await discover([rootPath])
if (discovered.found._tag !== 'Discovered') throw new Error(JSON.stringify(discovered.found))
const root: RootIdentity = discovered.found.roots[0]!

const common = { effect: effectId(2), mountpoint: `${rootPath}/a b`, root, deadlineMs: 5_000 }
const mount = (type: string, source: string, options: Filesystem['options'] = []): Given => ({
  ...{ _tag: 'Mount', ...common, filesystem: { type, source, options }, options },
})
const open = (): number => readdirSync('/proc/self/fd').length

const refused = async (effect: Given, more?: Options): Promise<string> => {
  const before = open()
  const { report, commands } = await run(effect, undefined, undefined, more)
  expect(commands).toEqual([])
  expect(report.found).toEqual(DIRECTORY)
  expect(open()).toBe(before)
  return report.error?.stderr ?? ''
}

describe('paths that others can exchange', () => {
  const EXCHANGE = `${base}/open can be written by others`
  test('are given to an overlay as descriptors, all of that option, and closed afterwards', async () => {
    const options = [`lowerdir=${base}/safe:${base}/open/a`, `upperdir=${base}/more`, 'nodev']
    const before = open()
    const { commands, report } = await run(mount('overlay', 'overlay', options))
    const [, list = ''] = commands[0]!.options.slice(-2)
    expect(list.replaceAll(/\/proc\/\d+\/fd\/\d+/g, '<fd>')).toBe(`lowerdir=<fd>:<fd>,upperdir=${base}/more,nodev`)
    expect(commands[0]!.change).toMatchObject({ do: 'mount', type: 'overlay', options })
    expect(report.ran?.[0]?.command).toBeDefined()
    expect(open()).toBe(before)
  })
  test('are refused where a helper would look them up again', async () => {
    expect(await refused(mount('ext4', `${base}/open/a`))).toContain(
      `ext4 needs its source as a path, and others can exchange ${base}/open/a: ${EXCHANGE}`,
    )
    expect(await refused(mount('other', `${base}/open/a`))).toContain(EXCHANGE)
  })
  test('that lead nowhere, or where nothing is allowed, are refused, with what was opened before closed', async () => {
    const options = [`lowerdir=${base}/safe:${base}/open/a:${base}/none`]
    expect(await refused(mount('overlay', 'overlay', options))).toContain(`option lowerdir: ${base}/none`)
    const twice = [`lowerdir=${base}/open/a`, `upperdir=${base}/none`]
    expect(await refused(mount('overlay', 'overlay', twice))).toContain(`option upperdir: ${base}/none`)
    expect(await refused(mount('bind', `${base}/none`))).toContain(`${base}/none`)
  })
  test('a type without entry may have a source that is no path here', async () => {
    for (const source of ['//server/share', 'label', `${base}/none`]) {
      expect((await run(mount('other', source))).commands[0]!.operands[0]).toBe(source)
    }
  })
})

test('a bind is given a descriptor, and what the mount of its source forbids', async () => {
  const { commands } = await run(mount('bind', `${base}/open/a`, ['nosuid']))
  const [command] = commands
  expect(command!.operands[0]).toMatch(/^\/proc\/\d+\/fd\/\d+$/)
  const { lines } = parseMountInfo(readFileSync('/proc/self/mountinfo'))
  const flags = lines.filter(({ target }) => `${base}/`.startsWith(target === '/' ? '/' : `${target}/`)).at(-1)!.flags
  expect(command!.options).toEqual(['-c', '-o', bindOptions(['nosuid'], flags).join(',')])
  expect(command!.change).toMatchObject({ source: `${base}/open/a`, options: ['nosuid'] })
})

describe('secrets', () => {
  const secret = { name: 'credentials', secretFile: `${base}/secret` }
  test('at most one, of an option that is one, and by a way that the prefix leaves open', async () => {
    const both = [secret, { name: 'PASSWD', secretFile: `${base}/secret` }]
    expect(await refused(mount('cifs', '//s/x', both))).toContain(
      'options credentials and PASSWD: a helper can be given one secret',
    )
    const environment = [{ name: 'PASSWD', secretFile: `${base}/secret` }]
    expect(await refused(mount('cifs', '//s/x', environment), { prefix: ['/usr/bin/sudo', '-n'] })).toContain(
      'option PASSWD: /usr/bin/sudo passes no variable on',
    )
  })
  test('mount.cifs is started in the parent directory, and the change names the secret and not where it stands', async () => {
    const { commands } = await run(mount('cifs', '//s/x', [secret, 'vers=3.0']))
    const [command] = commands
    expect(command!.operands).toEqual(['//s/x', './a b'])
    expect(command!.cwd).toMatch(/^\/proc\/\d+\/fd\/\d+$/)
    expect(command!.options).toEqual(['-c', '-t', 'cifs', '-o', 'credentials=/proc/self/fd/0,vers=3.0'])
    expect(command!.change).toEqual({
      ...{ do: 'mount', mountpoint: common.mountpoint, type: 'cifs', source: '//s/x', options: ['vers=3.0'] },
    })
    expect(command!.secretName).toBe('credentials')
  })
})

test('a mount goes onto what is mounted there', async () => {
  const { commands, report } = await run(mount('tmpfs', 's'), { found: { _tag: 'Mounted', layers: [layer] } })
  expect(commands.map(({ program }) => program)).toEqual(['mount'])
  expect(report.found).toMatchObject({ _tag: 'Mounted' })
})

test('a layer that has moved is said to be elsewhere where nothing is unmounted', async () => {
  const effect: Given = {
    ...{ _tag: 'Unmount', ...common, filesystem: undefined, identity: layer, how: 'force', mayHang: false },
  }
  const { report, commands } = await run(effect, { found: DIRECTORY, elsewhere: '/elsewhere' })
  expect(commands).toEqual([])
  expect(report).toEqual({
    found: DIRECTORY,
    error: {
      command: ['umount', '-f', '-c', '--', common.mountpoint],
      stderr: 'not run: another layer is on top',
    },
    elsewhere: '/elsewhere',
  })
  expect((await run(effect)).report).not.toHaveProperty('elsewhere')
})

describe('a probe', () => {
  const effect: Given = { _tag: 'Probe', ...common, filesystem: { type: 'tmpfs', source: 's', options: [] } }
  test.each([
    [0, { _tag: 'Alive' }],
    [1, { _tag: 'Alive' }],
    [13, { _tag: 'Alive' }],
    [107, { _tag: 'Broken', errno: 'ENOTCONN' }],
    [116, { _tag: 'Broken', errno: 'ESTALE' }],
    [5, { _tag: 'Unknown', why: 'Unreadable', detail: 'stat fails with errno 5' }],
  ])('whose second stat ends with %i', async (exitStatus, found) => {
    const { report } = await run(effect, undefined, [{ exitStatus: 1 }, { exitStatus }])
    expect(report.found).toEqual(found)
    expect(report.ran).toHaveLength(2)
    expect(report.error).toMatchObject({ exitStatus: 1 })
  })
  test('that succeeds at once needs no second', async () => {
    const { report, commands } = await run(effect)
    expect(report).toMatchObject({ found: { _tag: 'Alive' }, ran: [{ exitStatus: 0 }] })
    expect(commands).toHaveLength(1)
  })
  test('that passes its deadline says so, with all that was run', async () => {
    const late: Partial<CommandEnd> = { _tag: 'TimedOut', pid: 7, ended: Promise.resolve() }
    expect((await run(effect, undefined, [late])).report).toMatchObject({ found: { why: 'TimedOut' }, ran: [{}] })
    const { report } = await run(effect, undefined, [{ exitStatus: 1 }, late])
    expect(report).toMatchObject({ found: { why: 'TimedOut' }, ran: [{ exitStatus: 1 }, {}] })
  })
  test('whose programs cannot be run says nothing of the filesystem', async () => {
    const { report } = await run(effect, undefined, [{ _tag: 'NotStarted', why: 'ENOENT' }])
    expect(report.found).toEqual({ _tag: 'Unknown', why: 'Unreadable', detail: 'no stat could be run' })
  })
})

test('a root that is not there leaves the host down, and says which', async () => {
  expect((await discover([rootPath, `${base}/none`])).found).toMatchObject({
    _tag: 'NotDiscovered',
    reason: expect.stringContaining(`${base}/none`) as string,
  })
  const looker = (): Promise<Seen> => Promise.reject(new Error('defect'))
  const known = [{ mountpoint: `${rootPath}/a`, filesystem: undefined }]
  const broken = await linuxHost({ looker }).run({
    ...{ _tag: 'Discover', effect: effectId(1), roots: [rootPath], known, deadlineMs: 5_000 },
  })
  expect(broken.found).toEqual({ _tag: 'NotDiscovered', reason: 'defect' })
})
