import { defineConfig } from 'vitest/config'

// The tests of core alone, on the mutated sources: through the link in node_modules they would import those that are not.
// Few runs of each law; what only many runs find out, the planted mistakes of the simulator do.
const mutated = new URL('./packages/core/src/index.ts', import.meta.url).pathname

export default defineConfig({
  resolve: { alias: { '@mountkeeper/core': mutated } },
  test: {
    include: ['packages/core/test/**/*.test.ts'],
    env: { FC_NUM_RUNS: '60', FC_SEED: '1' },
  },
})
