// Puts a mutant between the sources of the core and the code that loads them, in vitest and in a bundle alike.
import { join } from 'node:path'
import type { Plugin } from 'vite'
import type { Mutant } from './mutant.js'
import { plant } from './mutant.js'

/** The top of the repository. */
export const top = join(import.meta.dirname, '../../../..')

/** Where the sources of the core are. */
export const coreSources = join(top, 'packages/core/src')

/** Loads the core with the mistake in it; without a mutant as it is. */
export const planted = (mutant: Mutant | undefined): Plugin => ({
  name: 'planted',
  enforce: 'pre',
  transform: (code, id) =>
    mutant?.edits
      .filter(({ file }) => id.split('?')[0] === join(coreSources, file))
      .reduce<string | undefined>((source, edit) => plant(source ?? code, edit), undefined),
})
