// Files of another user in the place of the command's own: a configuration, whose prefix would run as root, a trace, a journal.
// Each is refused by its name, also by doctor, and nothing in it is changed.

import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { ROOT, STATE, attach, isRoot, mounted, prepareWorld, run } from './world.js'

prepareWorld()

const OTHER = 4_242
const PLACE = ['--root', ROOT, '--state-dir', STATE]
const RAN = '/srv/ran'
const folder = '/srv/files'

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { mode: 0o755 })
})

const plant = (path: string, text: string, mode: number, uid = OTHER): string => {
  writeFileSync(path, text)
  chownSync(path, uid, uid)
  chmodSync(path, mode)
  return path
}

const planted = (): string =>
  JSON.stringify({ roots: [ROOT], stateDirectory: STATE, prefix: ['sh', '-c', `: >${RAN}; exec "$@"`, 'sh'] })

describe.skipIf(!isRoot)('of another user (skipped without root)', () => {
  test.each([
    ['run', []],
    ['run', ['--sandbox']],
    ['plan', []],
    ['status', []],
    ['reconcile', []],
    ['doctor', []],
    ['doctor', ['--upgrade']],
  ])('a configuration: %s %j', async (name, more) => {
    const path = plant(`${folder}/config.json`, planted(), 0o600)
    const ended = await run([name, ...more, '--config', path])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain(`${path} is not safe: ${path} belongs to user ${OTHER}`)
    expect(existsSync(RAN)).toBe(false)
  })

  test('a configuration of root that others can write', async () => {
    const path = plant(`${folder}/config.json`, planted(), 0o664, 0)
    const ended = await run(['doctor', '--config', path])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain(`${path} can be written by others (mode 664)`)
    expect(existsSync(RAN)).toBe(false)
  })

  test.each([[[]], [['--sandbox']]])('a trace of mode 0644: run %j', async (more) => {
    const path = plant(`${folder}/t.jsonl`, 'theirs\n', 0o644)
    const where = more.length === 0 ? ['--root', ROOT] : []
    const ended = await run(['run', ...more, ...where, '--trace', path], [attach('1', 'a')])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain(`--trace ${path} belongs to user ${OTHER}, not to 0`)
    expect(readFileSync(path, 'utf8')).toBe('theirs\n')
    expect(mounted()).toEqual([])
  })

  test.each([
    ['of another user', OTHER, 0o600, `belongs to user ${OTHER}, not to 0; `],
    ['that others can write', 0, 0o622, 'can be written by others (mode 622); '],
  ])('a journal %s', async (_, uid, mode, why) => {
    expect((await run(['run', ...PLACE])).code).toBe(0)
    const path = `${STATE}/journal`
    const before = readFileSync(path, 'utf8')
    plant(path, before, mode, uid)
    for (const args of [
      ['run', ...PLACE],
      ['doctor', ...PLACE],
      ['doctor', '--repair', ...PLACE],
    ]) {
      const ended = await run(args)
      expect(ended.code).not.toBe(0)
      expect(`${ended.stdout}${ended.stderr}`).toContain(`${path} ${why}`)
    }
    expect(readFileSync(path, 'utf8')).toBe(before)
    rmSync(path)
  })

  test('a journal of its own that others can read is closed to them', async () => {
    expect((await run(['run', ...PLACE])).code).toBe(0)
    chmodSync(`${STATE}/journal`, 0o644)
    expect((await run(['run', ...PLACE])).code).toBe(0)
    expect(statSync(`${STATE}/journal`).mode & 0o777).toBe(0o600)
  })
})
