// How a run is stopped, for real: signals, a closed stdout, the loss of its lock.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { ROOT, answersOf, attach, command, detach, mounted, prepareWorld, sh, start, MAIN } from './world.js'

prepareWorld()

const slow = (seconds: string): object => ({ type: 'slow', source: seconds, options: [] })
const HERE = ['run', '--root', ROOT, '--allow', 'slow=*']

afterEach(() => {
  for (const line of mounted()) {
    const [path = ''] = line.split(' ')
    sh('umount', path)
  }
  for (const name of readdirSync(ROOT)) rmdirSync(`${ROOT}/${name}`)
})

/** Resolves when the directory is there: its mount is under way. */
const begun = async (name: string): Promise<void> => {
  for (const from = Date.now(); !existsSync(`${ROOT}/${name}`) && Date.now() - from < 10_000;) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await new Promise((resolve) => setTimeout(resolve, 150))
}

const sandboxed = ['run', '--sandbox', '--allow', 'slow=*']

describe.each([
  ['here', HERE],
  ['in a sandbox', sandboxed],
])('SIGTERM %s', (where, args) => {
  test('lets what is being served finish, refuses the rest, and leaves the mounts', async () => {
    const started = command(...args)
    started.send(attach('0', 'first'), attach('1', 'a', slow('1')), attach('2', 'b'))
    await started.until(1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    started.kill('SIGTERM')
    const ended = await started.ended
    expect(ended).toMatchObject({ code: 3, signal: null })
    expect(answersOf(ended)).toMatchObject([
      { id: '0', ok: true },
      { id: '2', ok: false, error: { _tag: 'Cancelled' } },
      { id: '1', ok: true, result: { mount: 'mounted' } },
    ])
    expect(ended.stderr).toContain('stopped by SIGTERM before the end of the requests; run again with the rest\n')
    expect(mounted()).toEqual(where === 'here' ? [`${ROOT}/first scratch`, `${ROOT}/a 1`] : [])
  })

  test('twice stops at once, and says what still runs', async () => {
    const started = command(...args)
    started.send(attach('0', 'first'), attach('1', 'a', slow('4')))
    await started.until(1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const from = Date.now()
    started.kill('SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 50))
    started.kill('SIGTERM')
    const ended = await started.ended
    expect(Date.now() - from).toBeLessThan(3_000)
    expect(ended).toMatchObject({ code: 3, signal: null })
    expect(answersOf(ended)).toMatchObject([{ id: '0' }, { id: '1', ok: false, error: { _tag: 'Stopped' } }])
    expect(ended.stderr).toMatch(new RegExp(`left behind: ${ROOT}/a mounting, mount still runs, pid \\d+`))
    if (where !== 'here') return
    // The command outlives the manager, as it has to. Named through a descriptor of a process that is gone, it mounts nothing.
    const lives = (): boolean => spawnSync('pgrep', ['-f', `mount.slow 4 `]).status === 0
    for (const since = Date.now(); lives() && Date.now() - since < 10_000;) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(mounted()).toEqual([`${ROOT}/first scratch`])
  })
})

describe('a signal after the end of the input', () => {
  test('changes nothing for what is being served', async () => {
    const started = command(...HERE)
    started.send(attach('1', 'a', slow('1')))
    started.end()
    await begun('a')
    started.kill('SIGINT')
    const ended = await started.ended
    expect(ended).toMatchObject({ code: 0 })
    expect(answersOf(ended)).toMatchObject([{ id: '1', ok: true }])
  })
})

describe.each([
  ['here', `--root ${ROOT}`],
  ['in a sandbox', '--sandbox'],
])('a closed stdout %s', (_, where) => {
  test('stops the run with 3 and one line', async () => {
    const script = `set -o pipefail; for i in $(seq 300); do echo '{"op":"status"}'; done | { ${process.execPath} ${MAIN} run ${where}; echo "exit $?" >&2; } | head -1`
    const started = start(['bash', '-c', script])
    started.end()
    const ended = await started.ended
    expect(ended.stdout).toMatch(/^\{"op":"status".*\}\n$/)
    const said = ended.stderr.split('\n').filter((line) => !line.includes('warning:'))
    expect(said).toEqual(['mountkeeper: stdout was closed; stopped', 'exit 3', ''])
  })
})

describe('a lock that is lost', () => {
  test('stops the run at once', async () => {
    const started = command(...HERE)
    started.send(attach('1', 'a'))
    await started.until(1)
    sh('pkill', '-P', String(started.pid), '-x', 'flock|sh')
    const ended = await started.ended
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain('the lock was lost')
    expect(mounted()).toEqual([`${ROOT}/a scratch`])
  })
})

test('the end of the input waits for every answer', async () => {
  const started = command(...HERE, '--concurrent')
  started.send(attach('1', 'a', slow('0.5')), attach('2', 'b', slow('0.7')), detach('3', '2', 'b'))
  started.end()
  const ended = await started.ended
  expect(ended.code).toBe(0)
  expect(answersOf(ended).map(({ id }) => id)).toEqual(['1', '2', '3'])
})
