// Values at the border: what is refused, with which field and which words. A refusal leaves the host as it was.
import { defaultSettings } from '@mountkeeper/border'
import { showAnswer } from '@mountkeeper/inspect'
import { namedOptions, typeRule } from '@mountkeeper/types'
import { describe, expect, test } from 'vitest'
import type { AttachRequest, Input, Invalid, Request, SecretOption, Settings } from '../src/index.js'
import { apply, checkFilesystem, decide, requestId } from '../src/index.js'
import { perform } from './transcript/directive.js'
import type { Story } from './transcript/story.js'
import { hostOf, newStory } from './transcript/story.js'

const SCRIPT = [
  'settings roots=/srv/mounts,/srv/more secrets=/etc/secret',
  'types nfs=server:/export/,*.example:/home bind=/exports/,/one overlay=overlay,/layers/',
  'auto quiet',
  'up',
  'attach in/use tmpfs:scratch vol-1 vm-1',
  'auto off',
  'attach waits tmpfs:scratch vol-1 vm-1 id=waits',
]

const begin = (): Story => {
  const story = newStory()
  for (const directive of SCRIPT) perform(story, directive)
  return story
}

const GOOD: AttachRequest = {
  op: 'attach',
  mountpoint: '/srv/mounts/a',
  filesystem: { type: 'tmpfs', source: 'scratch', options: [] },
  volume: 'vol-9',
  consumer: 'vm-9',
}

/** The answer without its number; nothing in the host may show that the request was ever there. */
const answered = (body: Request): string => {
  const story = begin()
  const host = hostOf(story)
  const status = (): unknown =>
    decide(host, { _tag: 'Requested', at: 0, request: requestId(99), body: { op: 'status' } })
  const before = status()
  const input: Input = { _tag: 'Requested', at: 0, request: requestId(9), body }
  const decision = decide(host, input)
  const {
    append,
    then: { answers, effects },
    changes,
  } = decision
  expect([append, effects, changes.filter(({ _tag }) => _tag !== 'Counted')]).toEqual([[], [], []])
  apply(host, decision)
  expect(status()).toEqual(before)
  expect(answers).toHaveLength(1)
  return answers.map((answer) => showAnswer(answer).replace(/^-> 9 \S+ (id \S+ |id ".*?" )?/, '')).join()
}

const refused = (field: string, why: string): string => `refused Invalid ${field} ${JSON.stringify(why)}`

type Row = readonly [what: string, value: string, why: string]

const TEXTS: readonly Row[] = [
  ['empty', '', 'is empty'],
  ['NUL', 'a\0b', 'has a control character at position 1'],
  ['a newline', 'ab\n', 'has a control character at position 2'],
  ['DEL', '\x7f', 'has a control character at position 0'],
  ['C1', 'a\u0085', 'has a control character at position 1'],
  ['half a surrogate pair, the first', 'a\ud800', 'is not valid Unicode'],
  ['half a surrogate pair, the second', '\udc00a', 'is not valid Unicode'],
]

const NAMES: readonly Row[] = [
  ...TEXTS,
  ['256 bytes', 'x'.repeat(256), 'is longer than 255 bytes'],
  ['256 bytes in 128 characters', 'é'.repeat(128), 'is longer than 255 bytes'],
  ['256 bytes in 64 pairs', '😀'.repeat(64), 'is longer than 255 bytes'],
]

test('the request that all others are made from is accepted', () => {
  const host = hostOf(begin())
  const decision = decide(host, { _tag: 'Requested', at: 0, request: requestId(9), body: GOOD })
  expect([decision.then.answers, decision.changes.map(({ _tag }) => _tag)]).toEqual([
    [],
    ['Accepted', 'Record', 'Counted'],
  ])
})

describe.each(['volume', 'consumer', 'id'] as const)('%s', (field) => {
  test.each(NAMES)('%s', (_, value, why) => {
    expect(answered({ ...GOOD, [field]: value })).toBe(refused(field, why))
  })
})

describe('an id', () => {
  test('of a request that is not answered yet', () => {
    expect(answered({ ...GOOD, id: 'waits' })).toBe(
      refused('id', 'waits is the id of a request that has no answer yet'),
    )
  })

  const others: readonly Request[] = [
    { op: 'detach', mountpoint: '/srv/mounts/in/use', volume: 'vol-1', consumer: 'vm-1' },
    { op: 'release', consumer: 'vm-1' },
    { op: 'cancel', target: 'waits' },
    { op: 'host-up' },
    { op: 'host-down' },
    { op: 'reconcile', apply: true },
    { op: 'retry', mountpoint: '/srv/mounts/in/use' },
    { op: 'forget', mountpoint: '/srv/mounts/in/use', force: true },
    { op: 'refuse-new', server: 'server' },
    { op: 'allow-new', server: 'server' },
  ]
  test.each(others.map((body) => [body.op, body] as const))('is checked in %s', (_, body) => {
    expect(answered({ ...body, id: '\n' })).toBe(refused('id', 'has a control character at position 0'))
    expect(answered({ ...body, id: 'waits' })).toBe(
      refused('id', 'waits is the id of a request that has no answer yet'),
    )
    expect(answered({ ...body, deadlineMs: 0 })).toBe(
      refused('deadlineMs', 'is not a whole number of milliseconds from 1 to 86400000'),
    )
  })
})

test.each([
  ['', 'is empty'],
  ['a\nb', 'has a control character at position 1'],
  ['é'.repeat(513), 'is longer than 1024 bytes'],
])('the reason of a host-down %#', (reason, why) => {
  expect(answered({ op: 'host-down', reason })).toBe(refused('reason', why))
})

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 86_400_001])('deadlineMs %d', (deadlineMs) => {
  expect(answered({ ...GOOD, deadlineMs })).toBe(
    refused('deadlineMs', 'is not a whole number of milliseconds from 1 to 86400000'),
  )
})

const PATHS: readonly Row[] = [
  ...TEXTS.map(([what, value, why]): Row => [what, value, why]),
  ['relative', 'srv/mounts/a', 'is not absolute: it must begin with /'],
  ['a leading dash', '-a', 'is not absolute: it must begin with /'],
  ['a trailing slash', '/srv/mounts/a/', 'must not end with /'],
  ['//', '/srv/mounts//a', 'must not contain //'],
  ['// at the beginning', '//srv/mounts/a', 'must not contain //'],
  ['..', '/srv/mounts/../a', 'must not contain the component ..'],
  ['.. at the end', '/srv/mounts/..', 'must not contain the component ..'],
  ['.', '/srv/mounts/./a', 'must not contain the component .'],
  ['4,096 bytes', `/srv/mounts/${'x/'.repeat(2042)}`, 'is longer than 4095 bytes'],
  ['a component of 256 bytes', `/srv/mounts/${'x'.repeat(256)}`, 'has a component of more than 255 bytes'],
]

describe('mountpoint', () => {
  test.each(PATHS)('%s', (_, mountpoint, why) => {
    const is = refused('mountpoint', why)
    expect(answered({ ...GOOD, mountpoint })).toBe(is)
    expect(answered({ op: 'detach', mountpoint, volume: 'vol-1', consumer: 'vm-1' })).toBe(is)
    expect(answered({ op: 'retry', mountpoint })).toBe(is)
    expect(answered({ op: 'forget', mountpoint, force: true })).toBe(is)
    expect(answered({ op: 'refuse-new', mountpoint })).toBe(is)
  })

  test.each(['/srv/mounts', '/srv/more'])('the root %s itself', (mountpoint) => {
    expect(answered({ ...GOOD, mountpoint })).toBe(refused('mountpoint', 'is a managed root itself'))
  })

  test.each(['/', '/srv', '/srv/elsewhere/a', '/srv/mountsx', '/etc/passwd'])('outside the roots: %s', (mountpoint) => {
    const is = `refused NotManaged ${mountpoint} roots /srv/mounts /srv/more`
    expect(answered({ ...GOOD, mountpoint })).toBe(is)
    expect(answered({ op: 'detach', mountpoint, volume: 'vol-1', consumer: 'vm-1' })).toBe(is)
  })

  test('above one that is in use', () => {
    expect(answered({ ...GOOD, mountpoint: '/srv/mounts/in' })).toBe(
      refused('mountpoint', '/srv/mounts/in is above /srv/mounts/in/use, which is in use'),
    )
  })

  test('below one that is in use', () => {
    expect(answered({ ...GOOD, mountpoint: '/srv/mounts/in/use/deep/down' })).toBe(
      refused('mountpoint', '/srv/mounts/in/use/deep/down is below /srv/mounts/in/use, which is in use'),
    )
  })
})

const filesystem = (type: string, source: string, options: AttachRequest['filesystem']['options'] = []): Request => ({
  ...GOOD,
  filesystem: { type, source, options },
})

const SETTINGS = {
  ...defaultSettings('/srv/mounts'),
  secrets: { directories: ['/etc/secret'], environment: ['LOGIN'] },
  types: {
    tmpfs: typeRule('tmpfs', ['*']),
    overlay: typeRule('overlay', ['overlay', '/layers/']),
    cifs: typeRule('cifs', ['*']),
  },
}

const overlay = (option: string) => ({ type: 'overlay', source: 'overlay', options: [option] })

const ALLOWED = 'allowed: tmpfs, nfs, bind, overlay'

describe('filesystem.type', () => {
  test.each<Row>([
    ...TEXTS,
    ['64 bytes', 'x'.repeat(64), 'is longer than 63 bytes'],
    ['64 bytes in 32 characters', 'é'.repeat(32), 'is longer than 63 bytes'],
    ['a leading dash', '-o', 'must not begin with -'],
    ['beginning with no', 'nonfs', 'must not begin with "no" (mount(8) reads that as an exclusion)'],
    ['not allowed', 'ext4', `ext4 is not an allowed type; ${ALLOWED}`],
    ['a list', 'tmpfs,nfs', `tmpfs,nfs is not an allowed type; ${ALLOWED}`],
    ['a word of the language', 'constructor', `constructor is not an allowed type; ${ALLOWED}`],
  ])('%s', (_, type, why) => {
    expect(answered(filesystem(type, 'scratch'))).toBe(refused('filesystem.type', why))
  })
})

describe('filesystem.source', () => {
  test.each<Row>([
    ...TEXTS,
    ['4,096 bytes', 'x'.repeat(4096), 'is longer than 4095 bytes'],
    ['a leading dash', '-o', 'must not begin with -'],
    ['a UUID', 'UUID=1234-5678', 'must be a device path, not a tag such as UUID= or LABEL='],
    ['a label', 'LABEL=data', 'must be a device path, not a tag such as UUID= or LABEL='],
    ['a partition by UUID', 'partuuid=1', 'must be a device path, not a tag such as UUID= or LABEL='],
    ['a partition by label', 'PARTLABEL=x', 'must be a device path, not a tag such as UUID= or LABEL='],
    ['an id', 'ID=x', 'must be a device path, not a tag such as UUID= or LABEL='],
  ])('%s', (_, source, why) => {
    expect(answered(filesystem('tmpfs', source))).toBe(refused('filesystem.source', why))
  })

  const nfs = 'is not allowed for type nfs; allowed: server:/export/, *.example:/home'
  test.each(['other:/export/a', 'server:/exports', 'server:/', 'x.example:/home/me'])(
    'not on the list: %s',
    (source) => {
      expect(answered(filesystem('nfs', source))).toBe(refused('filesystem.source', `${source} ${nfs}`))
    },
  )

  test('where none is allowed', () => {
    const none = { ...defaultSettings('/srv/mounts'), types: { bind: typeRule('bind', []) } }
    expect(checkFilesystem(none, { type: 'bind', source: '/exports', options: [] })).toEqual({
      _tag: 'Invalid',
      field: 'filesystem.source',
      why: '/exports is not allowed for type bind; none is allowed',
    })
  })

  test.each<Row>([
    ['relative', 'exports/a', 'is not absolute: it must begin with /'],
    ['..', '/exports/../etc', 'must not contain the component ..'],
    ['//', '/exports//a', 'must not contain //'],
    ['a trailing slash', '/exports/a/', 'must not end with /'],
    ['outside', '/etc', '/etc is not allowed for type bind; allowed: /exports/, /one'],
    ['beginning alike', '/exportsx', '/exportsx is not allowed for type bind; allowed: /exports/, /one'],
    ['below an exact one', '/one/two', '/one/two is not allowed for type bind; allowed: /exports/, /one'],
  ])('a path: %s', (_, source, why) => {
    expect(answered(filesystem('bind', source))).toBe(refused('filesystem.source', why))
  })
})

describe('filesystem.options', () => {
  test.each<Row>([
    ...TEXTS,
    ['4,096 bytes', `size=${'1'.repeat(4091)}`, 'is longer than 4095 bytes'],
    ['a comma', 'size=1m,suid', 'must not contain a comma; give each option separately'],
    ['not on the list', 'lowerdir=/x', 'lowerdir is not allowed for type tmpfs'],
    ['not on the list, and no value', '-o', '-o is not allowed for type tmpfs'],
    ['one that makes mount act elsewhere', 'x-mount.mkdir', 'x-mount.mkdir is not allowed for type tmpfs'],
    ['suid', 'suid', 'suid is refused by policy'],
    ['dev', 'dev', 'dev is refused by policy'],
    ['a flag with a value', 'nosuid=0', 'nosuid takes no value'],
    ['a flag with an empty value', 'ro=', 'ro takes no value'],
    ['a double quote', 'size="1m', 'must not contain a double quote (mount(8) would not see the next comma)'],
    ['a value of 256 bytes', `size=${'1'.repeat(256)}`, 'has a value of more than 255 bytes'],
    ['a second time', 'mode=755', 'mode is given twice; give it once'],
  ])('%s', (_, option, why) => {
    const body = filesystem('tmpfs', 'scratch', ['mode=700', option])
    expect(answered(body)).toBe(refused('filesystem.options[1]', why))
  })

  test.each([
    ['ro,rw', 'rw contradicts ro'],
    ['exec,noexec', 'noexec contradicts exec'],
    ['noatime,atime', 'atime contradicts noatime'],
    ['relatime,noatime', 'noatime contradicts relatime'],
  ])('contradict each other: %s', (list, why) => {
    expect(answered(filesystem('tmpfs', 'scratch', list.split(',')))).toBe(
      refused('filesystem.options[1]', `${why}; give one of them`),
    )
  })

  test('are at most 4,095 bytes with what is added, and the value of a path may be long', () => {
    const path = (bytes: number): string => `/layers/${'x/'.repeat((bytes - 9) / 2)}y`
    // lowerdir= and ,nosuid,nodev are 22 bytes.
    expect(checkFilesystem(SETTINGS, overlay(`lowerdir=${path(4073)}`))).toBeUndefined()
    expect(checkFilesystem(SETTINGS, overlay(`lowerdir=${path(4075)}`))).toEqual({
      _tag: 'Invalid',
      field: 'filesystem.options',
      why: 'are 4097 bytes with the defaults, more than 4095',
    })
  })

  test.each<Row>([
    ['a backslash', 'lowerdir=/layers/a\\b', 'must not contain a backslash (the kernel would drop it)'],
    [
      'a backslash that leads out',
      'upperdir=/layers/\\../etc',
      'must not contain a backslash (the kernel would drop it)',
    ],
    [
      'a backslash before a colon',
      'lowerdir=/layers/a\\:/b',
      'must not contain a backslash (the kernel would drop it)',
    ],
  ])('a path: %s', (_, option, why) => {
    expect(answered(filesystem('overlay', 'overlay', [option]))).toBe(refused('filesystem.options[0]', why))
  })

  test('a flag is no secret', () => {
    const body = filesystem('tmpfs', 'scratch', [{ name: 'nosuid', secretFile: '/etc/secret/a' }])
    expect(answered(body)).toBe(refused('filesystem.options[0]', 'nosuid cannot be a secret'))
  })

  test('more than 64', () => {
    const options = Array.from({ length: 65 }, () => 'rw')
    expect(answered(filesystem('tmpfs', 'scratch', options))).toBe(
      refused('filesystem.options', 'has more than 64 entries'),
    )
  })

  test.each<Row>([
    ['relative', 'lowerdir=layers/a', 'is not absolute: it must begin with /'],
    ['empty', 'workdir=', 'is empty'],
    ['outside', 'upperdir=/etc', '/etc is not an allowed path; allowed: overlay, /layers/'],
    ['the second of a list', 'lowerdir=/layers/a:/etc', '/etc is not an allowed path; allowed: overlay, /layers/'],
    ['..', 'lowerdir=/layers/../etc', 'must not contain the component ..'],
  ])('a path: %s', (_, option, why) => {
    expect(answered(filesystem('overlay', 'overlay', [option]))).toBe(refused('filesystem.options[0]', why))
  })

  test.each<Row>([
    ['relative', 'secret', 'is not absolute: it must begin with /'],
    ['..', '/etc/../secret', 'must not contain the component ..'],
    ['a newline', '/etc/a\n', 'has a control character at position 6'],
    ['outside', '/etc/shadow', 'is not below a secret directory; allowed: /etc/secret'],
    ['outside, and not there', '/etc/none', 'is not below a secret directory; allowed: /etc/secret'],
    ['the directory itself', '/etc/secret', 'is not below a secret directory; allowed: /etc/secret'],
    ['beside the directory', '/etc/secrets/a', 'is not below a secret directory; allowed: /etc/secret'],
  ])('the file of a secret: %s', (_, secretFile, why) => {
    const body = filesystem('tmpfs', 'scratch', [{ name: 'mode', secretFile }])
    expect(answered(body)).toBe(refused('filesystem.options[0].secretFile', why))
  })

  test('the variable of a secret', () => {
    const checked = (secretEnvironment: string, secrets?: Settings['secrets']): Invalid | undefined =>
      checkFilesystem(
        { ...SETTINGS, ...(secrets === undefined ? {} : { secrets }) },
        { type: 'cifs', source: '//h/s', options: [{ name: 'credentials', secretEnvironment }] },
      )
    const why = 'is not a variable for secrets; allowed: LOGIN'
    expect(checked('LOGIN')).toBeUndefined()
    expect(checked('PATH')).toEqual({ _tag: 'Invalid', field: 'filesystem.options[0].secretEnvironment', why })
    expect(checked('LOGIN', { directories: [], environment: [] })?.why).toBe(
      'is not a variable for secrets; none is allowed',
    )
  })

  test('the name of a secret has no value', () => {
    const named = (name: string) => filesystem('tmpfs', 'scratch', [{ name, secretFile: '/etc/secret/a' }])
    const refusal = refused('filesystem.options[0]', 'must not have = in the name of a secret')
    expect(answered(named('password=hunter2'))).toBe(refusal)
    expect(answered(named('mode=755'))).toBe(refusal)
  })

  test('there is one secret at most, for a helper has one standard input', () => {
    const types = { cifs: typeRule('cifs', ['//nas/share'], namedOptions('cifs', ['PASSWD'])) }
    const secretFile = '/etc/secret/a'
    const options = [{ name: 'credentials', secretFile }, 'seal', { name: 'PASSWD', secretFile }]
    const checked = (some: typeof options) =>
      checkFilesystem({ ...SETTINGS, types }, { type: 'cifs', source: '//nas/share', options: some })
    expect(checked(options.slice(0, 2))).toBeUndefined()
    expect(checked(options)).toEqual({
      _tag: 'Invalid',
      field: 'filesystem.options[2]',
      why: 'is a second secret; only one is possible',
    })
  })

  test('without settings for secrets there are none', () => {
    const { secrets: _, ...settings } = SETTINGS
    const checked = (option: SecretOption) =>
      checkFilesystem(settings, { type: 'tmpfs', source: 'scratch', options: [option] })?.why
    expect(checked({ name: 'mode', secretFile: '/etc/secret/a' })).toBe(
      'is not below a secret directory; none is allowed',
    )
    expect(checked({ name: 'mode', secretEnvironment: 'LOGIN' })).toBe('is not a variable for secrets; none is allowed')
  })

  test('a path is no secret', () => {
    const body = filesystem('overlay', 'overlay', [{ name: 'lowerdir', secretFile: '/etc/secret/a' }])
    expect(answered(body)).toBe(refused('filesystem.options[0]', 'lowerdir names paths and cannot be a secret'))
  })

  test('the name of a secret', () => {
    const option = (name: string): Request => filesystem('tmpfs', 'scratch', [{ name, secretFile: '/etc/secret/a' }])
    expect(answered(option('a,b'))).toBe(
      refused('filesystem.options[0]', 'must not contain a comma; give each option separately'),
    )
    expect(answered(option('password'))).toBe(
      refused('filesystem.options[0]', 'password is not allowed for type tmpfs'),
    )
  })
})

test.each(NAMES)('the consumer of a release, the server of maintenance: %s', (_, value, why) => {
  expect(answered({ op: 'release', consumer: value })).toBe(refused('consumer', why))
  expect(answered({ op: 'refuse-new', server: value })).toBe(refused('server', why))
})

describe('what is kept of a request', () => {
  const withOptions = (options: readonly string[], bytesPerRecord?: number) => {
    const story = newStory()
    perform(story, 'settings roots=/srv/mounts')
    perform(story, 'auto quiet')
    perform(story, 'up')
    const host = hostOf(story)
    const { bytesPerRecord: _, ...limits } = host.settings.limits
    const settings = { ...host.settings, limits: bytesPerRecord === undefined ? limits : { ...limits, bytesPerRecord } }
    const filesystem = { type: 'tmpfs', source: 'ä', options }
    const input: Input = { _tag: 'Requested', at: 1, request: requestId(99), body: { ...GOOD, filesystem } }
    const [answer] = decide({ ...host, settings }, input).then.answers
    return answer === undefined || answer.ok ? undefined : answer.error
  }
  // Mountpoint 13, type 5, source 2 bytes.
  const long = ['x-a=ö', `x-b=${'b'.repeat(80)}`]

  test('is bounded, options that are passed to no helper among it', () => {
    expect(withOptions(long, 13 + 5 + 2 + 6 + 84)).toBeUndefined()
    expect(withOptions(long, 13 + 5 + 2 + 6 + 83)).toEqual({
      _tag: 'Invalid',
      field: 'filesystem',
      why: 'takes 110 bytes with its mountpoint, more than 109 (limits.bytesPerRecord)',
    })
    // A trace of a time without this limit.
    expect(withOptions(long)).toBeUndefined()
  })
})
