// Whether this process may run mount(8) itself. One answer for all who ask: what the doctor calls ready has to start.

import { readFileSync } from 'node:fs'
import { isEffective } from './capabilities.js'

const hasCapability = (): boolean => {
  try {
    return isEffective(readFileSync('/proc/self/status', 'latin1'), 'sys_admin') !== false
  } catch {
    // Without /proc nothing works, which others say better.
    return true
  }
}

/**
 * Why commands of this process may not mount; absent where they may. mount(8) looks at the real user first: with another one
 * than root it does only what fstab allows to users, whatever the capabilities are.
 */
export const mountProblem = (uid: number = process.getuid?.() ?? 0): string | undefined => {
  if (uid !== 0) return `uid ${uid} may not mount, whatever its capabilities are: mount(8) asks for root`
  return hasCapability() ? undefined : 'uid 0 without CAP_SYS_ADMIN may not mount'
}
