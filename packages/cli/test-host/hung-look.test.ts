// A look process that never answers: a command that only asks says so in a line, and ends.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT, STATE, attach, prepareWorld, run, sh } from './world.js'

prepareWorld()

const OTHERS = '/srv/others'
const MODULE = fileURLToPath(new URL('../bundle/look-process.js', import.meta.url))
/** Longer than a table that is read in the manager's own process. */
const LONG_SOURCE = 'x'.repeat(3_900)

beforeAll(() => {
  mkdirSync(OTHERS)
  for (let index = 0; index < 12; index += 1) {
    mkdirSync(`${OTHERS}/${index}`)
    sh('mount', '-t', 'tmpfs', '-o', 'size=64k', LONG_SOURCE, `${OTHERS}/${index}`)
  }
  // In this namespace the look process is another program: it is asked, and never answers.
  writeFileSync('/srv/mute.js', 'for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)\n')
  sh('mount', '--bind', '/srv/mute.js', MODULE)
  writeFileSync('/srv/hasty.json', JSON.stringify({ deadlines: { discoverMs: 1_000 } }))
})
afterAll(() => {
  sh('umount', MODULE)
  for (let index = 0; index < 12; index += 1) sh('umount', `${OTHERS}/${index}`)
  rmSync(OTHERS, { recursive: true })
})

const PLACE = ['--config', '/srv/hasty.json', '--root', ROOT, '--state-dir', STATE]
const HANGS = /root \/srv\/mounts: looking at it took longer than \d+ ms/

describe('F9: a root that cannot be looked at', () => {
  test('status', async () => {
    const { code, stdout, stderr } = await run(['status', ...PLACE])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(HANGS)
  })
  test('plan', async () => {
    const { code, stdout, stderr } = await run(['plan', ...PLACE, '-'], [attach('1', 'a')])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(HANGS)
  })
  test('reconcile', async () => {
    const { code, stderr } = await run(['reconcile', ...PLACE])
    expect(code).toBe(3)
    expect(stderr).toMatch(HANGS)
  })
})
