// The defaults in one value: everything as its own module says, for the roots that are named.

import { DEFAULT_TYPES } from '@mountkeeper/types'
import { expect, test } from 'vitest'
import {
  DEFAULT_DEADLINES_MS,
  DEFAULT_DELAYS_MS,
  DEFAULT_LIMITS,
  DEFAULT_POLICIES,
  DEFAULT_SLOTS,
  defaultSettings,
} from '../src/index.js'

test('all defaults, for these roots, without a ladder', () => {
  expect(defaultSettings('/srv/mounts', '/srv/more')).toEqual({
    roots: [
      { path: '/srv/mounts', ladder: 'off' },
      { path: '/srv/more', ladder: 'off' },
    ],
    types: DEFAULT_TYPES,
    policies: DEFAULT_POLICIES,
    limits: DEFAULT_LIMITS,
    slots: DEFAULT_SLOTS,
    delaysMs: DEFAULT_DELAYS_MS,
    deadlinesMs: DEFAULT_DEADLINES_MS,
  })
})
