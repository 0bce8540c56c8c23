// All defaults in one value (R11.1), for those who embed the core and for tests.

import type { Settings } from './settings.js'
import { DEFAULT_DEADLINES_MS, DEFAULT_DELAYS_MS, DEFAULT_LIMITS, DEFAULT_POLICIES, DEFAULT_SLOTS } from './settings.js'
import { DEFAULT_TYPES } from '@mountkeeper/types'

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
