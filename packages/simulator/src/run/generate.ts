// Random runs for fast-check, each a value that it can make smaller. What is frequent here is what leads somewhere: a few
// mountpoints, a few consumers, effects that mostly end well.

import type { Filesystem, Policies, Request } from '@mountkeeper/core'
import fc from 'fast-check'
import type { Arbitrary } from 'fast-check'
import type { Fault } from '../fault.js'
import { NO_FAULT } from '../fault.js'
import type { SimulatedSettings } from '../settings.js'
import { EXPORTS, ROOT, TENANT } from '../settings.js'
import type { ThirdPartyAct } from '../third-party.js'
import type { Action, Fate } from './action.js'
import type { Run } from './play.js'

/** The mountpoints of random runs. */
export const MOUNTPOINTS: readonly string[] = [`${ROOT}/a`, `${ROOT}/b`, `${TENANT}/c`]
/** Names that would collide if they were only joined. */
export const VOLUMES: readonly string[] = ['v', 'v c']
/** The consumers of random runs; one has a blank, as a name joined of two would. */
export const CONSUMERS: readonly string[] = ['c', 'c v', 'd']

const TMPFS: Filesystem = { type: 'tmpfs', source: 'f', options: [] }
const FILESYSTEMS: readonly (readonly [number, Filesystem])[] = [
  [8, TMPFS],
  [2, { ...TMPFS, source: 'g' }],
  [1, { ...TMPFS, options: ['noatime'] }],
  [1, { ...TMPFS, options: ['size=1m'] }],
  [6, { type: 'nfs', source: 'n1:/f', options: [] }],
  [2, { type: 'nfs', source: 'n2:/f', options: [] }],
  [3, { type: 'bind', source: `${EXPORTS}/f`, options: [] }],
]

const weighted = <Value>(...choices: readonly (readonly [number, Arbitrary<Value>])[]): Arbitrary<Value> =>
  fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })))

const constants = <Value>(...choices: readonly (readonly [number, Value])[]): Arbitrary<Value> =>
  weighted(...choices.map(([weight, value]) => [weight, fc.constant(value)] as const))

const mountpoint = constants([5, MOUNTPOINTS[0] ?? ''], [1, MOUNTPOINTS[1] ?? ''], [1, MOUNTPOINTS[2] ?? ''])
const volume = constants([4, 'v'], [1, 'v c'])
const consumer = constants([4, 'c'], [2, 'c v'], [2, 'd'])
const filesystem = constants(...FILESYSTEMS)
const which = fc.nat({ max: 7 })
const deadlineMs = constants<number | undefined>([12, undefined], [1, 500], [1, 30_000])

const withDeadline = <Body extends Request>(body: Body, ms: number | undefined): Body =>
  ms === undefined ? body : { ...body, deadlineMs: ms }

const attach = fc
  .tuple(mountpoint, filesystem, volume, consumer, deadlineMs)
  .map(([at, what, of, by, ms]): Request =>
    withDeadline({ op: 'attach', mountpoint: at, filesystem: what, volume: of, consumer: by }, ms),
  )
const detach = fc
  .tuple(mountpoint, volume, consumer, deadlineMs)
  .map(([at, of, by, ms]): Request => withDeadline({ op: 'detach', mountpoint: at, volume: of, consumer: by }, ms))
const release = consumer.map((by): Request => ({ op: 'release', consumer: by }))

/** Attach, detach and release only: requests that a host that is up refuses to no caller that asks for one filesystem. */
export const plainRequest = (what: Arbitrary<Filesystem>): Arbitrary<Request> =>
  weighted<Request>(
    [
      6,
      fc
        .tuple(mountpoint, what, volume, consumer)
        .map(([at, asked, of, by]) => ({ op: 'attach', mountpoint: at, filesystem: asked, volume: of, consumer: by })),
    ],
    [
      5,
      fc
        .tuple(mountpoint, volume, consumer)
        .map(([at, of, by]) => ({ op: 'detach', mountpoint: at, volume: of, consumer: by })),
    ],
    [1, release],
  )

const operator: Arbitrary<Request> = weighted<Request>(
  [3, fc.constant({ op: 'status' })],
  [3, fc.constant({ op: 'host-up' })],
  [1, fc.constant({ op: 'host-down' })],
  [2, mountpoint.map((at) => ({ op: 'retry', mountpoint: at }))],
  [1, fc.tuple(mountpoint, fc.boolean()).map(([at, force]) => ({ op: 'forget', mountpoint: at, force }))],
  [1, fc.boolean().map((apply) => ({ op: 'reconcile', apply }))],
)

const endsAfterMs = constants<number | undefined>([2, undefined], [1, 400], [1, 20_000])

/** What may go wrong in a run, in the words of the command line: how an effect ends, and what no request asked for. */
export const FAULT_KINDS = [
  'fails',
  'does-nothing',
  'late',
  'hangs',
  'cannot-tell',
  'wrong-filesystem',
  'respelled',
  'missing-flag',
  'twice',
  'unchecked',
  'dead',
  'third-party',
  'crash',
  'reboot',
  'echo',
] as const

/** One of them. `crash`: of the manager alone; `echo`: outcomes that come again, or belong to no effect. */
export type FaultKind = (typeof FAULT_KINDS)[number]

/** Everything that may go wrong. */
export const ALL_FAULTS: ReadonlySet<FaultKind> = new Set(FAULT_KINDS)

type Weighted<Value> = readonly [number, Arbitrary<Value>]

const FAULTS: readonly (readonly [FaultKind, ...Weighted<Fault>])[] = [
  ['fails', 3, fc.boolean().map((worked) => ({ _tag: 'Fails', worked }))],
  ['does-nothing', 2, fc.constant({ _tag: 'DoesNothing' })],
  ['late', 2, constants([1, 100], [1, 900]).map((afterMs) => ({ _tag: 'Late', afterMs }))],
  ['hangs', 3, fc.tuple(fc.boolean(), endsAfterMs).map(([worked, ms]) => ({ _tag: 'Hangs', worked, endsAfterMs: ms }))],
  ['cannot-tell', 3, fc.boolean().map((worked) => ({ _tag: 'CannotTell', worked }))],
  ['wrong-filesystem', 1, fc.constant({ _tag: 'WrongFilesystem' })],
  ['respelled', 1, fc.constant({ _tag: 'Respelled' })],
  ['missing-flag', 1, fc.constant({ _tag: 'MissingFlag' })],
  ['twice', 1, fc.constant({ _tag: 'Twice' })],
  ['unchecked', 1, fc.constant({ _tag: 'Unchecked' })],
  ['dead', 1, fc.constant({ _tag: 'Dead' })],
]

/** Every way for an effect to end other than well. */
export const fault: Arbitrary<Fault> = weighted(...FAULTS.map(([, ...choice]) => choice))

/** Where others mount something below what is bound. */
const SUBMOUNT = `${EXPORTS}/f/sub`

const source = constants([3, 'theirs'], [1, 'f'], [1, 'g'])

/** Flags that a third party gives to a mount: with those that we demand, or without. */
const flags = fc.constantFrom<string[][]>(['rw'], ['rw', 'nosuid', 'nodev'], ['ro', 'nosuid', 'nodev'])

/** What is above mountpoints, and what only a person can change about it. */
const above = constants([2, TENANT], [1, ROOT])
const obstacle = constants(
  ...([
    [3, 'nothing'],
    [1, 'PermissionDenied'],
    [1, 'UnsafeParent'],
    [1, 'NameTooLong'],
  ] as const),
)
const helped = constants([1, 'nfs'], [1, 'tmpfs'])
const installed = constants(
  ...([
    [1, 'installed'],
    [1, 'missing'],
  ] as const),
)

const thirdPartyAct: Arbitrary<ThirdPartyAct> = weighted<ThirdPartyAct>(
  [
    6,
    fc.tuple(mountpoint, source, constants([5, false], [1, true])).map(([path, from, elsewhere]) => ({
      _tag: 'Mounts',
      path,
      fstype: 'tmpfs',
      source: from,
      flags: ['rw'],
      elsewhere,
    })),
  ],
  [3, mountpoint.map((path) => ({ _tag: 'Mounts', path, fstype: 'nfs4', source: 'n1:/f', flags: ['rw'] }))],
  [3, mountpoint.map((path) => ({ _tag: 'Binds', path, source: `${EXPORTS}/f` }))],
  [1, fc.constant({ _tag: 'Mounts', path: ROOT, fstype: 'tmpfs', source: 'over', flags: ['rw'] })],
  [1, fc.constant({ _tag: 'Unmounts', path: ROOT, how: 'lazy' })],
  [
    6,
    fc
      .tuple(mountpoint, constants<'plain' | 'lazy'>([3, 'plain'], [1, 'lazy']), constants([5, false], [1, true]))
      .map(([path, how, elsewhere]) => ({ _tag: 'Unmounts', path, how, elsewhere })),
  ],
  [2, mountpoint.map((path) => ({ _tag: 'MakesDirectory', path }))],
  [1, fc.constant({ _tag: 'MakesDirectory', path: SUBMOUNT })],
  [1, fc.constant({ _tag: 'Mounts', path: SUBMOUNT, fstype: 'tmpfs', source: 'below', flags: ['rw'] })],
  [1, fc.constant({ _tag: 'Unmounts', path: SUBMOUNT, how: 'plain' })],
  [4, mountpoint.map((path) => ({ _tag: 'RemovesDirectory', path }))],
  [1, mountpoint.map((path) => ({ _tag: 'Writes', path: `${path}/data` }))],
  [1, mountpoint.map((path) => ({ _tag: 'Deletes', path: `${path}/data` }))],
  [4, mountpoint.map((path) => ({ _tag: 'Writes', path }))],
  [1, mountpoint.map((path) => ({ _tag: 'Deletes', path }))],
  [1, mountpoint.map((path) => ({ _tag: 'Links', path, target: `${EXPORTS}/g` }))],
  [1, fc.constant({ _tag: 'Renames', from: `${EXPORTS}/f`, to: `${EXPORTS}/h` })],
  [1, fc.constant({ _tag: 'Renames', from: `${EXPORTS}/h`, to: `${EXPORTS}/f` })],
  [1, fc.constant({ _tag: 'Renames', from: TENANT, to: `${ROOT}/renamed` })],
  [1, fc.constant({ _tag: 'Renames', from: `${ROOT}/renamed`, to: TENANT })],
  [1, fc.constant({ _tag: 'RemovesDirectory', path: `${EXPORTS}/f` })],
  [2, fc.tuple(mountpoint, flags).map(([path, now]) => ({ _tag: 'Remounts', path, flags: now }))],
  [1, fc.tuple(mountpoint, fc.boolean()).map(([path, readOnly]) => ({ _tag: 'TurnsReadOnly', path, readOnly }))],
  [1, fc.constant({ _tag: 'Links', path: `${EXPORTS}/f`, target: `${EXPORTS}/g` })],
  [1, fc.constant({ _tag: 'MakesDirectory', path: `${EXPORTS}/f` })],
  [2, fc.tuple(above, obstacle).map(([path, by]) => ({ _tag: 'Obstructs', path, by }))],
  [1, fc.tuple(helped, installed).map(([type, is]) => ({ _tag: 'Helper', type, is }))],
  [2, mountpoint.map((path) => ({ _tag: 'Enters', path, uses: 'open file' }))],
  [2, fc.constant({ _tag: 'Leaves' })],
  [
    2,
    fc
      .tuple(constants([1, 'n1'], [1, 'n2']), constants([2, 'answers'], [1, 'refuses'], [1, 'hangs']))
      .map(([server, as]) => ({ _tag: 'Behaves', server, as }) as ThirdPartyAct),
  ],
  [
    1,
    constants([1, 'shared'], [1, 'slave'], [1, 'private']).map(
      (propagation) => ({ _tag: 'Unshares', propagation }) as ThirdPartyAct,
    ),
  ],
)

const fate = constants<Fate>([2, 'never ran'], [2, 'worked'], [1, 'lives and will work'], [1, 'lives and does nothing'])
const ms = constants<number | undefined>([8, undefined], [1, 100], [1, 1_000], [1, 5_000], [1, 60_000], [1, 200_000])

/** Actions of a run without any fault: requests, effects that end well, time. */
export const calmAction = (what: Arbitrary<Filesystem>): Arbitrary<Action> =>
  weighted<Action>(
    [5, plainRequest(what).map((body) => ({ _tag: 'Ask', body }))],
    [8, which.map((each) => ({ _tag: 'End', which: each, fault: NO_FAULT }))],
    [1, fc.constant({ _tag: 'Pass', ms: 100 })],
  )

const crash = (reboots: Arbitrary<boolean>): Arbitrary<Action> =>
  fc
    .tuple(fc.nat({ max: 3 }), fc.array(fate, { minLength: 1, maxLength: 3 }), reboots)
    .map(([kept, fates, reboot]) => ({ _tag: 'Crash', kept, fates, reboot }))

const when = <Value>(is: boolean, ...choice: Weighted<Value>): readonly Weighted<Value>[] => (is ? [choice] : [])

const orphanEnds = which.map((each): Action => ({ _tag: 'OrphanEnds', which: each }))

const echo = fc
  .tuple(which, constants([1, 'it was'], [1, 'an end'], [1, 'of another effect']))
  .map(([each, as]) => ({ _tag: 'Echo', which: each, as }) as Action)

/** One action of a run in which nothing goes wrong but what is named. */
export const actionOf = (kinds: ReadonlySet<FaultKind>): Arbitrary<Action> => {
  const faults = FAULTS.flatMap(([kind, ...choice]) => when(kinds.has(kind), ...choice))
  const faulty = (): Arbitrary<Action> =>
    fc.tuple(which, weighted(...faults)).map(([each, how]) => ({ _tag: 'End', which: each, fault: how }))
  const reboots = [
    ...when(kinds.has('crash'), 5, fc.constant(false)),
    ...when(kinds.has('reboot'), 1, fc.constant(true)),
  ]
  return weighted<Action>(
    [10, attach.map((body) => ({ _tag: 'Ask', body }))],
    [8, detach.map((body) => ({ _tag: 'Ask', body }))],
    [2, release.map((body) => ({ _tag: 'Ask', body }))],
    [3, operator.map((body) => ({ _tag: 'Ask', body }))],
    [26, which.map((each) => ({ _tag: 'End', which: each, fault: NO_FAULT }))],
    ...(faults.length > 0 ? [[10, faulty()] as const] : []),
    [8, ms.map((each) => ({ _tag: 'Pass', ms: each }))],
    [2, which.map((each) => ({ _tag: 'Deadline', which: each }))],
    ...when<Action>(
      kinds.has('third-party'),
      8,
      thirdPartyAct.map((act) => ({ _tag: 'ThirdParty', act })),
    ),
    [2, mountpoint.map((at) => ({ _tag: 'Observe', mountpoint: at }))],
    ...when(kinds.has('echo'), 2, echo),
    [6, constants([4, 1], [1, 9]).map((count) => ({ _tag: 'Durable', count }))],
    ...(reboots.length > 0 ? [[2, crash(weighted(...reboots))] as const] : []),
    ...when<Action>(kinds.has('crash'), 2, orphanEnds),
    [1, constants<'drain' | 'hard'>([2, 'drain'], [1, 'hard']).map((how) => ({ _tag: 'Stop', how }))],
  )
}

/** One action of a run in which everything may happen. */
export const anyAction: Arbitrary<Action> = actionOf(ALL_FAULTS)

const policies: Arbitrary<Partial<Policies>> = fc.record({
  foreign: fc.constantFrom('refuse', 'adopt'),
  lost: fc.constantFrom('report', 'remount'),
  broken: fc.constantFrom('refuse', 'remount'),
  keepMountedMs: constants([3, 0], [1, 1_000]),
  detachWhileDown: fc.constantFrom('refuse', 'record'),
  afterReboot: fc.constantFrom('keep', 'remount', 'drop'),
})

/** Policies of all kinds, and few slots. */
export const anySettings: Arbitrary<SimulatedSettings> = fc.record({
  policies,
  ladder: constants([3, 'off'], [1, 'force'], [1, 'lazy']),
  slots: constants([1, {}], [1, { hanging: 2, perServer: 1, local: 1 }]),
  limits: constants([4, {}], [1, { waitingPerMountpoint: 2 }], [1, { holdersPerMountpoint: 2 }]),
})

const ACTIONS_MAX = 80

/** Whole runs in which nothing goes wrong but what is named. */
export const runOf = (kinds: ReadonlySet<FaultKind>): Arbitrary<Run> =>
  fc.record({
    settings: anySettings,
    propagation: fc.constantFrom('shared', 'private'),
    journal: fc.constantFrom('at once', 'behind'),
    actions: fc.array(actionOf(kinds), { maxLength: ACTIONS_MAX, size: 'max' }),
  })

/** Whole runs in which everything may happen. */
export const anyRun: Arbitrary<Run> = runOf(ALL_FAULTS)
