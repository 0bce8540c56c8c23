// Helpers that mount when their command has exited, in the whole command: one in the session of the command is waited for, and
// what one in a session of its own mounts comes to no other consumer.

import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { ROOT, STATE, answersOf, attach, command, detach, mounted, prepareWorld, sh, until } from './world.js'

prepareWorld()

const GO = '/srv/go'
const DONE = '/srv/done'
const FAILING = '/srv/failing'
const wait = (path: string): string => `until [ -e ${path} ]; do sleep 0.02; done`
const MOUNT = 'mount -i -t tmpfs -o nosuid,nodev "$1" "$2"'

const HELPERS = {
  background: `( ${wait(GO)}; ${MOUNT} ) & exit 0`,
  later: `setsid sh -c '${wait(GO)}; ${MOUNT}; echo $? >${DONE}' sh "$1" "$2" >/dev/null 2>&1 & exit 0`,
  fails: `: >${FAILING}; ${wait(DONE)}; echo "server said no" >&2; exit 32`,
}

beforeAll(() => {
  for (const [name, script] of Object.entries(HELPERS)) {
    writeFileSync(`/usr/sbin/mount.${name}`, `#!/bin/sh\n${script}\n`)
    chmodSync(`/usr/sbin/mount.${name}`, 0o755)
  }
  const types = Object.fromEntries(Object.keys(HELPERS).map((name) => [name, { sources: ['*'] }]))
  const delays = { settleMs: 50, backOffFirstMs: 100 }
  writeFileSync('/srv/late.json', JSON.stringify({ roots: [ROOT], stateDirectory: STATE, types, delays }))
  // Parents are the administrator's, and so is the directory whose mount comes late.
  for (const path of ['x', 'y', 'z', 'x/vol']) mkdirSync(`${ROOT}/${path}`, { mode: 0o700 })
  return () => {
    for (const name of Object.keys(HELPERS)) sh('rm', `/usr/sbin/mount.${name}`)
  }
})

const share = (id: string, path: string, type: keyof typeof HELPERS): object => ({
  ...attach(id, path, { type, source: `of-tenant-${id}`, options: [] }),
  deadlineMs: 120_000,
})

test('P1: a mount that comes late comes to its own mountpoint, and one in the background is waited for', async () => {
  const run = command('run', '--config', '/srv/late.json')
  run.send(share('1', 'x/vol', 'later'))
  await run.until(1)
  // Of the same last name, and under way when the first one's mount comes.
  run.send(share('2', 'y/vol', 'fails'))
  await until(() => existsSync(FAILING))
  expect(mounted()).toEqual([])
  writeFileSync(GO, '')
  await run.until(2)
  expect(mounted()).toEqual([`${ROOT}/x/vol of-tenant-1`])
  run.send(share('3', 'z/vol', 'background'), detach('4', '3', 'z/vol'))
  run.end()
  expect(answersOf(await run.ended)).toMatchObject([
    { id: '1', ok: false, error: { _tag: 'MountFailed' } },
    { id: '2', ok: false, error: { _tag: 'MountFailed' } },
    { id: '3', ok: true, result: { mount: 'mounted', warnings: [] } },
    { id: '4', ok: true, result: { mount: 'unmounted', directory: 'removed' } },
  ])
  expect(existsSync(`${ROOT}/y/vol`)).toBe(false)
  // No record has it, so it is left for a person.
  expect(mounted()).toEqual([`${ROOT}/x/vol of-tenant-1`])
  sh('umount', `${ROOT}/x/vol`)
})
