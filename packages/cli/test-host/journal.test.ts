// Runs that remember: a state directory over SIGKILL, a full disk, a read-only one, damage and repair, as the command does it.

import { existsSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { ROOT, STATE, answersOf, attach, command, detach, entriesOf, mounted, prepareWorld, run, sh } from './world.js'

prepareWorld()

const FILE = `${STATE}/journal`
const HERE = ['run', '--root', ROOT, '--state-dir', STATE]

afterEach(() => {
  for (const line of mounted()) sh('umount', line.split(' ')[0] ?? '')
  for (const name of entriesOf(ROOT)) rmdirSync(`${ROOT}/${name}`)
  for (const name of readdirSync(STATE)) rmSync(`${STATE}/${name}`)
})

/** Who holds what, as a new run shows. */
const holders = async (): Promise<readonly string[]> => {
  const ended = await run(HERE, [{ op: 'status' }])
  expect(ended.code).toBe(0)
  const [answer] = answersOf(ended) as readonly { result: { mountpoints: readonly Record<string, unknown>[] } }[]
  return answer!.result.mountpoints.flatMap(({ mountpoint, phase, holders: all }) =>
    (all as readonly { volume: string }[]).map(({ volume }) => `${String(mountpoint)} ${String(phase)} ${volume}`),
  )
}

describe('a run that was killed', () => {
  test('is followed by one that knows its holders, shares its mounts and takes them off', async () => {
    const first = command(...HERE)
    first.send(attach('1', 'a'), attach('2', 'a'), attach('3', 'b'), detach('4', '3', 'b'))
    await first.until(4)
    first.kill('SIGKILL')
    expect((await first.ended).signal).toBe('SIGKILL')
    expect(await holders()).toEqual([`${ROOT}/a mounted vol-1`, `${ROOT}/a mounted vol-2`])
    const second = await run(HERE, [
      attach('5', 'a'),
      detach('6', '1', 'a'),
      detach('7', '2', 'a'),
      detach('8', '5', 'a'),
    ])
    expect(answersOf(second)).toMatchObject([
      { id: '5', result: { mount: 'shared', instance: 1, generation: 3 } },
      { id: '6', result: { holder: 'removed', holdersLeft: 2 } },
      { id: '7', result: { holder: 'removed', holdersLeft: 1 } },
      { id: '8', result: { mount: 'unmounted', directory: 'removed' } },
    ])
    expect(mounted()).toEqual([])
    expect(await holders()).toEqual([])
  })

  test('leaves a trace of what the next one began with, which replays', async () => {
    await run(HERE, [attach('1', 'a')])
    const trace = '/srv/journal.trace'
    expect((await run([...HERE, '--trace', trace], [detach('2', '1', 'a')])).code).toBe(0)
    expect(await run(['replay', trace])).toMatchObject({ code: 0, stderr: '' })
    rmSync(trace)
  })
})

test('without a state directory a run says once that it will forget', async () => {
  const ended = await run(['run', '--root', ROOT])
  expect(ended).toMatchObject({ code: 0 })
  const said = ended.stderr.split('\n').filter((line) => line.includes('state'))
  expect(said).toEqual([
    'mountkeeper: warning: no state directory is configured, so records are lost when this process ends; configure stateDirectory (--state-dir DIR) to keep them',
  ])
})

test('a state directory that is open to others is refused with the fix', async () => {
  sh('chmod', '0755', STATE)
  const ended = await run(HERE)
  sh('chmod', '0700', STATE)
  expect(ended).toMatchObject({ code: 3, stdout: '' })
  expect(ended.stderr).toBe(
    `mountkeeper: the state directory ${STATE} is open to others (mode 755); chmod 0700 ${STATE}\n`,
  )
})

describe('a disk under the journal', () => {
  const small = '/srv/small-state'
  const THERE = ['run', '--root', ROOT, '--state-dir', small]

  const withDisk = async (options: string, work: () => Promise<void>): Promise<void> => {
    sh('mkdir', '-p', small)
    sh('mount', '-t', 'tmpfs', '-o', `${options},mode=0700`, 'small', small)
    try {
      await work()
    } finally {
      sh('umount', small)
    }
  }

  test('that fills up stops the run with 3 and the fix; nothing that was answered is lost', async () => {
    await withDisk('size=8k', async () => {
      const requests = Array.from({ length: 60 }, (_, index) => attach(String(index), 'a'))
      const ended = await run(THERE, requests)
      expect(ended.code).toBe(3)
      expect(ended.stderr).toContain(
        `mountkeeper: ${small}/journal cannot be written: the disk is full (ENOSPC); make room on its filesystem, ` +
          'then start the manager again: all that it has answered is kept\n',
      )
      const answers = answersOf(ended) as readonly { id: string; ok: boolean; error?: { _tag: string } }[]
      const good = answers.filter(({ ok }) => ok).map(({ id }) => `vol-${id}`)
      expect(good.length).toBeGreaterThan(10)
      expect(answers.filter(({ ok }) => !ok).map(({ error }) => error?._tag)).toContain('Stopped')
      // Only these options: mount(8) would repeat `uid=`, which a user namespace does not know.
      sh('mount', '--options-mode', 'ignore', '-o', 'remount,size=1m', small)
      const again = await run(THERE, [{ op: 'status' }])
      const [status] = answersOf(again) as readonly { result: { mountpoints: readonly { holders: object[] }[] } }[]
      const held = status!.result.mountpoints[0]!.holders.map((holder) => (holder as { volume: string }).volume)
      expect(held.slice(0, good.length)).toEqual(good)
      // The one that was under way when the disk was full may have come to it or not; a write that failed has not.
      expect(held.length).toBe(good.length)
    })
  })

  test('that is read-only lets no run begin, and holds what it held', async () => {
    await withDisk('size=1m', async () => {
      expect((await run(THERE, [attach('1', 'a')])).code).toBe(0)
      sh('mount', '--options-mode', 'ignore', '-o', 'remount,ro', small)
      const refused = await run(THERE)
      expect(refused).toMatchObject({ code: 3, stdout: '' })
      expect(refused.stderr).toContain('its filesystem is read-only (EROFS); mount it for writing, then start')
      sh('mount', '--options-mode', 'ignore', '-o', 'remount,rw', small)
      const after = await run(THERE, [{ op: 'status' }])
      expect(answersOf(after)).toMatchObject([{ result: { mountpoints: [{ holders: [{ volume: 'vol-1' }] }] } }])
    })
  })
})

describe('a damaged journal', () => {
  test('refuses to start, is seen by the doctor, and is repaired by it', async () => {
    await run(HERE, [attach('1', 'a'), attach('2', 'a'), attach('3', 'b')])
    const lines = readFileSync(FILE, 'utf8').split('\n')
    const at = lines.findIndex((line) => line.includes('"Held"') && line.includes('vol-2'))
    const damaged = lines.map((line, index) => (index === at ? line.replace('vol-2', 'vol-X') : line)).join('\n')
    writeFileSync(FILE, damaged)

    const refused = await run(HERE)
    expect(refused).toMatchObject({ code: 3, stdout: '' })
    const mend = `mountkeeper doctor --state-dir ${STATE} --repair`
    expect(refused.stderr).toContain(`${FILE}, line ${at + 1}: its checksum is not that of its content; ${mend} `)
    expect((await run(['plan', '--root', ROOT, '--state-dir', STATE])).stderr).toContain(mend)

    const seen = await run(['doctor', '--root', ROOT, '--state-dir', STATE])
    expect(seen.code).toBe(1)
    expect(seen.stdout).toMatch(new RegExp(`^FAIL {2}${FILE} +line ${at + 1}: .*; fix: ${mend}`, 'm'))

    const repaired = await run(['doctor', '--root', ROOT, '--state-dir', STATE, '--repair'])
    expect(repaired.code).toBe(0)
    expect(repaired.stdout).toMatch(
      new RegExp(`^warn {2}repair .*lost: line ${at + 1}: its checksum .*${FILE}.damaged-1`, 'm'),
    )
    expect(repaired.stdout).not.toContain('it no longer records in which boot')
    expect(readFileSync(`${FILE}.damaged-1`, 'utf8')).toBe(damaged)

    expect(await holders()).toEqual([`${ROOT}/a mounted vol-1`, `${ROOT}/b mounted vol-3`])
    const ended = await run(HERE, [detach('9', '1', 'a'), detach('10', '3', 'b')])
    expect(answersOf(ended)).toMatchObject([{ result: { mount: 'unmounted' } }, { result: { mount: 'unmounted' } }])
  })

  test('L29: that has lost the boot is rebuilt, keeps its holders, and takes no mount for its own', async () => {
    await run(HERE, [attach('1', 'a')])
    const lines = readFileSync(FILE, 'utf8').split('\n')
    writeFileSync(FILE, lines.map((line) => line.replace('"HostCameUp"', '"HostCameUP"')).join('\n'))
    const repaired = await run(['doctor', '--root', ROOT, '--state-dir', STATE, '--repair'])
    expect(repaired.code).toBe(0)
    expect(repaired.stdout).toMatch(
      /^warn {2}repair .*; it no longer records in which boot its mounts were made.*fix: run/m,
    )
    expect(await holders()).toEqual([`${ROOT}/a lost vol-1`])
    const left = await run(HERE, [detach('2', '1', 'a')])
    expect(answersOf(left)).toMatchObject([{ result: { holder: 'removed', mount: 'unmounted', directory: 'kept' } }])
    expect(mounted()).toHaveLength(1)
  })

  test('is not repaired beside a manager, and a sound one is left alone', async () => {
    expect((await run(['doctor', '--repair', '--root', ROOT])).stderr).toContain('--repair requires --state-dir DIR')
    const first = command(...HERE)
    first.send({ op: 'status' })
    await first.until(1)
    const beside = await run(['doctor', '--state-dir', STATE, '--repair'])
    expect(beside.code).toBe(3)
    expect(beside.stderr).toContain(`${STATE} belongs to another manager (pid ${first.pid})`)
    first.end()
    await first.ended
    const before = readFileSync(FILE, 'utf8')
    const repaired = await run(['doctor', '--json', '--state-dir', STATE, '--repair', '--root', ROOT])
    expect(answersOf(repaired)).toContainEqual(
      expect.objectContaining({ name: 'repair', ok: 'ok', text: 'the journal is not damaged; nothing was changed' }),
    )
    expect(readFileSync(FILE, 'utf8')).toBe(before)
    expect(existsSync(`${FILE}.damaged-1`)).toBe(false)
  })

  test('that was only torn is cut, and the run says so', async () => {
    await run(HERE, [attach('1', 'a')])
    writeFileSync(FILE, `${readFileSync(FILE, 'utf8')}0badc0de {"_tag":"He`)
    expect((await run(['doctor', '--root', ROOT, '--state-dir', STATE])).stdout).toMatch(
      new RegExp(`^warn {2}${FILE} .*20 bytes of an incomplete last write`, 'm'),
    )
    const ended = await run(HERE)
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain(`warning: ${FILE}: the last write was torn at line `)
    expect(await holders()).toEqual([`${ROOT}/a mounted vol-1`])
  })
})
