// Commands of root: mount(8) and umount(8), and nothing else. Each is the leader of a session of its own, by which all that it
// starts is known; only these are ever signalled.

import { spawn } from 'node:child_process'
import { closeSync, readFileSync, readdirSync } from 'node:fs'
import type { Answer } from './protocol.js'
import type { Given } from './secret.js'

/** The whole environment of a command. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }

const STDERR_BYTES_MAX = 16_384
/** A daemon that inherited stderr keeps it open: its command's answer does not wait for it any longer, ms. */
const STDERR_GRACE_MS = 250
const TERM_GRACE_MS = 2_000
const ROUND_MS = 50
const ROUNDS_MAX = 40

/** More at once are refused. */
export const COMMANDS_MAX = 1_024

interface Running {
  readonly pid: number
  /** When the leader was started: with it the pid means one process. */
  readonly started: string
  ends: boolean
}

/** Commands of which something lives. */
const running = new Map<number, Running>()

/** How many commands have something that lives. */
export const commandCount = (): number => running.size

interface Member {
  readonly pid: number
  readonly session: number
  readonly started: string
}

/** Fields 3, 6 and 22 of stat (proc_pid_stat(5)); the name in field 2 may hold anything. */
const memberOf = (entry: string): Member | undefined => {
  try {
    const stat = readFileSync(`/proc/${entry}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (/[ZX]/.test(fields[0] ?? '')) return undefined
    return { pid: Number(entry), session: Number(fields[3]), started: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

/**
 * What lives of a command. As long as anything of its session does, the kernel gives the number to no other process; if another
 * process has it, nothing of the command lives.
 */
const membersOf = ({ pid, started }: Running): readonly Member[] => {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((entry) => memberOf(entry) ?? [])
  if (all.some((one) => one.pid === pid && one.started !== started)) return []
  return all.filter((one) => one.session === pid)
}

const signal = (members: readonly Member[], name: 'SIGTERM' | 'SIGKILL'): void => {
  for (const { pid } of members) {
    try {
      process.kill(pid, name)
    } catch {
      // It has just ended.
    }
  }
}

/** Helpers before the command that waits for them. */
const nextOf = (members: readonly Member[], { pid }: Running): readonly Member[] => {
  const helpers = members.filter((one) => one.pid !== pid)
  return helpers.length > 0 ? helpers : members
}

const wait = (delayMs: number): Promise<void> => new Promise((wake) => setTimeout(wake, delayMs))

/** Ends a command and all of its session: TERM, 2 s, KILL. */
export const endCommand = async (id: number): Promise<void> => {
  const command = running.get(id)
  if (command === undefined || command.ends) return
  command.ends = true
  signal(nextOf(membersOf(command), command), 'SIGTERM')
  for (let waitedMs = 0; waitedMs < TERM_GRACE_MS; waitedMs += ROUND_MS) {
    await wait(ROUND_MS)
    if (membersOf(command).length === 0) return
  }
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const members = membersOf(command)
    if (members.length === 0) return
    signal(round < ROUNDS_MAX / 2 ? nextOf(members, command) : members, 'SIGKILL')
    await wait(ROUND_MS)
  }
}

const FORGET_MS = 1_000

/** Forgets a command when nothing of it lives, so that its number is never used for what comes later. */
const forget = (id: number, command: Running): void => {
  if (membersOf(command).length === 0) running.delete(id)
  else setTimeout(() => forget(id, command), FORGET_MS).unref()
}

/** Runs a command; `hold` is closed when it has ended. `given` is for it alone. */
export const runCommand = (
  id: number,
  vector: readonly [string, ...string[]],
  cwd: string,
  hold: readonly number[],
  given: Given,
  answer: (answer: Answer) => void,
): void => {
  const [file, ...args] = vector
  const child = spawn(file, args, {
    ...{ cwd, env: { ...given.environment, ...ENVIRONMENT }, detached: true },
    stdio: [given.stdin ?? 'ignore', 'ignore', 'pipe'],
  })
  const chunks: Buffer[] = []
  let size = 0
  child.stderr?.on('data', (chunk: Buffer) => {
    if (size < STDERR_BYTES_MAX) chunks.push(chunk.subarray(0, STDERR_BYTES_MAX - size))
    size += chunk.length
  })
  const done = (status: number | null, name: string | null, more = ''): void => {
    hold.forEach((fd) => closeSync(fd))
    const stderr = Buffer.concat(chunks).toString('utf8') + more
    answer({ _tag: 'done', id, status, signal: name, stderr })
  }
  const { pid } = child
  if (pid === undefined) {
    child.once('error', (error) => done(127, null, `${file}: ${error.message}`))
    return
  }
  const command: Running = { pid, started: memberOf(String(pid))?.started ?? '', ends: false }
  running.set(id, command)
  answer({ _tag: 'started', id, pid, vector })
  const closed = new Promise<void>((over) => child.stderr?.once('close', () => over()))
  child.once('exit', (status, name) => {
    forget(id, command)
    void Promise.race([closed, wait(STDERR_GRACE_MS)]).then(() => done(status, name))
  })
}
