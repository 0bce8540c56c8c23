// The command on a managed root with real mounts: answers to the letter, what stays, and what a later run makes of it.

import { existsSync, mkdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  MAIN,
  ROOT,
  SOURCE,
  STATE,
  answersOf,
  attach,
  command,
  detach,
  entriesOf,
  isRoot,
  mounted,
  prepareWorld,
  run,
  sh,
  start,
} from './world.js'

prepareWorld()

const HERE = ['run', '--root', ROOT]

describe('requests from stdin', () => {
  test('that is a directory are an error, not none', async () => {
    const ended = await start(['sh', '-c', 'exec "$0" "$@" < /srv', process.execPath, MAIN, ...HERE]).ended
    expect(ended).toMatchObject({
      code: 2,
      stderr: 'mountkeeper: stdin is a directory; give a file of requests, or - for stdin\n',
    })
  })

  test('are answered as specified, and the mounts stay', async () => {
    const ended = await run(HERE, [
      attach('1', 'a'),
      attach('2', 'a'),
      attach('1', 'a'),
      detach('3', '1', 'a'),
      detach('4', 'unknown', 'a'),
      attach('5', 'b', { source: 'other' }),
      detach('6', '5', 'b'),
    ])
    expect(ended.stdout.split('\n')).toEqual([
      '{"id":"1","op":"attach","ok":true,"result":{"_tag":"Attached","holder":"added","mount":"mounted","instance":1,"generation":1,"warnings":[]}}',
      '{"id":"2","op":"attach","ok":true,"result":{"_tag":"Attached","holder":"added","mount":"shared","instance":1,"generation":1,"warnings":[]}}',
      // The id that made the holder: its caller may roll back.
      '{"id":"1","op":"attach","ok":true,"result":{"_tag":"Attached","holder":"added","mount":"shared","instance":1,"generation":1,"warnings":[]}}',
      '{"id":"3","op":"detach","ok":true,"result":{"_tag":"Detached","holder":"removed","holdersLeft":1,"mount":"held","directory":"kept","warnings":[]}}',
      '{"id":"4","op":"detach","ok":true,"result":{"_tag":"Detached","holder":"not-held","holdersLeft":1,"mount":"held","directory":"kept","warnings":[]}}',
      '{"id":"5","op":"attach","ok":true,"result":{"_tag":"Attached","holder":"added","mount":"mounted","instance":1,"generation":1,"warnings":[]}}',
      // The namespace of the tests is private.
      `{"id":"6","op":"detach","ok":true,"result":{"_tag":"Detached","holder":"removed","holdersLeft":0,"mount":"unmounted","directory":"removed","warnings":[{"_tag":"PropagationNotShared","text":"${ROOT} is not shared: if another mount namespace has a copy of this mount, removing ${ROOT}/b has detached it there while in use"}]}}`,
      '',
    ])
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain(`mountkeeper: stays, in use: ${ROOT}/a mounted, 1 holder\n`)
    expect(mounted()).toEqual([`${ROOT}/a scratch`])
    expect(existsSync(`${ROOT}/b`)).toBe(false)
  })

  test('a second run reports what is there as foreign, and leaves it alone', async () => {
    const ended = await run(HERE, [attach('1', 'a'), detach('2', '1', 'a')])
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(
      new RegExp(`^mountkeeper: foreign: ${ROOT}/a .* is mounted, but not by this manager`, 'm'),
    )
    expect(answersOf(ended)).toMatchObject([
      { id: '1', ok: false, error: { _tag: 'Foreign', layers: [{ source: 'scratch' }] } },
      { id: '2', ok: true, result: { holder: 'not-held', mount: 'absent' } },
    ])
    expect(mounted()).toEqual([`${ROOT}/a scratch`])
    sh('umount', `${ROOT}/a`)
    rmdirSync(`${ROOT}/a`)
  })

  test('a bind shows its source, and only from where it is allowed', async () => {
    mkdirSync(`${SOURCE}/one`)
    writeFileSync(`${SOURCE}/one/file`, 'content')
    const of = (source: string): object => ({ type: 'bind', source, options: ['ro'] })
    const started = command(...HERE, '--allow', `bind=${SOURCE}/`)
    started.send(attach('1', 'a', of(`${SOURCE}/one`)), attach('2', 'b', of('/etc')))
    await started.until(2)
    expect(readFileSync(`${ROOT}/a/file`, 'utf8')).toBe('content')
    started.send({ op: 'release', id: '3', consumer: 'vm-1' })
    started.end()
    const ended = await started.ended
    expect(answersOf(ended)).toMatchObject([
      { id: '1', ok: true },
      { id: '2', ok: false, error: { _tag: 'Invalid', field: 'filesystem.source' } },
      { id: '3', ok: true, result: { attachments: [{ volume: 'vol-1', answer: { mount: 'unmounted' } }] } },
    ])
    expect(mounted()).toEqual([])
  })

  test('a mount that fails is refused with what the command said, and leaves nothing', async () => {
    const ended = await run(
      [...HERE, '--allow', 'slow=*'],
      [attach('1', 'a', { type: 'slow', source: 'bad', options: [] })],
    )
    expect(ended.code).toBe(1)
    expect(answersOf(ended)).toMatchObject([
      { ok: false, error: { _tag: 'MountFailed', error: { exitStatus: 32, stderr: 'no such export: bad\n' } } },
    ])
    expect(existsSync(`${ROOT}/a`)).toBe(false)
    expect(ended.stderr).not.toContain('left behind')
  })
})

describe('starting', () => {
  test('through a link, from anywhere, as npm installs it', async () => {
    symlinkSync(MAIN, '/srv/mountkeeper')
    const started = start(['sh', '-c', `cd /proc && exec ${process.execPath} /srv/mountkeeper --version`])
    expect(await started.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string })
    expect(readFileSync(MAIN, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
  })

  test('help loads neither codecs nor a process runner', async () => {
    const script = `
      const { createRequire } = await import('node:module')
      const { commandLine } = await import(process.argv[1].replace('main.js', 'command-line.js'))
      const streams = { stdout: process.stdout, stderr: process.stderr, isTerminal: false, environment: {} }
      await commandLine(['run', '--help'], streams)
      const loaded = Object.keys(createRequire(process.argv[1]).cache).filter((path) => /(io-ts|fp-ts)/.test(path))
      console.log(JSON.stringify([...loaded, ...process.moduleLoadList.filter((name) => / child_process$/.test(name))]))`
    const ended = await start([process.execPath, '--input-type=module', '-e', script, MAIN]).ended
    expect(ended.stdout.trimEnd().split('\n').at(-1)).toBe('[]')
    expect(ended.code).toBe(0)
  })

  test('on a root that is not there names the fix', async () => {
    const ended = await run(['run', '--root', '/srv/nowhere'])
    expect(ended).toMatchObject({ code: 3, stdout: '' })
    expect(ended.stderr).toBe('mountkeeper: /srv/nowhere does not exist; create it: install -d -m 0700 /srv/nowhere\n')
  })

  test('on a root that others may write to says so', async () => {
    mkdirSync('/srv/open')
    sh('chmod', '0777', '/srv/open')
    const ended = await run(['run', '--root', '/srv/open'])
    expect(ended).toMatchObject({ code: 3, stdout: '' })
    expect(ended.stderr).toContain('/srv/open can be written by others (mode 777); chmod go-w /srv/open')
  })

  test('a second manager on the same root is refused with the pid of the first', async () => {
    const first = command(...HERE, '--state-dir', STATE)
    first.send({ op: 'status' })
    await first.until(1)
    const second = await run(['run', '--root', ROOT])
    expect(second).toMatchObject({ code: 3, stdout: '' })
    expect(second.stderr).toMatch(
      new RegExp(`^mountkeeper: ${ROOT} belongs to another manager \\(pid ${first.pid}\\).*\n$`),
    )
    const state = await run(['run', '--root', SOURCE, '--state-dir', STATE])
    expect(state.stderr).toContain(`${STATE} belongs to another manager (pid ${first.pid})`)
    first.end()
    expect((await first.ended).code).toBe(0)
    expect((await run(HERE)).code).toBe(0)
  })

  test('a plan takes no lock and changes nothing', async () => {
    const first = command(...HERE)
    first.send({ op: 'status' })
    await first.until(1)
    const planned = await run(['plan', '--root', ROOT], [attach('1', 'a'), detach('2', '1', 'a')])
    expect(planned.code).toBe(0)
    expect(answersOf(planned)).toMatchObject([
      { line: 1, answer: { result: { mount: 'mounted' } } },
      { line: 2, answer: { result: { mount: 'unmounted' } } },
    ])
    expect(existsSync(`${ROOT}/a`)).toBe(false)
    first.end()
    await first.ended
  })

  test('the error of an ordinary user says what to do', async () => {
    const way = ['setpriv', '--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin', process.execPath, MAIN, ...HERE]
    const started = start(way)
    started.end()
    const ended = await started.ended
    expect(ended).toMatchObject({ code: 3, stdout: '' })
    expect(ended.stderr).toMatch(
      /^mountkeeper: uid 0 without CAP_SYS_ADMIN may not mount; run as root, try --sandbox, or .*\n$/,
    )
  })
})

describe('a trace of this host', () => {
  test('replays without a difference, failures and all', async () => {
    const trace = '/srv/trace'
    const recorded = await run(
      [...HERE, '--trace', trace, '--allow', 'slow=*'],
      [
        attach('1', 'a'),
        attach('2', 'b', { type: 'slow', source: 'bad', options: [] }),
        attach('3', '../c'),
        detach('4', '1', 'a'),
        { op: 'host-down' },
        { op: 'host-up' },
      ],
    )
    expect(recorded.code).toBe(1)
    const replayed = await run(['replay', trace])
    expect(replayed).toMatchObject({ code: 0, stderr: '' })
    expect(replayed.stdout).toMatch(/^\/srv\/trace: \d+ inputs, every decision is the same\n$/)
  })

  // In a user namespace /dev/full belongs to a user without a number, and a trace never uses the file of another user.
  test.skipIf(!isRoot)('on a full disk is an error with the fix (skipped as an ordinary user)', async () => {
    const ended = await run([...HERE, '--trace', '/dev/full'], [attach('1', 'a')])
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain('--trace /dev/full is on a full disk; free disk space or give another file')
    expect(ended.stderr).not.toContain('    at ')
  })

  test('on a disk that fills up ends with a whole line, and replays', async () => {
    mkdirSync('/srv/small')
    sh('mount', '-t', 'tmpfs', '-o', 'size=8k', 'small', '/srv/small')
    const requests = Array.from({ length: 9 }, (_, n) => [attach(`a${n}`, 'a'), detach(`d${n}`, `a${n}`, 'a')])
    const ended = await run([...HERE, '--trace', '/srv/small/trace'], requests.flat())
    expect(ended.stderr).toContain('--trace /srv/small/trace is on a full disk')
    expect(ended.code).toBe(3)
    expect(await run(['replay', '/srv/small/trace'])).toMatchObject({ code: 0, stderr: '' })
    sh('umount', '/srv/small')
    for (const left of mounted()) sh('umount', left.split(' ')[0]!)
    for (const name of entriesOf(ROOT)) rmdirSync(`${ROOT}/${name}`)
  })
})

describe('doctor', () => {
  test('is content with this namespace, one line per check', async () => {
    const ended = await run(['doctor', '--root', ROOT, '--state-dir', STATE])
    expect(ended.stdout).toMatch(/^ok {4}mount +mount from util-linux/m)
    expect(ended.stdout).toContain('this host is ready')
    expect(ended.code).toBe(0)
  })

  test('ends with 1 when something fails, and says it in JSON, too', async () => {
    const ended = await run(['doctor', '--json', '--root', '/srv/nowhere'])
    expect(ended.code).toBe(1)
    expect(answersOf(ended)).toContainEqual(
      expect.objectContaining({
        name: 'root /srv/nowhere',
        ok: 'fail',
        mend: 'create it: install -d -m 0700 /srv/nowhere',
      }),
    )
  })
})
