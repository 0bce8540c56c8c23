// Commands of a test's own, and what the namespace of the test may do.

import { spawnSync } from 'node:child_process'

/** Whether this namespace has the rights of the host's root. */
export const isRoot: boolean = process.env['MOUNTKEEPER_NAMESPACE'] === 'root'

/** Runs a command of the test's own; throws when it fails. */
export const sh = (file: string, ...args: readonly string[]): string => {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}
