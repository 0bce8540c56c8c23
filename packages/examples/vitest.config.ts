import { defineConfig } from 'vitest/config'

// Sources are tested as they are, without a build.
const conditions = ['@mountkeeper/source']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { name: 'examples', include: ['test/**/*.test.ts'], testTimeout: 60_000 },
})
