// Which files the command uses by their names: no link, none that others can write, none of another user (that needs root, and is
// tried in test-host/own-files.test.ts).

import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRight } from 'fp-ts/lib/Either.js'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openOwn, readConfiguration } from '../src/own-file.js'

const top = realpathSync(mkdtempSync(join(tmpdir(), 'mountkeeper-own-')))
afterAll(() => {
  rmSync(top, { recursive: true })
})

let folder: string
let number = 0
beforeEach(() => {
  number += 1
  folder = join(top, String(number))
  mkdirSync(folder, { mode: 0o755 })
})

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8)

describe('a trace', () => {
  const refusal = (path: string): string => {
    const opened = openOwn(path)
    if (!isRight(opened)) return opened.left.why
    closeSync(opened.right)
    return 'opened'
  }

  test('is made for its owner alone, whatever the umask', () => {
    const before = process.umask(0)
    try {
      expect(refusal(join(folder, 't'))).toBe('opened')
    } finally {
      process.umask(before)
    }
    expect(modeOf(join(folder, 't'))).toBe('600')
  })

  test('that is there is closed to others, and keeps what is in it', () => {
    const path = join(folder, 't')
    writeFileSync(path, 'before')
    chmodSync(path, 0o644)
    expect(refusal(path)).toBe('opened')
    expect([modeOf(path), readFileSync(path, 'utf8')]).toEqual(['600', 'before'])
  })

  test.each([
    ['to a file', 'victim'],
    ['to nothing', 'nothing'],
  ])('is no link %s: what that leads to is not touched', (_, to) => {
    writeFileSync(join(folder, 'victim'), 'secret', { mode: 0o600 })
    symlinkSync(join(folder, to), join(folder, 't'))
    expect(refusal(join(folder, 't'))).toBe(
      'is a symbolic link, which is not followed; give the path of the file itself',
    )
    expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('secret')
    expect(existsSync(join(folder, 'nothing'))).toBe(false)
  })

  test('is no second name of another file', () => {
    writeFileSync(join(folder, 'victim'), 'secret', { mode: 0o640 })
    linkSync(join(folder, 'victim'), join(folder, 't'))
    expect(refusal(join(folder, 't'))).toContain('has a second hard link')
    expect([readFileSync(join(folder, 'victim'), 'utf8'), modeOf(join(folder, 'victim'))]).toEqual(['secret', '640'])
  })

  const isRoot = process.getuid?.() === 0
  test.runIf(isRoot)('is no pipe of another user: that would be waited for', () => {
    const pipe = join(folder, 'pipe')
    spawnSync('mkfifo', [pipe])
    chownSync(pipe, 4242, 4242)
    expect(refusal(pipe)).toContain('belongs to user 4242')
  })

  test('is no directory, and may be a pipe of this user that is read', async () => {
    expect(refusal(folder)).toBe('is a directory; give the path of a file that can be written')
    const pipe = join(folder, 'pipe')
    spawnSync('mkfifo', [pipe])
    const reader = spawn('cat', [pipe], { stdio: 'ignore' })
    expect(refusal(pipe)).toBe('opened')
    await new Promise((over) => reader.once('exit', over))
  })

  test('may be a device that takes it', () => {
    expect(refusal('/dev/null')).toBe('opened')
    expect(modeOf('/dev/null')).toBe('666')
  })
})

describe('a configuration', () => {
  const read = async (path: string): Promise<string> => {
    const text = await readConfiguration(path)
    return isRight(text) ? text.right : text.left.why
  }

  const written = (mode: number): string => {
    const path = join(folder, 'c.json')
    writeFileSync(path, '{}')
    chmodSync(path, mode)
    return path
  }

  test.each([0o600, 0o644, 0o444])('of mode %o is read', async (mode) => {
    expect(await read(written(mode))).toBe('{}')
  })

  test.each([0o666, 0o664, 0o620, 0o602])(
    'of mode %o, which others can write, is refused with the fix',
    async (mode) => {
      const path = written(mode)
      expect(await read(path)).toMatch(/^is not safe: .* can be written by others \(mode \d+\), .*: chmod go-w /)
    },
  )

  test('in a directory that others can write is refused by the name of the directory', async () => {
    const path = written(0o600)
    chmodSync(folder, 0o777)
    expect(await read(path)).toContain(`${folder} can be written by others (mode 777)`)
  })

  test('is no link', async () => {
    symlinkSync(written(0o600), join(folder, 'link.json'))
    expect(await read(join(folder, 'link.json'))).toBe(
      'is a symbolic link, which is not followed; give the path of the file itself',
    )
  })

  test.each([
    ['a directory', 'is a directory', (path: string) => mkdirSync(path)],
    ['a pipe', 'is not a file', (path: string) => spawnSync('mkfifo', [path])],
  ])('is not %s, and nothing waits for it', async (_, why, make) => {
    const path = join(folder, 'other')
    make(path)
    expect(await read(path)).toContain(why)
  })
})
