// Where servers and mounts of a test stand: /srv and /run, covered for as long as it takes, so that the machine's own stay as they
// are. Only in a namespace of the test's own.

import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

const COVERED = ['/srv', '/run']

/** Below it are the managed roots. */
export const MOUNTS = '/srv/mounts'
/** Below it is what servers export. */
export const EXPORTS = '/srv/exports'

export const preparePlace = (): void => {
  for (const path of COVERED) {
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'place', path])
    if (status !== 0) throw new Error(stderr.toString())
  }
  for (const path of [MOUNTS, EXPORTS]) mkdirSync(path, { mode: 0o700 })
}

export const leavePlace = (): void => {
  for (const path of COVERED) spawnSync('umount', ['-l', path])
}
