// What could keep a run from ending, or its locks from being free: a reader that stands still, a terminal that is stopped, a
// process that holds the locks and is stopped, a look process that is stopped. None of them may. And a hang-up that is ignored.

import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { MAIN, ROOT, STATE, attach, command, entriesOf, mounted, prepareWorld, run, sh, start, until } from './world.js'

prepareWorld()
const PLACE = ['--root', ROOT, '--state-dir', STATE]
const RUN = [process.execPath, MAIN, 'run', ...PLACE]

const started: ChildProcess[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  for (const line of mounted()) sh('umount', line.split(' ')[0] ?? '')
  for (const name of entriesOf(ROOT)) rmdirSync(`${ROOT}/${name}`)
})

/** Whether a process has taken all signals that were sent to it, or has ended. */
const tookSignals = (pid: number): boolean => {
  try {
    return /^ShdPnd:\s*0+$/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return true
  }
}

/** A run whose stdout is a pipe that is not read. */
const unread = (): {
  readonly child: ChildProcess
  readonly ended: Promise<number | string | null>
  readonly said: () => string
} => {
  const [file = '', ...args] = RUN
  const child = spawn(file, args, { stdio: 'pipe' })
  started.push(child)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stdin.on('error', () => undefined)
  const ended = new Promise<number | string | null>((resolve) =>
    child.on('exit', (code, signal) => resolve(code ?? signal)),
  )
  return { child, ended, said: () => said }
}

/** Answers that fill every pipe and the buffers of both sides. */
const MANY = '{"op":"status","id":"0123456789012345678901234567890123456789"}\n'.repeat(3_000)

const commandsOf = (pid: number): readonly { readonly pid: number; readonly line: string }[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        if (!readFileSync(`/proc/${entry}/status`, 'latin1').includes(`\nPPid:\t${pid}\n`)) return []
        return [{ pid: Number(entry), line: readFileSync(`/proc/${entry}/cmdline`, 'latin1').replaceAll('\0', ' ') }]
      } catch {
        return []
      }
    })

const childOf = async (pid: number, words: string): Promise<number> => {
  const found = (): number | undefined => commandsOf(pid).find(({ line }) => line.includes(words))?.pid
  await until(() => found() !== undefined)
  return found() ?? -1
}

/** Resolves when a process has done nothing for a second: what it writes waits for its reader. */
const standsStill = async (pid: number): Promise<void> => {
  const used = (): string =>
    readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ').slice(11, 13).join() ?? ''
  for (let seen = ''; seen !== used();) {
    seen = used()
    await new Promise((wake) => setTimeout(wake, 1_000))
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

describe('a reader that stands still', () => {
  test('does not keep two signals from ending the run, and its locks are free', async () => {
    const { child, ended } = unread()
    child.stdin?.write(MANY)
    await standsStill(child.pid ?? -1)
    child.kill('SIGTERM')
    await until(() => tookSignals(child.pid ?? -1))
    child.kill('SIGTERM')
    expect(await ended).toBe(3)
    expect((await run(['run', ...PLACE])).code).toBe(0)
  })

  test('on a terminal does not keep signals from being heard', async () => {
    // The terminal is that of script(1), which is stopped: nothing takes what is written to it.
    writeFileSync('/srv/many', MANY)
    const words = [...RUN.map((word) => `'${word}'`), '< /srv/many'].join(' ')
    const terminal = spawn('script', ['-qec', `exec ${words}`, '/dev/null'], { stdio: ['pipe', 'ignore', 'inherit'] })
    started.push(terminal)
    const pid = await childOf(terminal.pid ?? -1, 'main.js')
    terminal.kill('SIGSTOP')
    await childOf(pid, 'mountkeeper-lock')
    await standsStill(pid)
    process.kill(pid, 'SIGTERM')
    await until(() => !isAlive(pid) || tookSignals(pid))
    if (isAlive(pid)) process.kill(pid, 'SIGTERM')
    await until(() => !isAlive(pid))
    terminal.kill('SIGCONT')
  })
})

describe('a process that is stopped', () => {
  test.each(['SIGTERM', 'end of input'])('and holds the locks does not outlive the run (%s)', async (how) => {
    const one = command('run', ...PLACE)
    one.send(attach('1', 'a'))
    await one.until(1)
    const holder = await childOf(one.pid, 'mountkeeper-lock')
    process.kill(holder, 'SIGSTOP')
    if (how === 'SIGTERM') one.kill('SIGTERM')
    else one.end()
    expect((await one.ended).code).toBe(how === 'SIGTERM' ? 3 : 0)
    expect(readdirSync('/proc')).not.toContain(String(holder))
    expect((await run(['run', ...PLACE])).code).toBe(0)
  })
})

describe('a hang-up', () => {
  const BIN = fileURLToPath(new URL('../bin/mountkeeper', import.meta.url))

  test.each([
    ['by a shell', ['sh', '-c', `trap '' HUP; exec "$@"`, 'sh', BIN]],
    ['by a shell that waits for Node itself', ['sh', '-c', `trap '' HUP; "$@"; exit $?`, 'sh', process.execPath, MAIN]],
    ['by nohup', ['nohup', BIN]],
  ])('that was ignored %s at the start is ignored', async (_, vector) => {
    const one = start([...vector, 'run', ...PLACE])
    one.send(attach('1', 'a'))
    await one.until(1)
    const pid = readFileSync(`/proc/${one.pid}/cmdline`, 'latin1').startsWith('sh\0')
      ? await childOf(one.pid, 'main.js')
      : one.pid
    process.kill(pid, 'SIGHUP')
    await until(() => tookSignals(pid))
    one.send(attach('2', 'a'))
    await one.until(2)
    one.end()
    expect((await one.ended).code).toBe(0)
  })

  test.each([
    ['the script', [BIN]],
    ['Node', [process.execPath, MAIN]],
  ])('stops a run that was started by %s otherwise', async (_, vector) => {
    const one = start([...vector, 'run', ...PLACE])
    one.send(attach('1', 'a'))
    await one.until(1)
    one.kill('SIGHUP')
    expect((await one.ended).code).toBe(3)
  })
})

describe('a stdout that cannot take what is written', () => {
  test.each([
    ['run', ['run', ...PLACE], '{"op":"status"}'],
    ['status', ['status', ...PLACE], ''],
    ['plan', ['plan', ...PLACE], '{"op":"status"}'],
    ['doctor', ['doctor', ...PLACE], ''],
    ['help', ['--help'], ''],
    ['version', ['--version'], ''],
  ])('is never a success: %s', async (_, args, input) => {
    const one = start(['sh', '-c', 'exec "$@" > /dev/full', 'sh', process.execPath, MAIN, ...args])
    one.send(input)
    one.end()
    const ended = await one.ended
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain('stdout failed (ENOSPC)')
  })
})
