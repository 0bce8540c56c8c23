// The lists of root as text: what is no list of this kind is refused at the start by name, and not at the first mount as a defect.

import { typeRule } from '@mountkeeper/types'
import { describe, expect, test } from 'vitest'
import { parseLists } from '../src/lists.js'

const RULE = typeRule('nfs', ['*.corp.example:/export/*'])
const LISTS = { format: 1, roots: ['/srv/mounts'], suid: false, dev: false, types: { nfs: RULE } }

test('what doctor writes is read', () => {
  expect(parseLists(JSON.stringify(LISTS))).toEqual(LISTS)
})

test('limits are read where there are some', () => {
  const limited = { ...LISTS, limits: { mounts: 10, memoryBytes: 0 } }
  expect(parseLists(JSON.stringify(limited))).toEqual(limited)
})

test.each<[string, unknown]>([
  ['a number is missing', { mounts: 1 }],
  ['there is one more', { mounts: 1, memoryBytes: 1, files: 1 }],
  ['a number is negative', { mounts: -1, memoryBytes: 1 }],
  ['a number is a text', { mounts: 1, memoryBytes: '1g' }],
  ['a number is not whole', { mounts: 1.5, memoryBytes: 1 }],
  ['they are a list', [1, 1]],
  ['they are null', null],
])('limits are refused where %s', (_, limits) => {
  expect(() => parseLists(JSON.stringify({ ...LISTS, limits }))).toThrow('limits has to have mounts and memoryBytes')
})

describe('is refused by its name', () => {
  const { form: _form, ...formless } = RULE
  test.each<[string, object]>([
    ['an option with no grammar', { ...RULE, options: { port: null } }],
    ['an option with a grammar that is none', { ...RULE, options: { port: { _tag: 'Anything' } } }],
    ['a bound that is no number', { ...RULE, options: { port: { _tag: 'Number', reader: 'number', least: 0 } } }],
    ['a form that is none', { ...RULE, form: 'mine' }],
    ['neither a form nor a server', { ...formless, server: 'mine' }],
    ['patterns that are no list', { ...RULE, sources: '*' }],
  ])('%s', (_, rule) => {
    expect(() => parseLists(JSON.stringify({ ...LISTS, types: { nfs: rule } }))).toThrow('type nfs cannot be used')
  })
})
