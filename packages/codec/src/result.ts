// What answers carry: results and refusals as JSON. Both are distinguished by `_tag`.

import type {
  Attachment,
  Detached,
  Difference,
  HolderStatus,
  Invalid,
  MountpointStatus,
  Reason,
  Refusal,
  Released,
  Result,
  RollbackFailure,
  Warning,
} from '@mountkeeper/core'
import type { Codec } from './decode-error.js'
import { filesystemCodec } from './filesystem.js'
import { commandErrorCodec, foundCodec, identityCodec, unknownWhyCodec } from './found.js'
import type { Fields } from './shape.js'
import { list, literal, maybe, moment, oneOf, optional, record, tagged, text, wholeNumber } from './shape.js'

const warnings: Codec<readonly Warning[]> = list(
  record<Warning>('a warning', {
    _tag: oneOf({
      CommandFailed: true,
      SourceSpelledDifferently: true,
      SourceNotChecked: true,
      ReadOnly: true,
      NotResponding: true,
      MatchedByConsumer: true,
      DetachedLazily: true,
      PropagationNotShared: true,
      SubmountsHidden: true,
      WithoutEffect: true,
    }),
    text,
    paths: optional(list(text)),
  }),
)

const reason: Codec<Reason> = tagged('_tag', 'a reason', {
  KeptByPolicy: {},
  Stacked: {},
  Foreign: {},
  NotOurs: {},
  Obstacle: { kind: text },
  Unknown: { why: unknownWhyCodec, detail: optional(text), component: optional(text), command: optional(text) },
  UnsafeParent: { component: text, why: text, command: optional(text) },
  HelperMissing: { helper: text },
  DeadlinePassed: {},
  HostDown: {},
  Refused: { error: maybe(commandErrorCodec) },
  Moved: { to: text },
  FlagsChanged: { missing: list(text) },
  SourceChanged: { was: text, is: text },
})

const attachments: Codec<readonly Attachment[]> = list(
  record<Attachment>('an attachment', { volume: text, consumer: text }),
)

const detached: Fields<Detached, '_tag'> = {
  holder: oneOf({ removed: true, 'not-held': true }),
  holdersLeft: wholeNumber,
  mount: oneOf({ unmounted: true, detached: true, held: true, vacant: true, uncertain: true, absent: true }),
  directory: oneOf({ removed: true, kept: true, absent: true }),
  reason: optional(reason),
  warnings,
}

const differences: Codec<readonly Difference[]> = list(
  record<Difference>('a difference', {
    _tag: oneOf({
      lost: true,
      vacant: true,
      'leftover-directory': true,
      replaced: true,
      stacked: true,
      foreign: true,
      'options-changed': true,
      moved: true,
      'source-changed': true,
      'stale-holder': true,
      broken: true,
      uncertain: true,
      unmanaged: true,
    }),
    mountpoint: text,
    text,
    holders: optional(attachments),
  }),
)

const mountpointStatus: Codec<MountpointStatus> = record('the status of a mountpoint', {
  mountpoint: text,
  filesystem: optional(filesystemCodec),
  phase: oneOf({
    absent: true,
    looking: true,
    making: true,
    mounting: true,
    mounted: true,
    lost: true,
    unmounting: true,
    removing: true,
    vacant: true,
    leftover: true,
    uncertain: true,
  }),
  instance: wholeNumber,
  directory: oneOf({ ours: true, theirs: true }),
  layer: optional(identityCodec),
  dead: optional(record<NonNullable<MountpointStatus['dead']>>('a dead layer', { errno: text, at: moment })),
  elsewhere: optional(text),
  foreign: optional(list(identityCodec)),
  holders: list(
    record<HolderStatus>('a holder', {
      volume: text,
      consumer: text,
      since: moment,
      knowledge: oneOf({ request: true, inventory: true }),
    }),
  ),
  holdersNotShown: optional(wholeNumber),
  waiting: list(
    record<MountpointStatus['waiting'][number]>('a waiting request', { op: text, id: optional(text), consumer: text }),
  ),
  since: moment,
  slot: oneOf({ none: true, wanted: true, held: true, overdue: true }),
  overdue: optional(
    list(oneOf({ Look: true, MakeDirectory: true, Mount: true, Unmount: true, RemoveDirectory: true, Probe: true })),
  ),
  nextTryMs: optional(wholeNumber),
  reason: optional(reason),
  lastError: optional(commandErrorCodec),
  unmanaged: optional(literal(true)),
})

/** What a good answer carries. */
export const resultCodec: Codec<Result> = tagged('_tag', 'a result', {
  Attached: {
    holder: oneOf({ added: true, 'already-held': true }),
    mount: oneOf({ mounted: true, shared: true, adopted: true, remounted: true }),
    instance: wholeNumber,
    generation: wholeNumber,
    warnings,
  },
  Detached: detached,
  Released: {
    attachments: list(
      record<Released['attachments'][number]>('an attachment', {
        mountpoint: text,
        volume: text,
        answer: record<Detached>('a detach', { _tag: literal('Detached'), ...detached }),
      }),
    ),
  },
  CancelSent: {},
  Up: { generation: wholeNumber, drift: differences, warnings },
  Down: { generation: wholeNumber },
  Status: {
    generation: wholeNumber,
    phase: text,
    mountpoints: list(mountpointStatus),
    next: optional(text),
    refusing: list(text),
    changedRoots: list(text),
  },
  Reconciled: { differences },
  Retried: {},
  Forgotten: { holders: attachments },
  Refusing: {},
  Allowing: {},
})

const invalid: Fields<Invalid, '_tag'> = { field: text, why: text }

/** What is wrong with a request. */
export const invalidCodec: Codec<Invalid> = record('a refusal', { _tag: literal('Invalid'), ...invalid })

const rollback: Codec<readonly RollbackFailure[]> = list(
  record<RollbackFailure>('a step of a roll-back', {
    step: oneOf({ unmount: true, directory: true }),
    found: foundCodec,
    error: optional(commandErrorCodec),
  }),
)

/** What a refusal carries. */
export const refusalCodec: Codec<Refusal> = tagged('_tag', 'a refusal', {
  Invalid: invalid,
  NotManaged: { mountpoint: text, roots: list(text) },
  HostDown: { reason: text },
  Overloaded: { limit: text, value: wholeNumber },
  Cancelled: {},
  Stopped: {},
  Conflict: {
    requested: filesystemCodec,
    mounted: optional(filesystemCodec),
    vacant: optional(literal(true)),
    reason: optional(reason),
  },
  Foreign: { layers: list(identityCodec) },
  MountFailed: {
    step: oneOf({ directory: true, mount: true, helper: true, source: true }),
    component: optional(text),
    why: text,
    found: foundCodec,
    error: optional(commandErrorCodec),
    rollback,
  },
  Broken: { errno: text },
  Uncertain: { why: text },
  Maintenance: { target: text },
  DiscoveryFailed: { reason: text, nextTryMs: wholeNumber },
  Superseded: {},
  TooLate: {},
  NotFound: {},
  InUse: { holders: attachments },
  InFlight: {},
})
