// Whether this process may run mount(8) itself. One answer for all who ask: what the doctor calls ready has to start.

import { readFileSync } from 'node:fs'

/** Bit of the capability that mount(2) asks for (capabilities(7)). */
const CAP_SYS_ADMIN = 21n

const hasCapability = (): boolean => {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
    return effective === undefined || ((BigInt(`0x${effective}`) >> CAP_SYS_ADMIN) & 1n) === 1n
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
