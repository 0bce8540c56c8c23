// The README shows the table of filesystem types as it is; `UPDATE_TRANSCRIPTS=1` rewrites it.

import { readFileSync, writeFileSync } from 'node:fs'
import { KNOWN_TYPES } from '@mountkeeper/types'
import { expect, test } from 'vitest'
import { TYPE_NOTES, typeTable } from './type-table.js'

const README = new URL('../README.md', import.meta.url)
const BEGIN = '<!-- types: written by test/type-table.test.ts -->'
const END = '<!-- end of types -->'

test('the README shows the table of types', () => {
  const text = readFileSync(README, 'utf8')
  const [before, rest = ''] = text.split(BEGIN)
  const [, after] = rest.split(END)
  const written = `${before}${BEGIN}\n\n${typeTable()}\n\n${END}${after}`
  if (process.env['UPDATE_TRANSCRIPTS'] !== undefined) writeFileSync(README, written)
  else expect(text).toBe(written)
})

test('every known type is mounted for real, but NFS, CIFS and ceph, whose helpers are traced', () => {
  expect(Object.keys(TYPE_NOTES).sort()).toEqual(Object.keys(KNOWN_TYPES).sort())
  const traced = Object.entries(TYPE_NOTES).flatMap(([type, { test: file }]) => (file === 'types-traced' ? [type] : []))
  expect(traced.sort()).toEqual(['ceph', 'cifs', 'nfs', 'nfs4'])
})

test.each(Object.entries(TYPE_NOTES))('%s is tried where the table says', (type, { test: file }) => {
  const text = readFileSync(new URL(`../test-host/${file}.test.ts`, import.meta.url), 'utf8')
  expect(text).toMatch(new RegExp(`type: '${type}'|asked\\('${type}'\\)|typeRule\\('${type}'`))
})
