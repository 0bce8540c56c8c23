// docs/configuration.md is made of the table of keys; UPDATE_REFERENCE=1 writes it again.

import { readFileSync, writeFileSync } from 'node:fs'
import { CONFIGURATION_KEYS } from '@mountkeeper/codec'
import { expect, test } from 'vitest'

const cell = (text: string): string => text.replaceAll('|', '\\|')
const code = (text: string): string => `\`${cell(text)}\``

const reference = (): string => {
  const rows = CONFIGURATION_KEYS.map(({ key, expected, default: value, meaning }) => {
    const usual = value === undefined ? '' : code(JSON.stringify(value))
    return `| ${code(key)} | ${cell(expected)} | ${usual} | ${cell(meaning)} |`
  })
  return [
    '# Configuration',
    '',
    'One JSON object: the file of `--config`, and the value of `configuration` of `openMountkeeper`. Every key may be left out, and an unknown one is',
    'refused. `mountkeeper help config` prints the same table.',
    '',
    '| key | value | default | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

test('the reference of the configuration has every key with its default and meaning', () => {
  const file = new URL('../docs/configuration.md', import.meta.url)
  if (process.env['UPDATE_REFERENCE'] === '1') writeFileSync(file, reference())
  expect(readFileSync(file, 'utf8')).toBe(reference())
})
