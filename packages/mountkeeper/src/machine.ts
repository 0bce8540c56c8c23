// What a run acts on: the ports of this machine, and what this process may do here. Tests put another machine in its place.

import type { Configuration } from '@mountkeeper/codec'
import type { FileJournal } from '@mountkeeper/journal'
import type { HostPort, InventoryPort, Locks, MountManager, Timers } from '@mountkeeper/runtime'
import { createSystemTimers } from '@mountkeeper/runtime'
import { sourceAllowed } from '@mountkeeper/types'
import { right } from 'fp-ts/lib/Either.js'
import type { Failure } from './failure.js'
import { stopFailure } from './failure.js'

/** The ports of a machine. */
export interface Machine {
  readonly host: HostPort
  readonly locks: Locks
  readonly timers: Timers
  /** Where facts are kept; `notice` is called with what is worth reporting of it. Opened when its lock is held. */
  readonly journal: (notice: (sentence: string) => void) => FileJournal
  /** Absent where no authority is configured. */
  readonly inventory?: InventoryPort | undefined
  /** Reports to a manager what others mount and unmount, until it is closed; absent where no third party acts. */
  readonly watch?: (manager: MountManager) => { readonly close: () => void }
}

/** Facts that end with the process: none of them is read again, so none is kept. */
export const forgetfulJournal = (): FileJournal => {
  const durable: ReturnType<FileJournal['append']> = () => Promise.resolve(right(undefined))
  return { read: () => Promise.resolve(right([])), append: () => durable, close: () => Promise.resolve() }
}

/** The authority on who uses what, as configured. */
export const configuredInventory = async ({ adapter }: Configuration): Promise<InventoryPort | undefined> => {
  if (adapter.inventory === null) return undefined
  const { libvirtInventory } = await import('@mountkeeper/libvirt')
  return libvirtInventory(adapter.inventory.libvirt)
}

/** This machine, as configured. What is started from then on inherits no descriptor of this process, but those of `keep`. */
export const thisMachine = async (configuration: Configuration, keep: readonly number[] = []): Promise<Machine> => {
  const { settings, adapter } = configuration
  const { stateDirectory: directory } = adapter
  const fileJournal = directory === undefined ? undefined : await import('@mountkeeper/journal')
  const { hasSecrets, inheritNothing, limitCores, linuxHost, linuxLocks, watchMounts } =
    await import('@mountkeeper/linux')
  inheritNothing(keep)
  // What goes wrong is said by the mount that needs it.
  if (hasSecrets(settings.secrets)) await limitCores()
  return {
    host: linuxHost({
      types: settings.types,
      aliases: settings.aliases,
      secrets: settings.secrets,
      sourceAllowed,
      prefix: adapter.prefix,
      exec: adapter.exec,
      trustedOwners: adapter.trustedOwners,
    }),
    locks: linuxLocks({ trustedOwners: adapter.trustedOwners }),
    timers: createSystemTimers(),
    journal: (notice) => {
      if (directory !== undefined && fileJournal !== undefined) {
        const { journalFactsMax: compactFactsMin, journalBytesMax: compactBytesMin } = adapter
        return fileJournal.createFileJournal({ directory, notice, compactFactsMin, compactBytesMin })
      }
      notice(
        'no state directory is configured, so records are lost when this process ends; configure stateDirectory (--state-dir DIR) to keep them',
      )
      return forgetfulJournal()
    },
    inventory: await configuredInventory(configuration),
    watch: (manager) => watchMounts({ manager, intervalMs: adapter.watchIntervalMs }),
  }
}

/** Why this process may not mount, and what to do; `otherwise` is a way that only this caller has, such as `try --sandbox`. */
export const notPrivileged = async ({ adapter }: Configuration, otherwise?: string): Promise<Failure | undefined> => {
  if (adapter.prefix.length > 0 || adapter.exec.length > 0) return undefined
  const { mountProblem } = await import('@mountkeeper/linux')
  const problem = mountProblem()
  const ways = ['run as root', ...(otherwise === undefined ? [] : [otherwise])].join(', ')
  return problem === undefined
    ? undefined
    : stopFailure(`${problem}; ${ways}, or configure "prefix": ["sudo", "-n", "--"]`)
}
