// The pure core of mountkeeper: `decide` what one input leads to, `apply` the changes, ask `grantable` who is next. Each name that
// another package uses is here, one by one; everything else is private to the core.

export type {
  Allowing,
  Answer,
  AttachError,
  Attached,
  CancelSent,
  DetachError,
  Detached,
  Difference,
  Down,
  Forgotten,
  HolderStatus,
  MountpointStatus,
  Reconciled,
  Refusal,
  Refusing,
  Released,
  Result,
  Retried,
  Status,
  Up,
  Warning,
} from './answer.js'
export type {
  Cancelled,
  DiscoveryFailed,
  HostDown,
  InFlight,
  InUse,
  Invalid,
  NotFound,
  NotManaged,
  Reason,
  RollbackFailure,
  Stopped,
  Superseded,
  TooLate,
  Uncertain,
} from './refusal.js'
export { apply } from './apply.js'
export { checkFilesystem } from './check.js'
export { checkMountpointPath, checkName, checkPath, utf8Length } from './check-text.js'
export { decide } from './decide.js'
export type { Change, Decision, Leaving } from './decision.js'
export type { Intent } from './durable.js'
export type {
  Discover,
  Effect,
  Look,
  MakeDirectory,
  Mount,
  MountpointEffect,
  Probe,
  RemoveDirectory,
  Unmount,
  UnmountHow,
  Wait,
  WaitWhy,
} from './effect.js'
export type { Fact } from './fact.js'
export type { Filesystem, MountOption, SecretEnvironmentOption, SecretFileOption, SecretOption } from './filesystem.js'
export { optionName, optionText, secretReference } from './filesystem.js'
export type {
  CommandError,
  Found,
  Identity,
  ObstacleKind,
  ResolvedSource,
  RootIdentity,
  SourceSeen,
  Unknown,
  UnknownWhy,
} from './found.js'
export { compareIdentity, layersOf } from './found.js'
export type { Entry, Host } from './host.js'
export { emptyHost } from './host.js'
export type { Attachment, EffectId, RequestId } from './id.js'
export { effectId, requestId } from './id.js'
export type {
  AttachRequest,
  CancelRequest,
  DetachRequest,
  Discovered,
  EffectFound,
  ForgetRequest,
  HostDownRequest,
  HostUpRequest,
  Input,
  Inventory,
  InventoryEntry,
  Maintained,
  NotDiscovered,
  Outcome,
  Probed,
  Request,
  RootSeen,
  StatusRequest,
} from './input.js'
export { INVISIBLE } from './invisible.js'
export type { HostPhase, Phase } from './phase.js'
export type { RecordedLayers, RecordedMountpoint } from './recorded.js'
export { isAtWork, recordedLayers, recordedMountpoints } from './recorded.js'
export { restore } from './recover.js'
export type { Memory } from './remember.js'
export { emptyMemory, remember } from './remember.js'
export { canonicalServer, serverOf } from './server.js'
export type { LadderPolicy, Policies, RootSettings, SecretSettings, Settings } from './settings.js'
export { grantable } from './slots.js'
export { snapshot, snapshotOf, snapshotSize } from './snapshot.js'
export type { StatusPage } from './status.js'
export { STATUS_MAX } from './status.js'
