// Safe directories on this host: ordinary set-ups pass, and below what others can change nothing is mounted, unmounted, made or
// removed.
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, rmdirSync, symlinkSync } from 'node:fs'
import { isLeft } from 'fp-ts/lib/Either.js'
import { afterEach, describe, expect, test } from 'vitest'
import type { Trust } from '../src/index.js'
import { linuxChecks, linuxLocks, safePath, trustFor } from '../src/index.js'
import { ROOT, SOURCE, createWorld, clear, hasFuse, isRoot, layers, mountsBelow } from './world.js'
import { prepareWorld, sh, tmpfs, top } from './world.js'

prepareWorld()

/** What the tests make between root and mountpoint; anything in it makes them fail. */
afterEach(() => {
  for (const name of ['pods', 'tenant/deep', 'tenant', 'shared/own', 'shared']) {
    if (existsSync(`${ROOT}/${name}`)) rmdirSync(`${ROOT}/${name}`)
  }
})

const OTHER = 4242
const own: Trust = trustFor(process.getuid!())

/** A filesystem of our own over one of the host's directories, so that nothing is made there. */
const over = async (path: string, run: () => Promise<void>): Promise<void> => {
  sh('mount', '-t', 'tmpfs', '-o', `mode=${path === '/tmp' ? '1777' : '0755'}`, 'own', path)
  try {
    await run()
  } finally {
    sh('umount', '-l', path)
  }
}

const user = ['setpriv', '--reuid=1001', '--regid=1001', '--clear-groups']
const built = new URL('../dist/index.js', import.meta.url).pathname

/** Whether an ordinary user may read this repository, and make a user namespace. */
const mayBeUser = isRoot && spawnSync(user[0]!, [...user.slice(1), 'unshare', '-Urm', 'cat', built]).status === 0

/** A directory with those above it, as an installation makes them. */
const install = (path: string, mode: number): void => {
  sh('install', '-d', '-m', mode.toString(8), path)
}

describe('an ordinary set-up passes', () => {
  const cycle = async (rootPath: string, name = 'vol'): Promise<void> => {
    const world = await createWorld({ rootPath })
    await world.make(name)
    expect(layers(await world.mount(name, tmpfs()))).toHaveLength(1)
    await clear(world, name)
    expect((await world.look(name)).found).toEqual({ _tag: 'NoDirectory' })
  }
  test.each([
    ['/mnt', '/mnt/volumes', [['/mnt/volumes', 0o700]]],
    [
      '/var/lib',
      '/var/lib/mountkeeper/mounts',
      [
        ['/var/lib/mountkeeper', 0o755],
        ['/var/lib/mountkeeper/mounts', 0o700],
      ],
    ],
    [
      '/var/lib',
      '/var/lib/kubelet/plugins/kubernetes.io/csi/keeper',
      [
        ['/var/lib/kubelet', 0o750],
        ['/var/lib/kubelet/plugins/kubernetes.io/csi/keeper', 0o750],
      ],
    ],
    [
      '/var/lib',
      '/var/lib/docker/volumes/keeper',
      [
        ['/var/lib/docker', 0o710],
        ['/var/lib/docker/volumes', 0o701],
        ['/var/lib/docker/volumes/keeper', 0o755],
      ],
    ],
  ] as const)('%s: %s', async (mounted, rootPath, directories) => {
    await over(mounted, async () => {
      for (const [path, mode] of directories) install(path, mode)
      await cycle(rootPath)
    })
  })
  test('/srv, with a directory between root and mountpoint', async () => {
    install(`${ROOT}/pods`, 0o755)
    await cycle(ROOT, 'pods/vol')
  })
  test('mkdtemp in /tmp, which is sticky', async () => {
    await over('/tmp', async () => {
      await cycle(mkdtempSync('/tmp/mountkeeper-'))
    })
  })
  test.skipIf(!isRoot)(
    'an owner that the configuration trusts (skipped in a user namespace, which has no other user)',
    async () => {
      install('/srv/service', 0o755)
      chownSync('/srv/service', OTHER, 0)
      install('/srv/service/mounts', 0o700)
      install('/srv/service/mounts/pods', 0o755)
      chownSync('/srv/service/mounts/pods', OTHER, 0)
      const rootPath = '/srv/service/mounts'
      await expect(createWorld({ rootPath })).rejects.toThrow('/srv/service belongs to user 4242')
      const world = await createWorld({ rootPath, trustedOwners: { [rootPath]: [OTHER] } })
      await world.make('pods/vol')
      expect(layers(await world.mount('pods/vol', tmpfs()))).toHaveLength(1)
      await clear(world, 'pods/vol')
      rmSync('/srv/service', { recursive: true })
    },
  )
  test.skipIf(!mayBeUser)(
    'a user namespace of an ordinary user, whose directories above belong to users it does not know (skipped where it may not have one)',
    () => {
      const script = `
      import { safePath, trustFor } from '${built}'
      console.log(JSON.stringify(['/', '/usr/bin', '/srv/userns'].map((path) => safePath(path, trustFor(process.getuid()))._tag)))`
      install('/srv/userns', 0o700)
      chownSync('/srv/userns', 1001, 1001)
      const said = sh(...user, 'unshare', '-Urm', process.execPath, '--input-type=module', '-e', script)
      expect(JSON.parse(said)).toEqual(['Right', 'Right', 'Right'])
      // The same user without a namespace is no owner of what others own.
      const theirs = sh(
        ...user,
        process.execPath,
        '--input-type=module',
        '-e',
        script.replace('getuid()', 'getuid() + 1'),
      )
      expect(JSON.parse(theirs)).toEqual(['Right', 'Right', 'Left'])
      rmSync('/srv/userns', { recursive: true })
    },
  )
})

describe('below a directory that others can change', () => {
  type Row = readonly [name: string, makeUnsafe: (path: string) => void, why: string, command: string]
  const theirs: readonly Row[] = isRoot
    ? [['of another user', (path) => chownSync(path, OTHER, OTHER), 'belongs to user 4242', 'chown 0']]
    : []
  const UNSAFE: readonly Row[] = [
    ['written by all', (path) => chmodSync(path, 0o777), 'can be written by others (mode 777)', 'chmod go-w'],
    ['written by a group', (path) => chmodSync(path, 0o775), 'can be written by others (mode 775)', 'chmod go-w'],
    ['sticky', (path) => chmodSync(path, 0o1777), 'can be written by others (mode 1777)', 'chmod go-w'],
    ...theirs,
  ]
  test.each(UNSAFE)('%s: a look is inconclusive, and nothing is made', async (kind, makeUnsafe, why, command) => {
    const world = await createWorld()
    const parent = `${ROOT}/tenant`
    install(`${parent}/deep`, 0o755)
    makeUnsafe(parent)
    const unsafe = { _tag: 'Unknown', why: 'UnsafeParent', component: parent, command: `${command} ${parent}` }
    // Sticky, it is the next one that counts.
    const below = kind === 'sticky' ? ['a'] : ['a', 'deep/a']
    for (const name of below) {
      const at = `tenant/${name}`
      expect((await world.look(at)).found).toMatchObject({ ...unsafe, detail: expect.stringContaining(why) as string })
      expect((await world.make(at)).found).toMatchObject(unsafe)
      expect((await world.mount(at, tmpfs())).found).toMatchObject(unsafe)
      expect((await world.remove(at)).found).toMatchObject(unsafe)
    }
    expect(sh('ls', '-A', parent, `${parent}/deep`)).toBe(`${parent}:\ndeep\n\n${parent}/deep:\n`)
  })
  test.each(UNSAFE)('%s since the mount: it stays until the parent is safe', async (_, makeUnsafe) => {
    const world = await createWorld()
    const parent = `${ROOT}/tenant`
    install(parent, 0o755)
    await world.make('tenant/a')
    const mounted = top(await world.mount('tenant/a', tmpfs()))
    makeUnsafe(parent)
    const report = await world.unmount('tenant/a', mounted)
    expect(report.found).toMatchObject({ _tag: 'Unknown', why: 'UnsafeParent', component: parent })
    expect(mountsBelow(ROOT)).toEqual([`${parent}/a`])
    chmodSync(parent, 0o755)
    if (isRoot) chownSync(parent, 0, 0)
    await clear(world, 'tenant/a')
  })
  test('the root itself, opened to others while the manager runs', async () => {
    const world = await createWorld()
    chmodSync(ROOT, 0o777)
    expect((await world.look('a')).found).toMatchObject({ why: 'UnsafeParent', component: ROOT })
    expect((await world.make('a')).found).toMatchObject({ why: 'UnsafeParent', component: ROOT })
    chmodSync(ROOT, 0o700)
    expect((await world.look('a')).found).toEqual({ _tag: 'NoDirectory' })
  })
  test.skipIf(!hasFuse('bindfs'))(
    'above the root, opened while the manager runs: no helper is given a path over it (skipped without bindfs or /dev/fuse)',
    async () => {
      const rootPath = '/srv/above/mounts'
      install(rootPath, 0o700)
      const world = await createWorld({ rootPath })
      await world.make('a')
      chmodSync('/srv/above', 0o777)
      const bindfs = { type: 'fuse.bindfs', source: SOURCE, options: [] }
      const refused = await world.mount('a', bindfs)
      expect(refused).toMatchObject({ found: { _tag: 'Directory' } })
      expect(refused.error?.stderr).toContain('/srv/above can be written by others (mode 777); chmod go-w /srv/above')
      expect(refused.ran).toBeUndefined()
      // What is named through the descriptor of the root alone does not go over it.
      expect(layers(await world.mount('a', tmpfs()))).toHaveLength(1)
      await clear(world, 'a')
      chmodSync('/srv/above', 0o755)
      await world.make('a')
      expect(layers(await world.mount('a', bindfs))).toHaveLength(1)
      await clear(world, 'a', true)
      rmSync('/srv/above', { recursive: true })
    },
  )
  test('sticky, of the manager, with a directory of its own in it', async () => {
    const world = await createWorld()
    install(`${ROOT}/shared`, 0o1777)
    install(`${ROOT}/shared/own`, 0o755)
    await world.make('shared/own/a')
    expect(layers(await world.mount('shared/own/a', tmpfs()))).toHaveLength(1)
    await clear(world, 'shared/own/a')
  })
})

describe('a start is refused by name', () => {
  const refusal = async (...directories: readonly string[]): Promise<string> => {
    const lock = await linuxLocks().acquire(directories)()
    if (isLeft(lock)) return lock.left.why
    await lock.right.release()
    return ''
  }
  test.each([0o777, 0o1777])('above a root and a state directory there is one of mode %o', async (mode) => {
    install('/srv/open/mounts', 0o700)
    install('/srv/open/state', 0o700)
    chmodSync('/srv/open', mode)
    const isSafe = mode === 0o1777
    const why = '/srv/open can be written by others (mode 777); chmod go-w /srv/open'
    expect(await refusal('/srv/open/mounts')).toBe(isSafe ? '' : `/srv/open/mounts is not safe: ${why}`)
    expect(await refusal('/srv/open/state')).toBe(isSafe ? '' : `/srv/open/state is not safe: ${why}`)
    const discovering = createWorld({ rootPath: '/srv/open/mounts' })
    if (isSafe) await discovering
    else await expect(discovering).rejects.toThrow(`root /srv/open/mounts: ${why}`)
    const checks = linuxChecks({ roots: ['/srv/open/mounts'], stateDirectory: '/srv/open/state' })
    const named = checks.filter(
      ({ name }) => name === 'root /srv/open/mounts' || name === 'state directory /srv/open/state',
    )
    expect(named.map(({ ok }) => ok)).toEqual(isSafe ? ['ok', 'ok'] : ['fail', 'fail'])
    if (!isSafe) expect(named.map(({ mend }) => mend)).toEqual(['chmod go-w /srv/open', 'chmod go-w /srv/open'])
    rmSync('/srv/open', { recursive: true })
  })
  test.skipIf(!isRoot)(
    'of another user in a sticky directory (skipped in a user namespace, which has no other user)',
    async () => {
      install('/srv/tmp', 0o1777)
      install('/srv/tmp/theirs/state', 0o700)
      chownSync('/srv/tmp/theirs', OTHER, OTHER)
      expect(await refusal('/srv/tmp/theirs/state')).toContain('/srv/tmp/theirs belongs to user 4242')
      rmSync('/srv/tmp', { recursive: true })
    },
  )
})

describe('a path that is used at the start', () => {
  const why = (path: string): string => {
    const safe = safePath(path, own)
    if (!isLeft(safe)) return safe.right
    return safe.left._tag === 'Unsafe' ? safe.left.unsafe.why : safe.left.why
  }
  test('may lead over links that only root and the manager could make', () => {
    install('/srv/way/state', 0o700)
    symlinkSync('way/../way', '/srv/link')
    symlinkSync('/srv/link', '/srv/way/again')
    expect(why('/srv/way/again/state')).toBe('/srv/way/state')
    chmodSync('/srv/way', 0o777)
    expect(why('/srv/link/state')).toBe('/srv/way can be written by others (mode 777)')
    rmSync('/srv/link')
    rmSync('/srv/way', { recursive: true })
    expect(why('/srv/way')).toBe('/srv/way does not exist')
  })
  test.skipIf(!isRoot)('not over a link of another user in a sticky directory (skipped in a user namespace)', () => {
    install('/srv/tmp', 0o1777)
    install('/srv/tmp/own', 0o700)
    spawnSync('setpriv', [
      '--reuid=4242',
      '--regid=4242',
      '--clear-groups',
      'ln',
      '-s',
      '/srv/tmp/own',
      '/srv/tmp/link',
    ])
    expect(why('/srv/tmp/own')).toBe('/srv/tmp/own')
    expect(why('/srv/tmp/link')).toBe('/srv/tmp/link belongs to user 4242, who can replace it or its entries')
    rmSync('/srv/tmp', { recursive: true })
  })
  test('a file is judged like a directory', () => {
    install('/srv/etc', 0o755)
    sh('touch', '/srv/etc/config.json')
    chmodSync('/srv/etc/config.json', 0o644)
    expect(why('/srv/etc/config.json')).toBe('/srv/etc/config.json')
    chmodSync('/srv/etc/config.json', 0o666)
    expect(why('/srv/etc/config.json')).toBe('/srv/etc/config.json can be written by others (mode 666)')
    rmSync('/srv/etc', { recursive: true })
  })
})
