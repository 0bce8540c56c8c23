// Where the look process is. It is a file that is started, not one that is imported: a bundler that makes one file of a service does not
// see it, and such a service looks at everything that can hang without success. So it is checked before the first look.

import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** From sources, in tests, the built one is run: Node 20 runs no TypeScript. */
export const lookModule = (): string =>
  fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? '../dist/look-process.js' : 'look-process.js', import.meta.url),
  )

/**
 * Why no look process can be started from here, and what to do; absent where all is well. A bundle needs `look-process.js` beside it.
 *
 * @example
 * ```sh
 * esbuild service=src/service.ts look-process=@mountkeeper/linux/look-process --bundle --platform=node --format=esm --outdir=out
 * ```
 */
export const lookProcessProblem = (file: string = lookModule()): string | undefined =>
  existsSync(file)
    ? undefined
    : `look-process.js is not in ${dirname(file)}, and without it nothing that can hang is looked at: add the entry ` +
      `look-process=@mountkeeper/linux/look-process to the bundle, or leave @mountkeeper/linux out of it`
