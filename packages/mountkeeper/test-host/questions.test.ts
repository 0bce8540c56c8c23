// What is mounted and what keeps it busy, asked of a keeper and over its socket, on real mounts.

import { spawn } from 'node:child_process'
import { openSync, closeSync } from 'node:fs'
import { socketOf } from '@mountkeeper/codec'
import { expect, test } from 'vitest'
import { connectMountkeeper, isMountkeeperError, openMountkeeper } from '../src/index.js'
import { serveKeeper } from '../src/parts.js'
import { ROOT, STATE, prepareWorld, scratch } from './world.js'

prepareWorld()

const PATH = `${STATE}/questions.sock`
const options = { root: ROOT, stateDirectory: STATE, log: () => undefined }

test('a keeper says what is mounted, whether it is its own, and who uses it', async () => {
  await using keeper = await openMountkeeper(options)
  await keeper.attach(scratch('a'))
  expect(await keeper.inspect({ path: `${ROOT}/a/b` })).toMatchObject({
    _tag: 'Inspected',
    mounts: [{ mountpoint: `${ROOT}/a`, type: 'tmpfs', source: 'a', managed: true, space: { _tag: 'Space' } }],
  })
  expect((await keeper.inspect({ path: '/srv' })).mounts).toMatchObject([{ mountpoint: '/srv', managed: false }])
  const fd = openSync(`${ROOT}/a`, 'r')
  expect(await keeper.why({ mountpoint: `${ROOT}/a` })).toMatchObject({
    ...{ _tag: 'Busy', isMounted: true, isComplete: true },
    users: [{ _tag: 'Process', pid: process.pid, uses: ['open file'] }],
  })
  expect(await keeper.detach(scratch('a'))).toMatchObject({ mount: 'vacant' })
  closeSync(fd)
  await expect(keeper.why({ mountpoint: '/etc' })).rejects.toThrow('NotManaged')
})

test('a socket answers what its operations list, and nothing else', async () => {
  const keeper = await openMountkeeper(options)
  await keeper.attach(scratch('b'))
  const server = await serveKeeper(keeper, [
    socketOf({ path: PATH, operations: ['inspect', 'why'] }),
    socketOf({ path: `${PATH}2` }),
  ])
  const child = spawn('sleep', ['60'], { cwd: `${ROOT}/b`, stdio: 'ignore' })
  const [listed, usual] = [await connectMountkeeper(PATH), await connectMountkeeper(`${PATH}2`)]
  try {
    expect((await listed.inspect({ source: 'b' })).mounts).toMatchObject([{ mountpoint: `${ROOT}/b`, managed: true }])
    expect((await listed.why({ mountpoint: `${ROOT}/b` })).users).toMatchObject([{ pid: child.pid, uses: ['cwd'] }])
    for (const refused of [usual.inspect({ path: '/' }), usual.why({ mountpoint: `${ROOT}/b` }), listed.status()]) {
      await expect(refused).rejects.toSatisfy((error) => isMountkeeperError(error, 'Invalid'))
    }
  } finally {
    child.kill('SIGKILL')
    await Promise.all([listed.close(), usual.close()])
    await keeper.detach(scratch('b'))
    await server.close()
  }
})
