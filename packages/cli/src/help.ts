// The layout of `--help`: usage, what it does, a column of options that wraps, notes, examples.

import type { HelpFormatter } from 'cmd-ts'
import { FAULT_WORDS } from './faults.js'

const WIDTH = 100
const INDENT = 2
/** A usage longer than this has its description on the next line. */
const USAGE_MAX = 24

/** Breaks a text at blanks. A word that is too long stays whole. */
export const wrapped = (text: string, width: number): readonly string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

const row = (left: string, description: string, column: number): readonly string[] => {
  const margin = ' '.repeat(INDENT + column)
  const [first = '', ...others] = wrapped(description, WIDTH - margin.length)
  const begin = `${' '.repeat(INDENT)}${left}`
  const body = others.map((line) => `${margin}${line}`)
  if (begin.length + 2 > margin.length) return [begin, `${margin}${first}`, ...body]
  return [`${begin.padEnd(margin.length)}${first}`, ...body]
}

const rows = (entries: readonly (readonly [left: string, description: string])[]): readonly string[] => {
  const column = Math.min(USAGE_MAX, Math.max(...entries.map(([left]) => left.length))) + 2
  return entries.flatMap(([left, description]) => row(left, description, column))
}

const NOTES: Readonly<Record<string, readonly string[]>> = {
  run: [
    'Each line is one request; it is served after the answer to the one before it, except that host-up, host-down and cancel are served at once. So one slow mountpoint delays all lines after it: a service that feeds lines should use --concurrent, with which status is served at once, too.',
    'A status shows at most 1,000 mountpoints; its next, given as after, shows those that follow.',
    'SIGINT and SIGTERM let what is being served finish and refuse the rest; a second one stops at once.',
    'Exit code: 0 all answered ok, 1 some refused, 2 usage or configuration, 3 could not start, or had to stop before the end of the input.',
  ],
  plan: [
    'Exit code: 0 all would be served, 1 some would be refused, 2 usage or configuration, 3 the host could not be looked at.',
  ],
  status: ['Exit code: 0 it could be shown, 2 usage or configuration, 3 the journal or the host could not be read.'],
  reconcile: [
    'A manager that is running repairs when it is sent {"op":"reconcile","apply":true}; --apply is for when none is. SIGINT and SIGTERM let the repairs that are under way end, for 5 s at most; a second one stops at once.',
    'Exit code: 0 no difference that could be repaired is left, 1 some is, 2 usage or configuration, 3 the host could not be read, another manager holds it, or it was stopped.',
  ],
  replay: ['Exit code: 0 every decision is the same, 1 one differs, 2 the trace cannot be read.'],
  simulate: [
    `Kinds of faults: ${Object.entries(FAULT_WORDS)
      .map(([kind, words]) => `${kind} (${words})`)
      .join(', ')}.`,
    'A run that breaks a law is told on stdout as a transcript, with the seed that repeats it, and written as a trace.',
    'Exit code: 0 no law was broken, 1 one was, 2 usage, 3 stopped before the last run.',
  ],
  doctor: ['Exit code: 0 nothing fails (there may be warnings), 1 something fails, 2 usage or configuration.'],
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', `${title}:`, ...lines]

interface Example {
  readonly description: string
  readonly command: string
}

const examples = (all: readonly Example[]): readonly string[] =>
  all.flatMap((each, index) => [...(index > 0 ? [''] : []), `  # ${each.description}`, `  ${each.command}`])

interface Topic {
  readonly category: string
  readonly usage: string
  readonly description: string
}

const tidy = (usage: string): string => usage.replace(/<(.*)>/, '$1').replace(/^\[(.*)\]$/, '$1')

const topics = (all: readonly Topic[], wanted: (category: string) => boolean): readonly string[] => {
  const entries = all
    .filter(({ category }) => wanted(category))
    .map(({ usage, description }): readonly [string, string] => [tidy(usage), description])
  return entries.length === 0 ? [] : rows(entries)
}

const isArgument = (category: string): boolean => category === 'arguments'

/** How help is laid out. */
export const helpFormatter: HelpFormatter = {
  formatCommand: ({ path, name, description = '', helpTopics, examples: given = [] }) => {
    const operands = helpTopics
      .filter(({ category }) => isArgument(category))
      .map(({ usage }) => usage.replace(/<(.*)>/, '$1'))
    return [
      `Usage: ${[...path, '[OPTIONS]', ...operands].join(' ')}`,
      '',
      `${description}.`,
      ...section('Arguments', topics(helpTopics, isArgument)),
      ...section(
        'Options',
        topics(helpTopics, (category) => !isArgument(category)),
      ),
      ...(NOTES[name] ?? []).flatMap((note) => ['', ...wrapped(note, WIDTH)]),
      ...section('Examples', examples(given)),
    ].join('\n')
  },
  formatSubcommands: ({ name, description = '', commands }) =>
    [
      `Usage: ${name} COMMAND [OPTIONS] [ARGUMENTS]`,
      '',
      `${description}.`,
      ...section('Commands', rows(commands.map((each) => [each.name, each.description ?? '']))),
      ...section('Examples', [
        ...examples([
          {
            description: 'See it work, with real mounts, touching nothing',
            command: 'mountkeeper run --sandbox requests.jsonl',
          },
          { description: 'Is this host ready?', command: 'mountkeeper doctor --root /srv/mounts' },
        ]),
      ]),
      '',
      'mountkeeper COMMAND --help tells more and shows examples; mountkeeper help config lists the configuration keys.',
    ].join('\n'),
}
