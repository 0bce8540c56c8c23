import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Lock, NotLocked } from '@mountkeeper/runtime'
import { afterAll, describe, expect, test } from 'vitest'
import { ownProcess } from '../src/descriptor.js'
import { lockFileIn } from '../src/lock-file.js'
import type { LockOptions } from '../src/locks.js'
import { linuxLocks } from '../src/locks.js'
import { processes, vectorOfProcess } from '../src/processes.js'

const base = realpathSync(mkdtempSync(`${tmpdir()}/mountkeeper-`))
for (const name of ['root', 'root/a/b', 'root2', 'state']) mkdirSync(`${base}/${name}`, { recursive: true })
afterAll(() => {
  rmSync(base, { recursive: true })
})
const at = (name: string): string => `${base}/${name}`

const lock = async (directories: readonly string[], options: LockOptions = {}): Promise<Lock> => {
  const taken = await linuxLocks(options).acquire(directories)()
  if (taken._tag === 'Left') throw new Error(taken.left.why)
  return taken.right
}
const refused = async (directories: readonly string[], options: LockOptions = {}): Promise<NotLocked> => {
  const taken = await linuxLocks(options).acquire(directories)()
  if (taken._tag === 'Left') return taken.left
  await taken.right.release()
  throw new Error('not refused')
}
const holders = (): readonly number[] =>
  processes()
    .filter(({ entry }) => vectorOfProcess(entry).some((argument) => argument.startsWith(base)))
    .map(({ pid }) => pid)
/** A process that is no manager's has locked `root`; the function that is given ends it. */
const stranger = async (mode: string): Promise<() => void> => {
  const other = spawn('flock', [mode, at('root'), 'sh', '-c', 'echo locked; exec sleep 600'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await new Promise((locked) => other.stdout.once('data', locked))
  return () => {
    process.kill(-other.pid!)
  }
}
const own = ownProcess().slice('/proc/'.length)

describe('one owner (L27)', () => {
  test('the second is refused with the pid of the first, until that lets go', async () => {
    const first = await lock([at('root'), at('state')])
    const { directory, why } = await refused([at('root'), at('root2')])
    expect(directory).toBe(at('root'))
    const mend = 'stop that one, or name another directory'
    expect(why).toBe(`${at('root')} belongs to another manager (pid ${own}): ${mend}`)
    // All or none.
    await (await lock([at('root2')])).release()
    await first.release()
    expect(holders()).toEqual([])
    await (await lock([at('root'), at('state')])).release()
  })

  test.each([
    ['the root above', 'root', 'root/a'],
    ['a directory below', 'root/a/b', 'root'],
  ])('refused: %s is locked', async (_, locked, wanted) => {
    const first = await lock([at(locked)])
    const { directory, why } = await refused([at(wanted)])
    expect(directory).toBe(at(wanted))
    expect(why).toContain(
      `${at(locked)} belongs to another manager (pid ${own}), and roots of two managers may not overlap`,
    )
    await first.release()
    await (await lock([at(wanted)])).release()
  })

  test('refused: a known mountpoint is the root of another, or is in it', async () => {
    const first = await lock([at('root/a')])
    for (const known of [at('root/a'), at('root/a/b')]) {
      const { why } = await refused([at('root2')], { known: [known] })
      expect(why).toContain(`${at('root/a')} belongs to another manager (pid ${own}), and this one has mounted there`)
    }
    const second = await lock([at('root2')])
    expect(await second.inTheWay?.([at('root/a/b')])).toMatchObject({ _tag: 'NotLocked', directory: at('root/a') })
    expect(await second.inTheWay?.([at('root/x'), at('root2/y')])).toBe(undefined)
    await first.release()
    expect(await second.inTheWay?.([at('root/a/b')])).toBe(undefined)
    await second.release()
  })

  test('locks of others that have nothing to do with it are no hindrance', async () => {
    const end = await stranger('-x')
    await (await lock([at('root/a')])).release()
    end()
  })

  test.each(['-x', '-s'])('nor is a lock (%s) of the directory itself that no manager has', async (mode) => {
    const end = await stranger(mode)
    await (await lock([at('root')])).release()
    end()
  })

  test.each(['-x', '-s'])(
    'a lock (%s) that no manager has does not let two with nested roots start together, nor keep out both',
    async (mode) => {
      const end = await stranger(mode)
      for (let round = 0; round < 5; round += 1) {
        const wanted = [at('root'), at('root/a')].map((directory) => linuxLocks().acquire([directory])())
        const both = await Promise.all(wanted)
        const taken = both.flatMap((each) => (each._tag === 'Right' ? [each.right] : []))
        expect(taken).toHaveLength(1)
        await taken[0]!.release()
      }
      end()
    },
  )

  test('directories of one manager do not contain one another, by whatever path', async () => {
    expect((await refused([at('root'), at('root/a')])).why).toContain('may not contain one another')
    symlinkSync(at('root'), at('alias'))
    expect((await refused([at('root'), at('alias/a')])).why).toContain('may not contain one another')
    expect((await refused([at('root'), at('alias')])).why).toContain('is the same directory as')
  })

  test('only who may open the file can hold it, whatever the umask is', async () => {
    const before = process.umask(0)
    await (await lock([at('state')])).release()
    process.umask(before)
    const seen = statSync(at('state/.mountkeeper-lock'))
    expect([seen.mode & 0o7777, seen.size]).toEqual([0o600, 0])
  })

  test.each([
    ['a directory', (path: string) => mkdirSync(path)],
    ['a link', (path: string) => symlinkSync('/etc/passwd', path)],
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
  ])('refused: %s in the place of the file', async (_, make) => {
    mkdirSync(at('bad'))
    make(at('bad/.mountkeeper-lock'))
    expect((await refused([at('bad')])).why).toContain('.mountkeeper-lock is no file')
    rmSync(at('bad'), { recursive: true })
  })

  test('a directory that is not there', async () => {
    expect((await refused([at('none')])).why).toBe(
      `${at('none')} does not exist; create it: install -d -m 0700 ${at('none')}`,
    )
  })
})

describe('how a lock ends', () => {
  test('a manager that was killed may still have its locks for a moment: the next one waits for that', async () => {
    await (await lock([at('root')])).release()
    // What the killed one leaves: a process that holds the lock file, and ends by itself.
    const held = spawn('flock', ['-x', lockFileIn(at('root')), 'sh', '-c', 'echo locked; exec sleep 0.3'])
    await new Promise((locked) => held.stdout.once('data', locked))
    await (await lock([at('root')])).release()
    expect(held.exitCode).toBe(0)
  })

  test('lost when its holder is killed, and not when it is released', async () => {
    const held = await lock([at('root'), at('state')])
    let lost = 0
    void held.lost.then(() => (lost += 1))
    const [one] = holders()
    process.kill(one!, 'SIGKILL')
    await held.lost
    await held.release()
    expect(holders()).toEqual([])
    const other = await lock([at('root')])
    void other.lost.then(() => (lost += 1))
    await other.release()
    await new Promise((wake) => setTimeout(wake, 50))
    expect(lost).toBe(1)
  })

  test('a holder that is stopped is ended all the same', async () => {
    const held = await lock([at('root'), at('state')])
    process.kill(holders()[0]!, 'SIGSTOP')
    await held.release()
    expect(holders()).toEqual([])
    await (await lock([at('root'), at('state')])).release()
  })

  const built = fileURLToPath(new URL('../dist/locks.js', import.meta.url))
  test.skipIf(!existsSync(built))('free as soon as the manager is killed (skipped before a build)', async () => {
    const script = `const { linuxLocks } = await import(${JSON.stringify(built)})
      const taken = await linuxLocks().acquire(${JSON.stringify([at('root'), at('state')])})()
      console.log(taken._tag); setInterval(() => {}, 1000)`
    const manager = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const said = await new Promise<string>((told) =>
      manager.stdout.once('data', (line: Buffer) => told(String(line).trim())),
    )
    expect(said).toBe('Right')
    expect((await refused([at('root')])).why).toMatch(/belongs to another manager \(pid \d+\)/)
    manager.kill('SIGKILL')
    for (;;) {
      const taken = await linuxLocks().acquire([at('root'), at('state')])()
      if (taken._tag === 'Right') {
        await taken.right.release()
        break
      }
    }
  })
})
