import { openMountkeeper } from 'mountkeeper'

const keeper = await openMountkeeper({ root: '/srv/mounts', stateDirectory: '/var/lib/mountkeeper' })

const disk = {
  mountpoint: '/srv/mounts/scratch',
  filesystem: { type: 'tmpfs', source: 'scratch', options: ['size=1m'] },
  volume: 'scratch',
  consumer: 'vm-1',
}
await keeper.attach(disk) // mounted, because it is the first holder
await keeper.detach(disk) // unmounted, because it was the last holder
await keeper.close() // what is still attached stays mounted
