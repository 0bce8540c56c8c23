// A tmpfs over /srv with a root and a state directory, in the namespace that the test run has made.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll } from 'vitest'

export const ROOT = '/srv/mounts'
export const STATE = '/srv/state'

const sh = (file: string, ...args: readonly string[]): void => {
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}`)
}

/** Makes the world, once for a test file. */
export const prepareWorld = (): void => {
  beforeAll(() => {
    if (process.env['MOUNTKEEPER_NAMESPACE'] === undefined) throw new Error('run it as npm run test:host')
    sh('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'world', '/srv')
    for (const path of [ROOT, STATE]) mkdirSync(path, { mode: 0o700 })
  })
  // What is left below would be in the table of every test file after it.
  afterAll(() => sh('umount', '-l', '/srv'))
}

/** The mountpoints below the root, as the table shows them. */
export const mounted = (): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith(`${ROOT}/`))

/** A tmpfs for a consumer. */
export const scratch = (name: string, consumer = 'vm-1') => ({
  mountpoint: `${ROOT}/${name}`,
  filesystem: { type: 'tmpfs', source: name, options: [] },
  volume: 'vol-1',
  consumer,
})
