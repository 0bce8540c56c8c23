// The public names of @mountkeeper/exec: what is said between a manager and mountkeeper-exec, and the file of its lists. The program
// itself is dist/mountkeeper-exec.cjs, one file that needs nothing but Node.

import { fileURLToPath } from 'node:url'

export type { Lists } from './lists.js'
export type { Answer, Change, Line } from './protocol.js'
export { LINE_BYTES_MAX, LISTS_FILE } from './protocol.js'

/** The program, to be installed where only root can change it. */
export const PROGRAM_FILE: string = fileURLToPath(new URL('../dist/mountkeeper-exec.cjs', import.meta.url))
