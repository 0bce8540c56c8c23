import { isMountkeeperError } from 'mountkeeper'
import type { Keeper } from 'mountkeeper'

/** Attaches a disk; what another filesystem is in the way of is the caller's to solve, and what may pass is tried again. */
export const attach = async (keeper: Keeper, disk: Parameters<Keeper['attach']>[0]): Promise<string> => {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      const { holder, mount } = await keeper.attach(disk)
      return `${holder}, ${mount}`
    } catch (error) {
      if (isMountkeeperError(error, 'Conflict')) return `in use by ${error.refusal.mounted?.source ?? 'others'}`
      if (!isMountkeeperError(error) || !error.retryable) throw error
    }
  }
  return 'not now'
}
