// What the doctor says of secrets: whether their directories are safe, and whether a secret can be handed to a helper here. No
// file in them is looked at.

import { statSync } from 'node:fs'
import type { SecretSettings } from '@mountkeeper/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { Check } from './check.js'
import { localMounts } from './crossing.js'
import { safePath } from './safe-directory.js'
import { memoryProblem } from './secret.js'
import type { Trust } from './trust.js'

const OTHERS = 0o077

const directoryCheck = (path: string, trust: Trust): Check => {
  const name = `secret directory ${path}`
  const fail = (text: string, mend: string): Check => ({ name, ok: 'fail', text, mend })
  const safe = safePath(path, trust, localMounts())
  if (isLeft(safe)) {
    return safe.left._tag === 'Unsafe'
      ? fail(safe.left.unsafe.why, safe.left.unsafe.command)
      : fail(safe.left.why, `create it: install -d -m 0700 ${path}`)
  }
  if (safe.right !== path) return fail(`a link on the way leads to ${safe.right}`, `configure ${safe.right} instead`)
  const stat = statSync(path)
  if (!stat.isDirectory()) return fail('it is not a directory', 'configure the directory that it is in')
  const mode = stat.mode & 0o777
  if ((mode & OTHERS) === 0) return { name, ok: 'ok', text: `mode ${mode.toString(8)}, closed to others` }
  const text = `mode ${mode.toString(8)}: others can see which secrets there are`
  return { name, ok: 'warn', text, mend: `chmod 0700 ${path}` }
}

const memoryCheck = (): Check => {
  const name = 'secrets in memory'
  const problem = memoryProblem()
  if (problem === undefined) return { name, ok: 'ok', text: 'a helper gets them from an unnamed file on a tmpfs' }
  return { name, ok: 'fail', text: problem, mend: 'mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /dev/shm' }
}

/** Whether requests may refer to any secret. */
export const hasSecrets = (secrets: SecretSettings | undefined): secrets is SecretSettings =>
  secrets !== undefined && secrets.directories.length + secrets.environment.length > 0

/** Checks what secrets need; nothing where none are configured. */
export const secretChecks = (secrets: SecretSettings | undefined, trust: Trust): readonly Check[] =>
  hasSecrets(secrets) ? [...secrets.directories.map((path) => directoryCheck(path, trust)), memoryCheck()] : []
