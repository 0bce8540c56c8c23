// `inspect` and `why` as commands: without a configuration, for people and for machines.

import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { ROOT, prepareWorld, run, sh } from './world.js'

prepareWorld()

test('shows what is mounted and what keeps it busy', async () => {
  sh('mkdir', `${ROOT}/a`)
  sh('mount', '-t', 'tmpfs', '-o', 'size=4m,nr_inodes=50', 'mine', `${ROOT}/a`)
  expect(await run(['inspect', `${ROOT}/a/x`])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^\/srv\/mounts\/a {2}tmpfs mine\n {2}rw,.*size=4096k.*\n {2}4 MiB of 4 MiB free, 49 of 50 inodes free\n$/,
    ) as string,
  })
  expect(JSON.parse((await run(['inspect', '--source', 'mine', '--json'])).stdout)).toMatchObject({
    ...{ _tag: 'Inspected', more: false },
    mounts: [{ mountpoint: `${ROOT}/a`, source: 'mine' }],
  })
  expect(await run(['inspect', '--source', 'none'])).toMatchObject({
    code: 0,
    stdout: 'nothing is mounted from none\n',
  })
  expect(await run(['why', `${ROOT}/a`])).toMatchObject({ stdout: `nothing was found that uses ${ROOT}/a\n` })
  const child = spawn('sleep', ['60'], { cwd: `${ROOT}/a`, stdio: 'ignore' })
  expect(await run(['why', `${ROOT}/a`])).toMatchObject({ code: 0, stdout: `process ${child.pid} (sleep): cwd\n` })
  const ended = new Promise((over) => child.once('exit', over))
  child.kill('SIGKILL')
  await ended
  sh('umount', `${ROOT}/a`)
  expect(await run(['why', `${ROOT}/a`])).toMatchObject({ stdout: `nothing is mounted on ${ROOT}/a\n` })
})

test.each([
  [['inspect'], 'give an absolute path'],
  [['inspect', 'a'], 'give an absolute path'],
  [['inspect', '/srv', '--source', 'x'], 'give an absolute path'],
  [['inspect', '/srv/../etc'], 'give an absolute path'],
  [['why', 'a'], 'mountpoint is not absolute'],
  [['why', '/srv', '--deadline', '0'], 'expected a whole number from 1 to 60000'],
])('%j is a mistake', async (args, sentence) => {
  const { code, stderr } = await run(args)
  expect(stderr).toContain(sentence)
  expect(code).toBe(2)
})
