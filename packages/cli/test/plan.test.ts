import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Fact } from '@mountkeeper/core'
import { planSession } from '../src/plan.js'
import { attach, configurationWith, detach, streamsWith } from './drive.js'
import { createModelHost } from './model-host.js'

const planned = async (
  output: 'json' | 'transcript',
  lines: readonly (string | object)[],
  host = createModelHost(),
  facts: readonly Fact[] = [],
) => {
  const streams = streamsWith()
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')
  const code = await planSession({
    machine: { host },
    settings: configurationWith().settings,
    facts,
    input: Readable.from([Buffer.from(text)]),
    output,
    streams,
  })
  return { code, out: streams.stdout.text(), said: streams.stderr.text(), host }
}

describe('plan', () => {
  test('knows what is recorded', async () => {
    const held = {
      _tag: 'Held',
      at: 1,
      mountpoint: '/srv/mounts/a',
      volume: 'vol-9',
      consumer: 'vm-9',
      since: 1,
    } as const
    const facts: readonly Fact[] = [{ ...held, knowledge: 'request' }]
    const { code, out } = await planned(
      'json',
      [{ op: 'forget', mountpoint: '/srv/mounts/a', force: false }],
      undefined,
      facts,
    )
    expect(code).toBe(1)
    expect(out).toContain('"InUse"')
  })

  test('folds the requests in order and runs nothing but looks', async () => {
    const { code, out, host } = await planned('json', [attach('1'), attach('2'), detach('3', '1'), detach('4', '2')])
    expect(code).toBe(0)
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: number; steps: { effect: { _tag: string } }[]; answer: unknown })
    expect(lines.map(({ line, steps }) => [line, ...steps.map(({ effect }) => effect._tag)])).toEqual([
      [1, 'Look', 'MakeDirectory', 'Mount'],
      [2, 'Look'],
      [3],
      [4, 'Look', 'Unmount', 'RemoveDirectory'],
    ])
    expect(lines[1]!.answer).toMatchObject({ id: '2', ok: true, result: { mount: 'shared' } })
    expect(host.ran).toEqual(['Look /srv/mounts/a'])
  })

  test('says why, and what a failure would lead to', async () => {
    const { out } = await planned('transcript', [attach('1'), 'oops'])
    expect(out.split('\n')).toEqual([
      '1  attach  /srv/mounts/a  tmpfs scratch  vol-1 for vm-1',
      '  look        /srv/mounts/a',
      expect.stringMatching(/^ {14}because /),
      expect.stringMatching(/^ {14}if it fails: /),
      '  make        /srv/mounts/a',
      expect.stringMatching(/^ {14}because /),
      expect.stringMatching(/^ {14}if it fails: /),
      '  mount       tmpfs scratch (nosuid, nodev, size=16m, nr_inodes=4096) on /srv/mounts/a',
      expect.stringMatching(/^ {14}because /),
      expect.stringMatching(/^ {14}if it fails: /),
      '  ✓ attached  mounted; instance 1 of generation 1',
      '',
      'line 2',
      '  ✗ refused  Invalid: not JSON at character 1: expected a value, got "o"',
      '',
      '2 requests planned, nothing was changed; 1 would be refused',
      '',
    ])
  })

  test('refuses what run would refuse', async () => {
    const { code, out, host } = await planned('json', [attach('1', '../x'), { ...attach('2'), mountpoint: '/etc' }])
    expect(code).toBe(1)
    expect(out).toContain('"Invalid"')
    expect(out).toContain('"NotManaged"')
    expect(host.ran).toEqual([])
  })

  test('sees what is there now', async () => {
    const host = createModelHost()
    host.paths.set('/srv/mounts/a', [
      { mountId: 7, device: '0:7', fstype: 'tmpfs', source: 'theirs', root: '/', flags: ['rw'] },
    ])
    const { code, out } = await planned('json', [attach('1')], host)
    expect(code).toBe(1)
    expect(out).toContain('"Foreign"')
  })

  test('ends with 3 where the roots cannot be looked at', async () => {
    const host = createModelHost()
    host.down = 'root /srv/mounts: does not exist'
    const { code, out, said } = await planned('json', [attach('1')], host)
    expect(code).toBe(3)
    expect(out).toBe('')
    expect(said).toBe('mountkeeper: cannot read the host: root /srv/mounts: does not exist\n')
  })

  test('refuses more lines than it keeps, rather than plan some of them', async () => {
    const { code, out, said } = await planned('json', ['x\n'.repeat(65_537)])
    expect({ code, out, said }).toEqual({
      code: 2,
      out: '',
      said: 'mountkeeper: more than 65,536 lines; plan them in parts\n',
    })
  })
})
