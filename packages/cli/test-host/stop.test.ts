// How a run is stopped, for real: signals, a closed stdout, the loss of its lock.

import { readFileSync, readdirSync, rmdirSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import {
  MAIN,
  ROOT,
  STATE,
  answersOf,
  attach,
  command,
  detach,
  entriesOf,
  mounted,
  newGate,
  prepareWorld,
  sh,
  run,
  start,
  until,
  waitsAt,
} from './world.js'

prepareWorld()

const HERE = ['run', '--root', ROOT, '--allow', 'slow=*']

afterEach(() => {
  for (const line of mounted()) {
    const [path = ''] = line.split(' ')
    sh('umount', path)
  }
  for (const name of entriesOf(ROOT)) rmdirSync(`${ROOT}/${name}`)
})

/** Whether a process has this text in its arguments. */
const isRunning = (text: string): boolean =>
  readdirSync('/proc').some((entry) => {
    try {
      return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(text)
    } catch {
      return false
    }
  })

/** Whether a process has taken all signals that were sent to it. */
const tookSignals = (pid: number): boolean => /^ShdPnd:\s*0+$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))

const sandboxed = ['run', '--sandbox', '--allow', 'slow=*']

describe.each([
  ['here', HERE],
  ['in a sandbox', sandboxed],
])('SIGTERM %s', (where, args) => {
  test('lets what is being served finish, refuses the rest, and leaves the mounts', async () => {
    const started = command(...args)
    const gate = newGate()
    started.send(attach('0', 'first'), attach('1', 'a', waitsAt(gate)), attach('2', 'b'))
    await gate.begun()
    started.kill('SIGTERM')
    // What waits is refused while the other is still being served.
    await started.until(2)
    gate.open()
    const ended = await started.ended
    expect(ended).toMatchObject({ code: 3, signal: null })
    expect(answersOf(ended)).toMatchObject([
      { id: '0', ok: true },
      { id: '2', ok: false, error: { _tag: 'Cancelled' } },
      { id: '1', ok: true, result: { mount: 'mounted' } },
    ])
    expect(ended.stderr).toContain(
      'stopped by SIGTERM before the end of the requests; run again with the remaining requests\n',
    )
    expect(mounted()).toEqual(where === 'here' ? [`${ROOT}/first scratch`, `${ROOT}/a ${gate.source}`] : [])
  })

  test('twice stops at once, and says what still runs', async () => {
    const started = command(...args)
    const gate = newGate()
    started.send(attach('0', 'first'), attach('1', 'a', waitsAt(gate)), attach('2', 'b'))
    await gate.begun()
    started.kill('SIGTERM')
    await started.until(2)
    started.kill('SIGTERM')
    // The gate is closed: one that waited for the mount would be killed by the limit of this test.
    const ended = await started.ended
    expect(ended).toMatchObject({ code: 3, signal: null })
    expect(answersOf(ended)).toMatchObject([
      { id: '0' },
      { id: '2', ok: false, error: { _tag: 'Cancelled' } },
      { id: '1', ok: false, error: { _tag: 'Stopped' } },
    ])
    expect(ended.stderr).toMatch(new RegExp(`left behind: ${ROOT}/a mounting, mount is still running, pid \\d+`))
    if (where !== 'here') return
    // The command outlives the manager, as it has to. Named through a descriptor of a process that is gone, it mounts nothing.
    gate.open()
    await until(() => !isRunning(gate.source))
    expect(mounted()).toEqual([`${ROOT}/first scratch`])
  })
})

describe('a signal after the end of the input', () => {
  test('changes nothing for what is being served', async () => {
    const started = command(...HERE)
    const gate = newGate()
    started.send(attach('1', 'a', waitsAt(gate)))
    started.end()
    await gate.begun()
    started.kill('SIGINT')
    await until(() => tookSignals(started.pid))
    gate.open()
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

describe('reconcile --apply', () => {
  const PLACE = ['--root', ROOT, '--state-dir', STATE, '--allow', 'slow=*']

  /** A repair whose mount waits at a gate. */
  const repairs = async () => {
    const gate = newGate()
    const lived = command('run', ...PLACE)
    lived.send(attach('1', 'a', waitsAt(gate)))
    await gate.begun()
    gate.open()
    lived.end()
    expect((await lived.ended).code).toBe(0)
    sh('umount', `${ROOT}/a`)
    gate.shut()
    const repair = command('reconcile', '--apply', ...PLACE)
    await gate.begun()
    return { gate, repair }
  }

  afterEach(() => run(['run', ...PLACE], [{ op: 'forget', mountpoint: `${ROOT}/a`, force: true }]))

  test('lets the repair that is under way end at a signal, and says that there may be more', async () => {
    const { gate, repair } = await repairs()
    repair.kill('SIGTERM')
    await until(() => tookSignals(repair.pid))
    gate.open()
    const ended = await repair.ended
    expect(ended).toMatchObject({ code: 3, signal: null, stdout: '' })
    expect(ended.stderr).toContain('stopped by SIGTERM before the repairs had ended')
    expect(mounted()).toEqual([`${ROOT}/a ${gate.source}`])
    expect((await run(['reconcile', ...PLACE])).stdout).toBe('0 differences\n')
  })

  test('stops at once at the second, says what still runs, and its locks are free', async () => {
    const { gate, repair } = await repairs()
    repair.kill('SIGTERM')
    await until(() => tookSignals(repair.pid))
    repair.kill('SIGTERM')
    const ended = await repair.ended
    expect(ended).toMatchObject({ code: 3, signal: null, stdout: '' })
    expect(ended.stderr).toMatch(
      new RegExp(`left behind: ${ROOT}/a mounting, 1 holder, mount is still running, pid \\d+`),
    )
    const other = command('run', ...PLACE)
    other.send({ op: 'status' })
    await other.until(1)
    gate.open()
    await until(() => !isRunning(gate.source))
    other.end()
    expect((await other.ended).code).toBe(0)
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
  const [first, second] = [newGate(), newGate()]
  started.send(attach('1', 'a', waitsAt(first)), attach('2', 'b', waitsAt(second)), detach('3', '2', 'b'))
  started.end()
  await second.begun()
  first.open()
  await started.until(1)
  second.open()
  const ended = await started.ended
  expect(ended.code).toBe(0)
  expect(answersOf(ended).map(({ id }) => id)).toEqual(['1', '2', '3'])
})
