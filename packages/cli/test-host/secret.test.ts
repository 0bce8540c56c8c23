// Where the value of a secret is found after a run that used it: in its file, and nowhere else.

import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { ROOT, STATE, answersOf, attach, detach, prepareWorld, run } from './world.js'

prepareWorld()

const SECRET = '/srv/secrets/login'
const VALUE = 'correct-horse-battery'
const LOG = '/srv/arguments'
const TRACE = '/srv/trace'

/** Uses the secret, and writes down what everybody can see of it in the process table. */
const MOUNT = `#!/bin/sh
tr '\\0' ' ' </proc/$$/cmdline >>${LOG}
tr '\\0' ' ' </proc/$PPID/cmdline >>${LOG}
grep -q ${VALUE} || exit 1
case "$1" in refused) echo "refused: $*" >&2; exit 32 ;; esac
exec mount -i -t tmpfs -o nosuid,nodev "$1" "$2"
`

beforeAll(() => {
  writeFileSync('/usr/sbin/mount.private', MOUNT)
  chmodSync('/usr/sbin/mount.private', 0o755)
  mkdirSync('/srv/secrets', { mode: 0o700 })
  writeFileSync(SECRET, VALUE, { mode: 0o600 })
  const types = { private: { sources: ['*'], options: ['credentials'] } }
  writeFileSync(
    '/srv/config.json',
    JSON.stringify({ roots: [ROOT], stateDirectory: STATE, types, secretDirectories: ['/srv/secrets'] }),
  )
})

test('L38: the value of a secret stands in its file and nowhere else', async () => {
  const of = (source: string): object => ({
    type: 'private',
    source,
    options: [{ name: 'credentials', secretFile: SECRET }],
  })
  const ended = await run(
    ['run', '--config', '/srv/config.json', '--trace', TRACE],
    [
      attach('1', 'a', of('share')),
      attach('2', 'b', of('refused')),
      { op: 'status', id: '3' },
      { op: 'reconcile', id: '4', apply: false },
      detach('5', '1', 'a'),
    ],
  )
  const told = answersOf(ended).map(({ id, ok }) => [id, ok])
  expect(told).toEqual(
    expect.arrayContaining([
      ['1', true],
      ['2', false],
      ['5', true],
    ]),
  )
  const kept = readdirSync(STATE).map((name) => readFileSync(join(STATE, name), 'utf8'))
  const seen = [ended.stdout, ended.stderr, readFileSync(TRACE, 'utf8'), readFileSync(LOG, 'utf8'), ...kept]
  // Three name the file, and the arguments what stands for it, so that it is known to have been there to be seen.
  expect(seen.filter((text) => text.includes(SECRET))).toHaveLength(3)
  expect(readFileSync(LOG, 'utf8')).toContain('credentials=/proc/self/fd/0')
  expect(seen.filter((text) => text.includes(VALUE))).toEqual([])
})
