// The Linux adapter keeps the promises of the host port, on real mounts.

import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import type { HostSubject } from '@mountkeeper/simulator/conformance'
import { portTests } from '@mountkeeper/simulator/conformance'
import { beforeAll, test } from 'vitest'
import { createWorld, mountsBelow, plant, prepareWorld, ROOT, sh, tmpfs } from './world.js'

prepareWorld()
beforeAll(() => plant('slow', 'sleep 5; exec mount -i -t tmpfs "$1" "$2"'))

const host = async (): Promise<HostSubject> => {
  const { host: port } = await createWorld()
  return {
    port,
    root: ROOT,
    filesystem: tmpfs(),
    hanging: () => ({ type: 'slow', source: 'served', options: [] }),
    // The adapter kills what has passed its deadline.
    endHanging: () => Promise.resolve(),
    mountOnTop: (path) => {
      sh('mount', '-t', 'tmpfs', '-o', 'size=64k', 'other', path)
      return Promise.resolve()
    },
    write: (path) => {
      writeFileSync(`${path}/file`, '')
      return Promise.resolve()
    },
    close: () => {
      for (const path of mountsBelow(ROOT)) spawnSync('umount', ['-l', path])
      rmSync(`${ROOT}/conformance`, { recursive: true, force: true })
      return Promise.resolve()
    },
  }
}

test.each(portTests({ host }))('$law $name', ({ run }) => run())
