// A hypervisor agent: all disks of a machine are there before it boots, and what its start has added is taken back when it fails.

import type { Keeper } from 'mountkeeper'

/** What a machine needs: a mountpoint, a filesystem, and the disk on it. */
export type Disk = Omit<Parameters<Keeper['attach']>[0], 'consumer'>

/** Attaches the disks of a machine and boots it. When anything fails, the holders that this call has added are gone again. */
export const start = async (
  keeper: Keeper,
  machine: string,
  disks: readonly Disk[],
  boot: () => Promise<void>,
): Promise<void> => {
  const added: Disk[] = []
  try {
    for (const disk of disks) {
      const { holder } = await keeper.attach({ ...disk, consumer: machine })
      // A holder of an earlier start is not ours to take back.
      if (holder === 'added') added.push(disk)
    }
    await boot()
  } catch (error) {
    for (const { mountpoint, volume } of added) await keeper.detach({ mountpoint, volume, consumer: machine })
    throw error
  }
}

/** The machine is gone: so are its holders, and what nothing else holds is unmounted. Gives how many there were. */
export const stop = async (keeper: Keeper, machine: string): Promise<number> =>
  (await keeper.release({ consumer: machine })).attachments.length
