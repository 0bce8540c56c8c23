// A secret for a helper: only for an option that the lists have as one, in memory, without a name, read once by no other process.

import { closeSync, fstatSync, readFileSync, readdirSync, writeSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Grammar } from '@mountkeeper/types'
import { giveSecret, secretText } from '../src/secret.js'

const by = (way: 'credentials-file' | 'secret-file' | 'stdin' | 'environment'): Grammar => ({ _tag: 'Secret', by: way })

test.each([
  ['credentials-file', ['login=/proc/self/fd/0']],
  ['secret-file', ['login=/proc/self/fd/0']],
  ['stdin', ['login_stdin']],
  ['environment', []],
] as const)('what stands among the options for %s', (way, text) => {
  expect(secretText('login', by(way))).toEqual(text)
})

test.each<[string, Grammar | undefined]>([
  ['an option that is not in the lists', undefined],
  ['a flag', { _tag: 'Flag' }],
  ['a path', { _tag: 'Path', below: ['/etc'], list: false }],
  ['any text', { _tag: 'Text' }],
])('%s is refused as a secret', (_, grammar) => {
  expect(() => secretText('login', grammar)).toThrow('the secret is for an option that the lists have as none')
})

test('it is a file without a name, of mode 0600, that can only be read', () => {
  const { stdin = -1, environment } = giveSecret('login', by('stdin'), Buffer.from('planted'))
  expect(environment).toBeUndefined()
  const stat = fstatSync(stdin)
  expect([stat.nlink, stat.mode & 0o7777]).toEqual([0, 0o600])
  expect(readFileSync(`/proc/self/fd/${stdin}`, 'utf8')).toBe('planted')
  expect(() => writeSync(stdin, 'x')).toThrow('EBADF')
  closeSync(stdin)
})

test('a variable opens nothing', () => {
  const before = readdirSync('/proc/self/fd').length
  expect(giveSecret('LOGIN', by('environment'), Buffer.from('planted'))).toEqual({ environment: { LOGIN: 'planted' } })
  expect(readdirSync('/proc/self/fd')).toHaveLength(before)
})

test.each([
  ['empty', ''],
  ['cut by a NUL', 'a\0b'],
])('%s it is refused', (_, value) => {
  const before = readdirSync('/proc/self/fd').length
  expect(() => giveSecret('login', by('stdin'), Buffer.from(value))).toThrow('the secret is empty, or has a NUL in it')
  expect(readdirSync('/proc/self/fd')).toHaveLength(before)
})
