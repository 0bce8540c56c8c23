// That the program can be read in one sitting, and needs nothing but Node: what a person checks who is to trust it.

import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../src', import.meta.url))
const sources = readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`, 'utf8'))

const isCode = (line: string): boolean => line.trim() !== '' && !/^\s*(?:\/\/|\/?\*)/.test(line)

test('its sources have at most 770 lines of code', () => {
  expect(sources.flatMap((text) => text.split('\n').filter(isCode)).length).toBeLessThanOrEqual(770)
})

test('it imports the table of types, and modules of Node that start, read and make, and no other', () => {
  const imported = sources.flatMap((text) => [...text.matchAll(/from '([^.'][^']*)'/g)].map(([, name = '']) => name))
  expect([...new Set(imported)].sort()).toEqual(['@mountkeeper/types', 'node:child_process', 'node:fs', 'node:url'])
  const manifest = JSON.parse(readFileSync(`${folder}/../package.json`, 'utf8')) as Record<string, object>
  expect(Object.keys(manifest['dependencies'] ?? {})).toEqual(['@mountkeeper/types'])
})

test('no shell is started, and no program but mount and umount', () => {
  const text = sources.join('\n')
  expect(text.match(/import .* from 'node:child_process'/g)).toEqual([`import { spawn } from 'node:child_process'`])
  expect(text).not.toMatch(/shell:/)
  expect([...text.matchAll(/runCommand\(id, \['([a-z]+)'/g)].map(([, name]) => name).sort()).toEqual([
    'mount',
    'umount',
  ])
})
