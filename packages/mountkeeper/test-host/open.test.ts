// A keeper on real mounts: one call opens it, and what it holds outlives it.

import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Notice, OpenOptions } from '../src/index.js'
import { isMountkeeperError, openMountkeeper } from '../src/index.js'
import { ROOT, STATE, mounted, prepareWorld, scratch } from './world.js'

prepareWorld()

const notices: Notice[] = []
const options: OpenOptions = {
  root: ROOT,
  stateDirectory: STATE,
  log: (notice) => void notices.push(notice),
}

const why = async (opened: Promise<unknown>): Promise<string> => {
  const error: unknown = await opened.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isMountkeeperError(error, 'NotOpened')) throw new Error('it was opened', { cause: error })
  return error.refusal.why
}

test('one call opens it, and what was answered is there after the next', async () => {
  {
    await using keeper = await openMountkeeper(options)
    expect(await keeper.attach(scratch('a'))).toMatchObject({ holder: 'added', mount: 'mounted' })
    expect(mounted()).toEqual([`${ROOT}/a`])
  }
  expect(mounted()).toEqual([`${ROOT}/a`])
  await using next = await openMountkeeper(options)
  expect(await next.attach(scratch('a'))).toMatchObject({ holder: 'already-held', mount: 'shared' })
  expect(await next.detach(scratch('a'))).toMatchObject({ mount: 'unmounted' })
  expect(mounted()).toEqual([])
})

test('a second one of the same root is refused, with who has it', async () => {
  await using keeper = await openMountkeeper(options)
  expect(await why(openMountkeeper(options))).toContain(`${process.pid}`)
  expect((await keeper.status()).phase).toBe('up')
})

test('one that is refused leaves no lock', async () => {
  const missing = { ...options, root: '/srv/missing' }
  expect(await why(openMountkeeper(missing))).toContain('/srv/missing')
  await using keeper = await openMountkeeper(options)
  expect((await keeper.status()).phase).toBe('up')
})

test('a trace has every input, and a run that is refused leaves it as it was', async () => {
  const trace = `${STATE}/trace`
  {
    await using keeper = await openMountkeeper({ ...options, trace })
    await keeper.attach(scratch('a'))
    await keeper.detach(scratch('a'))
    await why(openMountkeeper({ ...options, trace }))
  }
  const lines = readFileSync(trace, 'utf8').trimEnd().split('\n')
  expect(lines[0]).toContain('"format":1')
  expect(lines.some((line) => line.includes('"op":"attach"'))).toBe(true)
})

test('a signal that is aborted gives up opening', async () => {
  const controller = new AbortController()
  const opening = why(openMountkeeper({ ...options, signal: controller.signal }))
  controller.abort()
  expect(await opening).toContain('given up')
  await using keeper = await openMountkeeper(options)
  expect((await keeper.status()).phase).toBe('up')
})

const childrenOf = (pid: number): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const { stdout } = spawnSync('sed', ['-n', 's/^PPid:\t//p', `/proc/${name}/status`], { encoding: 'utf8' })
      return stdout.trim() === String(pid)
    })
    .map(Number)

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')

describe('a lost lock', () => {
  test('ends the keeper, says so, and leaves every mount', async () => {
    notices.length = 0
    const keeper = await openMountkeeper(options)
    await keeper.attach(scratch('a'))
    const holders = childrenOf(process.pid).filter((pid) => /flock|lock/.test(commandOf(pid)))
    expect(holders.length).toBeGreaterThan(0)
    for (const pid of holders) process.kill(pid, 'SIGKILL')
    const { why: reason } = await keeper.ended
    expect(reason).toContain('the lock was lost')
    expect(notices).toContainEqual({ level: 'error', text: `the keeper has ended: ${reason}` })
    await expect(keeper.attach(scratch('b'))).rejects.toMatchObject({ code: 'Stopped' })
    expect(mounted()).toEqual([`${ROOT}/a`])
    await using next = await openMountkeeper(options)
    await next.release({ consumer: 'vm-1' })
  })
})

test('a configuration file is read as the command reads it', async () => {
  const path = `${STATE}/config.json`
  writeFileSync(
    path,
    JSON.stringify({ roots: [ROOT], stateDirectory: STATE, types: { tmpfs: { sources: ['only'] } } }),
    {
      mode: 0o600,
    },
  )
  await using keeper = await openMountkeeper({ configuration: path, log: () => undefined })
  await expect(keeper.attach(scratch('a'))).rejects.toMatchObject({ code: 'Invalid' })
  await keeper.attach({ ...scratch('a'), filesystem: { type: 'tmpfs', source: 'only', options: [] } })
  await keeper.detach(scratch('a'))
})
