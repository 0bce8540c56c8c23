// The vitest configuration shared by all packages: sources are tested as they are, without a build,
// and a JSON report is written for .ci/test.mjs, which counts from it, when MOUNTKEEPER_REPORTS names a folder.
import { join } from 'node:path'
import process from 'node:process'
import { defineConfig } from 'vitest/config'

const conditions = ['@mountkeeper/source']
const resolving = { resolve: { conditions }, ssr: { resolve: { conditions } } }

const reporting = name => {
  const folder = process.env['MOUNTKEEPER_REPORTS']
  return folder === undefined ? {} : { reporters: ['default', ['json', { outputFile: join(folder, `${name}.json`) }]] }
}

/** Tests that need nothing of the host. */
export const project = name =>
  defineConfig({ ...resolving, test: { name, include: ['test/**/*.test.ts'], ...reporting(name) } })

/** Tests that mount for real: one at a time, since they share one mount table. */
export const hostProject = name =>
  defineConfig({
    ...resolving,
    test: {
      name: `${name} on this host`,
      include: ['test-host/**/*.test.ts'],
      pool: 'forks',
      maxWorkers: 1,
      fileParallelism: false,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      ...reporting(`${name}-host`),
    },
  })
