// All defaults in one value (R11.1), for those who embed the core and for tests.

import type { Policies, Settings } from '@mountkeeper/core'
import { DEFAULT_TYPES } from '@mountkeeper/types'

/** The policies where none are configured. */
export const DEFAULT_POLICIES: Policies = {
  foreign: 'refuse',
  keepMountedMs: 0,
  lost: 'report',
  broken: 'refuse',
  detachWhileDown: 'refuse',
  afterReboot: 'keep',
  holders: 'union',
  suid: 'refuse',
  dev: 'refuse',
}

/** The limits where none are configured. */
export const DEFAULT_LIMITS: Required<Settings['limits']> = {
  waitingPerMountpoint: 1024,
  waitingPerHost: 65_536,
  waitingPerStream: 16_384,
  holdersPerMountpoint: 1_000_000,
  options: 64,
  memoryBytes: 34_359_738_368,
  // Half of what the kernel allows in a mount namespace (fs.mount-max).
  mountpointsPerHost: 50_000,
  holdersPerConsumer: 10_000,
  // A path, a source and options as long as each may be, but for options that are not passed on.
  bytesPerRecord: 12_288,
}

/** How many operations run at the same time where that is not configured. */
export const DEFAULT_SLOTS: Required<Settings['slots']> = { hanging: 16, perServer: 4, perStream: 12, local: 512 }

/** The deadlines where none are configured, milliseconds. */
export const DEFAULT_DEADLINES_MS: Settings['deadlinesMs'] = {
  request: 180_000,
  look: 10_000,
  directory: 10_000,
  mount: 120_000,
  unmount: 60_000,
  probe: 5_000,
  discover: 60_000,
  perType: {},
}

/** The delays where none are configured, milliseconds. */
export const DEFAULT_DELAYS_MS: Settings['delaysMs'] = {
  settle: 1_000,
  unmountRetry: [500, 2_000],
  backOffFirst: 5_000,
  backOffCeiling: 600_000,
  discoveryRetry: 10_000,
}

/**
 * All defaults, for these managed roots. Spread it and say what is to be different; a type has to be allowed:
 * `{ ...defaults, types: { ...defaults.types, bind: typeRule('bind', ['/srv/exports/']) } }`.
 */
export const defaultSettings = (...roots: readonly string[]): Settings => ({
  roots: roots.map((path) => ({ path, ladder: 'off' })),
  types: DEFAULT_TYPES,
  policies: DEFAULT_POLICIES,
  limits: DEFAULT_LIMITS,
  slots: DEFAULT_SLOTS,
  deadlinesMs: DEFAULT_DEADLINES_MS,
  delaysMs: DEFAULT_DELAYS_MS,
})
