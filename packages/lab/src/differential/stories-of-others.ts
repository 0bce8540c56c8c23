// Stories of others who act on the host, and of lives of the manager that end.

import { EXPORTS, ROOT } from '@mountkeeper/simulator'
import {
  answered,
  at,
  attach,
  bind,
  certain,
  detach,
  fault,
  observe,
  others,
  pass,
  reconcile,
  restart,
  retry,
  status,
  theyEnter,
  theyLeave,
  theyMake,
  theyMount,
  theyUnmount,
} from './step.js'
import type { Story } from './story.js'
import { G, SOON } from './story.js'

const third: readonly Story[] = [
  ['foreign', [theyMake(at('a')), theyMount(at('a')), attach(1), detach(1), theyUnmount(), attach(1), detach(1)]],
  [
    'foreign, and looks like what is asked for',
    [theyMake(at('a')), theyMount(at('a'), 'f', ['rw', 'nosuid', 'nodev']), attach(1), status],
  ],
  [
    'adopted',
    [theyMake(at('a')), theyMount(at('a'), 'f', ['rw', 'nosuid', 'nodev']), attach(1), attach(2, 'a', G), detach(1)],
    { policies: { foreign: 'adopt' } },
  ],
  [
    'not adopted, for it is another',
    [theyMake(at('a')), theyMount(at('a')), attach(1)],
    { policies: { foreign: 'adopt' } },
  ],
  ['covered while held', [attach(1), theyMount(at('a')), attach(2), detach(1), status, theyUnmount(), retry()]],
  ['covered by the same again', [attach(1), theyMount(at('a'), 'f'), attach(2), detach(1), theyUnmount(), detach(2)]],
  ['lost, and mounted again', [attach(1), theyUnmount(), attach(2), attach(1), detach(1), detach(2)]],
  ['lost, and not mounted again', [attach(1), theyUnmount(), fault('Mount', 'fails'), attach(2), status, detach(1)]],
  ['lost, and no request comes', [attach(1), theyUnmount(), detach(1)]],
  [
    'lost by a lazy unmount, and seen',
    [attach(1), theyUnmount(at('a'), 'lazy'), observe(), pass(300), answered, status, detach(1)],
  ],
  [
    'lost, and mounted again by policy',
    [attach(1), theyUnmount(), observe(), pass(600), answered, status, detach(1)],
    { policies: { lost: 'remount' } },
  ],
  ['replaced', [attach(1), theyUnmount(), theyMount(at('a')), attach(2), detach(1), status, theyUnmount(), retry()]],
  [
    'unmounted by others while ours is vacant',
    [attach(1), theyEnter(at('a'), 'open file'), detach(1), theyLeave, theyUnmount(), attach(2), detach(2)],
  ],
  [
    'the parent is mounted over',
    [
      theyMake(at('p')),
      attach(1, 'p/a'),
      theyMount(at('p')),
      attach(2, 'p/a', undefined, SOON),
      detach(1, 'p/a', SOON),
      theyUnmount(at('p')),
      retry('p/a'),
    ],
  ],
  [
    'the root is mounted over',
    [attach(1), theyMount(ROOT), attach(2, 'a', undefined, SOON), theyUnmount(ROOT), retry(), detach(1)],
  ],
  [
    'more layers than a look reports',
    [
      theyMake(at('a')),
      ...Array.from({ length: 17 }, () => theyMount(at('a'))),
      attach(1, 'a', undefined, SOON),
      theyUnmount(),
      retry(),
      status,
    ],
  ],
  [
    'reconciled',
    [
      attach(1),
      attach(2, 'b', G),
      theyUnmount(),
      theyMount(at('b')),
      reconcile(false),
      reconcile(true),
      status,
      theyUnmount(at('b')),
      detach(1),
      detach(2, 'b'),
    ],
  ],
  [
    'a bind by others',
    [attach(1), others({ _tag: 'Binds', source: `${EXPORTS}/g`, path: at('a') }), attach(2), theyUnmount(), detach(1)],
  ],
]

const crashes: readonly Story[] = [
  [
    'another life, with all that was there',
    [attach(1), attach(2, 'b', bind('f')), restart, status, attach(3), detach(1), detach(3), detach(2, 'b')],
  ],
  ['another life, and one mount is gone', [attach(1), theyUnmount(), restart, status, attach(2), detach(1), detach(2)]],
  [
    'another life, and something else is mounted',
    [attach(1), theyUnmount(), theyMount(at('a')), restart, status, detach(1)],
  ],
  [
    'another life after a failed unmount',
    [attach(1), fault('Unmount', 'fails', 3), detach(1), restart, certain, answered, status],
  ],
  ['another life beside something foreign', [theyMake(at('a')), theyMount(at('a')), restart, status, attach(1)]],
]

/** All of them. */
export const OTHERS: readonly Story[] = [...third, ...crashes]
