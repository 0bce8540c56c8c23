// The command table: every command, its options, what each means, and examples. Parsing gives a value that says what was
// asked for; nothing is loaded or done here.

import type { Type } from 'cmd-ts'
import {
  boolean,
  command,
  flag,
  multioption,
  oneOf,
  optional,
  parse,
  positional,
  runSafely,
  setDefaultHelpFormatter,
  string,
  subcommands,
} from 'cmd-ts'
import { faults, many, named, once, wholeNumber } from './argument-types.js'
import type {
  Asked,
  DoctorArguments,
  HostKind,
  PlanArguments,
  ReconcileArguments,
  RunArguments,
  ServeArguments,
  SimulateArguments,
  StatusArguments,
} from './asked.js'
import { helpFormatter } from './help.js'
import { inspect, why } from './question-arguments.js'
import { TRACES, replay, traces } from './trace-arguments.js'
import { mistakeText } from './usage.js'

export type * from './asked.js'

const host: Type<string, HostKind> = {
  displayName: 'linux|simulator',
  from: (name) =>
    name === 'linux' || name === 'simulator'
      ? Promise.resolve(name)
      : Promise.reject(new Error('unknown host; use linux or simulator')),
}

const SEED_MAX = 0xffff_ffff
const RUNS_MAX = 1_000_000_000
const RUNS_USUAL = 10_000

const place = {
  roots: multioption({
    long: 'root',
    type: many('DIR'),
    description: 'use this managed root instead of the configured ones; repeatable',
  }),
  stateDirectory: multioption({
    long: 'state-dir',
    type: once(named('DIR')),
    description:
      'keep the journal in this directory, which must belong to this user and be closed to others (mode 0700); without it, records are lost when the process ends',
  }),
  config: multioption({
    long: 'config',
    type: once(named('FILE')),
    description:
      'read the configuration from this file; default /etc/mountkeeper/config.json if it exists; see mountkeeper help config',
  }),
  allow: multioption({
    long: 'allow',
    type: many('TYPE=PATTERN'),
    description:
      'allow a source for a filesystem type, such as bind=/srv/exports/, in addition to the configured ones; repeatable',
  }),
}

const page = {
  mountpoint: multioption({ long: 'mountpoint', type: once(named('DIR')), description: 'show only this mountpoint' }),
  limit: multioption({
    long: 'limit',
    type: once(wholeNumber('N', 1, 1_000)),
    description: 'show at most N mountpoints, default 1000; the last line says how to see the next ones',
  }),
  after: multioption({
    long: 'after',
    type: once(named('DIR')),
    description: 'show only mountpoints that sort after this path',
  }),
}

const output = multioption({
  long: 'output',
  type: once({ ...oneOf(['json', 'transcript']), displayName: 'json|transcript' }),
  description: 'set the output format; default transcript on a terminal, json (JSON Lines) otherwise',
})

const file = positional({
  displayName: 'FILE',
  type: optional(string),
  description: 'read requests as JSON Lines from this file; default, or with -, from stdin',
})

const trace = multioption({
  long: 'trace',
  type: once(named('FILE')),
  description: 'record every input and decision in this file, for mountkeeper replay',
})

const run = command({
  name: 'run',
  description: 'Start, serve requests in order, and leave the mounts in place at the end',
  examples: [
    {
      description: 'Use real mounts in a separate namespace; nothing on the host changes',
      command: 'mountkeeper run --sandbox requests.jsonl',
    },
    {
      description: 'Try a request file anywhere: nothing is mounted, no privilege is needed',
      command: 'mountkeeper run --host simulator --root /srv/mounts --allow nfs=*:/* requests.jsonl',
    },
    {
      description: 'Serve the requests that another program writes',
      command: 'producer | mountkeeper run --root /srv/mounts --allow bind=/srv/exports/ > answers.jsonl',
    },
    {
      description: 'Send one request by hand',
      command: `echo '{"op":"attach","mountpoint":"/srv/mounts/a","filesystem":{"type":"tmpfs","source":"a","options":["size=1m"]},"volume":"v","consumer":"me"}' | mountkeeper run --root /srv/mounts`,
    },
  ],
  args: {
    file,
    sandbox: flag({
      long: 'sandbox',
      type: boolean,
      description:
        'run in a new mount and pid namespace with a tmpfs on /srv that has the directories mounts, state and source; source/example has a file to bind',
    }),
    concurrent: flag({
      long: 'concurrent',
      type: boolean,
      description:
        'submit each request when it is read, and print each answer when it is ready; for a service that feeds lines, so that a slow request does not delay the others',
    }),
    output,
    ...place,
    trace,
    host: multioption({
      long: 'host',
      type: once(host),
      description:
        'choose where effects run: linux is this machine; simulator is a simulated host with the configured roots, empty, that ends with the run',
    }),
  },
  handler: ({ host: kind = 'linux', ...asked }): RunArguments => ({ _tag: 'Run', host: kind, ...asked }),
})

const serve = command({
  name: 'serve',
  description: 'Serve the requests of other processes on unix sockets, until it is stopped',
  examples: [
    {
      description: 'Serve one socket that only this user may open',
      command:
        'mountkeeper serve --root /srv/mounts --state-dir /var/lib/mountkeeper --socket /run/mountkeeper/all.sock',
    },
    {
      description: 'Serve the sockets of the configuration, each with its owner, mode, consumers and operations',
      command: 'mountkeeper serve --config /etc/mountkeeper/config.json',
    },
  ],
  args: {
    sockets: multioption({
      long: 'socket',
      type: many('PATH'),
      description: 'serve this socket, mode 0600, in addition to the configured ones; repeatable',
    }),
    ...place,
    trace,
  },
  handler: (asked): ServeArguments => ({ _tag: 'Serve', ...asked }),
})

const plan = command({
  name: 'plan',
  description: 'Show what run would do now, and why, without changing anything',
  examples: [
    {
      description: 'Preview the effects of a request file',
      command: 'mountkeeper plan --root /srv/mounts requests.jsonl',
    },
  ],
  args: { file, output, ...place },
  handler: (asked): PlanArguments => ({ _tag: 'Plan', ...asked }),
})

const status = command({
  name: 'status',
  description: 'Show holders and mounts, recorded and on the host now, without a lock and without changes',
  examples: [
    {
      description: 'While a manager is running, or after it has ended',
      command: 'mountkeeper status --root /srv/mounts --state-dir /var/lib/mountkeeper',
    },
  ],
  args: { json: flag({ long: 'json', type: boolean, description: 'print one JSON object' }), ...page, ...place },
  handler: (asked): StatusArguments => ({ _tag: 'Status', ...asked }),
})

const reconcile = command({
  name: 'reconcile',
  description: 'Show differences between wanted, recorded and mounted state; with --apply, repair them',
  examples: [
    {
      description: 'List the differences',
      command: 'mountkeeper reconcile --root /srv/mounts --state-dir /var/lib/mountkeeper',
    },
    {
      description: 'Remount lost mounts and remove unused ones, while no manager is running',
      command: 'mountkeeper reconcile --apply --root /srv/mounts --state-dir /var/lib/mountkeeper',
    },
  ],
  args: {
    apply: flag({ long: 'apply', type: boolean, description: 'repair the differences; takes the locks, as run does' }),
    json: flag({ long: 'json', type: boolean, description: 'print one JSON object' }),
    ...place,
  },
  handler: (asked): ReconcileArguments => ({ _tag: 'Reconcile', ...asked }),
})

const doctor = command({
  name: 'doctor',
  description: 'Check that this host is ready: tools, rights, namespace, roots; each problem shows its fix',
  examples: [
    {
      description: 'Check the host before the first run',
      command: 'mountkeeper doctor --root /srv/mounts --state-dir /var/lib/mountkeeper',
    },
    { description: 'Print results for a monitoring system', command: 'mountkeeper doctor --json' },
    {
      description: 'Let an ordinary user run the manager; mountkeeper-exec does what only root may do',
      command: 'mountkeeper doctor --sudoers',
    },
    {
      description: 'Repair a damaged journal with which run does not start',
      command: 'mountkeeper doctor --state-dir /var/lib/mountkeeper --repair',
    },
    {
      description: 'Check the configuration and the records before the first start of a new version',
      command: 'mountkeeper doctor --upgrade',
    },
  ],
  args: {
    json: flag({ long: 'json', type: boolean, description: 'print one JSON object per line' }),
    repair: flag({
      long: 'repair',
      type: boolean,
      description: 'rebuild a damaged journal from every readable line, and keep the damaged file beside it',
    }),
    upgrade: flag({
      long: 'upgrade',
      type: boolean,
      description: 'list every configuration entry and every record that this version would refuse',
    }),
    sudoers: flag({
      long: 'sudoers',
      type: boolean,
      description: 'print only the sudoers file that lets this user start mountkeeper-exec',
    }),
    exec: flag({
      long: 'exec',
      type: boolean,
      description: 'print the lists for mountkeeper-exec (/etc/mountkeeper/exec.json) that match this configuration',
    }),
    ...place,
  },
  handler: (asked): DoctorArguments => ({ _tag: 'Doctor', ...asked }),
})

const simulate = command({
  name: 'simulate',
  description: 'Check the laws (invariants) in random runs on a simulated host, with faults and crashes',
  examples: [
    {
      description: 'Do 100,000 runs, the same every time',
      command: 'mountkeeper simulate --seed 1 --runs 100000',
    },
    {
      description: 'Test only the faults of an unreliable server',
      command: 'mountkeeper simulate --runs 5000 --faults hangs,late,fails',
    },
  ],
  args: {
    seed: multioption({
      long: 'seed',
      type: once(wholeNumber('N', 0, SEED_MAX)),
      description: 'set the seed of the first run; each next run uses the next seed; default random, and printed',
    }),
    runs: multioption({
      long: 'runs',
      type: once(wholeNumber('N', 1, RUNS_MAX)),
      description: `set the number of runs; default ${RUNS_USUAL.toLocaleString('en')}`,
    }),
    faults: multioption({
      long: 'faults',
      type: once(faults),
      description: 'inject only these kinds of faults (see below), or none; default all',
    }),
    shrink: flag({
      long: 'shrink',
      type: boolean,
      defaultValue: () => true,
      description: 'shrink a run that breaks a law to the smallest one; on unless --shrink=false',
    }),
    trace: multioption({
      long: 'trace',
      type: once(named('FILE')),
      description:
        'write a run that breaks a law to this file, for mountkeeper replay; default mountkeeper-SEED.trace in the current directory',
    }),
    json: flag({ long: 'json', type: boolean, description: 'print the result as one JSON object' }),
  },
  handler: ({ runs = RUNS_USUAL, ...asked }): SimulateArguments => ({ _tag: 'Simulate', runs, ...asked }),
})

const help = command({
  name: 'help',
  description: 'Show this help, or with config every key of the configuration file with its default and meaning',
  examples: [{ description: 'Show the configuration keys', command: 'mountkeeper help config' }],
  args: {
    topic: positional({
      displayName: 'config',
      type: optional(oneOf(['config'])),
      description: 'show the configuration keys',
    }),
  },
  handler: ({ topic }): Asked => ({ _tag: 'Help', topic: topic === 'config' ? topic : undefined }),
})

const commands = { run, serve, plan, status, inspect, why, reconcile, replay, trace: traces, simulate, doctor, help }

const NAMES = Object.keys(commands)

/** Commands, and the commands of commands: those of `trace` have their options. */
const PARSERS = Object.entries({ ...commands, ...TRACES, trace: undefined })

const optionsOf = (name: string | undefined): readonly string[] => {
  const topics = PARSERS.find(([each]) => each === name)?.[1]?.helpTopics() ?? []
  return [
    '--help',
    ...(name === undefined ? ['--version'] : []),
    ...topics.flatMap(({ usage }) => /--[a-z-]+/.exec(usage)?.[0] ?? []),
  ]
}

/** What became of a command line: something to do, something to print, or a mistake in one line. */
export type Reading =
  | { readonly _tag: 'Asked'; readonly asked: Asked }
  | { readonly _tag: 'Print'; readonly text: string }
  | { readonly _tag: 'Mistake'; readonly text: string }

/** Reads an argument vector; nothing is done. */
export const readArguments = async (argv: readonly string[], version: string): Promise<Reading> => {
  setDefaultHelpFormatter(helpFormatter)
  const table = subcommands({
    name: 'mountkeeper',
    version,
    description: 'Mount each shared filesystem once for all its users',
    cmds: commands,
  })
  const parsed = await runSafely(table, [...argv])
  if (parsed._tag === 'ok') {
    const { value } = parsed.value
    return { _tag: 'Asked', asked: 'command' in value ? value.value : value }
  }
  const { exitCode, message } = parsed.error.config
  if (exitCode === 0) return { _tag: 'Print', text: message }
  // The parser's own report is a page; parsing again gives the mistakes as values.
  const again = await parse(table, [...argv])
  const [mistake] = again._tag === 'error' ? again.error.errors : []
  const name = argv.find((argument) => NAMES.includes(argument))
  const inner = name === 'trace' ? argv.find((argument) => argument in TRACES) : undefined
  const known = name === 'trace' ? Object.keys(TRACES) : NAMES
  const path = [name, inner].filter((part) => part !== undefined).join(' ')
  const nodes = argv.slice(0, 1).map((raw) => ({ type: 'longOption', raw }))
  const first = name === undefined && mistake?.nodes.length === 0 ? { message: 'Unknown arguments', nodes } : mistake
  const what = first === undefined ? message : mistakeText(first, known, optionsOf(inner ?? name))
  return { _tag: 'Mistake', text: `${what} (see mountkeeper ${path === '' ? '' : `${path} `}--help)` }
}
