// What this process has open, to see that nothing was left.
import { readdirSync, readlinkSync } from 'node:fs'

/** Numbers and targets of all descriptors, but for the one that reads them. */
export const openDescriptors = (): readonly string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith('/proc/') ? [] : [`${fd} ${target}`]
    } catch {
      return []
    }
  })
