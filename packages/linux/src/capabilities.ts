// Which capabilities a process of ours keeps: setpriv(1) takes the others out of its bounding set, and then no program that it
// starts can have them, as root or otherwise (capabilities(7)). Helpers of mount(8) keep all: what they need is theirs to know.

import { accessSync, constants, readFileSync } from 'node:fs'

/** Capabilities by the names of setpriv(1), and their bits. */
const BITS = { dac_override: 1n, dac_read_search: 2n, setpcap: 8n, sys_ptrace: 19n, sys_admin: 21n } as const

export type Capability = keyof typeof BITS

/** The shell of quick commands mounts and unmounts, makes directories, and goes through descriptors of this process. */
export const SHELL_CAPABILITIES: readonly Capability[] = ['sys_admin', 'sys_ptrace', 'dac_override', 'dac_read_search']
/** A look goes through directories of others, and changes nothing. */
export const LOOK_CAPABILITIES: readonly Capability[] = ['dac_read_search']
/** The files of locks may be in directories of another user. */
export const LOCK_CAPABILITIES: readonly Capability[] = ['dac_override', 'dac_read_search']
/** The mount table of one's own namespace is for all. */
export const WATCH_CAPABILITIES: readonly Capability[] = []

/** Whether the status of a process (proc_pid_status(5)) shows this capability as effective; undefined where it shows none. */
export const isEffective = (status: string, name: Capability): boolean | undefined => {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  return effective === undefined ? undefined : ((BigInt(`0x${effective}`) >> BITS[name]) & 1n) === 1n
}

const PROGRAMS = ['/usr/bin/setpriv', '/bin/setpriv']

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const ownStatus = (): string => {
  try {
    return readFileSync('/proc/self/status', 'latin1')
  } catch {
    return ''
  }
}

/** What a vector is run with, so that only these capabilities are kept; nothing where they cannot or need not be taken. */
export const keeping = (
  names: readonly Capability[],
  uid: number | undefined = process.getuid?.(),
  status: string = ownStatus(),
): readonly string[] => {
  // Another user than root has none that a program would get. Without sys_ptrace only what has all of ours gets at our descriptors.
  const taken = uid === 0 && isEffective(status, 'setpcap') === true && names.every((name) => isEffective(status, name))
  const program = taken ? PROGRAMS.find(isProgram) : undefined
  if (program === undefined) return []
  return [program, `--bounding-set=${['-all', ...names.map((name) => `+${name}`)].join()}`, '--inh-caps=-all', '--']
}
