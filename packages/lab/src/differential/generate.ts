// Scripts by chance. One request at a time, so that nothing depends on how fast a host is.

import * as fc from 'fast-check'
import type { SimulatedSettings } from '@mountkeeper/simulator'
import type { Planted } from './planted.js'
import type { Faulty, Step } from './step.js'
import {
  at,
  attach,
  detach,
  fault,
  hostDown,
  hostUp,
  reconcile,
  restart,
  retry,
  status,
  theyDelete,
  theyEnter,
  theyLeave,
  theyMake,
  theyMount,
  theyRemove,
  theyUnmount,
  theyWrite,
  tmpfs,
} from './step.js'

/** For what waits for a conclusive look; long enough for everything else. */
const DEADLINE = { deadlineMs: 4_000 }

const name = fc.constantFrom('a', 'a', 'b')
const consumer = fc.constantFrom(1, 2)

const ATTACH: fc.Arbitrary<Step> = fc
  .tuple(consumer, name, fc.constantFrom('f', 'f', 'f', 'g'))
  .map(([who, where, source]) => attach(who, where, tmpfs(source), DEADLINE))

const DETACH: fc.Arbitrary<Step> = fc.tuple(consumer, name).map(([who, where]) => detach(who, where, DEADLINE))

const planted = (effect: Faulty, ...faults: readonly Planted[]): fc.Arbitrary<Step> =>
  fc.tuple(fc.constantFrom(...faults), fc.constantFrom(1, 1, 3)).map(([each, times]) => fault(effect, each, times))

const FAULT: fc.Arbitrary<Step> = fc.oneof(
  planted('Mount', 'fails', 'works, and fails', 'is killed', 'works, and is killed'),
  planted('Mount', 'does nothing', 'mounts something else', 'forgets nosuid', 'mounts twice'),
  planted('Unmount', 'fails', 'works, and fails', 'does nothing', 'works, and is killed'),
  planted('MakeDirectory', 'fails', 'works, and fails', 'does nothing'),
  planted('RemoveDirectory', 'fails', 'works, and fails', 'does nothing'),
)

const OTHERS: fc.Arbitrary<Step> = fc.tuple(name.map(at), fc.nat(9)).map(([path, which]) => {
  const all: readonly Step[] = [
    theyMount(path),
    theyMount(path, 'f', ['rw', 'nosuid', 'nodev']),
    theyUnmount(path),
    theyUnmount(path, 'lazy'),
    theyWrite(`${path}/data`),
    theyDelete(`${path}/data`),
    theyMake(path),
    theyRemove(path),
    theyEnter(path, 'open file'),
    theyLeave,
  ]
  return all[which] ?? theyLeave
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 7, arbitrary: ATTACH },
  { weight: 5, arbitrary: DETACH },
  { weight: 3, arbitrary: FAULT },
  { weight: 4, arbitrary: OTHERS },
  { weight: 1, arbitrary: name.map(retry) },
  { weight: 1, arbitrary: fc.constantFrom(reconcile(false), reconcile(true), hostDown, hostUp, restart, status) },
)

/** A script. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(step, { minLength: 4, maxLength: 12, size: 'max' })

/** Policies that decide what becomes of what is there. */
export const settings: fc.Arbitrary<SimulatedSettings> = fc.record({
  ladder: fc.constantFrom('off', 'lazy'),
  policies: fc.record({
    foreign: fc.constantFrom('refuse', 'adopt'),
    lost: fc.constantFrom('report', 'remount'),
    detachWhileDown: fc.constantFrom('refuse', 'record'),
  }),
})
