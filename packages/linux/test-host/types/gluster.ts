// GlusterFS with one volume of one brick, on addresses of a network namespace of our own: glusterd refuses loopback addresses.

import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { NAMESPACE, has, hasFuse, sh, sleep } from '../world.js'

export const ADDRESS = '10.99.1.1'
/** Another address of the same server. */
export const ALSO = '10.99.1.2'
const PLACE = '/srv/gluster'

const VOLUME_FILE = `volume management
    type mgmt/glusterd
    option working-directory ${PLACE}/glusterd
    option transport-type socket
    option transport.socket.bind-address ${ADDRESS}
    option transport.address-family inet
    option ping-timeout 0
    option event-threads 1
end-volume
`

/** Why it cannot be run here, if it cannot. */
export const whyNoGluster = (): string | undefined => {
  if (NAMESPACE !== 'root') return 'glusterd needs the rights of root'
  if (process.env['MOUNTKEEPER_NETWORK'] !== 'own') return 'glusterd needs a network namespace of its own'
  if (!['/usr/sbin/glusterd', '/usr/sbin/glusterfsd', '/sbin/mount.glusterfs'].every(existsSync) || !has('ip')) {
    return 'glusterfs-server, glusterfs-client and iproute2 are not all installed'
  }
  return hasFuse('glusterfs') ? undefined : '/dev/fuse is closed to us'
}

const COVERED = [PLACE, '/var/lib/glusterd', '/var/log/glusterfs']

/** A server with a started volume. */
export interface Gluster {
  /** The directory that the volume's only brick serves. */
  readonly brick: string
  /** A file that describes the volume to a client. */
  readonly volumeFile: string
  readonly stop: () => Promise<void>
}

const gluster = (...args: readonly string[]): boolean =>
  spawnSync('gluster', ['--mode=script', ...args], { timeout: 60_000 }).status === 0

export const startGluster = async (volume: string): Promise<Gluster> => {
  for (const address of [ADDRESS, ALSO]) spawnSync('ip', ['addr', 'add', `${address}/32`, 'dev', 'lo'])
  for (const path of COVERED) {
    mkdirSync(path, { recursive: true })
    sh('mount', '-t', 'tmpfs', '-o', 'size=256m', 'gluster', path)
  }
  mkdirSync(`${PLACE}/glusterd`)
  mkdirSync('/run/gluster', { recursive: true })
  writeFileSync(`${PLACE}/glusterd.vol`, VOLUME_FILE)
  const args = ['-N', `--volfile=${PLACE}/glusterd.vol`, `--pid-file=${PLACE}/pid`, `--log-file=${PLACE}/log`]
  const daemon: ChildProcess = spawn('glusterd', args, { stdio: 'ignore' })
  for (let round = 0; !gluster('volume', 'list'); round += 1) {
    if (round > 200) throw new Error(`glusterd did not start: ${readFileSync(`${PLACE}/log`, 'utf8').slice(-2_000)}`)
    await sleep(100)
  }
  const brick = `${PLACE}/brick`
  sh('gluster', '--mode=script', 'volume', 'create', volume, `${ADDRESS}:${brick}`, 'force')
  sh('gluster', '--mode=script', 'volume', 'start', volume)
  return {
    brick,
    volumeFile: `${PLACE}/glusterd/vols/${volume}/trusted-${volume}.tcp-fuse.vol`,
    stop: async () => {
      gluster('volume', 'stop', volume, 'force')
      daemon.kill('SIGKILL')
      await sleep(100)
      for (const path of [...COVERED].reverse()) spawnSync('umount', ['-l', path])
    },
  }
}
