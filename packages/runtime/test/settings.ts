// The settings of the specification, with one root.

import {
  DEFAULT_DEADLINES_MS,
  DEFAULT_DELAYS_MS,
  DEFAULT_LIMITS,
  DEFAULT_POLICIES,
  DEFAULT_SLOTS,
  DEFAULT_TYPES,
} from '@mountkeeper/core'
import type { Settings } from '@mountkeeper/core'

export const SETTINGS: Settings = {
  roots: [{ path: '/srv/mounts', ladder: 'off' }],
  types: DEFAULT_TYPES,
  policies: DEFAULT_POLICIES,
  limits: DEFAULT_LIMITS,
  slots: DEFAULT_SLOTS,
  deadlinesMs: DEFAULT_DEADLINES_MS,
  delaysMs: DEFAULT_DELAYS_MS,
}
