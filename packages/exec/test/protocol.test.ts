// Lines of the manager: exactly the keys of their kind, each of its type; anything else is refused without being used.

import { describe, expect, test } from 'vitest'
import { readLine } from '../src/protocol.js'

const MOUNT = { do: 'mount', id: 1, mountpoint: '/srv/a', options: ['size=1m'], source: 'x', type: 'tmpfs' }

describe('is read', () => {
  test.each([
    MOUNT,
    { ...MOUNT, secret: { name: 'credentials', value: 'YQ==' } },
    { do: 'make-directory', id: 0, mountpoint: '/srv/a' },
    { do: 'remove-directory', id: 2, mountpoint: '/srv/a' },
    { do: 'unmount', id: 3, mountpoint: '/srv/a', how: 'lazy' },
    { do: 'end', id: 4, of: 3 },
  ])('%j', (line) => {
    expect(readLine(JSON.stringify(line))).toEqual(line)
  })
})

describe('is refused', () => {
  test.each<[unknown, number | null, string]>([
    ['{', null, 'the line is not JSON'],
    ['', null, 'the line is not JSON'],
    [null, null, 'not an object'],
    [[MOUNT], null, 'not an object'],
    ['text', null, 'the line is not JSON'],
    [{}, null, 'no such change'],
    [{ id: 5 }, 5, 'no such change'],
    [{ ...MOUNT, do: 'constructor' }, 1, 'no such change'],
    [{ ...MOUNT, do: ['mount'] }, 1, 'no such change'],
    [{ ...MOUNT, id: -1 }, null, 'id is not what it has to be'],
    [{ ...MOUNT, id: 1.5 }, null, 'id is not what it has to be'],
    [{ ...MOUNT, id: '1' }, null, 'id is not what it has to be'],
    [{ ...MOUNT, mountpoint: 7 }, 1, 'mountpoint is not what it has to be'],
    [{ ...MOUNT, options: [7] }, 1, 'options is not what it has to be'],
    [{ ...MOUNT, options: Array.from({ length: 65 }, () => 'ro') }, 1, 'options is not what it has to be'],
    [{ ...MOUNT, secret: 'YQ==' }, 1, 'secret is not what it has to be'],
    [{ ...MOUNT, secret: null }, 1, 'secret is not what it has to be'],
    [{ ...MOUNT, secret: { name: 'credentials' } }, 1, 'secret is not what it has to be'],
    [{ ...MOUNT, secret: { name: 'credentials', value: 7 } }, 1, 'secret is not what it has to be'],
    [
      { ...MOUNT, secret: { name: 'credentials', value: '', file: '/etc/shadow' } },
      1,
      'secret is not what it has to be',
    ],
    [
      { do: 'unmount', id: 1, mountpoint: '/srv/a', how: 'plain', secret: { name: 'a', value: '' } },
      1,
      'unmount has the keys do, how, id, mountpoint',
    ],
    [{ ...MOUNT, vector: [] }, 1, 'mount has the keys do, id, mountpoint, options, source, type'],
    [{ do: 'unmount', id: 1, mountpoint: '/srv/a', how: 'recursive' }, 1, 'how is not what it has to be'],
    [{ do: 'unmount', id: 1, mountpoint: '/srv/a' }, 1, 'unmount has the keys do, how, id, mountpoint'],
    [{ do: 'end', id: 1, of: -3 }, 1, 'of is not what it has to be'],
  ])('%j', (line, id, why) => {
    expect(readLine(typeof line === 'string' ? line : JSON.stringify(line))).toEqual({ id, why })
  })

  test('a key of the prototype', () => {
    const text = `{"__proto__":{"do":"mount"},"id":1,"mountpoint":"/srv/a"}`
    expect(readLine(text)).toEqual({ id: 1, why: 'no such change' })
  })
})
