// No core dump of a process that has seen a secret. Node has no prctl(2), so that this process cannot be made undumpable; the limit
// does the same, is inherited by every helper, and stays in a daemon that one leaves behind.

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { COMMAND_ENVIRONMENT } from './command-environment.js'
import { errnoOf, ownProcess } from './descriptor.js'

/**
 * Bytes. Less than any core, so that no file is written; and where cores go to a program, the kernel starts that for a limit
 * of 0 as well, but not for 1 (core(5), `RLIMIT_CORE is set to 1, aborting core`).
 */
const CORE_BYTES = 1

const PRLIMIT_MS = 5_000

const isLimited = (): boolean => {
  const [, soft, hard] = /^Max core file size\s+(\S+)\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
  return soft === String(CORE_BYTES) || hard === '0'
}

/** Keeps this process and what it starts from now on out of core dumps; says why it could not. */
export const limitCores = async (): Promise<string | undefined> => {
  try {
    if (isLimited()) return undefined
    const { execa } = await import('execa')
    // The soft limit: a service that embeds the manager may set it back, and no helper does.
    await execa('prlimit', [`--core=${CORE_BYTES}:`, '--pid', basename(ownProcess())], {
      ...{ extendEnv: false, env: COMMAND_ENVIRONMENT, cwd: '/', timeout: PRLIMIT_MS, stdin: 'ignore' },
    })
    return isLimited() ? undefined : 'core dumps could not be limited: prlimit changed nothing'
  } catch (error) {
    return `core dumps could not be limited (prlimit: ${errnoOf(error)}): install util-linux`
  }
}
