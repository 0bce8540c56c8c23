// GlusterFS: one glusterd on an address of a network namespace of our own, and a volume of a single brick for each server that is
// asked for. The brick is what serves data, and what hangs. Needs the rights of root; takes about two seconds to begin.

import type { ChildProcess } from 'node:child_process'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import type { Server, ServerKind } from './server.js'
import { processes, serverOf, sleep } from './server.js'
import { whyNoSshfs } from './sftp.js'

// GlusterFS refuses loopback addresses.
const ADDRESS = '10.99.0.1'
/** No process listens there. */
const NOBODY = '10.99.0.2'
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

// The command blocks while it waits for glusterd, and the tests beside this one go on.
const gluster = (...args: readonly string[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile('gluster', ['--mode=script', ...args], { timeout: 30_000 }, (error, stdout, stderr) => {
      resolve(error === null ? undefined : `gluster ${args.join(' ')}: ${stdout}${stderr}`)
    })
  })

const must = async (...args: readonly string[]): Promise<void> => {
  const failed = await gluster(...args)
  if (failed !== undefined) throw new Error(failed)
}

const startDaemon = async (): Promise<ChildProcess> => {
  for (const address of [ADDRESS, NOBODY]) spawnSync('ip', ['addr', 'add', `${address}/32`, 'dev', 'lo'])
  // Configuration, sockets and logs of this daemon and of no other.
  for (const path of [PLACE, '/var/lib/glusterd', '/var/log/glusterfs']) {
    mkdirSync(path, { recursive: true })
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'gluster', path])
    if (status !== 0) throw new Error(stderr.toString())
  }
  mkdirSync(`${PLACE}/glusterd`)
  mkdirSync('/run/gluster', { recursive: true })
  writeFileSync(`${PLACE}/glusterd.vol`, VOLUME_FILE)
  const args = ['-N', `--volfile=${PLACE}/glusterd.vol`, `--pid-file=${PLACE}/pid`, `--log-file=${PLACE}/log`]
  const daemon = spawn('glusterd', args, { stdio: 'ignore' })
  for (let round = 0; (await gluster('volume', 'list')) !== undefined; round += 1) {
    if (round > 100) throw new Error(`glusterd did not start: ${readFileSync(`${PLACE}/log`, 'utf8').slice(-2_000)}`)
    await sleep(50)
  }
  return daemon
}

let daemon: Promise<ChildProcess> | undefined
// One command at a time: glusterd refuses a second one while it works on the first.
let commands: Promise<unknown> = Promise.resolve()

const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
  const result = commands.then(work)
  commands = result.catch(() => undefined)
  return result
}

/** The process that serves a volume's data, while it lives. */
const bricksOf = (volume: string): readonly number[] => {
  const live = new Set(processes().map(({ pid }) => pid))
  const place = `/run/gluster/vols/${volume}`
  return readdirSync(place)
    .filter((name) => name.endsWith('.pid'))
    .map((name) => Number(readFileSync(`${place}/${name}`, 'utf8')))
    .filter((pid) => pid > 1 && live.has(pid))
}

/** Starts a volume. */
export const startGluster = async (volume: string): Promise<Server> => {
  daemon ??= startDaemon()
  await daemon
  await inTurn(async () => {
    await must('volume', 'create', volume, `${ADDRESS}:${PLACE}/brick-${volume}`, 'force')
    // A brick that hangs is to hang for as long as a test wants.
    await must('volume', 'set', volume, 'network.ping-timeout', '0')
    // Nor is it to be hidden by what its client remembers.
    await must('volume', 'set', volume, 'performance.stat-prefetch', 'off')
    await must('volume', 'start', volume)
  })
  const filesystem = (name: string, address = ADDRESS) => ({
    type: 'glusterfs',
    source: `${address}:/${name}`,
    options: [],
  })
  return serverOf({
    pids: () => bricksOf(volume),
    filesystem: filesystem(volume),
    wrong: filesystem(`${volume}-nowhere`),
    refused: filesystem(volume, NOBODY),
    again: () => inTurn(() => must('volume', 'start', volume, 'force')),
  })
}

/** Ends what all volumes share. To be called when their servers have been stopped, and nothing of them is mounted. */
export const stopGluster = async (): Promise<void> => {
  if (daemon === undefined) return
  const { pid, exitCode } = await daemon
  daemon = undefined
  if (exitCode === null) process.kill(pid!, 'SIGKILL')
  for (const path of ['/var/log/glusterfs', '/var/lib/glusterd', PLACE]) spawnSync('umount', ['-l', path])
}

const why = (): string | undefined => {
  if (process.env['MOUNTKEEPER_NAMESPACE'] !== 'root') return 'glusterd needs root'
  if (process.env['MOUNTKEEPER_NETWORK'] !== 'own') return 'it needs a network namespace of its own'
  const tools = ['/usr/sbin/glusterd', '/usr/sbin/glusterfsd', '/sbin/mount.glusterfs']
  if (!tools.every(existsSync) || spawnSync('which', ['ip']).status !== 0) {
    return 'glusterfs-server, glusterfs-client and iproute2 are not all installed'
  }
  return whyNoSshfs() === '/dev/fuse is closed to us' ? '/dev/fuse is closed to us' : undefined
}

/** A GlusterFS volume of one brick. */
export const GLUSTER_KIND: ServerKind = { name: 'GlusterFS', why: why(), start: startGluster }
