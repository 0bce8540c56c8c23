// The exact argument vectors, with a runner that runs nothing and a looker that is given what to see.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Filesystem, Found, Identity, MountOption, RootIdentity, Unmount } from '@mountkeeper/core'
import { effectId } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import type { TypeRule } from '@mountkeeper/types'
import { optionEntry, typeRule } from '@mountkeeper/types'
import { afterAll, describe, expect, test } from 'vitest'
import type { Command, CommandEnd } from '../src/command-runner.js'
import { vectorOf } from '../src/command-runner.js'
import { linuxHost } from '../src/effects.js'
import { bindOptions, renderOptions } from '../src/effects/mount-options.js'
import type { LookRequest, Seen } from '../src/look.js'
import { pathsOf } from '../src/source.js'

const base = realpathSync(mkdtempSync(`${tmpdir()}/mountkeeper-`))
const rootPath = `${base}/mounts`
mkdirSync(rootPath, { mode: 0o700 })
mkdirSync(`${base}/source`)
afterAll(() => {
  rmSync(base, { recursive: true })
})

const types: Readonly<Record<string, TypeRule>> = {
  tmpfs: typeRule('tmpfs', ['*']),
  bind: typeRule('bind', [`${base}/source/`]),
  nfs: typeRule('nfs', ['*']),
  sshfs: typeRule('sshfs', ['*']),
  overlay: typeRule('overlay', ['overlay']),
}
const layer: Identity = { mountId: 70, device: '0:50', fstype: 'tmpfs', source: 's', root: '/', flags: ['rw'] }
const MOUNTED: Found = { _tag: 'Mounted', layers: [layer] }
const DIRECTORY: Found = { _tag: 'Directory' }

interface Run {
  readonly report: Report
  readonly vectors: readonly string[]
  readonly looks: readonly LookRequest[]
}

type Given = Parameters<ReturnType<typeof linuxHost>['run']>[0]

/** Runs an effect where the look shows `found`; descriptors in vectors are shown as `<fd>`. */
const run = async (
  found: Found,
  effect: Given,
  end: Partial<CommandEnd> = {},
  seen: (request: LookRequest) => Seen = () => ({ found }),
): Promise<Run> => {
  const vectors: string[] = []
  const looks: LookRequest[] = []
  const runner = {
    run: (command: Command): Promise<CommandEnd> => {
      const vector = vectorOf(command, ['sudo', '-n', '--'])
      vectors.push(vector.join(' ').replaceAll(/\/proc\/\d+\/fd\/\d+/g, '<fd>'))
      const exited = { _tag: 'Exited', vector, stderr: '', durationMs: 1, exitStatus: 0, pid: 7 }
      return Promise.resolve({ ...exited, ...end } as CommandEnd)
    },
  }
  const looker = (request: LookRequest): Promise<Seen> => {
    looks.push(request)
    return Promise.resolve(seen(request))
  }
  const host = linuxHost({ types, runner, looker })
  return { report: await host.run(effect), vectors, looks }
}

const discover = await linuxHost().run({
  _tag: 'Discover',
  effect: effectId(1),
  roots: [rootPath],
  known: [],
  deadlineMs: 5_000,
})
if (discover.found._tag !== 'Discovered') throw new Error(JSON.stringify(discover.found))
const root: RootIdentity = discover.found.roots[0]!

const common = { effect: effectId(2), mountpoint: `${rootPath}/a b`, root, deadlineMs: 5_000 }
const mount = (filesystem: Filesystem): Given => ({ _tag: 'Mount', ...common, filesystem, options: filesystem.options })
const unmount = (more: Partial<Unmount>): Given => ({
  _tag: 'Unmount',
  ...common,
  filesystem: undefined,
  identity: layer,
  how: 'plain',
  mayHang: false,
  ...more,
})

describe('L37: vectors', () => {
  test('directories are one component, without the prefix', async () => {
    expect((await run(DIRECTORY, { _tag: 'MakeDirectory', ...common })).vectors).toEqual(['mkdir -m 0700 -- <fd>/a b'])
    expect((await run(DIRECTORY, { _tag: 'RemoveDirectory', ...common })).vectors).toEqual(['rmdir -- <fd>/a b'])
  })

  test.each([
    ['tmpfs', 'src', ['size=1m', 'nosuid', 'nodev'], '-c -t tmpfs -o size=1m,nosuid,nodev -- src'],
    ['tmpfs', '', [], '-c -t tmpfs -- '],
    [
      'nfs',
      'host:/x',
      ['vers=4.2', '_netdev', 'nofail', 'noauto', 'x-systemd.automount'],
      '-c -t nfs -o vers=4.2 -- host:/x',
    ],
    ['sshfs', 'u@h:/p', ['port=2'], '-c -t sshfs -o port=2 -- u@h:/p'],
    ['unknown-type', 's', ['rw'], '-c -t unknown-type -o rw -- s'],
    ['bind', `${base}/source`, ['nosuid'], '-c -o bind,nosuid'],
  ])('mount %s from %j with %j', async (type, source, options, expected) => {
    const { vectors } = await run(DIRECTORY, mount({ type, source, options }))
    expect(vectors).toHaveLength(1)
    expect(vectors[0]!.startsWith(`sudo -n -- mount ${expected}`)).toBe(true)
    expect(vectors[0]!.endsWith(type === 'bind' ? '-- <fd> <fd>/a b' : `${expected} <fd>/a b`)).toBe(true)
  })

  test.each([
    [{}, 'umount -- <fd>/a b'],
    [{ mayHang: true }, 'umount -c -- <fd>/a b'],
    [{ how: 'force' }, 'umount -f -c -- <fd>/a b'],
    [{ how: 'lazy', mayHang: true }, 'umount -l -c -- <fd>/a b'],
    [{ filesystem: { type: 'tmpfs', source: 's', options: ['x-a=b'] } }, 'umount -c -- <fd>/a b'],
    [{ filesystem: { type: 'tmpfs', source: 's', options: ['_netdev'] } }, 'umount -c -- <fd>/a b'],
  ] as const)('unmount %j', async (more, expected) => {
    expect((await run(MOUNTED, unmount(more))).vectors).toEqual([`sudo -n -- ${expected}`])
  })

  test.each([
    ['umount succeeded: it is the next mount, which the kernel gave the numbers of ours', 0, undefined],
    ['umount failed: it is ours, which has moved', 32, '/elsewhere'],
  ])('a layer that looks the same elsewhere, and %s', async (_, exitStatus, elsewhere) => {
    let looks = 0
    const { report } = await run(MOUNTED, unmount({}), { exitStatus }, (request) => {
      looks += 1
      if (looks === 1) return { found: MOUNTED }
      // Nothing is searched for unasked, for that takes the whole table.
      return request.layer === undefined ? { found: DIRECTORY } : { found: DIRECTORY, elsewhere: '/elsewhere' }
    })
    expect(report.found).toEqual(DIRECTORY)
    expect(report.elsewhere).toBe(elsewhere)
  })

  test('plain umount is not used where it hands on what the path leads to: overlay, also below a bind', async () => {
    const identity = { ...layer, fstype: 'overlay' }
    const found: Found = { _tag: 'Mounted', layers: [identity] }
    expect((await run(found, unmount({ identity }))).vectors).toEqual(['sudo -n -- umount -c -- <fd>/a b'])
  })

  test('a probe is a stat, without the prefix', async () => {
    const probe = { _tag: 'Probe', ...common, filesystem: { type: 'tmpfs', source: 's', options: [] } } as const
    expect((await run(MOUNTED, probe)).vectors).toEqual(['stat --cached=never -c %i -- <fd>/a b'])
    const failed = await run(MOUNTED, probe, { _tag: 'Exited', exitStatus: 1 })
    expect(failed.vectors).toHaveLength(2)
    expect(failed.vectors[1]!.startsWith(process.execPath)).toBe(true)
    expect(failed.report.found).toEqual({ _tag: 'Alive' })
  })
})

describe('nothing is run', () => {
  test.each([
    ['mount on a link', { _tag: 'Obstacle', kind: 'symlink' }, mount({ type: 'tmpfs', source: 's', options: [] })],
    ['mount on nothing', { _tag: 'NoDirectory' }, mount({ type: 'tmpfs', source: 's', options: [] })],
    [
      'mount when unknown',
      { _tag: 'Unknown', why: 'ParentElsewhere' },
      mount({ type: 'tmpfs', source: 's', options: [] }),
    ],
    ['unmount of nothing', DIRECTORY, unmount({})],
    ['unmount of another layer', { _tag: 'Mounted', layers: [{ ...layer, mountId: 71 }, layer] }, unmount({})],
    ['unmount of a renamed root', { _tag: 'Mounted', layers: [{ ...layer, root: '/x' }] }, unmount({})],
    ['unmount when unknown', { _tag: 'Unknown', why: 'Unreadable' }, unmount({ how: 'lazy' })],
  ] as const)('%s', async (_, found, effect) => {
    const { vectors, report } = await run(found, effect)
    expect(vectors).toEqual([])
    expect(report.found).toEqual(found)
    expect(report.error?.stderr).toContain('not run')
  })
  test('the root is another directory', async () => {
    const changed = { ...root, directory: '1:1' }
    const { vectors, report } = await run(DIRECTORY, { _tag: 'MakeDirectory', ...common, root: changed })
    expect(vectors).toEqual([])
    expect(report.found).toMatchObject({ _tag: 'Unknown', why: 'RootChanged' })
  })
  test('a source that is not allowed, a comma, a bad secret', async () => {
    const refused = async (filesystem: Filesystem): Promise<string> => {
      const { vectors, report } = await run(DIRECTORY, mount(filesystem))
      expect(vectors).toEqual([])
      return report.error?.stderr ?? ''
    }
    expect(await refused({ type: 'bind', source: '/', options: [] })).toContain('not an allowed source')
    expect(await refused({ type: 'overlay', source: 'o', options: ['lowerdir=/'] })).toContain('option lowerdir: /')
    expect(await refused({ type: 'tmpfs', source: 's', options: ['a,suid'] })).toContain(
      'option a,suid: not allowed for type',
    )
    const secret = { name: 'credentials', secretFile: `${base}/none` }
    expect(await refused({ type: 'tmpfs', source: 's', options: [secret] })).toContain('option credentials: ')
  })
})

describe('reports', () => {
  test('evidence names the path, not the descriptor', async () => {
    const stderr = 'mkdir: cannot create'
    const failed = await run(
      { _tag: 'NoDirectory' },
      { _tag: 'MakeDirectory', ...common },
      {
        exitStatus: 1,
        stderr,
      },
    )
    expect(failed.report).toEqual({
      found: { _tag: 'NoDirectory' },
      error: { command: ['mkdir', '-m', '0700', '--', `${rootPath}/a b`], exitStatus: 1, stderr },
      ran: [
        {
          command: ['mkdir', '-m', '0700', '--', `${rootPath}/a b`],
          exitStatus: 1,
          signal: undefined,
          stderr,
          durationMs: 1,
        },
      ],
    })
  })
  test('a program that is not installed', async () => {
    const { report } = await run(DIRECTORY, mount({ type: 'tmpfs', source: 's', options: [] }), {
      _tag: 'NotStarted',
      why: 'ENOENT',
    })
    expect(report.found).toEqual(DIRECTORY)
    expect(report.error?.stderr).toContain('is not installed')
  })
  test('a command that passed its deadline', async () => {
    let end: () => void = () => undefined
    const ended = new Promise<void>((told) => {
      end = told
    })
    const { report, looks } = await run(MOUNTED, unmount({}), { _tag: 'TimedOut', pid: 7, ended })
    expect(report.found).toEqual({ _tag: 'Unknown', why: 'TimedOut' })
    expect(report.error).toMatchObject({ pid: 7 })
    // The one before; none after, because nothing can be known yet.
    expect(looks).toHaveLength(1)
    end()
    await report.ended
  })
  test('a look that passes its deadline', async () => {
    const never = linuxHost({ looker: () => new Promise(() => undefined) })
    const report = await never.run({ _tag: 'Look', ...common, filesystem: undefined, deadlineMs: 20 })
    expect(report.found).toEqual({ _tag: 'Unknown', why: 'TimedOut' })
    expect(report.ended).toBeInstanceOf(Promise)
  })
  test('a discovery in which one look hangs goes on with the rest', async () => {
    const looker = ({ mountpoint }: LookRequest): Promise<{ found: Found }> =>
      mountpoint.endsWith('/hung') ? new Promise(() => undefined) : Promise.resolve({ found: DIRECTORY })
    const known = ['hung', 'a', 'b'].map((name) => ({ mountpoint: `${rootPath}/${name}`, filesystem: undefined }))
    const report = await linuxHost({ looker }).run({
      _tag: 'Discover',
      effect: effectId(1),
      roots: [rootPath],
      known,
      deadlineMs: 200,
    })
    if (report.found._tag !== 'Discovered') throw new Error(JSON.stringify(report.found))
    expect(report.found.mountpoints.map(({ found }) => found)).toEqual([
      { _tag: 'Unknown', why: 'TimedOut' },
      DIRECTORY,
      DIRECTORY,
    ])
  })
  test('a defect in a look is no rejection', async () => {
    const throws = linuxHost({ looker: () => Promise.reject(new Error('defect')) })
    const report = await throws.run({ _tag: 'Look', ...common, filesystem: undefined })
    expect(report.found).toEqual({ _tag: 'Unknown', why: 'Unreadable', detail: 'defect' })
  })
  test('types that ask their server are looked at through the table', async () => {
    const looked = async (type: string): Promise<string | undefined> =>
      (await run(DIRECTORY, { _tag: 'Look', ...common, filesystem: { type, source: 's', options: [] } })).looks[0]
        ?.mayBe
    expect(await looked('tmpfs')).toBe('quiet')
    expect(await looked('bind')).toBe('quiet')
    expect(await looked('nfs')).toBe('anything')
  })
})

describe('options', () => {
  test('in the place of a secret stands the standard input', () => {
    const option = { name: 'credentials', secretFile: '/etc/secrets/a,b' }
    expect(renderOptions('cifs', typeRule('cifs', ['*']), ['ro', option])).toEqual({
      _tag: 'Right',
      right: ['ro', 'credentials=/proc/self/fd/0'],
    })
  })
  test.each([
    ['ceph', 'secretfile', ['secretfile=/proc/self/fd/0']],
    ['fuse.sshfs', 'password', ['password_stdin']],
    // The helper reads it from its environment.
    ['cifs', 'PASSWD', []],
  ])('%s reads the secret %s where it reads it: %j', (type, name, right) => {
    const rule = typeRule(type, ['*'], { [name]: optionEntry(type, name)!.grammar })
    expect(renderOptions(type, rule, [{ name, secretFile: '/etc/secrets/a' }])).toEqual({ _tag: 'Right', right })
  })
  test.each<readonly [string, MountOption, string]>([
    ['cifs', { name: 'vers', secretFile: '/etc/secrets/a' }, 'option vers: cannot be a secret'],
    ['cifs', { name: 'no-such', secretFile: '/etc/secrets/a' }, 'option no-such: not allowed for type cifs'],
    ['tmpfs', 'ro=1', 'option ro: takes no value'],
    ['tmpfs', 'no-such=1', 'option no-such: not allowed for type tmpfs'],
    ['tmpfs', 'size=many', 'option size: '],
    ['ext4', 'size=4096', 'option size: not allowed for type ext4'],
  ])('%s: %j is not handed on', (type, option, why) => {
    const result = renderOptions(type, typeRule(type, ['*']), ['nodev', option])
    expect(result).toMatchObject({ left: expect.stringContaining(why) as string })
  })
  test('the size that the core adds is written although no request may name it, for memory alone', () => {
    const none = { ...typeRule('tmpfs', ['*']), options: {} }
    expect(renderOptions('tmpfs', none, ['size=4096', 'nr_inodes=7'])).toEqual({
      _tag: 'Right',
      right: ['size=4096', 'nr_inodes=7'],
    })
    const { memory: _, ...other } = none
    expect(renderOptions('tmpfs', other, ['size=4096'])).toMatchObject({
      left: 'option size: not allowed for type tmpfs',
    })
  })
  test('what the source mount forbids stays forbidden', () => {
    expect(bindOptions(['nosuid', 'rw'], ['ro', 'nosuid', 'noexec', 'relatime'])).toEqual([
      'bind',
      'nosuid',
      'noexec',
      'ro',
    ])
    expect(bindOptions([], ['rw', 'relatime'])).toEqual(['bind'])
  })
  test('the paths of a layered option', () => {
    expect(pathsOf('lowerdir=/a:/b\\:c::/d')).toEqual(['/a', '/b:c', '/d'])
  })
})
