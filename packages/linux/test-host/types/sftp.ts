// An sftp-server behind a TCP port, without sshd and keys: each connection is a process of its own.

import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

export const SFTP = '/usr/lib/openssh/sftp-server'

/** A server that listens on a port of 127.0.0.1. */
export interface Sftp {
  readonly port: number
  readonly stop: () => void
}

export const startSftp = async (): Promise<Sftp> => {
  const server = createServer((connection) => {
    const child = spawn(SFTP, [], { stdio: ['pipe', 'pipe', 'ignore'] })
    connection.pipe(child.stdin)
    child.stdout.pipe(connection)
    child.once('exit', () => connection.destroy())
    connection.on('close', () => child.kill('SIGKILL'))
    connection.on('error', () => child.kill('SIGKILL'))
    child.stdin.on('error', () => undefined)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, stop: () => server.close() }
}
