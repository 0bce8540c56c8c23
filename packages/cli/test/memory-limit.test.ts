// The default of the memory of all tmpfs is no more than half of what the host has; a limit that is configured stays.

import { DEFAULT_LIMITS } from '@mountkeeper/border'
import { defaultConfiguration } from '@mountkeeper/codec'
import { onThisHost } from 'mountkeeper/parts'
import { expect, test } from 'vitest'

const GIB = 1_073_741_824

const limitOf = (configured: number, total: number): number | undefined => {
  const { settings } = defaultConfiguration
  const limits = { ...settings.limits, memoryBytes: configured }
  return onThisHost({ ...defaultConfiguration, settings: { ...settings, limits } }, total).settings.limits.memoryBytes
}

test.each([
  [DEFAULT_LIMITS.memoryBytes, 8 * GIB, 4 * GIB],
  [DEFAULT_LIMITS.memoryBytes, 1_024 * GIB, DEFAULT_LIMITS.memoryBytes],
  [40 * GIB, 8 * GIB, 40 * GIB],
  [GIB, 8 * GIB, GIB],
])('%d configured, %d in the host: %d', (configured, total, limit) => {
  expect(limitOf(configured, total)).toBe(limit)
})
