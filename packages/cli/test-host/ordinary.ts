// An ordinary user who may run commands as root by sudo: uid 4242, whom only the namespace of the test knows. Its passwd and
// sudoers are generated, and are over those of the machine while the test file runs; no file of the machine is changed.

import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Ended, Started } from './world.js'
import { MAIN, sh, start } from './world.js'

export const USER = 'mountkeeper-test'
export const UID = 4242

/** Whether sudo is installed. */
export const hasSudo = spawnSync('sudo', ['--version']).status === 0

const COVERS = '/srv/covers'

/** Lays a file over one of the machine, in this namespace. */
const cover = (path: string, text: string, mode: number): void => {
  const file = `${COVERS}/${path.replaceAll('/', '-')}`
  writeFileSync(file, text)
  chmodSync(file, mode)
  sh('mount', '--bind', file, path)
}

/** Where the repository is seen by the user, whatever rights the directories above it need. */
const SEEN = '/srv/repository'
const TOP = dirname(dirname(dirname(dirname(MAIN))))

/** The user, what sudo allows it, and a view of the repository; once for a test file, after the world. */
export const prepareUser = (sudoers: readonly string[]): void => {
  beforeAll(() => {
    mkdirSync(COVERS, { recursive: true, mode: 0o755 })
    mkdirSync(SEEN, { recursive: true, mode: 0o755 })
    sh('mount', '--bind', TOP, SEEN)
    cover('/etc/passwd', `${readFileSync('/etc/passwd', 'utf8')}${USER}:*:${UID}:${UID}::/:/bin/sh\n`, 0o644)
    cover('/etc/sudoers', `${['root ALL=(ALL) ALL', ...sudoers].join('\n')}\n`, 0o440)
  })
  afterAll(() => {
    for (const path of ['/etc/sudoers', '/etc/passwd', SEEN]) sh('umount', path)
  })
}

/** The path of a file of the repository, as the user sees it. */
export const seen = (path: string): string => path.replace(TOP, SEEN)

/** Gives a directory or file to the user. */
export const give = (path: string): void => chownSync(path, UID, UID)

const AS_USER = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups', '--inh-caps=-all', '--']

/** Starts a vector as the user. */
export const startAsUser = (...vector: readonly string[]): Started => start([...AS_USER, ...vector])

/** Starts the command as the user. */
export const commandAsUser = (...args: readonly string[]): Started => startAsUser(process.execPath, seen(MAIN), ...args)

/** Runs the command as the user on these lines, to its end. */
export const runAsUser = (args: readonly string[], lines: readonly (string | object)[] = []): Promise<Ended> => {
  const started = commandAsUser(...args)
  started.send(...lines)
  started.end()
  return started.ended
}
