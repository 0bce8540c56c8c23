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
    'Each line is one request. Requests are served in order, one at a time; host-up, host-down and cancel are served immediately. A slow mountpoint delays all later lines: a service that feeds lines should use --concurrent, which also serves status immediately.',
    'A status shows at most 1,000 mountpoints. To see the following ones, pass the value of next as after.',
    'On SIGINT or SIGTERM the requests that are being served finish and the rest are refused; a second signal stops immediately.',
    'Exit code: 0 all requests succeeded, 1 some were refused, 2 usage or configuration error, 3 could not start, or stopped before the end of the input.',
  ],
  serve: [
    'One JSON object a line, as run reads and writes them; the protocol is in the documentation of the package mountkeeper, whose connectMountkeeper is a client.',
    'SIGTERM and SIGINT let the requests that are being served finish; a second one stops immediately. SIGHUP reads the configuration again, all but its sockets. Every mount stays.',
    'With NOTIFY_SOCKET it reports to systemd by systemd-notify; the unit needs Type=notify and NotifyAccess=all.',
    'Exit code: 0 stopped by a signal, 2 usage or configuration error, 3 could not start, or had to stop.',
  ],
  plan: [
    'Exit code: 0 all would be served, 1 some would be refused, 2 usage or configuration error, 3 cannot read the host.',
  ],
  status: ['Exit code: 0 success, 2 usage or configuration error, 3 cannot read the journal or the host.'],
  reconcile: [
    'Use --apply while no manager is running; send {"op":"reconcile","apply":true} to a manager that is running. On SIGINT or SIGTERM the repairs under way have up to 5 s to finish; a second signal stops immediately.',
    'Exit code: 0 no repairable difference is left, 1 some are left, 2 usage or configuration error, 3 cannot read the host, another manager has its lock, or stopped.',
  ],
  replay: ['Exit code: 0 every decision is the same, 1 a decision differs, 2 cannot read the trace.'],
  view: [
    'The page is one file without any other: it can be sent to a colleague, and is read without a network. Mountpoints, consumers and sources are in it.',
    'Exit code: 0 written, 2 cannot read the trace or the file cannot be written to, 3 the disk is full.',
  ],
  simulate: [
    `Kinds of faults: ${Object.entries(FAULT_WORDS)
      .map(([kind, words]) => `${kind} (${words})`)
      .join(', ')}.`,
    'A run that breaks a law is printed on stdout as a transcript, with the seed that repeats it, and written to a trace file.',
    'Exit code: 0 no law was broken, 1 a law was broken, 2 usage error, 3 stopped before the last run.',
  ],
  doctor: ['Exit code: 0 no check failed (there may be warnings), 1 a check failed, 2 usage or configuration error.'],
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

const FIRST_EXAMPLES: readonly Example[] = [
  {
    description: 'Try it with real mounts in a sandbox; the host is not changed',
    command: 'mountkeeper run --sandbox requests.jsonl',
  },
  { description: 'Check that this host is ready', command: 'mountkeeper doctor --root /srv/mounts' },
]

const TRACE_EXAMPLES: readonly Example[] = [
  { description: 'Look at a recorded run in a browser', command: 'mountkeeper trace view run.trace --output run.html' },
]

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
  formatSubcommands: ({ path, description = '', commands }) =>
    [
      `Usage: ${path.join(' ')} COMMAND [OPTIONS] [ARGUMENTS]`,
      '',
      `${description}.`,
      ...section('Commands', rows(commands.map((each) => [each.name, each.description ?? '']))),
      ...section('Examples', examples(path.length > 1 ? TRACE_EXAMPLES : FIRST_EXAMPLES)),
      '',
      `Run ${path.join(' ')} COMMAND --help for details and examples of a command.`,
      ...(path.length > 1 ? [] : ['Run mountkeeper help config for the configuration keys.']),
    ].join('\n'),
}
