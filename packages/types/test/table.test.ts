// The README shows the table as it is; `UPDATE_TRANSCRIPTS=1` rewrites it. Each entry says why.

import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { TypeEntry } from '../src/index.js'
import { GENERAL_FLAGS, GENERAL_NEVER, KNOWN_TYPES, expectedBy } from '../src/index.js'

const README = new URL('../README.md', import.meta.url)
const BEGIN = '<!-- table: written by test/table.test.ts -->'
const END = '<!-- end of table -->'

const FORMS: Readonly<Record<TypeEntry['form'], string>> = {
  path: 'a path of this host',
  'fuse-path': 'a path of this host, without comma and backslash',
  label: 'a name that is only shown',
  nfs: '`host:/path`, `host,other:/path`, `[v6]:/path`: cut at the first colon',
  sshfs: '`host:path`, `user@host:path`, `user@[v6]:path`: cut at the first colon',
  glusterfs: '`host:/volume`, `host,other:/volume`: cut at the last colon; or the path of a volume file',
  unc: '`//host/share/path`, without backslash and comma',
  ceph: '`mon:6789,other:/path`, `user@fsid.name=/path`',
  opaque: 'any text without backslash and comma',
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** Options that share grammar, reason and default stand in one row. */
const grouped = <A>(
  all: Readonly<Record<string, A>>,
  keyOf: (each: A) => string,
): readonly (readonly [string, A])[] => {
  const groups = new Map<string, { names: string[]; one: A }>()
  for (const [name, one] of Object.entries(all)) {
    const group = groups.get(keyOf(one)) ?? { names: [], one }
    group.names.push(`\`${name}\``)
    groups.set(keyOf(one), group)
  }
  return [...groups.values()].map(({ names, one }) => [names.join(' '), one])
}

const reasons = (never: Readonly<Record<string, string>>): readonly string[] =>
  grouped(never, (reason) => reason).map(([names, reason]) => `| ${names} | never | | ${cell(reason)} |`)

const aliasText = ({ aliases }: TypeEntry): readonly string[] => {
  const all = Object.entries(aliases).map(([other, name]) => `\`${other}\` is \`${name}\``)
  return all.length === 0 ? [] : [`Other names: ${all.join(', ')}.`, '']
}

const section = (types: readonly string[], known: TypeEntry): string => {
  const rows = grouped(known.options, (one) => JSON.stringify(one)).map(
    ([names, { grammar, isDefault, reason }]) =>
      `| ${names} | ${isDefault ? 'yes' : 'by name'} | ${cell(expectedBy(grammar))} | ${cell(reason)} |`,
  )
  const never = reasons(known.never)
  const table =
    rows.length + never.length === 0
      ? ['No options but those of every type.']
      : ['| option | allowed | value | reason |', '| --- | --- | --- | --- |', ...rows, ...never]
  return [
    `### ${types.map((type) => `\`${type}\``).join(', ')}`,
    '',
    `Source: ${FORMS[known.form]}.`,
    '',
    ...aliasText(known),
    ...table,
  ].join('\n')
}

const sections = (): readonly string[] =>
  grouped(KNOWN_TYPES, (known) => JSON.stringify(known)).map(([names, known]) =>
    section(
      names.split(' ').map((name) => name.replaceAll('`', '')),
      known,
    ),
  )

const general = (): string =>
  [
    '### Every type',
    '',
    '| option | allowed | value | reason |',
    '| --- | --- | --- | --- |',
    ...grouped(GENERAL_FLAGS, (reason) => reason).map(
      ([names, reason]) => `| ${names} | yes | no value | ${cell(reason)} |`,
    ),
    '| `x-*` | yes | any text | is for others, and is not passed on; `x-mount.*` and `X-*` are refused |',
    ...reasons(GENERAL_NEVER),
  ].join('\n')

test('the README shows the table', () => {
  const text = readFileSync(README, 'utf8')
  const [before, rest = ''] = text.split(BEGIN)
  const [, after] = rest.split(END)
  const written = `${before}${BEGIN}\n\n${[general(), ...sections()].join('\n\n')}\n\n${END}${after}`
  if (process.env['UPDATE_TRANSCRIPTS'] !== undefined) writeFileSync(README, written)
  else expect(text).toBe(written)
})

test('each entry says why', () => {
  for (const known of Object.values(KNOWN_TYPES)) {
    const all = [...Object.values(known.options).map(({ reason }) => reason), ...Object.values(known.never)]
    for (const reason of all) expect(reason.length).toBeGreaterThan(7)
  }
})

test('no option that names a file, a host, a user or a program is allowed by default, but overlay’s directories', () => {
  const open = Object.entries(KNOWN_TYPES).flatMap(([type, { options }]) =>
    Object.entries(options)
      .filter(([, { grammar, isDefault }]) => isDefault && ['Path', 'Host', 'Text'].includes(grammar._tag))
      .map(([name]) => `${type} ${name}`),
  )
  expect(open).toEqual(['overlay lowerdir', 'overlay upperdir', 'overlay workdir'])
})

test('no option is both in the table and refused for ever', () => {
  for (const [type, { options, never, aliases }] of Object.entries(KNOWN_TYPES)) {
    for (const name of Object.keys(options)) {
      expect(Object.hasOwn(never, name), `${type} ${name}`).toBe(false)
      expect(Object.hasOwn(aliases, name), `${type} ${name}`).toBe(false)
    }
  }
})
