import { defineConfig } from 'vitest/config'

// Tests that mount for real, in an own mount namespace: one at a time, since they share one mount table.
const conditions = ['@mountkeeper/source']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'lab on this host',
    include: ['test-host/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxConcurrency: 8,
  },
})
