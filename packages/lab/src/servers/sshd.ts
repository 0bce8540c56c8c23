// sshfs as it is used in the field: an sshd of its own, with keys made for it. Needs the rights of root.

import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { EXPORTS } from './place.js'
import type { Server, ServerKind } from './server.js'
import { serverOf, sleep, treeOf, withChildrenOf } from './server.js'
import { nextAddress, UNCACHED, whyNoSshfs } from './sftp.js'

const SSHD = '/usr/sbin/sshd'
const PORT = 2_022

const sh = (file: string, ...args: readonly string[]): void => {
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${file}: ${stderr}`)
}

const accepts = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (open: boolean): void => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })

const configuration = (at: string, address: string): string =>
  [
    `Port ${PORT}`,
    `ListenAddress ${address}`,
    `HostKey ${at}/host`,
    `AuthorizedKeysFile ${at}/client.pub`,
    'PidFile none',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'StrictModes no',
    'Subsystem sftp internal-sftp',
    'MaxStartups 200',
    '',
  ].join('\n')

/** Starts one that exports a directory; keys and configuration are beside it. */
export const startSshd = async (directory: string): Promise<Server> => {
  const address = nextAddress()
  const at = `${directory}.ssh`
  mkdirSync(directory, { recursive: true })
  mkdirSync(at, { recursive: true, mode: 0o700 })
  for (const key of ['host', 'client']) sh('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', `${at}/${key}`)
  const hostKey = readFileSync(`${at}/host.pub`, 'utf8').split(' ').slice(0, 2).join(' ')
  writeFileSync(`${at}/known_hosts`, `[${address}]:${PORT} ${hostKey}\n`)
  writeFileSync(`${at}/config`, configuration(at, address))
  // Where it leaves its privileges behind; /run is the test's own (`preparePlace`).
  mkdirSync('/run/sshd', { recursive: true })
  const listen = async (): Promise<ChildProcess> => {
    const child = spawn(SSHD, ['-D', '-f', `${at}/config`, '-E', `${at}/log`], { stdio: 'ignore' })
    for (let round = 0; !(await accepts(address, PORT)); round += 1) {
      if (round > 200) throw new Error(`sshd did not start: ${readFileSync(`${at}/log`, 'utf8')}`)
      await sleep(10)
    }
    return child
  }
  let listener = await listen()
  const filesystem = (path: string, port = PORT) => ({
    type: 'fuse.sshfs',
    source: `root@${address}:${path}`,
    options: [
      `port=${port}`,
      `IdentityFile=${at}/client`,
      `UserKnownHostsFile=${at}/known_hosts`,
      'StrictHostKeyChecking=yes',
      'BatchMode=yes',
      ...UNCACHED,
    ],
  })
  return serverOf({
    pids: () => treeOf(listener.pid!),
    // Not what they start in turn: before it has authenticated that lives in a sandbox (seccomp) that forbids
    // `restart_syscall`, so a stop in poll(2) would end the connection instead of delaying it.
    paced: () => withChildrenOf(listener.pid!),
    filesystem: filesystem(directory),
    wrong: filesystem(`${directory}/nowhere`),
    refused: filesystem(directory, PORT + 1),
    again: async () => {
      listener = await listen()
    },
  })
}

const why = (): string | undefined => {
  if (process.env['MOUNTKEEPER_NAMESPACE'] !== 'root') return 'sshd needs root'
  return existsSync(SSHD) && existsSync('/usr/bin/ssh-keygen') ? whyNoSshfs() : 'openssh-server is not installed'
}

/** sshfs from an sshd. */
export const SSHD_KIND: ServerKind = {
  name: 'sshfs over ssh',
  why: why(),
  start: (name) => startSshd(`${EXPORTS}/${name}`),
}
