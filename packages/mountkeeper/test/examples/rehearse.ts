import { isMountkeeperError } from 'mountkeeper'
import { openSimulatedMountkeeper } from 'mountkeeper/simulated'

/** A helper that ends with 0 and has mounted nothing is found out, and a crash loses no holder. */
export const rehearse = async (): Promise<readonly string[]> => {
  const keeper = await openSimulatedMountkeeper({ root: '/srv/mounts' })
  const disk = {
    mountpoint: '/srv/mounts/scratch',
    filesystem: { type: 'tmpfs', source: 'scratch', options: [] },
    volume: 'scratch',
    consumer: 'vm-1',
  }
  const seen: string[] = []
  keeper.host.inject({ effect: 'Mount', fault: { _tag: 'Fails', worked: false } })
  try {
    await keeper.attach(disk)
  } catch (error) {
    if (isMountkeeperError(error)) seen.push(error.code)
  }
  seen.push((await keeper.attach(disk)).mount)
  const next = await keeper.crash()
  seen.push((await next.attach(disk)).holder)
  return seen
}
