// What systemd is to know of a service of Type=notify. Node has no datagram sockets of the unix family, so systemd-notify(1)
// sends it; the unit needs NotifyAccess=all, because that is another process.

import { spawn } from 'node:child_process'

/** `READY=1`, `RELOADING=1`, `STOPPING=1`. */
export type ServiceState = 'ready' | 'reloading' | 'stopping'

const ARGUMENTS: Readonly<Record<ServiceState, readonly string[]>> = {
  ready: ['--ready'],
  reloading: ['RELOADING=1'],
  stopping: ['STOPPING=1'],
}

const LIMIT_MS = 5_000
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

/** Where it is sent, and by which program. */
export interface NotifyOptions {
  /** `NOTIFY_SOCKET`; where it is absent nothing is sent. */
  readonly socket: string | undefined
  readonly program?: string
}

/** Sends a state; resolves with why it could not be sent, if so. Never rejects. */
export const notifySystemd = (state: ServiceState, options: NotifyOptions): Promise<string | undefined> => {
  const { socket, program = 'systemd-notify' } = options
  if (socket === undefined || socket === '') return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const child = spawn(program, [...ARGUMENTS[state]], {
      env: { PATH, NOTIFY_SOCKET: socket },
      stdio: 'ignore',
      timeout: LIMIT_MS,
    })
    const failed = (why: string): void =>
      resolve(
        `systemd does not know that this service is ${state}: ${program} ${why}; use Type=exec, or install systemd-notify`,
      )
    child.on('error', ({ message }) => failed(`could not be run (${message})`))
    child.on('close', (code, signal) => {
      if (code === 0) resolve(undefined)
      else failed(`ended with ${signal ?? `exit status ${code ?? ''}`}`)
    })
  })
}
