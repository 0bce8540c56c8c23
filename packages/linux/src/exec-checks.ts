// The doctor's lines about mountkeeper-exec: whether it starts, and whether the manager may lock roots that belong to root.

import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import type { Answer } from '@mountkeeper/exec'
import type { Check } from './check.js'
import { COMMAND_ENVIRONMENT } from './command-environment.js'
import { errnoOf } from './descriptor.js'
import { lockFileIn } from './lock-file.js'

const LIMIT_MS = 10_000

/** What it says when it is started and asked for nothing; a sentence where it does not start. */
const greetingOf = (vector: readonly string[]): Answer | string => {
  const [file = '', ...args] = vector
  const options = { env: COMMAND_ENVIRONMENT, cwd: '/', encoding: 'utf8', timeout: LIMIT_MS, input: '' } as const
  const { error, status, stdout, stderr } = spawnSync(file, args, options)
  if (error !== undefined) return `${file}: ${errnoOf(error)}`
  if (status !== 0) return stderr.trim().split('\n').at(-1) ?? `it ends with ${String(status)}`
  try {
    return JSON.parse(stdout.split('\n')[0] ?? '') as Answer
  } catch {
    return 'it does not say that it is ready'
  }
}

/** Whether changes can be made through it, at these roots. */
export const execCheck = (vector: readonly string[], roots: readonly string[]): Check => {
  const name = 'privilege'
  const mend = 'see mountkeeper doctor --sudoers for the files it needs'
  const greeting = greetingOf(vector)
  if (typeof greeting === 'string') return { name, ok: 'fail', text: `mountkeeper-exec: ${greeting}`, mend }
  const theirs = greeting._tag === 'ready' ? greeting.roots : []
  const missing = roots.filter((root) => !theirs.includes(root))
  if (missing.length === 0) return { name, ok: 'ok', text: 'changes are made by mountkeeper-exec, as root' }
  return { name, ok: 'fail', text: `mountkeeper-exec has no root ${missing.join(', ')}`, mend }
}

/** In a root of root the manager cannot make the file of its lock. */
export const rootLockCheck = (root: string, uid: number): Check => {
  const name = `lock of ${root}`
  const file = lockFileIn(root)
  const mend = `as root: install -m 0600 -o ${uid} /dev/null ${file}`
  try {
    const stat = statSync(file)
    if (stat.isFile() && stat.uid === uid) return { name, ok: 'ok', text: `${file} belongs to user ${uid}` }
    return { name, ok: 'fail', text: `${file} is no file of user ${uid}`, mend }
  } catch (error) {
    return { name, ok: 'fail', text: `${file} cannot be opened (${errnoOf(error)})`, mend }
  }
}
