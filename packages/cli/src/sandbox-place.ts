// What a sandbox is made of, known to both sides of it.

/** Mounted over with a tmpfs, so that nothing of the host below it is seen. */
export const SANDBOX_TOP = '/srv'
/** The managed root, unless another is named. */
export const SANDBOX_ROOT = '/srv/mounts'
/** The state directory, unless another is named. */
export const SANDBOX_STATE = '/srv/state'
/** Sources for binds: all below it is allowed. */
export const SANDBOX_SOURCE = '/srv/source'
/** A directory with one file in it, so that a bind has something to show. */
export const SANDBOX_EXAMPLE = '/srv/source/example'

/** Informs the command that it is inside, and what was opened for it before. */
export const SANDBOX_VARIABLE = 'MOUNTKEEPER_SANDBOX'

/** What the outer side hands over: numbers of open files. */
export interface Handover {
  /** The outer mount namespace: a process that is still in it is not in a sandbox, and must not mount. */
  readonly outside: string
  /** A line on it is a stop; its end is a hard one. */
  readonly control: number
  readonly requests?: number
  readonly configuration?: number
  readonly trace?: number
}
