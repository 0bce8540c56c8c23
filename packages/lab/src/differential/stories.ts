// The stories that both managers play: what goes well, and every fault.

import { EXPORTS } from '@mountkeeper/simulator'
import {
  answered,
  ask,
  at,
  attach,
  begun,
  bind,
  certain,
  detach,
  fault,
  goOn,
  hostDown,
  hostUp,
  meanwhile,
  pass,
  retry,
  status,
  theyDelete,
  theyEnter,
  theyLeave,
  theyLink,
  theyMake,
  theyMount,
  theyRemove,
  theyRename,
  theyUnmount,
  theyWrite,
  tmpfs,
} from './step.js'
import { OTHERS } from './stories-of-others.js'
import type { Story } from './story.js'
import { G, SHORT, SOON } from './story.js'

const well: readonly Story[] = [
  ['the first mounts, the second shares, the last unmounts', [attach(1), attach(2), detach(1), detach(2)]],
  ['the same holder again, and one that holds nothing', [attach(1), attach(1), detach(2), detach(1), detach(1)]],
  ['another source is a conflict', [attach(1), attach(2, 'a', G), detach(1), attach(2, 'a', G), detach(2)]],
  ['other options are a conflict', [attach(1), attach(2, 'a', tmpfs('f', 'ro')), detach(1)]],
  [
    'two mountpoints, one consumer, released',
    [attach(1), attach(1, 'b', G), attach(2), ask({ op: 'release', consumer: 'vm-1' }), detach(2)],
  ],
  [
    'binds',
    [attach(1, 'a', bind('f')), attach(2, 'a', bind('g')), attach(2, 'b', bind('g', 'ro')), detach(1), detach(2, 'b')],
  ],
  ['a bind of what is not there', [attach(1, 'a', bind('none')), status]],
  [
    'a bind whose source is removed',
    [attach(1, 'a', bind('f')), theyRemove(`${EXPORTS}/f`), attach(2, 'a', bind('f')), detach(1), detach(2)],
  ],
  ['a directory that was there stays', [theyMake(at('a')), attach(1), detach(1)]],
  [
    'many at once',
    [
      ...[1, 2, 3, 4].map((consumer) => meanwhile(attach(consumer))),
      meanwhile(attach(5, 'a', G)),
      meanwhile(detach(1)),
      answered,
      ...[2, 3, 4].map((consumer) => meanwhile(detach(consumer))),
      answered,
    ],
  ],
  [
    'kept mounted for a while',
    [attach(1), detach(1), attach(2), detach(2), status, pass(900)],
    { policies: { keepMountedMs: 600 } },
  ],
  ['down and up again', [attach(1), hostDown, attach(2), detach(1), retry(), hostUp, attach(2), detach(1), detach(2)]],
  [
    'a detach that is recorded while the host is down',
    [attach(1), hostDown, detach(1), hostUp, retry()],
    { policies: { detachWhileDown: 'record' } },
  ],
  [
    'maintenance',
    [
      ask({ op: 'refuse-new', mountpoint: at('a') }),
      attach(1),
      ask({ op: 'allow-new', mountpoint: at('a') }),
      attach(1),
      ask({ op: 'forget', mountpoint: at('a'), force: false }),
      ask({ op: 'forget', mountpoint: at('a'), force: true }),
      attach(2),
    ],
  ],
]

const mounting: readonly Story[] = [
  ['a mount that fails', [fault('Mount', 'fails'), attach(1), status, attach(1), detach(1)]],
  ['a mount that works, with an error', [fault('Mount', 'works, and fails'), attach(1), detach(1)]],
  ['a mount that exits 0 with nothing done', [fault('Mount', 'does nothing'), attach(1), attach(2), detach(2)]],
  [
    'a mount that exits 0 and shows later',
    [fault('Mount', 'late'), attach(1), detach(1)],
    { delaysMs: { settle: 2_000 } },
  ],
  ['mount is killed', [fault('Mount', 'is killed'), attach(1), status]],
  ['mount is killed, having mounted', [fault('Mount', 'works, and is killed'), attach(1), detach(1)]],
  [
    'something else is mounted',
    [fault('Mount', 'mounts something else'), attach(1), status, detach(1), theyUnmount(), retry()],
  ],
  ['a flag is missing', [fault('Mount', 'forgets nosuid'), attach(1), status, attach(1), detach(1)]],
  ['mounted twice', [fault('Mount', 'mounts twice'), attach(1), status, theyUnmount(), retry()]],
  [
    'a failed mount is shared with those who wait for the same',
    [
      fault('Mount', 'fails'),
      meanwhile(attach(1)),
      meanwhile(attach(2)),
      meanwhile(attach(3, 'a', G)),
      answered,
      detach(3),
    ],
  ],
  [
    'a mount that passes its deadline, and works',
    [
      fault('Mount', 'hangs, and works'),
      meanwhile(attach(1, 'a', undefined, { deadlineMs: 5_000 })),
      answered,
      detach(1),
    ],
    SHORT,
  ],
  [
    'a mount that passes its deadline and that of its request',
    [
      fault('Mount', 'hangs, and works'),
      attach(1, 'a', undefined, SOON),
      certain,
      answered,
      status,
      attach(2),
      detach(2),
    ],
    SHORT,
  ],
  [
    'a mount that passes its deadline, and does nothing',
    [fault('Mount', 'hangs, and does nothing'), attach(1), status],
    SHORT,
  ],
  [
    'a mount that hangs until it is killed',
    [fault('Mount', 'hangs until it is killed'), attach(1), attach(2), detach(2)],
    SHORT,
  ],
  [
    'a detach while the mount runs',
    [
      fault('Mount', 'waits'),
      meanwhile(attach(1)),
      begun,
      meanwhile(detach(1)),
      meanwhile(attach(2)),
      goOn,
      answered,
      detach(2),
    ],
  ],
  [
    'a request is withdrawn while another mount runs',
    [
      fault('Mount', 'waits'),
      meanwhile(attach(1, 'a', undefined, { id: 'first' })),
      meanwhile(attach(2, 'a', G, { id: 'second' })),
      begun,
      ask({ op: 'cancel', target: 'second' }),
      ask({ op: 'cancel', target: 'first' }),
      ask({ op: 'cancel', target: 'none' }),
      goOn,
      answered,
      detach(1),
    ],
  ],
  [
    'a third party mounts while the mount runs',
    [
      fault('Mount', 'waits'),
      meanwhile(attach(1)),
      begun,
      theyMount(at('a')),
      goOn,
      answered,
      status,
      theyUnmount(),
      retry(),
    ],
  ],
]

const unmounting: readonly Story[] = [
  ['an unmount that fails once', [attach(1), fault('Unmount', 'fails'), detach(1)]],
  [
    'an unmount that fails every time, and a detach that tries again',
    [attach(1), fault('Unmount', 'fails', 3), detach(1), status, detach(1)],
  ],
  [
    'what could not be unmounted is used again',
    [attach(1), fault('Unmount', 'fails', 3), detach(1), attach(2), detach(2)],
  ],
  [
    'what could not be unmounted gives way to another filesystem',
    [attach(1), fault('Unmount', 'fails', 3), detach(1), attach(2, 'a', G), detach(2)],
  ],
  [
    'what cannot be unmounted is a conflict',
    [attach(1), fault('Unmount', 'fails', 4), detach(1), attach(2, 'a', G), retry()],
  ],
  ['an unmount that works, with an error', [attach(1), fault('Unmount', 'works, and fails'), detach(1)]],
  ['an unmount that exits 0 with nothing done', [attach(1), fault('Unmount', 'does nothing'), detach(1)]],
  ['umount is killed, having unmounted', [attach(1), fault('Unmount', 'works, and is killed'), detach(1)]],
  [
    'an unmount that passes its deadline, and works',
    [attach(1), fault('Unmount', 'hangs, and works'), detach(1)],
    SHORT,
  ],
  [
    'an unmount that passes its deadline, an attach waits',
    [
      attach(1),
      fault('Unmount', 'hangs, and works'),
      meanwhile(detach(1)),
      begun,
      meanwhile(attach(2)),
      answered,
      detach(2),
    ],
    SHORT,
  ],
  [
    'an unmount that hangs until it is killed',
    [attach(1), fault('Unmount', 'hangs until it is killed'), detach(1), status, retry()],
    SHORT,
  ],
  [
    'an attach that comes while the unmount runs',
    [
      attach(1),
      fault('Unmount', 'waits'),
      meanwhile(detach(1)),
      begun,
      meanwhile(attach(2)),
      goOn,
      answered,
      detach(2),
    ],
  ],
  ['busy by an open file', [attach(1), theyEnter(at('a'), 'open file'), detach(1), theyLeave, retry()]],
  [
    'busy by a working directory',
    [attach(1), theyEnter(at('a'), 'working directory'), detach(1), status, attach(2), theyLeave, detach(2)],
  ],
  [
    'busy by a mount deeper down',
    [attach(1), theyMake(at('a/deep')), theyMount(at('a/deep')), detach(1), theyUnmount(at('a/deep')), retry()],
  ],
  [
    'busy, and taken off lazily',
    [attach(1), theyEnter(at('a'), 'open file'), detach(1), attach(2), detach(2)],
    { ladder: 'lazy' },
  ],
  [
    'busy, and force does not help',
    [attach(1), theyEnter(at('a'), 'open file'), detach(1), theyLeave, retry()],
    { ladder: 'force' },
  ],
]

const directories: readonly Story[] = [
  ['mkdir fails', [fault('MakeDirectory', 'fails'), attach(1), status]],
  ['mkdir works, with an error', [fault('MakeDirectory', 'works, and fails'), attach(1), detach(1)]],
  ['mkdir exits 0 with nothing done', [fault('MakeDirectory', 'does nothing'), attach(1), status]],
  ['rmdir fails', [attach(1), fault('RemoveDirectory', 'fails'), detach(1), status, attach(2), detach(2)]],
  ['rmdir works, with an error', [attach(1), fault('RemoveDirectory', 'works, and fails'), detach(1)]],
  ['rmdir exits 0 with nothing done', [attach(1), fault('RemoveDirectory', 'does nothing'), detach(1), retry()]],
  [
    'rmdir passes its deadline, and works',
    [attach(1), fault('RemoveDirectory', 'hangs, and works'), detach(1), certain, answered, status],
    SHORT,
  ],
  [
    'a file in the place of the directory',
    [theyWrite(at('a')), attach(1), detach(1), theyDelete(at('a')), attach(1), detach(1)],
  ],
  ['a link in the place of the directory', [theyMake(at('b')), theyLink(at('a'), at('b')), attach(1), status]],
  ['a dangling link', [theyLink(at('a'), '/nowhere'), attach(1), status]],
  ['the parent is missing', [attach(1, 'p/a'), theyMake(at('p')), attach(1, 'p/a'), detach(1, 'p/a')]],
  ['the parent is a file', [theyWrite(at('p')), attach(1, 'p/a')]],
  ['the parent is a link', [theyLink(at('p'), EXPORTS), attach(1, 'p/a', undefined, SOON)]],
  [
    'what was written before the mount keeps the directory',
    [theyMake(at('a')), theyWrite(at('a/data')), attach(1), detach(1)],
  ],
  [
    'what is written into our bare directory keeps it',
    [attach(1), theyUnmount(), theyWrite(at('a/data')), detach(1), status, retry(), theyDelete(at('a/data')), retry()],
  ],
  [
    'our directory is removed meanwhile',
    [attach(1), theyUnmount(), theyRemove(at('a')), detach(1), attach(2), detach(2)],
  ],
  [
    'our directory is exchanged for a file',
    [attach(1), theyUnmount(), theyRemove(at('a')), theyWrite(at('a')), attach(2), detach(1), detach(2)],
  ],
  [
    'the parent is renamed with what is mounted in it',
    [theyMake(at('p')), attach(1, 'p/a'), theyRename(at('p'), at('q')), attach(2, 'p/a'), detach(1, 'p/a'), status],
  ],
]

/** All of them, those of others on the host too. */
export const STORIES: readonly Story[] = [...well, ...mounting, ...unmounting, ...directories, ...OTHERS]
