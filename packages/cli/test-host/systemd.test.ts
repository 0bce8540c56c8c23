// The unit of docs/operate.md under systemd as process 1 of a container: an own pid, mount, cgroup and network namespace, and the
// tree of this machine with a layer above it. What the unit promises is asked of systemd, of the mount table and of the processes.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { connectMountkeeper } from 'mountkeeper'
import type { Keeper } from 'mountkeeper'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MAIN, isRoot, prepareWorld, sh, until } from './world.js'

prepareWorld()

const GUIDE = fileURLToPath(new URL('../../mountkeeper/docs/operate.md', import.meta.url))
const UNIT =
  /```ini\n(# \/etc\/systemd\/system\/mountkeeper\.service\n[^`]*)```/.exec(readFileSync(GUIDE, 'utf8'))?.[1] ?? ''
const SYSTEMD = '/lib/systemd/systemd'
const PLACE = '/srv/container'
const CONFIG = {
  roots: ['/var/mounts'],
  stateDirectory: '/var/lib/mountkeeper',
  sockets: [{ path: '/run/mountkeeper/all.sock' }],
  types: { 'fuse.bindfs': { sources: ['/var/exports/*'] } },
}

const missing = ['unshare', 'nsenter', 'systemd-notify', 'bindfs'].filter(
  (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
)
const why = !isRoot
  ? 'systemd needs the rights of root'
  : !existsSync(SYSTEMD)
    ? 'systemd is not installed'
    : missing.length > 0
      ? `${missing.join(', ')} is not installed`
      : undefined

const GROUP = `mountkeeper-test-${process.pid}`

/** Shell: a cgroup of the container's own, which is all of the tree that its systemd sees and changes. */
const BOOT = `set -e
mount --make-rprivate /
mount -t tmpfs layer ${PLACE}
mkdir ${PLACE}/up ${PLACE}/work ${PLACE}/root ${PLACE}/groups
mount -t cgroup2 cgroup2 ${PLACE}/groups
mkdir ${PLACE}/groups/${GROUP}
echo 0 >${PLACE}/groups/${GROUP}/cgroup.procs
exec unshare --cgroup bash /srv/inside
`

/** Shell: the layer above this machine's tree, and systemd in it. Kernel settings can be read there, and not written. */
const INSIDE = `set -e
mount -t overlay overlay -o lowerdir=/,upperdir=${PLACE}/up,workdir=${PLACE}/work ${PLACE}/root
cd ${PLACE}/root
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=0755 tmpfs var
mount --rbind /dev dev
rm -rf etc/systemd/system lib/systemd/system/*.wants
mkdir -p etc/systemd/system/mountkeeper.service.d etc/mountkeeper var/lib var/exports/data usr/local/bin
mkdir -m 0700 var/mounts
cp /srv/unit etc/systemd/system/mountkeeper.service
cp /srv/config.json etc/mountkeeper/config.json
cp /srv/command usr/local/bin/mountkeeper
printf '[Service]\\nStandardError=append:/var/said\\n' >etc/systemd/system/mountkeeper.service.d/said.conf
printf '[Unit]\\nRequires=mountkeeper.service\\nAfter=mountkeeper.service\\n' >etc/systemd/system/boot.target
exec chroot . env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 ${SYSTEMD} --system --unit=boot.target --log-target=null
`

/** Shell: takes the cgroup of the container away again, once its last process has ended. */
const CLEAN_UP = `mkdir -p /srv/groups && mount -t cgroup2 cgroup2 /srv/groups
for try in $(seq 500); do
  find /srv/groups/${GROUP} -depth -type d -exec rmdir {} + 2>/dev/null && break
  sleep 0.02
done
[ ! -e /srv/groups/${GROUP} ] && umount /srv/groups`

let init = 0
const inside = (...command: readonly string[]): string => {
  const { stdout, stderr } = spawnSync(
    'nsenter',
    ['-t', String(init), '-m', '-p', '-r', '-w', '-C', '--', ...command],
    {
      encoding: 'utf8',
      timeout: 120_000,
    },
  )
  return `${stdout}${stderr}`.trim()
}
const property = (name: string): string => inside('systemctl', 'show', '-P', name, 'mountkeeper')
const said = (): string => inside('cat', '/var/said')
const table = (): readonly string[] =>
  inside('cat', '/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith('/var/mounts/'))
const daemons = (): string => inside('pgrep', '-x', 'bindfs')

const scratch = { filesystem: { type: 'tmpfs', source: 'scratch', options: [] }, volume: 'vol-1', consumer: 'vm-1' }
const shared = {
  filesystem: { type: 'fuse.bindfs', source: '/var/exports/data', options: [] },
  volume: 'vol-1',
  consumer: 'vm-1',
}

describe.skipIf(why !== undefined)(
  `the unit under a booted systemd${why === undefined ? '' : `: skipped, since ${why}`}`,
  () => {
    let container: ReturnType<typeof spawn>
    let keeper: Keeper

    beforeAll(async () => {
      mkdirSync(PLACE)
      writeFileSync('/srv/unit', UNIT)
      writeFileSync('/srv/inside', INSIDE)
      writeFileSync('/srv/config.json', JSON.stringify(CONFIG), { mode: 0o600 })
      writeFileSync('/srv/command', `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`, { mode: 0o755 })
      const own = ['--pid', '--fork', '--kill-child', '--mount', '--uts', '--ipc']
      container = spawn('unshare', [...own, 'bash', '-c', BOOT], { stdio: ['ignore', 'ignore', 'inherit'] })
      const children = `/proc/${container.pid}/task/${container.pid}/children`
      await until(() => readFileSync(children, 'utf8').trim() !== '')
      init = Number(readFileSync(children, 'utf8').trim())
      await until(() => inside('systemctl', 'is-active', 'boot.target') === 'active')
      keeper = await connectMountkeeper(`/proc/${init}/root/run/mountkeeper/all.sock`, { patienceMs: 120_000 })
    }, 180_000)

    afterAll(async () => {
      await keeper.close()
      const ended = new Promise((resolve) => container.once('close', resolve))
      container.kill('SIGKILL')
      await ended
      sh('sh', '-c', CLEAN_UP)
    })

    test('is active when the manager says that it is ready, and not before', () => {
      expect(property('Type')).toBe('notify')
      expect(property('ActiveState')).toBe('active')
      expect(said()).toContain('serving /run/mountkeeper/all.sock')
      expect(said()).not.toContain('notify')
      expect(inside('systemctl', 'is-system-running')).toBe('running')
    })

    test('mounts where every process of the machine sees it', async () => {
      expect(await keeper.attach({ mountpoint: '/var/mounts/a', ...scratch })).toMatchObject({ mount: 'mounted' })
      expect(await keeper.attach({ mountpoint: '/var/mounts/f', ...shared })).toMatchObject({ mount: 'mounted' })
      expect(table()).toEqual(['/var/mounts/a', '/var/mounts/f'])
    })

    test('is reloaded with its clients connected', async () => {
      inside('systemctl', 'reload', 'mountkeeper')
      await until(() => said().includes('reloaded; the sockets are the same'))
      expect((await keeper.status()).phase).toBe('up')
      expect(property('NRestarts')).toBe('0')
    })

    test('is restarted without an end of its mounts, or of their FUSE daemons', async () => {
      const before = daemons()
      expect(before).toMatch(/^\d+$/)
      inside('systemctl', 'restart', 'mountkeeper')
      expect(property('ActiveState')).toBe('active')
      expect(daemons()).toBe(before)
      expect(inside('sh', '-c', ': >/var/exports/data/x; ls /var/mounts/f')).toBe('x')
      expect(await keeper.attach({ mountpoint: '/var/mounts/f', ...shared })).toMatchObject({ holder: 'already-held' })
    })

    test('is started again by systemd after SIGKILL, and has its holders', async () => {
      inside('systemctl', 'kill', '--kill-whom=main', '--signal=SIGKILL', 'mountkeeper')
      await until(() => property('NRestarts') === '1' && property('ActiveState') === 'active')
      const { mountpoints } = await keeper.status()
      expect(mountpoints.map(({ mountpoint, phase }) => [mountpoint, phase])).toEqual([
        ['/var/mounts/a', 'mounted'],
        ['/var/mounts/f', 'mounted'],
      ])
      expect(await keeper.detach({ mountpoint: '/var/mounts/f', volume: 'vol-1', consumer: 'vm-1' })).toMatchObject({
        mount: 'unmounted',
      })
      expect(daemons()).toBe('')
    })

    test('stops cleanly and leaves what is held', () => {
      inside('systemctl', 'stop', 'mountkeeper')
      expect(property('ActiveState')).toBe('inactive')
      expect(property('Result')).toBe('success')
      expect(said()).toContain('stays, in use: /var/mounts/a mounted, 1 holder')
      expect(table()).toEqual(['/var/mounts/a'])
    })

    test('has no setting that systemd does not know', () => {
      expect(inside('systemd-analyze', 'verify', '--man=no', 'mountkeeper.service')).toBe('')
    })
  },
)
