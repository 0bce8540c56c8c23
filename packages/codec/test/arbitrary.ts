// Any value of each kind that crosses the border. Unions are written by tag, so that a new member is a compile error here.

import { maskedFilesystem } from '@mountkeeper/border'
import type {
  Answer,
  Attachment,
  Attached,
  CommandError,
  Detached,
  Difference,
  Discovered,
  Effect,
  EffectFound,
  Fact,
  Filesystem,
  Found,
  Identity,
  Input,
  MountOption,
  MountpointStatus,
  Phase,
  Reason,
  Refusal,
  Request,
  ResolvedSource,
  SourceSeen,
  Result,
  RollbackFailure,
  RootIdentity,
  Settings,
  UnknownWhy,
  Warning,
} from '@mountkeeper/core'
import { effectId, requestId } from '@mountkeeper/core'
import type { Grammar, TypeRule } from '@mountkeeper/types'
import fc from 'fast-check'
import type { PlanRequest } from '../src/index.js'

type ByTag<A extends { readonly _tag: string }> = {
  readonly [T in A['_tag']]: fc.Arbitrary<Extract<A, { readonly _tag: T }>>
}

const anyOf = <A>(members: Readonly<Record<string, fc.Arbitrary<A>>>): fc.Arbitrary<A> =>
  fc.oneof(...Object.values(members))

const rec = <T, K extends keyof T = keyof T>(
  fields: { [P in keyof T]: fc.Arbitrary<T[P]> },
  requiredKeys: K[] = Object.keys(fields) as K[],
) => fc.record<T, K>(fields, { requiredKeys, noNullPrototype: true })

const tag = <T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name)
const only = <T extends string>(name: T): fc.Arbitrary<{ _tag: T }> => fc.constant({ _tag: name })
const maybe = <A>(some: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> => fc.option(some, { nil: undefined })
const few = <A>(some: fc.Arbitrary<A>): fc.Arbitrary<A[]> => fc.array(some, { maxLength: 3 })

/** Names with all that JSON can carry in a string. */
export const word: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('', '__proto__', 'constructor', '\u0000', '\ud800', '\u2028', '"\\', 'line\n'),
)
const count = fc.oneof(fc.nat({ max: 20 }), fc.maxSafeNat())
const moment = fc.oneof(fc.maxSafeNat(), fc.integer())
const effect = count.map(effectId)
const request = count.map(requestId)
const path = fc.oneof(word, fc.constantFrom('/srv/mounts/a', '/srv/mounts/b'))

const option: fc.Arbitrary<MountOption> = fc.oneof(
  word,
  rec({ name: word, secretFile: path }),
  rec({ name: word, secretEnvironment: fc.oneof(word, fc.constant('PLANTED')) }),
)
/** As it is after it came in: with no password in it. */
export const filesystem: fc.Arbitrary<Filesystem> = rec({ type: word, source: word, options: few(option) }).map(
  maskedFilesystem,
)
const identity: fc.Arbitrary<Identity> = rec(
  {
    mountId: count,
    device: word,
    fstype: word,
    source: word,
    root: word,
    flags: few(word),
    superblock: fc.constantFrom('rw', 'ro'),
  },
  ['mountId', 'device', 'fstype', 'source', 'root', 'flags'],
)
const resolved: fc.Arbitrary<ResolvedSource> = anyOf<ResolvedSource>({
  At: rec({ _tag: tag('At'), root: word, device: word, inode: word }, ['_tag', 'root', 'device']),
  Files: rec({ _tag: tag('Files'), files: few(word), offset: count }, ['_tag', 'files']),
  Absent: rec({ _tag: tag('Absent'), path }),
  NotChecked: rec({ _tag: tag('NotChecked'), why: word }),
} satisfies ByTag<ResolvedSource>)
const sources: fc.Arbitrary<SourceSeen> = rec({ asked: resolved, shown: resolved }, ['asked'])
const root: fc.Arbitrary<RootIdentity> = rec({ path, mountId: count, directory: word })
const commandError: fc.Arbitrary<CommandError> = rec(
  { command: few(word), exitStatus: count, signal: word, stderr: word, pid: count },
  ['command', 'stderr'],
)
const why: fc.Arbitrary<UnknownWhy> = fc.constantFrom(
  'TimedOut',
  'ParentElsewhere',
  'RootChanged',
  'RootRenamed',
  'CommandAlive',
  'TooManyLayers',
  'NotADirectory',
  'PermissionDenied',
  'UnsafeParent',
  'NameTooLong',
  'Unreadable',
)

const foundByTag: ByTag<Found> = {
  NoDirectory: only('NoDirectory'),
  Directory: only('Directory'),
  Obstacle: rec({
    _tag: tag('Obstacle'),
    kind: fc.constantFrom('file', 'symlink', 'socket', 'fifo', 'device', 'other'),
  }),
  Mounted: rec({ _tag: tag('Mounted'), layers: few(identity) }),
  Unknown: rec({ _tag: tag('Unknown'), why, detail: word, component: word, command: word }, ['_tag', 'why']),
}
export const found: fc.Arbitrary<Found> = anyOf<Found>(foundByTag)

const discovered: fc.Arbitrary<Discovered> = rec(
  {
    _tag: tag('Discovered'),
    boot: word,
    mountNamespace: word,
    roots: few(
      rec({
        path,
        mountId: count,
        directory: word,
        propagation: fc.constantFrom('private', 'shared', 'slave', 'unbindable'),
      }),
    ),
    mountpoints: few(rec({ mountpoint: path, found, source: sources }, ['mountpoint', 'found'])),
    inventory: rec({ startedAt: moment, entries: few(rec({ mountpoint: path, volume: word, consumer: word })) }),
  },
  ['_tag', 'boot', 'mountNamespace', 'roots', 'mountpoints'],
)

const effectFoundByTag: ByTag<EffectFound> = {
  ...foundByTag,
  Alive: only('Alive'),
  Broken: rec({ _tag: tag('Broken'), errno: word }),
  Elapsed: only('Elapsed'),
  Discovered: discovered,
  NotDiscovered: rec({ _tag: tag('NotDiscovered'), reason: word }),
}

const asked = { id: word, deadlineMs: fc.integer({ min: 1, max: 86_400_000 }) }
const maintaining = <Op extends 'refuse-new' | 'allow-new'>(op: Op) =>
  fc.oneof(
    rec({ op: tag(op), ...asked, mountpoint: path }, ['op', 'mountpoint']),
    rec({ op: tag(op), ...asked, server: word }, ['op', 'server']),
  )

const requestByOp: { readonly [T in Request['op']]: fc.Arbitrary<Extract<Request, { readonly op: T }>> } = {
  attach: rec({ op: tag('attach'), ...asked, mountpoint: path, filesystem, volume: word, consumer: word }, [
    'op',
    'mountpoint',
    'filesystem',
    'volume',
    'consumer',
  ]),
  detach: rec({ op: tag('detach'), ...asked, mountpoint: path, volume: word, consumer: word }, [
    'op',
    'mountpoint',
    'volume',
    'consumer',
  ]),
  release: rec({ op: tag('release'), ...asked, consumer: word }, ['op', 'consumer']),
  cancel: rec({ op: tag('cancel'), ...asked, target: word }, ['op', 'target']),
  'host-up': rec({ op: tag('host-up'), ...asked }, ['op']),
  'host-down': rec({ op: tag('host-down'), ...asked, reason: word }, ['op']),
  status: rec(
    { op: tag('status'), ...asked, mountpoint: path, limit: fc.integer({ min: 1, max: 1_000 }), after: path },
    ['op'],
  ),
  reconcile: rec({ op: tag('reconcile'), ...asked, apply: fc.boolean() }, ['op', 'apply']),
  retry: rec({ op: tag('retry'), ...asked, mountpoint: path }, ['op', 'mountpoint']),
  forget: rec({ op: tag('forget'), ...asked, mountpoint: path, force: fc.boolean() }, ['op', 'mountpoint', 'force']),
  'refuse-new': maintaining('refuse-new'),
  'allow-new': maintaining('allow-new'),
}
export const anyRequest: fc.Arbitrary<Request> = anyOf<Request>(requestByOp)
export const anyPlan: fc.Arbitrary<PlanRequest> = rec({ op: tag('plan'), id: word, requests: few(anyRequest) }, [
  'op',
  'requests',
])

const there = { at: moment, mountpoint: path }
const pair = { volume: word, consumer: word }
const knowledge = fc.constantFrom('request' as const, 'inventory' as const)
export const anyFact: fc.Arbitrary<Fact> = anyOf<Fact>({
  HostCameUp: rec({ _tag: tag('HostCameUp'), at: moment, generation: count, boot: word, mountNamespace: word }),
  Claimed: rec({ _tag: tag('Claimed'), ...there, filesystem, ...pair, found, layersBefore: few(identity) }),
  DirectoryMade: rec({ _tag: tag('DirectoryMade'), ...there }),
  Mounted: rec({ _tag: tag('Mounted'), ...there, identity, source: resolved }, [
    '_tag',
    'at',
    'mountpoint',
    'identity',
  ]),
  Held: rec({ _tag: tag('Held'), ...there, ...pair, since: moment, knowledge, id: word, stream: word }, [
    '_tag',
    'at',
    'mountpoint',
    'volume',
    'consumer',
    'since',
    'knowledge',
  ]),
  ClaimEnded: rec({ _tag: tag('ClaimEnded'), ...there, ...pair, intent: fc.constantFrom('open', 'settled') }),
  Left: rec({ _tag: tag('Left'), ...there, ...pair }),
  Unmounting: rec({ _tag: tag('Unmounting'), ...there, identity }),
  Unmounted: rec({ _tag: tag('Unmounted'), ...there, by: fc.constantFrom('us', 'other') }),
  DirectoryRemoved: rec({ _tag: tag('DirectoryRemoved'), ...there }),
  DirectoryKept: rec({ _tag: tag('DirectoryKept'), ...there }),
  Adopted: rec({ _tag: tag('Adopted'), ...there, identity, filesystem, source: resolved }, [
    '_tag',
    'at',
    'mountpoint',
    'identity',
  ]),
  Forgotten: rec({ _tag: tag('Forgotten'), ...there }),
  Recorded: rec(
    {
      _tag: tag('Recorded'),
      ...there,
      filesystem,
      layer: identity,
      source: resolved,
      adopted: fc.constant(true as const),
      directory: fc.constantFrom('ours', 'theirs'),
      instance: count,
      claim: rec(pair),
      intent: rec({ found, layersBefore: few(identity), explains: tag('only the directory') }, [
        'found',
        'layersBefore',
      ]),
      unresolved: fc.constantFrom('Mount', 'Unmount'),
    },
    ['_tag', 'at', 'mountpoint', 'directory', 'instance'],
  ),
} satisfies ByTag<Fact>)

const on = { effect, mountpoint: path }
const bounded = { root: maybe(root), deadlineMs: count }
export const anyEffect: fc.Arbitrary<Effect> = anyOf<Effect>({
  Look: rec({ _tag: tag('Look'), ...on, filesystem: maybe(filesystem), layer: identity, ...bounded }, [
    ...(['_tag', 'effect', 'mountpoint', 'filesystem', 'root', 'deadlineMs'] as const),
  ]),
  MakeDirectory: rec({ _tag: tag('MakeDirectory'), ...on, ...bounded }),
  Mount: rec({ _tag: tag('Mount'), ...on, filesystem, options: few(option), ...bounded }),
  Unmount: rec({
    _tag: tag('Unmount'),
    ...on,
    filesystem: maybe(filesystem),
    identity,
    how: fc.constantFrom('plain', 'force', 'lazy'),
    mayHang: fc.boolean(),
    ...bounded,
  }),
  RemoveDirectory: rec({ _tag: tag('RemoveDirectory'), ...on, ...bounded }),
  Probe: rec({ _tag: tag('Probe'), ...on, filesystem, deadlineMs: count }),
  Wait: rec({
    _tag: tag('Wait'),
    effect,
    mountpoint: maybe(path),
    why: fc.constantFrom('settle', 'unmount-retry', 'back-off', 'keep-mounted', 'discovery-retry'),
    delayMs: count,
  }),
  Discover: rec({
    _tag: tag('Discover'),
    effect,
    roots: few(path),
    known: few(rec({ mountpoint: path, filesystem: maybe(filesystem), layer: identity }, ['mountpoint', 'filesystem'])),
    deadlineMs: count,
  }),
} satisfies ByTag<Effect>)

export const anyInput: fc.Arbitrary<Input> = anyOf<Input>({
  Requested: rec({ _tag: tag('Requested'), at: moment, request, body: anyRequest, stream: word }, [
    '_tag',
    'at',
    'request',
    'body',
  ]),
  Outcome: rec(
    {
      _tag: tag('Outcome'),
      at: moment,
      effect,
      mountpoint: maybe(path),
      found: anyOf<EffectFound>(effectFoundByTag),
      error: commandError,
      source: sources,
      elsewhere: path,
      submounts: few(path),
      missingHelper: path,
    },
    ['_tag', 'at', 'effect', 'mountpoint', 'found'],
  ),
  Ended: rec({ _tag: tag('Ended'), at: moment, effect, mountpoint: maybe(path) }),
  Granted: rec({ _tag: tag('Granted'), ...there }),
  Deadline: rec({ _tag: tag('Deadline'), at: moment, request }),
  Observed: rec({ _tag: tag('Observed'), ...there }),
  Stopped: rec({ _tag: tag('Stopped'), at: moment, how: fc.constantFrom('drain', 'hard') }),
} satisfies ByTag<Input>)

const reason: fc.Arbitrary<Reason> = anyOf<Reason>({
  KeptByPolicy: only('KeptByPolicy'),
  Stacked: only('Stacked'),
  Foreign: only('Foreign'),
  NotOurs: only('NotOurs'),
  Obstacle: rec({ _tag: tag('Obstacle'), kind: word }),
  Unknown: rec({ _tag: tag('Unknown'), why, detail: word, component: word, command: word }, ['_tag', 'why']),
  UnsafeParent: rec({ _tag: tag('UnsafeParent'), component: path, why: word, command: word }, [
    '_tag',
    'component',
    'why',
  ]),
  HelperMissing: rec({ _tag: tag('HelperMissing'), helper: path }),
  DeadlinePassed: only('DeadlinePassed'),
  HostDown: only('HostDown'),
  Refused: rec({ _tag: tag('Refused'), error: maybe(commandError) }),
  Moved: rec({ _tag: tag('Moved'), to: path }),
  FlagsChanged: rec({ _tag: tag('FlagsChanged'), missing: few(word) }),
  SourceChanged: rec({ _tag: tag('SourceChanged'), was: word, is: word }),
} satisfies ByTag<Reason>)

const warnings: fc.Arbitrary<Warning[]> = few(
  rec(
    {
      _tag: fc.constantFrom<Warning['_tag'][]>(
        'CommandFailed',
        'SourceSpelledDifferently',
        'SourceNotChecked',
        'ReadOnly',
        'NotResponding',
        'MatchedByConsumer',
        'DetachedLazily',
        'PropagationNotShared',
        'SubmountsHidden',
        'WithoutEffect',
      ),
      text: word,
      paths: few(path),
    },
    ['_tag', 'text'],
  ),
)
const attachments: fc.Arbitrary<Attachment[]> = few(rec(pair))
const attached: fc.Arbitrary<Attached> = rec({
  _tag: tag('Attached'),
  holder: fc.constantFrom('added', 'already-held'),
  mount: fc.constantFrom('mounted', 'shared', 'adopted', 'remounted'),
  instance: count,
  generation: count,
  warnings,
})
const detached: fc.Arbitrary<Detached> = rec(
  {
    _tag: tag('Detached'),
    holder: fc.constantFrom('removed', 'not-held'),
    holdersLeft: count,
    mount: fc.constantFrom('unmounted', 'detached', 'held', 'vacant', 'uncertain', 'absent'),
    directory: fc.constantFrom('removed', 'kept', 'absent'),
    reason,
    warnings,
  },
  ['_tag', 'holder', 'holdersLeft', 'mount', 'directory', 'warnings'],
)
const differences: fc.Arbitrary<Difference[]> = few(
  rec(
    {
      _tag: fc.constantFrom<Difference['_tag'][]>(
        'lost',
        'vacant',
        'leftover-directory',
        'replaced',
        'stacked',
        'foreign',
        'options-changed',
        'source-changed',
        'stale-holder',
        'broken',
        'uncertain',
        'unmanaged',
      ),
      mountpoint: path,
      text: word,
      holders: attachments,
    },
    ['_tag', 'mountpoint', 'text'],
  ),
)
const status: fc.Arbitrary<MountpointStatus> = rec(
  {
    mountpoint: path,
    filesystem,
    phase: fc.constantFrom<Phase[]>('absent', 'looking', 'mounted', 'lost', 'vacant', 'leftover', 'uncertain'),
    instance: count,
    directory: fc.constantFrom('ours', 'theirs'),
    layer: identity,
    dead: rec({ errno: word, at: moment }),
    elsewhere: path,
    foreign: few(identity),
    holders: few(rec({ ...pair, since: moment, knowledge })),
    waiting: few(rec({ op: word, id: word, consumer: word }, ['op', 'consumer'])),
    since: moment,
    slot: fc.constantFrom('none', 'wanted', 'held', 'overdue'),
    overdue: few(fc.constantFrom('Look', 'MakeDirectory', 'Mount', 'Unmount', 'RemoveDirectory', 'Probe')),
    nextTryMs: count,
    reason,
    lastError: commandError,
    unmanaged: fc.constant(true),
  },
  ['mountpoint', 'phase', 'instance', 'directory', 'holders', 'waiting', 'since', 'slot'],
)

const result: fc.Arbitrary<Result> = anyOf<Result>({
  Attached: attached,
  Detached: detached,
  Released: rec({
    _tag: tag('Released'),
    attachments: few(rec({ mountpoint: path, volume: word, answer: detached })),
  }),
  CancelSent: only('CancelSent'),
  Up: rec({ _tag: tag('Up'), generation: count, drift: differences, warnings }),
  Down: rec({ _tag: tag('Down'), generation: count }),
  Status: rec(
    {
      _tag: tag('Status'),
      generation: count,
      phase: word,
      mountpoints: few(status),
      next: path,
      refusing: few(word),
      changedRoots: few(word),
    },
    ['_tag', 'generation', 'phase', 'mountpoints', 'refusing', 'changedRoots'],
  ),
  Reconciled: rec({ _tag: tag('Reconciled'), differences }),
  Retried: only('Retried'),
  Forgotten: rec({ _tag: tag('Forgotten'), holders: attachments }),
  Refusing: only('Refusing'),
  Allowing: only('Allowing'),
} satisfies ByTag<Result>)

const rollback: fc.Arbitrary<RollbackFailure[]> = few(
  rec({ step: fc.constantFrom('unmount', 'directory'), found, error: commandError }, ['step', 'found']),
)
const refusal: fc.Arbitrary<Refusal> = anyOf<Refusal>({
  Invalid: rec({ _tag: tag('Invalid'), field: word, why: word }),
  NotManaged: rec({ _tag: tag('NotManaged'), mountpoint: path, roots: few(path) }),
  HostDown: rec({ _tag: tag('HostDown'), reason: word }),
  Overloaded: rec({ _tag: tag('Overloaded'), limit: word, value: count }),
  Cancelled: only('Cancelled'),
  Stopped: only('Stopped'),
  Conflict: rec(
    { _tag: tag('Conflict'), requested: filesystem, mounted: filesystem, vacant: fc.constant(true), reason },
    ['_tag', 'requested'],
  ),
  Foreign: rec({ _tag: tag('Foreign'), layers: few(identity) }),
  MountFailed: rec(
    {
      _tag: tag('MountFailed'),
      step: fc.constantFrom('directory', 'mount'),
      why: word,
      found,
      error: commandError,
      rollback,
    },
    ['_tag', 'step', 'why', 'found', 'rollback'],
  ),
  Broken: rec({ _tag: tag('Broken'), errno: word }),
  Uncertain: rec({ _tag: tag('Uncertain'), why: word }),
  Maintenance: rec({ _tag: tag('Maintenance'), target: word }),
  DiscoveryFailed: rec({ _tag: tag('DiscoveryFailed'), reason: word, nextTryMs: count }),
  Superseded: only('Superseded'),
  TooLate: only('TooLate'),
  NotFound: only('NotFound'),
  InUse: rec({ _tag: tag('InUse'), holders: attachments }),
  InFlight: only('InFlight'),
} satisfies ByTag<Refusal>)

const op = fc.constantFrom(...(Object.keys(requestByOp) as Request['op'][]))
export const anyAnswer: fc.Arbitrary<Answer> = fc.oneof(
  rec({ request, id: word, op, ok: fc.constant(true), result }, ['request', 'op', 'ok', 'result']),
  rec({ request, id: word, op, ok: fc.constant(false), error: refusal }, ['request', 'op', 'ok', 'error']),
)

const bound = fc.nat()
const reader = fc.constantFrom('kernel-size', 'mount-size', 'decimal-size', 'number', 'octal', 'inner-path')
const grammar: fc.Arbitrary<Grammar> = fc.oneof(
  fc.constantFrom(...(['Flag', 'Name', 'InnerPath', 'Text'] as const)).map((_tag) => ({ _tag })),
  rec({ _tag: tag('Number'), reader, least: bound, most: bound }),
  rec({ _tag: tag('Size'), reader, least: bound, most: bound }),
  rec({ _tag: tag('Word'), words: few(word), bare: fc.boolean() }),
  rec({ _tag: tag('Path'), below: fc.oneof(fc.constant('sources' as const), few(path)), list: fc.boolean() }),
  rec({ _tag: tag('Host'), list: fc.boolean() }),
  rec({ _tag: tag('Secret'), by: fc.constantFrom('credentials-file', 'secret-file', 'stdin', 'environment') }),
)
const named = <A>(item: fc.Arbitrary<A>): fc.Arbitrary<Readonly<Record<string, A>>> =>
  fc.array(fc.tuple(word, item), { maxLength: 3 }).map((entries) => Object.fromEntries(entries))

const rule: fc.Arbitrary<TypeRule> = rec(
  {
    sources: few(word),
    options: named(grammar),
    insignificant: few(word),
    appears: fc.oneof(
      rec({ _tag: tag('Source'), fstypes: few(word) }),
      only('RootAndDevice'),
      rec({ _tag: tag('Device'), fstypes: few(word) }),
      only('Growth'),
    ),
    mayHang: fc.boolean(),
    server: fc.constantFrom('host-colon', 'ceph', 'unc', 'source', 'none'),
    sourceIsPath: fc.boolean(),
    pathOptions: few(word),
    form: fc.constantFrom('path', 'fuse-path', 'label', 'nfs', 'sshfs', 'glusterfs', 'unc', 'ceph', 'opaque'),
    memory: rec({ bytes: bound, bytesPerInode: bound }),
  },
  ['sources', 'options', 'insignificant', 'appears', 'mayHang', 'server', 'sourceIsPath', 'pathOptions'],
)

export const anySettings: fc.Arbitrary<Settings> = rec({
  roots: few(rec({ path, ladder: fc.constantFrom('off', 'force', 'lazy') })),
  types: named(rule),
  policies: rec({
    foreign: fc.constantFrom('refuse', 'adopt'),
    keepMountedMs: count,
    lost: fc.constantFrom('report', 'remount'),
    broken: fc.constantFrom('refuse', 'remount'),
    detachWhileDown: fc.constantFrom('refuse', 'record'),
    afterReboot: fc.constantFrom('keep', 'remount', 'drop'),
    holders: fc.constantFrom('union', 'inventory'),
    suid: fc.constantFrom('refuse', 'allow'),
    dev: fc.constantFrom('refuse', 'allow'),
  }),
  limits: rec(
    {
      waitingPerMountpoint: count,
      waitingPerHost: count,
      waitingPerStream: count,
      holdersPerMountpoint: count,
      options: count,
      mountpointsPerHost: count,
      holdersPerConsumer: count,
      bytesPerRecord: count,
    },
    ['waitingPerMountpoint', 'waitingPerHost', 'holdersPerMountpoint', 'options'],
  ),
  slots: rec({ hanging: count, perServer: count, perStream: count, local: count }, ['hanging', 'perServer', 'local']),
  deadlinesMs: rec({
    request: count,
    look: count,
    directory: count,
    mount: count,
    unmount: count,
    probe: count,
    discover: count,
    perType: named(rec({ look: count, mount: count, unmount: count, probe: count }, [])),
  }),
  delaysMs: rec({
    settle: count,
    unmountRetry: few(count),
    backOffFirst: count,
    backOffCeiling: count,
    discoveryRetry: count,
  }),
})
