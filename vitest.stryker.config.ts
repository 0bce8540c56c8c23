import { defineConfig } from 'vitest/config'

// The tests of core and the law suites of the simulator, on the mutated sources: through the link in node_modules they would
// import those that are not. Few runs of each law; what only many runs find out, the planted mistakes of the simulator do.
const mutated = new URL('./packages/core/src/index.ts', import.meta.url).pathname
const conditions = ['@mountkeeper/source']

export default defineConfig({
  resolve: { alias: { '@mountkeeper/core': mutated }, conditions },
  ssr: { resolve: { conditions } },
  test: {
    // Reading the modules once for all test files is most of what a mutant costs.
    isolate: false,
    include: [
      'packages/core/test/**/*.test.ts',
      'packages/simulator/test/mutants/suite/runs.ts',
      'packages/simulator/test/calm.test.ts',
      'packages/simulator/test/laws/{membership,teardown}.test.ts',
    ],
    setupFiles: ['packages/core/test/seed.ts'],
    env: { FC_NUM_RUNS: '40', FC_SEED: '1' },
  },
})
