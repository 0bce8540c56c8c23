// Makes one file of the service with the options of esbuild that the README gives, from what the packages publish.

import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** Modules of CommonJS in a bundle ask for those of Node by `require`, which an ES module has not by itself. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`

/** Bundles into a folder, with the look process beside it or without. */
export const bundle = async (folder: string, look: 'with the look process' | 'without'): Promise<void> => {
  const entries = { service: here('service.ts'), 'look-process': '@mountkeeper/linux/look-process' }
  const { service } = entries
  await build({
    entryPoints: look === 'without' ? { service } : entries,
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', outdir: folder, logLevel: 'error' },
    ...{ outExtension: { '.js': '.js' }, banner: { js: REQUIRE }, absWorkingDir: here('../..') },
  })
}
