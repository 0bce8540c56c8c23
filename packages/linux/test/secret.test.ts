// Where secrets are read, what is refused, and how a helper gets them.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import type { SecretOption } from '@mountkeeper/core'
import type { SecretBy } from '@mountkeeper/types'
import type { Either } from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, test } from 'vitest'
import { openDescriptors } from './open-descriptors.js'
import type { HandedOn } from '../src/secret.js'
import { SECRET_BYTES_MAX, SECRET_OPERAND, handOn } from '../src/secret.js'

// Not below /tmp, which is writable for all.
const base = realpathSync(mkdtempSync('/dev/shm/mountkeeper-'))
const directory = `${base}/secrets`
mkdirSync(directory, { mode: 0o700 })
afterAll(() => {
  rmSync(base, { recursive: true })
})

const uid = process.getuid!()
const trust = { uid, owners: [] }

const handedOn = (
  option: SecretOption,
  environment: Readonly<Record<string, string>> = {},
  by: SecretBy = 'credentials-file',
): Either<string, HandedOn> =>
  handOn(option, by, { secrets: { directories: [directory], environment: ['LOGIN', 'UNSET'] }, trust, environment })

const write = (name: string, content: string | Buffer, mode = 0o600): SecretOption => {
  writeFileSync(`${directory}/${name}`, content, { mode })
  chmodSync(`${directory}/${name}`, mode)
  return { name: 'credentials', secretFile: `${directory}/${name}` }
}

const good = (option: SecretOption, environment?: Readonly<Record<string, string>>, by?: SecretBy): HandedOn => {
  const given = handedOn(option, environment, by)
  if (given._tag === 'Left') throw new Error(given.left)
  return given.right
}

const bad = (option: SecretOption, environment?: Readonly<Record<string, string>>, by?: SecretBy): string => {
  const before = openDescriptors()
  const given = handedOn(option, environment, by)
  expect(openDescriptors()).toEqual(before)
  if (given._tag === 'Right') throw new Error('it was handed on')
  return given.left
}

const stdinOf = ({ given: { stdin } }: HandedOn): number => stdin ?? -1

describe('a secret', () => {
  const VALUE = 'username=u\npassword=correct horse\n'

  test.each<[string, () => HandedOn]>([
    ['of a file', () => good(write('cifs', VALUE))],
    ['of a variable', () => good({ name: 'credentials', secretEnvironment: 'LOGIN' }, { LOGIN: VALUE })],
  ])('%s is read from the standard input, also by name', (_, given) => {
    const before = openDescriptors()
    const secret = given()
    const stdio: ['pipe' | number, 'pipe', 'pipe'] = [stdinOf(secret), 'pipe', 'pipe']
    const child = (...vector: readonly [string, ...string[]]): string =>
      spawnSync(vector[0], vector.slice(1), { stdio, encoding: 'utf8' }).stdout
    expect(child('cat', SECRET_OPERAND)).toBe(VALUE)
    expect(child('stat', '-L', '-c', '%a %h %F', SECRET_OPERAND)).toBe('600 0 regular file\n')
    expect(child('sh', '-c', 'echo more >&0 || echo refused')).toBe('refused\n')
    expect(child('cat')).toBe(VALUE)
    secret.dispose()
    expect(openDescriptors()).toEqual(before)
  })

  test('is gone when it was disposed of, also for a process that still has it open', () => {
    const secret = good(write('cifs', VALUE))
    const child = spawnSync('sh', ['-c', 'exec 3<&0 </dev/null; sleep 20 >/dev/null 2>&1 & echo $!'], {
      stdio: [stdinOf(secret), 'pipe', 'inherit'],
      encoding: 'utf8',
    })
    const pid = Number(child.stdout)
    try {
      const held = `/proc/${pid}/fd/3`
      expect(readFileSync(held, 'utf8')).toBe(VALUE)
      expect(readlinkSync(held)).toContain('(deleted)')
      secret.dispose()
      expect(readFileSync(held, 'utf8')).toBe('')
    } finally {
      process.kill(pid)
    }
  })

  test('is in memory, without a name and only for its owner', () => {
    const secret = good(write('cifs', VALUE))
    const stat = fstatSync(stdinOf(secret))
    expect([stat.nlink, stat.mode & 0o7777, stat.uid]).toEqual([0, 0o600, uid])
    secret.dispose()
  })

  test('is masked in what a helper writes: its lines, and the values in them', () => {
    const secret = good(write('cifs', VALUE))
    expect(secret.masked('bad line "password=correct horse", user u')).toBe('bad line "***", user u')
    expect(secret.masked('no correct horse here')).toBe('no *** here')
    secret.dispose()
  })

  test.each<SecretBy>(['secret-file', 'stdin'])('of one line is handed on without its end: %s', (by) => {
    const secret = good(write('line', 'correct horse\n'), {}, by)
    expect(readFileSync(`/proc/self/fd/${stdinOf(secret)}`, 'utf8')).toBe('correct horse')
    expect(secret.given.environment).toBeUndefined()
    secret.dispose()
  })

  test('is a variable with the name of the option where the table says so', () => {
    const before = openDescriptors()
    const secret = good({ ...write('line', 'correct horse\n'), name: 'PASSWD' }, {}, 'environment')
    expect(secret.given).toEqual({ environment: { PASSWD: 'correct horse' } })
    expect(openDescriptors()).toEqual(before)
  })

  test('may be of root, and may be readable by a group', () => {
    good(write('group', 'x', 0o640)).dispose()
  })
})

describe('is refused:', () => {
  test.each<[string, () => SecretOption, string]>([
    [
      'outside',
      () => ({ name: 'a', secretFile: '/etc/passwd' }),
      'option a: /etc/passwd is not below a secret directory',
    ],
    [
      'outside and missing',
      () => ({ name: 'a', secretFile: '/etc/x' }),
      'option a: /etc/x is not below a secret directory',
    ],
    ['missing', () => ({ name: 'a', secretFile: `${directory}/none` }), `${directory}/none cannot be read (ENOENT)`],
    [
      'a directory',
      () => (mkdirSync(`${directory}/d`), { name: 'a', secretFile: `${directory}/d` }),
      'is not a regular file',
    ],
    ['for others', () => write('open', 'x', 0o644), 'is readable or writable by others: chmod 0600 it'],
    ['writable by a group', () => write('group', 'x', 0o620), 'is readable or writable by others: chmod 0600 it'],
    ['empty', () => write('empty', ''), 'the secret is empty'],
    ['too long', () => write('long', Buffer.alloc(SECRET_BYTES_MAX + 1, 'x')), 'is longer than 65536 bytes'],
  ])('%s', (_, option, why) => {
    expect(bad(option())).toContain(why)
  })

  test('a link, as the file and on the way', () => {
    write('real', 'x')
    symlinkSync(`${directory}/real`, `${directory}/link`)
    symlinkSync('/etc', `${directory}/way`)
    expect(bad({ name: 'a', secretFile: `${directory}/link` })).toContain('is a symbolic link')
    expect(bad({ name: 'a', secretFile: `${directory}/way/passwd` })).toContain('is a symbolic link')
  })

  test.each<SecretBy>(['secret-file', 'stdin', 'environment'])(
    'of several lines where a helper takes one: %s',
    (by) => {
      expect(bad(write('lines', 'one\ntwo\n'), {}, by)).toBe('option credentials: the secret has more than one line')
      expect(bad(write('newline', '\n'), {}, by)).toBe('option credentials: the secret is empty')
    },
  )

  test('with a NUL, which would cut it', () => {
    expect(bad(write('nul', 'a\0b'))).toBe('option credentials: the secret has a NUL in it')
  })

  test('a pipe, which no reader waits for', () => {
    expect(spawnSync('mkfifo', [`${directory}/pipe`]).status).toBe(0)
    expect(bad({ name: 'a', secretFile: `${directory}/pipe` })).toContain('is not a regular file')
  })

  test('of another user', () => {
    const option = write('own', 'x')
    const given = handOn(option, 'credentials-file', {
      secrets: { directories: [directory], environment: [] },
      trust: { uid: uid + 1, owners: [] },
      environment: {},
    })
    if (given._tag === 'Right') given.right.dispose()
    // All that is root's is trusted.
    const refused = { left: expect.stringContaining(`belongs to user ${uid}`) as string }
    expect(given).toMatchObject(uid === 0 ? { _tag: 'Right' } : refused)
  })

  test('in a directory that others can write, or that is below one', () => {
    mkdirSync(`${directory}/wide/narrow`, { recursive: true, mode: 0o700 })
    const above = write('wide/narrow/login', 'x')
    const there = write('wide/login', 'x')
    chmodSync(`${directory}/wide`, 0o777)
    const why = `${directory}/wide can be written by others (mode 777): chmod go-w ${directory}/wide`
    expect(bad(above)).toBe(`option credentials: ${why}`)
    expect(bad(there)).toBe(`option credentials: ${why}`)
    chmodSync(`${directory}/wide`, 0o1777)
    good(above).dispose()
    expect(bad(there)).toContain('can be written by others')
  })

  test('a variable that is not configured, or not set', () => {
    const of = (secretEnvironment: string): SecretOption => ({ name: 'a', secretEnvironment })
    expect(bad(of('HOME'), { HOME: '/root' })).toBe('option a: HOME is not a configured variable for secrets')
    expect(bad(of('UNSET'))).toBe('option a: the variable UNSET is not set')
    expect(bad(of('LOGIN'), { LOGIN: 'x'.repeat(SECRET_BYTES_MAX + 1) })).toContain('is longer than 65536 bytes')
  })

  test('anything where nothing is configured', () => {
    const reading = { secrets: undefined, trust, environment: { LOGIN: 'x' } }
    expect(handOn(write('cifs', 'x'), 'credentials-file', reading)).toMatchObject({ _tag: 'Left' })
    expect(handOn({ name: 'a', secretEnvironment: 'LOGIN' }, 'stdin', reading)).toMatchObject({ _tag: 'Left' })
  })
})
