// What people ask beside a manager, or after one: who holds what, what differs, and its repair. On real mounts and a real journal.

import { existsSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { ROOT, STATE, attach, command, detach, mounted, prepareWorld, run, sh } from './world.js'

prepareWorld()

const PLACE = ['--root', ROOT, '--state-dir', STATE]
const serve = (...lines: readonly object[]) => run(['run', ...PLACE], lines)
const timeless = (text: string): readonly string[] =>
  text.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, 'TIME').split('\n')

describe('status', () => {
  test('of nothing', async () => {
    expect(await run(['status', ...PLACE])).toMatchObject({
      code: 0,
      stdout: 'generation 0, 0 mountpoints, 0 differences\n',
    })
  })

  test('shows what a manager that has ended left, as a table', async () => {
    await serve(attach('1', 'a'), attach('2', 'a'), attach('3', 'long-name', { source: 'other' }))
    const { code, stdout } = await run(['status', ...PLACE])
    expect(timeless(stdout)).toEqual([
      'MOUNTPOINT             FILESYSTEM               PHASE    HOLDERS  SINCE                 KNOWN BY  DRIFT',
      `${ROOT}/a          tmpfs scratch (size=1m)  mounted  2        TIME  request   –`,
      '  held by vol-1 for vm-1 since TIME, by request',
      '  held by vol-2 for vm-2 since TIME, by request',
      `${ROOT}/long-name  tmpfs other (size=1m)    mounted  1        TIME  request   –`,
      '  held by vol-3 for vm-3 since TIME, by request',
      '',
      'generation 1, 2 mountpoints, 0 differences',
      '',
    ])
    expect(code).toBe(0)
  })

  test('shows the same to machines', async () => {
    const { stdout } = await run(['status', '--json', ...PLACE])
    expect(JSON.parse(stdout)).toMatchObject({
      status: {
        generation: 1,
        mountpoints: [
          { mountpoint: `${ROOT}/a`, phase: 'mounted', holders: [{ consumer: 'vm-1' }, { consumer: 'vm-2' }] },
          { mountpoint: `${ROOT}/long-name`, phase: 'mounted' },
        ],
      },
      differences: [],
    })
  })

  test('beside a manager that runs, which alone may repair', async () => {
    const manager = command('run', ...PLACE)
    manager.send(attach('4', 'a'))
    await manager.until(1)
    expect((await run(['status', ...PLACE])).stdout).toContain('held by vol-4 for vm-4')
    const refused = await run(['reconcile', '--apply', ...PLACE])
    expect(refused).toMatchObject({ code: 3, stdout: '' })
    expect(refused.stderr).toMatch(new RegExp(`belongs to another manager \\(pid ${manager.pid}\\)`))
    manager.end()
    await manager.ended
  })
})

describe('reconcile', () => {
  test('shows what a third party did, and changes nothing', async () => {
    sh('umount', `${ROOT}/a`)
    const { code, stdout } = await run(['reconcile', ...PLACE])
    expect(stdout.split('\n')).toEqual([
      `lost: ${ROOT}/a is no longer mounted; reconcile with apply remounts it, open handles stay invalid (vol-1 for vm-1, vol-2 for vm-2, vol-4 for vm-4)`,
      '1 difference',
      '',
    ])
    expect(code).toBe(0)
    expect(mounted()).toEqual([`${ROOT}/long-name other`])
    expect((await run(['status', ...PLACE])).stdout).toMatch(/\/a +tmpfs scratch \(size=1m\) +lost +3 .* lost$/m)
  })

  test('repairs it when it is asked to', async () => {
    const { code, stdout } = await run(['reconcile', '--apply', ...PLACE])
    expect(stdout).toBe(`repaired: lost ${ROOT}/a\n1 difference repaired, 0 left\n`)
    expect(code).toBe(0)
    expect(mounted()).toEqual([`${ROOT}/long-name other`, `${ROOT}/a scratch`])
    expect((await run(['status', ...PLACE])).stdout).toContain('mounted 2 times since it is recorded')
  })

  test('takes off what has no holder, once it can be', async () => {
    const busy = spawn('sleep', ['60'], { cwd: `${ROOT}/long-name`, stdio: 'ignore' })
    await serve(detach('5', '3', 'long-name'))
    expect((await run(['reconcile', ...PLACE])).stdout).toMatch(/^vacant: \/srv\/mounts\/long-name /)
    busy.kill('SIGKILL')
    await new Promise((resolve) => busy.once('exit', resolve))
    const { stdout } = await run(['reconcile', '--apply', ...PLACE])
    expect(stdout).toBe(`repaired: vacant ${ROOT}/long-name\n1 difference repaired, 0 left\n`)
    expect(existsSync(`${ROOT}/long-name`)).toBe(false)
  })

  test('leaves alone what is not ours, and says what a person can do', async () => {
    sh('mount', '-t', 'tmpfs', 'theirs', `${ROOT}/a`)
    const { code, stdout } = await run(['reconcile', '--apply', '--json', ...PLACE])
    const stacked = [{ _tag: 'stacked', mountpoint: `${ROOT}/a` }]
    expect(JSON.parse(stdout)).toMatchObject({ before: stacked, after: stacked })
    expect(code).toBe(0)
    sh('umount', `${ROOT}/a`)
  })

  test('ends with nothing when every consumer has left', async () => {
    await serve(detach('6', '1', 'a'), detach('7', '2', 'a'), detach('8', '4', 'a'))
    expect(mounted()).toEqual([])
    expect((await run(['reconcile', ...PLACE])).stdout).toBe('0 differences\n')
  })
})
