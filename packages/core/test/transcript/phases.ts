// How each phase of a mountpoint is reached, and what may be reported of the effect that is in flight there.

/** A short way into one phase of the mountpoint `a`. The last request of the script, if any waits, has the id `x`. */
export interface Reached {
  readonly name: string
  readonly phase: string
  readonly script: readonly string[]
  /** Directives for the outcomes of what is in flight there. */
  readonly outcomes: readonly string[]
}

const UP = ['auto quiet', 'up', 'auto off']
const HELD = ['auto quiet', 'up', 'attach a tmpfs:scratch vol-1 vm-1', 'auto off']
const ATTACH = 'attach a tmpfs:scratch vol-1 vm-1 id=x'
const DETACH = 'detach a vol-1 vm-1 id=x'
const BUSY = 'outcome Unmount Mounted t1 error exit=32 "target is busy."'

const LOOKS = [
  'outcome Look NoDirectory',
  'outcome Look Directory',
  'outcome Look Obstacle file',
  'outcome Look Mounted t1',
  'outcome Look Mounted foreign',
  'outcome Look Mounted foreign t1',
  'outcome Look Unknown Unreadable',
  'timed-out Look',
]

const reached = (
  name: string,
  phase: string,
  script: readonly string[],
  outcomes: readonly string[] = [],
): Reached => ({ name, phase, script, outcomes })

export const PHASES: readonly Reached[] = [
  reached('absent', 'no record', UP),
  reached('absent, while the host is discovered', 'absent', [...UP, 'host-up', ATTACH]),
  reached('looking, without a slot', 'looking', [
    'settings slots.local=1',
    ...UP,
    'attach b tmpfs:scratch vol-1 vm-1',
    ATTACH,
  ]),
  reached('looking, for an attach', 'looking', [...UP, ATTACH], LOOKS),
  reached('looking, for a detach', 'looking', [...HELD, DETACH], LOOKS),
  reached('looking, without a request', 'looking', [...HELD, 'observed a'], LOOKS),
  reached(
    'making',
    'making',
    [...UP, ATTACH, 'outcome Look NoDirectory'],
    [
      'outcome MakeDirectory Directory',
      'outcome MakeDirectory NoDirectory error exit=1 "no"',
      'outcome MakeDirectory Obstacle file',
      'outcome MakeDirectory Mounted foreign',
      'outcome MakeDirectory Unknown Unreadable',
      'timed-out MakeDirectory',
    ],
  ),
  reached(
    'mounting',
    'mounting',
    [...UP, ATTACH, 'outcome Look Directory'],
    [
      'outcome Mount Mounted t1',
      'outcome Mount Mounted t1 error exit=32 "no"',
      'outcome Mount Mounted foreign',
      'outcome Mount Mounted foreign t1',
      'outcome Mount Directory',
      'outcome Mount Directory error exit=32 "no"',
      'outcome Mount Unknown Unreadable',
      'timed-out Mount',
    ],
  ),
  reached('mounting, before the second look', 'mounting', [
    ...UP,
    ATTACH,
    'outcome Look Directory',
    'outcome Mount Directory',
  ]),
  reached('mounted', 'mounted', HELD),
  reached('lost', 'lost', [...HELD, 'observed a', 'outcome Look Directory']),
  reached(
    'unmounting',
    'unmounting',
    [...HELD, DETACH, 'outcome Look Mounted t1'],
    [
      'outcome Unmount Directory',
      'outcome Unmount Mounted foreign',
      'outcome Unmount Mounted t1',
      BUSY,
      'outcome Unmount Mounted foreign t1',
      'outcome Unmount Unknown Unreadable',
      'timed-out Unmount',
    ],
  ),
  reached('unmounting, before the second look', 'unmounting', [
    ...HELD,
    DETACH,
    'outcome Look Mounted t1',
    'outcome Unmount Mounted t1',
  ]),
  reached(
    'removing',
    'removing',
    [...HELD, DETACH, 'outcome Look Mounted t1', 'outcome Unmount Directory'],
    [
      'outcome RemoveDirectory NoDirectory',
      'outcome RemoveDirectory NoDirectory error exit=1 "no"',
      'outcome RemoveDirectory Directory error exit=1 "no"',
      'outcome RemoveDirectory Mounted foreign',
      'outcome RemoveDirectory Obstacle file',
      'outcome RemoveDirectory Unknown Unreadable',
      'timed-out RemoveDirectory',
    ],
  ),
  reached('vacant, between two attempts', 'vacant', [...HELD, DETACH, 'outcome Look Mounted t1', BUSY]),
  reached('vacant, unmount failed', 'vacant', [
    'settings delays.unmountRetry=',
    ...HELD,
    DETACH,
    'outcome Look Mounted t1',
    BUSY,
  ]),
  reached('vacant, kept by policy', 'vacant', ['settings keepMountedMs=60000', ...HELD, DETACH]),
  reached('leftover', 'leftover', [
    ...HELD,
    DETACH,
    'outcome Look Mounted t1',
    'outcome Unmount Directory',
    'outcome RemoveDirectory Directory error exit=1 "no"',
  ]),
  reached('uncertain, for an attach', 'uncertain', [...UP, ATTACH, 'outcome Look Unknown Unreadable']),
  reached('uncertain, without a request', 'uncertain', [...HELD, 'observed a', 'outcome Look Unknown Unreadable']),
  reached(
    'uncertain, overdue',
    'uncertain',
    [...UP, ATTACH, 'outcome Look Directory', 'timed-out Mount'],
    ['ended Mount'],
  ),
]
