// One owner over mount namespaces: there the same path may be another directory, and another path the same directory.

import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { linuxLocks } from '../src/index.js'
import { prepareWorld } from './world.js'

prepareWorld()
const HERE = '/srv/here'
const APART = '/srv/apart'
beforeAll(() => {
  mkdirSync(`${HERE}/a/b`, { recursive: true })
  mkdirSync(APART)
})

const holders: ChildProcess[] = []
afterEach(async () => {
  for (const child of holders.splice(0)) {
    const ended = new Promise((done) => child.once('close', done))
    child.stdin?.end()
    await ended
  }
})

/** A manager of `directory` in a mount namespace that looks as `mounts` makes it. */
const manageElsewhere = async (mounts: string, directory: string): Promise<void> => {
  const script = `${mounts} && exec flock -x -n --no-fork "$0" sh -c 'echo held; read -r _' mountkeeper-lock "$0"`
  // With a parent of its own, for what this process started is its own.
  const vector = ['-m', '--fork', '--propagation', 'private', 'sh', '-c', script, directory]
  const child = spawn('unshare', vector, { stdio: ['pipe', 'pipe', 'inherit'] })
  holders.push(child)
  await new Promise((held) => child.stdout.once('data', held))
}

const answer = async (directory: string): Promise<string> => {
  const taken = await linuxLocks().acquire([directory])()
  if (taken._tag === 'Left') return taken.left.why
  await taken.right.release()
  return 'taken'
}

test('a root of the same name in another namespace is another directory', async () => {
  await manageElsewhere(`mount -t tmpfs other ${HERE}`, HERE)
  expect(await answer(HERE)).toBe('taken')
})

test('the same root in another namespace is the same, by its own name', async () => {
  await manageElsewhere(':', HERE)
  expect(await answer(HERE)).toContain(`${HERE} belongs to another manager`)
})

test('the same root in another namespace is the same, by another name', async () => {
  await manageElsewhere(`mount --bind ${HERE} ${APART}`, APART)
  expect(await answer(HERE)).toContain(`${HERE} belongs to another manager`)
})

test.each([
  ['above ours', APART, `${HERE}/a/b`],
  ['below ours', `${APART}/a/b`, HERE],
])('a root %s, by another name', async (_, theirs, ours) => {
  await manageElsewhere(`mount --bind ${HERE} ${APART}`, theirs)
  expect(await answer(ours)).toContain('roots of two managers may not overlap')
})
