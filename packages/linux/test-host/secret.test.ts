// A secret on its way to a helper that is run by mount(8): it reads the value, and all that it leaves behind is nothing.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import type { Filesystem, MountOption, SecretOption } from '@mountkeeper/core'
import { secretReference } from '@mountkeeper/core'
import type { Grammars } from '@mountkeeper/types'
import { typeRule } from '@mountkeeper/types'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { World } from './world.js'
import { clear, createWorld, plant, prepareWorld, sh, sleep, top } from './world.js'

prepareWorld()

const DIRECTORY = '/srv/secrets'
const VALUE = 'correct-horse-battery'
const SAW = '/srv/saw'
const NAME = 'MOUNTKEEPER_TEST_SECRET'

let world: World
beforeAll(() => {
  mkdirSync(DIRECTORY, 0o700)
  writeFileSync(`${DIRECTORY}/login`, `password=${VALUE}\n`, { mode: 0o600 })
})

beforeEach(async () => {
  // What it writes to /srv/saw is what it read from the file that the option names.
  plant(
    'private',
    `for each in $(echo "$4" | tr , ' '); do
      case $each in credentials=*) cat "\${each#credentials=}" >${SAW} ;; esac
    done
    cat "/proc/$$/cmdline" "/proc/$PPID/cmdline" "/proc/$$/environ" "/proc/$PPID/environ" >/srv/seen
    case $1 in
      repeats) cat ${SAW} >&2; exit 32 ;;
      dumps) ulimit -c >/srv/limit; cd /srv/cores; kill -SEGV $$ ;;
      hangs) sleep 60 ;;
    esac
    exec mount -i -t tmpfs -o nosuid,nodev "$1" "$2"`,
  )
  world = await createWorld({
    types: { private: typeRule('private', ['*'], GRAMMARS) },
    secrets: { directories: [DIRECTORY], environment: [NAME] },
  })
  process.env[NAME] = `password=${VALUE}\n`
})

const GRAMMARS: Grammars = {
  credentials: { _tag: 'Secret', by: 'credentials-file' },
  LOGIN: { _tag: 'Secret', by: 'environment' },
}

const IN_FILE: SecretOption = { name: 'credentials', secretFile: `${DIRECTORY}/login` }
const IN_VARIABLE: SecretOption = { name: 'credentials', secretEnvironment: NAME }

const filesystem = (source: string, ...options: readonly MountOption[]): Filesystem => ({
  type: 'private',
  source,
  options: ['nosuid', 'nodev', ...options],
})

/** Unnamed files in memory that some process has open. */
const unnamed = (): readonly string[] =>
  spawnSync('sh', ['-c', 'ls -l /proc/[0-9]*/fd 2>/dev/null | grep "/dev/shm/#"'], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '')

describe('a helper', () => {
  test.each([
    ['a file', IN_FILE],
    ['a variable', IN_VARIABLE],
  ])('gets what is in %s, and no argument or variable has it', async (_, option) => {
    await world.make('s')
    const report = await world.mount('s', filesystem('ok', option))
    expect(top(report).source).toBe('ok')
    expect(readFileSync(SAW, 'utf8')).toBe(`password=${VALUE}\n`)
    expect(readFileSync('/srv/seen', 'latin1')).not.toContain(VALUE)
    expect(readFileSync('/srv/seen', 'latin1')).toContain('credentials=/proc/self/fd/0')
    expect(report.ran?.[0]?.command.join(' ')).toContain(`credentials=${secretReference(option)}`)
    expect(unnamed()).toEqual([])
    await clear(world, 's')
  })

  test('gets a variable where the table says so, and no option', async () => {
    await world.make('s')
    const report = await world.mount('s', filesystem('ok', { ...IN_FILE, name: 'LOGIN' }))
    const seen = readFileSync('/srv/seen', 'latin1')
    expect(seen.split('\0').filter((each) => each.includes(VALUE))).toContain(`LOGIN=password=${VALUE}`)
    expect(seen).not.toContain('LOGIN,')
    expect(JSON.stringify(report)).not.toContain(VALUE)
    await clear(world, 's')
  })

  test('that writes its secret is quoted without it', async () => {
    await world.make('s')
    const report = await world.mount('s', filesystem('repeats', IN_FILE))
    expect(report.error).toMatchObject({ exitStatus: 32, stderr: '***\n' })
    expect(JSON.stringify(report)).not.toContain(VALUE)
    await clear(world, 's')
  })

  test('that passes its deadline keeps its secret until it has ended', async () => {
    await world.make('s')
    const report = await world.mount('s', filesystem('hangs', IN_FILE), 700)
    expect(report.found).toEqual({ _tag: 'Unknown', why: 'TimedOut' })
    expect(unnamed()).not.toEqual([])
    await report.ended
    await sleep(50)
    expect(unnamed()).toEqual([])
    await clear(world, 's')
  })

  test('leaves no core', async () => {
    mkdirSync('/srv/cores', { recursive: true })
    sh('prlimit', '--core=unlimited:', '--pid', String(process.pid))
    if (readFileSync('/proc/sys/kernel/core_pattern', 'utf8').startsWith('core')) {
      spawnSync('sh', ['-c', 'cd /srv/cores; kill -SEGV $$'])
      expect(readdirSync('/srv/cores').filter((name) => name.startsWith('core'))).toHaveLength(1)
      rmSync('/srv/cores', { recursive: true })
      mkdirSync('/srv/cores')
    }
    await world.make('s')
    const report = await world.mount('s', filesystem('dumps', IN_FILE))
    expect(report.error?.exitStatus).not.toBe(0)
    // In blocks of 512 bytes.
    expect(readFileSync('/srv/limit', 'utf8')).toBe('0\n')
    expect(readFileSync('/proc/self/limits', 'utf8')).toMatch(/^Max core file size +1 /m)
    expect(readdirSync('/srv/cores')).toEqual([])
    await clear(world, 's')
  })
})

test('what a request may not name is refused alike, there or not', async () => {
  await world.make('s')
  const refusal = async (secretFile: string): Promise<string | undefined> => {
    const report = await world.mount('s', filesystem('ok', { name: 'credentials', secretFile }))
    return report.error?.stderr.replace(secretFile, 'FILE')
  }
  expect(await refusal('/etc/passwd')).toBe('not run: option credentials: FILE is not below a secret directory')
  expect(await refusal('/etc/no-such-file')).toBe('not run: option credentials: FILE is not below a secret directory')
  expect(await refusal(`${DIRECTORY}/none`)).toBe('not run: option credentials: FILE cannot be read (ENOENT)')
  await world.remove('s')
})

test('a helper has one standard input, so that two secrets are refused', async () => {
  await world.make('s')
  const report = await world.mount('s', filesystem('ok', IN_FILE, { ...IN_VARIABLE, name: 'LOGIN' }))
  expect(report.error?.stderr).toBe('not run: options credentials and LOGIN: a helper can be given one secret')
  await world.remove('s')
})
