import { defineConfig } from 'vitest/config'

// Tests of the repository itself. They run compilers and npm, so the limits are long.
export default defineConfig({
  test: {
    name: 'repository',
    root: import.meta.dirname,
    include: ['*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
