import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import {
  decode,
  decodeErrorText,
  decodeRequestLine,
  encodeUnreadable,
  invalidOf,
  isBlankLine,
  lineErrorText,
  requestOrPlanCodec,
} from '../src/index.js'

const ATTACH = {
  op: 'attach',
  id: '1',
  deadlineMs: 1000,
  mountpoint: '/srv/mounts/a',
  filesystem: { type: 'tmpfs', source: 'tmpfs', options: ['size=1m', { name: 'password', secretFile: '/run/secret' }] },
  volume: 'vol-1',
  consumer: 'vm-1',
}

const faultsOf = (value: unknown): readonly string[] => {
  const decoded = decode(requestOrPlanCodec, value)
  return E.isRight(decoded) ? [] : decoded.left.map(decodeErrorText)
}

/** A value with one field, given by its path, replaced or (by `undefined`) left out. */
const having = (path: string, value: unknown, base: object): unknown => {
  const [key = '', ...rest] = path.split('.')
  const attributes = base as Record<string, unknown>
  const inner = rest.length === 0 ? value : having(rest.join('.'), value, attributes[key] as object)
  if (Array.isArray(base)) return (base as unknown[]).map((item, index) => (String(index) === key ? inner : item))
  return Object.fromEntries(Object.entries({ ...attributes, [key]: inner }).filter(([, part]) => part !== undefined))
}

const LOST = undefined
const OPS =
  '"attach", "detach", "release", "cancel", "host-up", "host-down", "status", "reconcile", "retry", "forget", "refuse-new", "allow-new"'

// A plan holds no plans.
const PLANNED = OPS.replace(/, ("allow-new")$/, ' or $1')

describe('an attach', () => {
  test('is read as it is', () => {
    expect(faultsOf(ATTACH)).toEqual([])
  })

  test.each([
    ['op', LOST, `op: missing; expected ${OPS} or "plan"`],
    ['op', 3, `op: expected ${OPS} or "plan", got 3`],
    ['op', 'atach', `op: expected ${OPS} or "plan", got "atach"; did you mean "attach"?`],
    ['op', 'ATTACH', `op: expected ${OPS} or "plan", got "ATTACH"; did you mean "attach"?`],
    ['op', 'constructor', `op: expected ${OPS} or "plan", got "constructor"`],
    ['id', 7, 'id: expected a string, got 7'],
    ['id', null, 'id: expected a string, got null'],
    ['deadlineMs', '1000', 'deadlineMs: expected a whole number of ms from 1 to 86,400,000, got "1000"'],
    ['deadlineMs', 0, 'deadlineMs: expected a whole number of ms from 1 to 86,400,000, got 0'],
    ['deadlineMs', 86_400_001, 'deadlineMs: expected a whole number of ms from 1 to 86,400,000, got 86400001'],
    ['deadlineMs', 1.5, 'deadlineMs: expected a whole number of ms from 1 to 86,400,000, got 1.5'],
    ['mountpoint', LOST, 'mountpoint: missing; expected a string'],
    ['mountpoint', ['/srv'], 'mountpoint: expected a string, got a list of 1'],
    ['filesystem', LOST, 'filesystem: missing; expected an object with type, source and options'],
    ['filesystem', 'tmpfs', 'filesystem: expected an object with type, source and options, got "tmpfs"'],
    ['filesystem', [], 'filesystem: expected an object with type, source and options, got an empty list'],
    ['filesystem.type', LOST, 'filesystem.type: missing; expected a string'],
    ['filesystem.type', true, 'filesystem.type: expected a string, got true'],
    ['filesystem.source', LOST, 'filesystem.source: missing; expected a string'],
    ['filesystem.source', { password: 'hunter2' }, 'filesystem.source: expected a string, got an object'],
    ['filesystem.options', LOST, 'filesystem.options: missing; expected a list'],
    ['filesystem.options', 'size=1m', 'filesystem.options: expected a list, got "size=1m"'],
    [
      'filesystem.options.0',
      3,
      'filesystem.options[0]: expected a string, { name, secretFile } or { name, secretEnvironment }, got 3',
    ],
    [
      'filesystem.options.0',
      null,
      'filesystem.options[0]: expected a string, { name, secretFile } or { name, secretEnvironment }, got null',
    ],
    ['filesystem.options.1.name', LOST, 'filesystem.options[1].name: missing; expected a string'],
    ['filesystem.options.1.secretFile', LOST, 'filesystem.options[1].secretFile: missing; expected a string'],
    ['filesystem.options.1.secretFile', 1, 'filesystem.options[1].secretFile: expected a string, got 1'],
    ['filesystem.options.1.secretEnvironment', 'X', 'filesystem.options[1].secretFile: unknown key'],
    [
      'filesystem.options.1',
      { name: 'n', secretEnvironment: 1 },
      'filesystem.options[1].secretEnvironment: expected a string, got 1',
    ],
    ['filesystem.options.1.value', 'hunter2', 'filesystem.options[1].value: unknown key'],
    ['filesystem.flags', [], 'filesystem.flags: unknown key'],
    ['volume', LOST, 'volume: missing; expected a string'],
    ['volume', 1, 'volume: expected a string, got 1'],
    ['consumer', LOST, 'consumer: missing; expected a string'],
    ['consumer', {}, 'consumer: expected a string, got an object'],
    ['readonly', true, 'readonly: unknown key'],
    ['deadlinems', 5, 'deadlinems: unknown key; did you mean "deadlineMs"?'],
    ['deadline', 5, 'deadline: unknown key; did you mean "deadlineMs"?'],
    ['a b', 5, '["a b"]: unknown key'],
    ['x\u0000\u202Ey', 5, '["x\\u0000\\u202ey"]: unknown key'],
    ['k'.repeat(100), 5, `["${'k'.repeat(60)}…"]: unknown key`],
  ])('with %s = %j', (path, value, message) => {
    expect(faultsOf(having(path, value, ATTACH))).toEqual([message])
  })

  test('with a password has it masked, wherever it is shown or recorded afterwards', () => {
    const filesystem = {
      type: 'cifs',
      source: '//bob:hunter2@nas/share',
      options: [
        'password=hunter2',
        { name: 'key=hunter2', secretFile: 'hunter2' },
        { name: 'credentials', secretEnvironment: 'hunter-2' },
        { name: 'credentials', secretFile: '/etc/secrets/a' },
        { name: 'credentials', secretEnvironment: 'LOGIN' },
      ],
    }
    expect(decode(requestOrPlanCodec, { ...ATTACH, filesystem })).toMatchObject({
      right: {
        filesystem: {
          source: '//bob:***@nas/share',
          options: [
            'password=***',
            { name: 'key=***', secretFile: '***' },
            { name: 'credentials', secretEnvironment: '***' },
            ...filesystem.options.slice(3),
          ],
        },
      },
    })
  })

  test('with a misspelt key is one fault, not two', () => {
    const { filesystem, ...others } = ATTACH
    expect(faultsOf({ ...others, filesytem: filesystem })).toEqual([
      'filesytem: unknown key; did you mean "filesystem"?',
    ])
    const { options, ...rest } = filesystem
    expect(faultsOf({ ...ATTACH, filesystem: { ...rest, optoins: options } })).toEqual([
      'filesystem.optoins: unknown key; did you mean "options"?',
    ])
  })

  test('with a key that every object inherits', () => {
    expect(faultsOf(JSON.parse('{"op":"status","__proto__":{"id":"1"}}'))).toEqual(['__proto__: unknown key'])
    expect(faultsOf(JSON.parse('{"op":"status","constructor":1}'))).toEqual(['constructor: unknown key'])
  })

  test('has all its faults reported, fields in their order and unknown keys last', () => {
    expect(faultsOf({ op: 'attach', zzz: 1, consumer: 1, filesystem: { type: 1, options: [1, 'a', 2] } })).toEqual([
      'mountpoint: missing; expected a string',
      'filesystem.type: expected a string, got 1',
      'filesystem.source: missing; expected a string',
      'filesystem.options[0]: expected a string, { name, secretFile } or { name, secretEnvironment }, got 1',
      'filesystem.options[2]: expected a string, { name, secretFile } or { name, secretEnvironment }, got 2',
      'volume: missing; expected a string',
      'consumer: expected a string, got 1',
      'zzz: unknown key',
    ])
  })
})

describe('the other requests', () => {
  test.each([
    [{ op: 'detach', mountpoint: '/a', volume: 'v', consumer: 'c' }, []],
    [
      { op: 'detach' },
      [
        'mountpoint: missing; expected a string',
        'volume: missing; expected a string',
        'consumer: missing; expected a string',
      ],
    ],
    [{ op: 'detach', mountpoint: '/a', volume: 'v', consumer: 'c', filesystem: {} }, ['filesystem: unknown key']],
    [{ op: 'release', consumer: 'c' }, []],
    [{ op: 'release' }, ['consumer: missing; expected a string']],
    [{ op: 'cancel', target: '1' }, []],
    [{ op: 'cancel', target: 1 }, ['target: expected a string, got 1']],
    [{ op: 'host-up', deadlineMs: 1 }, []],
    [{ op: 'host-up', apply: true }, ['apply: unknown key']],
    [{ op: 'host-down' }, []],
    [{ op: 'status', id: 's' }, []],
    [{ op: 'reconcile', apply: false }, []],
    [{ op: 'reconcile' }, ['apply: missing; expected true or false']],
    [{ op: 'reconcile', apply: 'no' }, ['apply: expected true or false, got "no"']],
    [{ op: 'retry', mountpoint: '/a' }, []],
    [{ op: 'retry' }, ['mountpoint: missing; expected a string']],
    [{ op: 'forget', mountpoint: '/a', force: true }, []],
    [{ op: 'forget', mountpoint: '/a' }, ['force: missing; expected true or false']],
    [{ op: 'refuse-new', server: 'nfs1' }, []],
    [{ op: 'refuse-new', mountpoint: '/a' }, []],
    [{ op: 'refuse-new' }, ['mountpoint: missing; expected a string (or server in its place)']],
    [{ op: 'refuse-new', server: 1 }, ['server: expected a string, got 1']],
    [{ op: 'allow-new', server: 'n', mountpoint: '/a' }, ['mountpoint: expected nothing beside server, got "/a"']],
    [{ op: 'plan', id: 'p', requests: [{ op: 'status' }] }, []],
    [{ op: 'plan' }, ['requests: missing; expected a list']],
    [{ op: 'plan', requests: [{ op: 'retry' }] }, ['requests[0].mountpoint: missing; expected a string']],
    [{ op: 'plan', requests: [{ op: 'plan', requests: [] }] }, [`requests[0].op: expected ${PLANNED}, got "plan"`]],
    [{ op: 'plan', requests: [], deadlineMs: 1 }, ['deadlineMs: unknown key']],
    [[], ['expected a request: an object with op, got an empty list']],
    ['attach', ['expected a request: an object with op, got "attach"']],
    [undefined, ['missing; expected a request: an object with op']],
  ])('%j', (value, messages) => {
    expect(faultsOf(value)).toEqual(messages)
  })
})

describe('a line', () => {
  const fault = (line: string): string => {
    const read = decodeRequestLine(line)
    return E.isRight(read) ? 'read' : lineErrorText(read.left)
  }
  const line = '{"op":"status"}'

  test.each([
    [line, 'read'],
    [`\uFEFF${line}\r\n`, 'read'],
    [`  ${line}\t\r`, 'read'],
    ['', 'not JSON at character 1: expected a value, got the end'],
    ['# attach', 'not JSON at character 1: expected a value, got "#"'],
    [`${line}${line}`, 'not JSON at character 16: expected nothing more, got "{"'],
    ['{"op":"status","op":"host-down"}', 'not JSON at character 16: the key "op" is here a second time'],
    [`{"op":"status","id":"${'é'.repeat(32_756)}"}`, 'read'],
    [`{"op":"status","id":"${'é'.repeat(32_757)}"}`, 'longer than 65,536 bytes'],
    [`${' '.repeat(65_521)}${line}`, 'read'],
    [`${' '.repeat(65_521)}${line}\r\n`, 'read'],
    [`${' '.repeat(65_522)}${line}`, 'longer than 65,536 bytes'],
    [
      '{"op":"reconcile","deadlineMs":0}',
      'deadlineMs: expected a whole number of ms from 1 to 86,400,000, got 0 (and 1 more)',
    ],
  ])('%.40s', (given, text) => {
    expect(fault(given)).toBe(text)
  })

  test('without anything to read is known as such', () => {
    expect(['', ' \t\r\n', '\uFEFF', '\uFEFF\r'].map(isBlankLine)).toEqual([true, true, true, true])
    expect(['x', '{}', '\u00a0'].map(isBlankLine)).toEqual([false, false, false])
  })

  test.each([
    [
      'nonsense',
      '{"ok":false,"line":7,"error":{"_tag":"Invalid","field":"line","why":"not JSON at character 1: expected a value, got \\"n\\""}}',
    ],
    [
      '[1]',
      '{"ok":false,"line":7,"error":{"_tag":"Invalid","field":"line","why":"expected a request: an object with op, got a list of 1"}}',
    ],
    [
      '{"op":"retry"}',
      '{"ok":false,"line":7,"error":{"_tag":"Invalid","field":"mountpoint","why":"missing; expected a string"}}',
    ],
    [
      '{"op":"retry","id":"9"}',
      '{"id":"9","ok":false,"line":7,"error":{"_tag":"Invalid","field":"mountpoint","why":"missing; expected a string"}}',
    ],
    [
      '{"op":"retry","id":9,"mountpoint":"/a"}',
      '{"ok":false,"line":7,"error":{"_tag":"Invalid","field":"id","why":"expected a string, got 9"}}',
    ],
    [
      '{"op":"detach","id":"9"}',
      '{"id":"9","ok":false,"line":7,"error":{"_tag":"Invalid","field":"mountpoint","why":"missing; expected a string (and 2 more)"}}',
    ],
  ])('that cannot be read is answered: %s', (given, answer) => {
    const read = decodeRequestLine(given)
    expect(E.isLeft(read) && encodeUnreadable(7, read.left)).toBe(answer)
    expect(E.isLeft(read) && invalidOf(read.left)._tag).toBe('Invalid')
  })
})
