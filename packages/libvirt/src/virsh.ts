// One virsh process: how it is started, what is written to it and read from it, and how it is ended. Everything it may need
// is given: nothing of our own environment reaches it.

import type { Readable, Writable } from 'node:stream'

/** How virsh is called. */
export interface VirshCall {
  /** Which libvirt is asked, such as `qemu:///system`. */
  readonly uri: string
  /** Looked up in a fixed PATH; `virsh` but in tests. */
  readonly program: string
  /** Before the URI: keepalive. Every call is read-only. */
  readonly options: readonly string[]
}

/** How a process ended, or that it did not begin. */
export interface VirshEnd {
  readonly exitStatus: number | null
  readonly signal: string | null
}

/** A running virsh. */
export interface Virsh {
  readonly pid: number
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves when it has ended and both streams are read to their ends. */
  readonly ended: Promise<VirshEnd>
  /** TERM now, KILL after the grace, to its group; does not wait. A process that the kernel does not let go stays. */
  readonly kill: () => void
}

/** Where nothing can be made. virsh says so when it ends, which is of no interest. */
export const NOWHERE = '/dev/null/none'

/**
 * The whole environment. Readline, which reads the commands, draws for a terminal that can do nothing; and there is no place
 * for a history, which virsh would write into the home of the user that runs it.
 */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TERM: 'dumb',
  XDG_CACHE_HOME: NOWHERE,
  XDG_CONFIG_HOME: NOWHERE,
}

/** Between TERM and KILL, ms. */
const GRACE_MS = 1_000

/** Ends with us, also when we are killed: a client of events would otherwise stay until the next one comes. */
const ENDS_WITH_US = ['setpriv', '--pdeathsig', 'KILL', '--'] as const

/** The argument vector of a call. Reads its commands from stdin. */
export const vectorOf = ({ uri, program, options }: VirshCall): readonly string[] => [
  ...ENDS_WITH_US,
  program,
  '--quiet',
  '--readonly',
  ...options,
  '--connect',
  uri,
]

const signalGroup = (leader: number, signal: 'SIGTERM' | 'SIGKILL'): void => {
  // 1 and below would be a defect of ours, and would end every process.
  if (!Number.isSafeInteger(leader) || leader <= 1) return
  try {
    process.kill(-leader, signal)
  } catch {
    // ESRCH: it has ended.
  }
}

/** Neither process nor streams keep us running: a caller that waits for an answer holds the process by its own timer. */
const release = (subprocess: { readonly unref: () => void }, streams: readonly object[]): void => {
  subprocess.unref()
  for (const stream of streams) {
    if ('unref' in stream && typeof stream.unref === 'function') (stream.unref as () => void)()
  }
}

/** Starts a virsh; a sentence where it could not be started. */
export const startVirsh = async (call: VirshCall): Promise<Virsh | string> => {
  const [file, ...args] = vectorOf(call)
  if (file === undefined || args.some((argument) => argument.includes('\0'))) return 'an argument contains NUL'
  // Loading it costs 85 ms, which only those pay who ask.
  const { execa } = await import('execa')
  const subprocess = execa(file, args, {
    reject: false,
    // Its own session and group: a signal from the terminal does not reach it, and ours reach all that it starts.
    detached: true,
    cleanup: false,
    extendEnv: false,
    env: ENVIRONMENT,
    cwd: '/',
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    encoding: 'buffer',
  })
  const { pid, stdin, stdout, stderr } = subprocess
  if (pid === undefined) {
    const { code, originalMessage } = await subprocess
    return `${file} cannot be started (${code ?? originalMessage ?? 'no reason given'})`
  }
  const closed = new Promise<VirshEnd>((done) => {
    subprocess.once('close', (exitStatus, signal) => {
      done({ exitStatus, signal })
    })
  })
  // What execa thinks of the end is of no interest; and one that ended no longer reads.
  subprocess.catch(() => undefined)
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => undefined)
  release(subprocess, [stdin, stdout, stderr])
  let killed = false
  const kill = (): void => {
    if (killed) return
    killed = true
    signalGroup(pid, 'SIGTERM')
    const late = setTimeout(() => {
      signalGroup(pid, 'SIGKILL')
    }, GRACE_MS).unref()
    void closed.then(() => {
      clearTimeout(late)
    })
  }
  return { pid, stdin, stdout, stderr, ended: closed, kill }
}
