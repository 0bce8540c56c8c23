// What each operation takes, gives, and can be refused with: the precise types behind `Request`, `Result` and `Refusal`.
// The core's answers are wider by type; a test over real runs keeps this table true.

import type {
  Allowing,
  Attached,
  AttachError,
  AttachRequest,
  Cancelled,
  CancelRequest,
  CancelSent,
  DetachError,
  Detached,
  DetachRequest,
  DiscoveryFailed,
  Down,
  Forgotten,
  ForgetRequest,
  HostDown,
  HostDownRequest,
  InFlight,
  InUse,
  Invalid,
  Maintained,
  NotFound,
  NotManaged,
  Reconciled,
  Refusing,
  Released,
  Request,
  Retried,
  Status,
  StatusRequest,
  Stopped,
  Superseded,
  TooLate,
  Uncertain,
  Up,
} from '@mountkeeper/core'

/** What any request may carry: the caller's own id, and how long it will wait, ms. */
export type Asking = Pick<Request, 'id' | 'deadlineMs'>

/** An operation by its name on the wire. */
export type Operation = Request['op']

/** What each operation is asked with, besides its name. */
export interface Asks {
  readonly attach: Omit<AttachRequest, 'op'>
  readonly detach: Omit<DetachRequest, 'op'>
  readonly release: Asking & { readonly consumer: string }
  readonly cancel: Omit<CancelRequest, 'op'>
  readonly 'host-up': Asking
  readonly 'host-down': Omit<HostDownRequest, 'op'>
  readonly status: Omit<StatusRequest, 'op'>
  readonly reconcile: Asking & { readonly apply: boolean }
  readonly retry: Asking & { readonly mountpoint: string }
  readonly forget: Omit<ForgetRequest, 'op'>
  readonly 'refuse-new': Asking & Maintained
  readonly 'allow-new': Asking & Maintained
}

/** What each operation answers when it is served. */
export interface Results {
  readonly attach: Attached
  readonly detach: Detached
  readonly release: Released
  readonly cancel: CancelSent
  readonly 'host-up': Up
  readonly 'host-down': Down
  readonly status: Status
  readonly reconcile: Reconciled
  readonly retry: Retried
  readonly forget: Forgotten
  readonly 'refuse-new': Refusing
  readonly 'allow-new': Allowing
}

/** A release is refused for the same reasons as a detach. */
export type ReleaseError = DetachError
/** Why a request cannot be withdrawn; `TooLate` says that its answer is still to come. */
export type CancelError = TooLate | NotFound | Invalid | Stopped
/** Why the host did not come up. */
export type HostUpError = DiscoveryFailed | Superseded | Invalid | Cancelled | Stopped
/** A host-down or a status is refused only for its form, or by a manager that has stopped. */
export type PlainError = Invalid | Stopped
/** Why the host was not surveyed. */
export type ReconcileError = HostDown | Uncertain | Invalid | Cancelled | Stopped
/** Why there is nothing to look at again. */
export type RetryError = HostDown | NotFound | Invalid | Stopped
/** Why a record is kept. */
export type ForgetError = InUse | NotFound | InFlight | Invalid | Stopped
/** Why there is nothing to maintain. */
export type MaintenanceError = NotManaged | Invalid | Stopped

/** What each operation can be refused with. */
export interface Refusals {
  readonly attach: AttachError
  readonly detach: DetachError
  readonly release: ReleaseError
  readonly cancel: CancelError
  readonly 'host-up': HostUpError
  readonly 'host-down': PlainError
  readonly status: PlainError
  readonly reconcile: ReconcileError
  readonly retry: RetryError
  readonly forget: ForgetError
  readonly 'refuse-new': MaintenanceError
  readonly 'allow-new': MaintenanceError
}
