// A mount that is there although its command failed, and that may hang, is asked before it is given to a caller (played: S4).

import { mkdirSync } from 'node:fs'
import { UNKNOWN_TYPE, typeRule } from '@mountkeeper/types'
import { afterAll, expect, test } from 'vitest'
import { manage } from './types/life.js'
import { ROOT, hasFuse, mountsBelow, plant, prepareWorld, SOURCE } from './world.js'

prepareWorld()

const stops: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const stop of stops) await stop()
})

const name = 'a command that fails and leaves a dead mount: refused as broken, and nothing stays'

test.skipIf(!hasFuse('bindfs'))(`${name} (skipped without bindfs)`, async () => {
  // The daemon stays in the foreground for the script to kill; its mount stays behind, dead.
  plant(
    'dead',
    `bindfs -f "$1" "$2" & daemon=$!
while [ "$(stat -f -c %T "$2")" != fuseblk ]; do sleep 0.02; done
kill -KILL $daemon
wait
exit 32`,
  )
  mkdirSync(`${SOURCE}/dead`)
  expect(UNKNOWN_TYPE.mayHang).toBe(true)
  const manager = await manage({ dead: typeRule('dead', [`${SOURCE}/*`]) })
  stops.push(() => manager.stop())
  const filesystem = { type: 'dead', source: `${SOURCE}/dead`, options: [] }
  const request = { op: 'attach', mountpoint: `${ROOT}/dead`, filesystem, volume: 'v', consumer: 'c' } as const
  expect(await manager.submit(request)).toMatchObject({ ok: false, error: { _tag: 'Broken', errno: 'ENOTCONN' } })
  expect(mountsBelow(ROOT)).toEqual([])
})
