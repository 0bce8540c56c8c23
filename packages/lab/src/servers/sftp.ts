// sftp over plain TCP, without sshd and keys: each connection is one sftp-server. Needs no rights but those of a user namespace.

import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { EXPORTS } from './place.js'
import type { Server, ServerKind } from './server.js'
import { serverOf, treeOf } from './server.js'

const SFTP = '/usr/lib/openssh/sftp-server'

/** Listens, and gives each connection to a server of its own; says so when it does. Perl is part of every Debian. */
const LISTENER = `
use Socket;
my ($address, $port, $program) = @ARGV;
socket(L, PF_INET, SOCK_STREAM, 0) or die $!;
setsockopt(L, SOL_SOCKET, SO_REUSEADDR, 1);
bind(L, sockaddr_in($port, inet_aton($address))) or die "$address:$port: $!";
listen(L, 256) or die $!;
$SIG{CHLD} = 'IGNORE';
$| = 1;
print "listens\\n";
while (1) {
  accept(C, L) or next;
  if (fork() == 0) { open(STDIN, '<&C'); open(STDOUT, '>&C'); exec $program; exit 1 }
  close C;
}`

const installed = (program: string): boolean => spawnSync('which', [program]).status === 0

const fuseIsOpen = (): boolean => {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Why no sshfs can be mounted here, if it cannot. */
export const whyNoSshfs = (): string | undefined => {
  if (!installed('sshfs')) return 'sshfs is not installed'
  return fuseIsOpen() ? undefined : '/dev/fuse is closed to us'
}

/** Starts something that says one line when it is ready, and otherwise why it is not. */
export const startListening = (file: string, args: readonly string[]): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    child.once('error', reject)
    child.once('exit', () => {
      reject(new Error(`${file} did not start: ${said}`))
    })
    child.stdout.once('data', () => {
      resolve(child)
    })
  })

/** Options with which nothing is answered from a cache, so that what hangs is seen to hang. */
export const UNCACHED = ['dir_cache=no', 'attr_timeout=0', 'entry_timeout=0']

/** Every server gets an address, since slots are counted by it. */
let next = 1
export const nextAddress = (): string => {
  next += 1
  return `127.0.${Math.floor(next / 250)}.${(next % 250) + 1}`
}

const PORT = 2_222

/** Starts one that exports a directory. */
export const startSftp = async (directory: string): Promise<Server> => {
  const address = nextAddress()
  mkdirSync(directory, { recursive: true })
  const listen = (): Promise<ChildProcess> => startListening('perl', ['-e', LISTENER, address, String(PORT), SFTP])
  let listener = await listen()
  const filesystem = (path: string, port = PORT) => ({
    type: 'fuse.sshfs',
    source: `${address}:${path}`,
    options: [`directport=${port}`, ...UNCACHED],
  })
  return serverOf({
    pids: () => treeOf(listener.pid!),
    filesystem: filesystem(directory),
    wrong: filesystem(`${directory}/nowhere`),
    refused: filesystem(directory, PORT + 1),
    again: async () => {
      listener = await listen()
    },
  })
}

const why = (): string | undefined => (existsSync(SFTP) ? whyNoSshfs() : 'openssh-sftp-server is not installed')

/** sshfs from an sftp-server over TCP. */
export const SFTP_KIND: ServerKind = {
  name: 'sshfs over TCP',
  why: why(),
  start: (name) => startSftp(`${EXPORTS}/${name}`),
}
