// The first example of the README, as it stands there, on real mounts.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { mounted, prepareWorld } from './world.js'

prepareWorld()

test('the first example mounts and unmounts', async () => {
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'state', '/var/lib']).status).toBe(0)
  try {
    mkdirSync('/var/lib/mountkeeper', { mode: 0o700 })
    await import('../test/examples/first.js')
    expect(mounted()).toEqual([])
    const journal = readFileSync('/var/lib/mountkeeper/journal', 'utf8')
    expect(journal).toContain('"Held"')
    expect(journal).toContain('"Left"')
  } finally {
    spawnSync('umount', ['-l', '/var/lib'])
  }
})
