// The sandbox: real mounts that no other process sees, and nothing left of it.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  MAIN,
  ROOT,
  SAMPLES,
  STATE,
  answersOf,
  attach,
  command,
  isRoot,
  mounted,
  newGate,
  prepareWorld,
  run,
  sh,
  start,
  until,
  waitsAt,
} from './world.js'

prepareWorld()

const processes = (): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')]
      } catch {
        return []
      }
    })

const USER = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups']

/** Whether an ordinary user of this machine may read the command and make namespaces. */
const userMay = (): boolean => {
  if (!isRoot) return false
  try {
    sh(USER[0]!, ...USER.slice(1), 'unshare', '-Urm', '--fork', '--pid', process.execPath, MAIN, '--version')
    return true
  } catch {
    return false
  }
}

const ways: readonly (readonly [string, readonly string[], boolean])[] = [
  ['as this user', [], true],
  ['as an ordinary user', USER, userMay()],
]

/** Whether bindfs is there, and this user may open /dev/fuse. */
const hasFuse = (before: readonly string[]): boolean => {
  const script = 'command -v bindfs && exec 3<>/dev/fuse'
  return (
    spawnSync(before[0] ?? 'sh', [...before.slice(1), ...(before.length > 0 ? ['sh'] : []), '-c', script]).status === 0
  )
}

describe.each(ways)('%s', (_, before, may) => {
  const sample = async (name: string) => {
    const started = start([...before, process.execPath, MAIN, 'run', '--sandbox', `${SAMPLES}/${name}.jsonl`])
    started.end()
    return started.ended
  }

  test.skipIf(!may)('the sample is served, and nothing is left', async () => {
    const table = readFileSync('/proc/self/mountinfo', 'utf8')
    const ended = await sample('shared-mounts')
    expect(ended.stderr).toBe('')
    expect(ended.code).toBe(0)
    expect(answersOf(ended)).toMatchObject([
      { id: 'first-mounts', result: { mount: 'mounted' } },
      { id: 'second-shares', result: { mount: 'shared' } },
      { id: 'bind', result: { mount: 'mounted' } },
      { id: 'first-leaves', result: { mount: 'held' } },
      { id: 'second-leaves', result: { mount: 'unmounted', directory: 'removed' } },
      { id: 'all-of-vm-1', result: { attachments: [{ answer: { mount: 'unmounted', directory: 'removed' } }] } },
    ])
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(table)
  })

  test.skipIf(!may || !hasFuse(before))('FUSE daemons end with it', async () => {
    const started = start([...before, process.execPath, MAIN, 'run', '--sandbox'])
    const [first = ''] = readFileSync(`${SAMPLES}/fuse.jsonl`, 'utf8').split('\n')
    started.send(first)
    started.end()
    const ended = await started.ended
    expect(answersOf(ended)).toMatchObject([{ id: 'fuse', ok: true, result: { mount: 'mounted' } }])
    expect(ended.stderr).toContain(
      'stays, in use: /srv/mounts/through-a-daemon mounted, 1 holder (it ends with the sandbox)',
    )
    expect(processes().filter((line) => line.includes('bindfs'))).toEqual([])
    expect((await sample('fuse')).code).toBe(0)
  })
})

describe('what is given to it', () => {
  test('is opened before /srv is covered: requests, configuration, trace', async () => {
    writeFileSync('/srv/requests', `${JSON.stringify(attach('1', 'a'))}\n`)
    writeFileSync('/srv/config', JSON.stringify({ types: { tmpfs: { sources: ['only-this'] } }, prefix: ['false'] }))
    const ended = await run(['run', '--sandbox', '--config', '/srv/config', '--trace', '/srv/trace', '/srv/requests'])
    expect(ended.code).toBe(1)
    expect(answersOf(ended)).toMatchObject([{ error: { _tag: 'Invalid', field: 'filesystem.source' } }])
    expect((await run(['replay', '/srv/trace'])).stdout).toContain('every decision is the same')
  })

  test('may be other directories, which are given together', async () => {
    const ended = await run(['run', '--sandbox', '--root', ROOT, '--state-dir', STATE], [attach('1', 'a')])
    expect(ended.code).toBe(0)
    expect(mounted()).toEqual([])
    expect(existsSync(`${ROOT}/a`)).toBe(false)
    for (const half of [
      ['--root', ROOT],
      ['--state-dir', STATE],
    ]) {
      const refused = await run(['run', '--sandbox', ...half])
      expect(refused).toMatchObject({ code: 2, stdout: '' })
      expect(refused.stderr).toContain('must be given together')
    }
  })

  test.each([
    ['a file that is not there', ['/srv/none'], /\/srv\/none does not exist; give a file of requests/],
    [
      'a configuration that is not there',
      ['--config', '/srv/none'],
      /\/srv\/none does not exist; give the configuration/,
    ],
    [
      'a trace that cannot be',
      ['--trace', '/srv/none/trace'],
      /--trace \/srv\/none\/trace is in a directory that does not exist/,
    ],
  ])('%s: 2, before anything is made', async (_, args, text) => {
    const ended = await run(['run', '--sandbox', ...args])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(text)
  })
})

describe('where it cannot be', () => {
  test('it says so and what to do', async () => {
    const script = `echo 0 > /proc/sys/user/max_mnt_namespaces; exec ${process.execPath} ${MAIN} run --sandbox`
    const started = start(['unshare', '-Ur', 'sh', '-c', script])
    started.end()
    const ended = await started.ended
    expect(ended).toMatchObject({ code: 3, stdout: '' })
    expect(ended.stderr).toMatch(/^mountkeeper: cannot create namespaces \(.*\); run as root, or .*\n$/)
  })

  test('without /srv the fix is to make it', async () => {
    const script = `mount -t tmpfs none /mnt && cd / && for each in *; do
        case $each in srv | mnt) continue ;; esac
        if [ -L $each ]; then cp -P $each /mnt/
        elif [ -d $each ]; then mkdir /mnt/$each && mount --rbind $each /mnt/$each
        fi
      done && exec chroot /mnt ${process.execPath} ${MAIN} run --sandbox`
    const started = start(['unshare', '-m', 'sh', '-c', script])
    started.end()
    const ended = await started.ended
    expect(ended).toMatchObject({ code: 3, stdout: '' })
    expect(ended.stderr).toMatch(/^mountkeeper: \/srv does not exist, and the sandbox mounts on it; .*mkdir \/srv\n$/)
  })

  test('the variable by itself mounts nothing', async () => {
    const inside = JSON.stringify({ outside: sh('readlink', '/proc/self/ns/mnt').trim(), control: 3 })
    const started = start([process.execPath, MAIN, 'run', '--sandbox'], { MOUNTKEEPER_SANDBOX: inside })
    started.end()
    expect(await started.ended).toMatchObject({ code: 3, stdout: '' })
  })
})

describe('when the outer side is killed, everything inside ends', () => {
  const nothingIsLeft = async (): Promise<void> => {
    await until(() => !processes().some((line) => line.includes('mountkeeper-sandbox')))
  }

  test('between two requests', async () => {
    const started = command('run', '--sandbox')
    started.send(attach('1', 'marked-by-this-test'))
    await started.until(1)
    started.kill('SIGKILL')
    await started.ended
    await nothingIsLeft()
  })

  test('while it comes up', async () => {
    const started = command('run', '--sandbox')
    await until(() => processes().some((line) => line.includes('mountkeeper-sandbox')))
    started.kill('SIGKILL')
    await started.ended
    await nothingIsLeft()
  })

  test('while a mount is under way, and a stop that waits for it', async () => {
    for (const signals of [0, 1]) {
      const started = command('run', '--sandbox', '--allow', 'slow=*')
      const gate = newGate()
      started.send(attach('1', 'a', waitsAt(gate)), attach('2', 'b'))
      await gate.begun()
      for (let sent = 0; sent < signals; sent += 1) {
        started.kill('SIGTERM')
        await started.until(1)
      }
      started.kill('SIGKILL')
      await started.ended
      // The gate is closed: what waited for the mount would never end.
      await nothingIsLeft()
    }
  })
})
