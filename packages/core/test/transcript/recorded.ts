// What can be recorded when a manager ends: a short way into each state of the records of the mountpoint `a`.

/** Scripts that end just before a crash. */
export interface Recorded {
  readonly name: string
  readonly script: readonly string[]
}

const UP = ['auto quiet', 'up', 'auto off']
const HELD = ['auto quiet', 'up', 'attach a tmpfs:scratch vol-1 vm-1', 'auto off']
const ATTACH = 'attach a tmpfs:scratch vol-1 vm-1'
const DETACH = 'detach a vol-1 vm-1'
const BIND = 'attach a bind:/srv/source/a vol-1 vm-1'
/** A layer that an attach of a bind can adopt. */
const THEIRS = ['types bind=/srv/source/', 'layer t1 ext4 /dev/vda1 root=/srv/source/a device=8:1']
const LOST = [...HELD, 'observed a', 'outcome Look Directory']
const BUSY = 'outcome Unmount Mounted t1 error exit=32 "target is busy."'

export const RECORDED: readonly Recorded[] = [
  { name: 'nothing is recorded', script: ['layer t1 tmpfs scratch', ...UP] },
  { name: 'held', script: HELD },
  { name: 'held and lost', script: ['layer t1 tmpfs scratch', ...LOST] },
  {
    name: 'adopted by policy',
    script: ['settings foreign=adopt', ...THEIRS, ...UP, BIND, 'outcome Look Mounted t1'],
  },
  {
    name: 'adopted because it is in use',
    script: [...THEIRS, ...UP, 'host-up', 'discovered a Mounted t1; inventory a vol-1 vm-1'],
  },
  {
    name: 'adopted because it is in use, and named since',
    script: [
      ...[...THEIRS, ...UP, 'host-up', 'discovered a Mounted t1; inventory a vol-1 vm-1'],
      ...['attach a bind:/srv/source/a vol-2 vm-2', 'outcome Look Mounted t1'],
    ],
  },
  {
    name: 'lost with its directory, another thing in its place',
    script: [...HELD, 'observed a', 'outcome Look Obstacle file'],
  },
  {
    name: 'lost, and a mount for another holder has failed',
    script: [
      ...LOST,
      'attach a tmpfs:scratch vol-2 vm-2',
      'outcome Look Directory',
      'outcome Mount Directory error exit=32 "no"',
    ],
  },
  { name: 'forgotten', script: [...HELD, 'forget a force'] },
  { name: 'vacant after the last one left', script: [...HELD, DETACH] },
  { name: 'vacant after a failed unmount', script: [...HELD, DETACH, 'outcome Look Mounted t1', BUSY] },
  {
    name: 'leftover',
    script: [
      ...HELD,
      DETACH,
      'outcome Look Mounted t1',
      'outcome Unmount Directory',
      'outcome RemoveDirectory Directory error exit=1 "no"',
    ],
  },
  { name: 'in the middle of mkdir', script: [...UP, ATTACH, 'outcome Look NoDirectory'] },
  {
    name: 'mkdir refused at its deadline, and still under way',
    script: [...UP, ATTACH, 'outcome Look NoDirectory', 'deadline 2'],
  },
  {
    name: 'mkdir refused at its deadline, and its directory removed',
    script: [
      ...['layer t1 tmpfs scratch', ...UP, ATTACH, 'outcome Look NoDirectory', 'deadline 2'],
      ...['outcome MakeDirectory Directory', 'outcome Look Directory', 'outcome RemoveDirectory NoDirectory'],
    ],
  },
  {
    name: 'in the middle of mount on a directory of ours',
    script: [...UP, ATTACH, 'outcome Look NoDirectory', 'outcome MakeDirectory Directory'],
  },
  { name: 'in the middle of mount on a directory of others', script: [...UP, ATTACH, 'outcome Look Directory'] },
  {
    name: 'in the middle of mount, refused at its deadline',
    script: [...UP, ATTACH, 'outcome Look Directory', 'timed-out Mount', 'deadline 2'],
  },
  {
    name: 'mount refused at its deadline, and another layer found',
    script: [
      ...['layer t1 tmpfs scratch', 'layer foreign tmpfs third-party', ...UP, ATTACH, 'outcome Look Directory'],
      ...['timed-out Mount', 'deadline 2', 'ended Mount', 'outcome Look Mounted foreign'],
    ],
  },
  {
    name: 'in the middle of mount, for another holder',
    script: [...LOST, 'attach a tmpfs:scratch vol-2 vm-2', 'outcome Look Directory'],
  },
  { name: 'in the middle of umount', script: [...HELD, DETACH, 'outcome Look Mounted t1'] },
  {
    name: 'in the middle of rmdir',
    script: [...HELD, DETACH, 'outcome Look Mounted t1', 'outcome Unmount Directory'],
  },
]
