// Whether a hang-up is to be ignored because it was when this process was started. Node gives signals their defaults again
// before any of its code runs, so the script in bin/ looks before; where Node was started without it, the program that started Node says so.

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** Set by the script in bin/. */
export const SIGHUP_VARIABLE = 'MOUNTKEEPER_SIGHUP'

/** Whether a mask of signals as in /proc/PID/status has SIGHUP, the first of them. */
const hasHangUp = (mask: string): boolean => (Number.parseInt(mask.slice(-1), 16) & 1) === 1

const parentIgnores = (): boolean => {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${process.ppid}/status`, 'latin1'))?.[1]
    return mask !== undefined && hasHangUp(mask)
  } catch {
    return false
  }
}

/** Whether SIGHUP was ignored: by nohup(1), as the shell shows, or by the process that started this one. */
export const ignoresHangUp = (environment: Readonly<Record<string, string | undefined>>): boolean =>
  environment[SIGHUP_VARIABLE] === 'ignored' || basename(environment['_'] ?? '') === 'nohup' || parentIgnores()
