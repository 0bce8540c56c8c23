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
  SimulateArguments,
  StatusArguments,
} from './asked.js'
import { helpFormatter } from './help.js'
import { mistakeText } from './usage.js'

export type * from './asked.js'

const host: Type<string, HostKind> = {
  displayName: 'linux|simulator',
  from: (name) =>
    name === 'linux' || name === 'simulator'
      ? Promise.resolve(name)
      : Promise.reject(new Error('no such host; say linux or simulator')),
}

const SEED_MAX = 0xffff_ffff
const RUNS_MAX = 1_000_000_000
const RUNS_USUAL = 10_000

const place = {
  roots: multioption({
    long: 'root',
    type: many('DIR'),
    description: 'a managed root, in place of the configured ones; repeatable',
  }),
  stateDirectory: multioption({
    long: 'state-dir',
    type: once(named('DIR')),
    description:
      'where the journal is, of this user and closed to others; without it, what is recorded ends with the process',
  }),
  config: multioption({
    long: 'config',
    type: once(named('FILE')),
    description: 'the configuration, else /etc/mountkeeper/config.json if it is there; see mountkeeper help config',
  }),
  allow: multioption({
    long: 'allow',
    type: many('TYPE=PATTERN'),
    description:
      'allow a source for a filesystem type, such as bind=/srv/exports/; repeatable, added to the configuration',
  }),
}

const page = {
  mountpoint: multioption({ long: 'mountpoint', type: once(named('DIR')), description: 'only this one' }),
  limit: multioption({
    long: 'limit',
    type: once(wholeNumber('N', 1, 1_000)),
    description: 'so many mountpoints at most, by default 1000; the last line says how to see the next',
  }),
  after: multioption({ long: 'after', type: once(named('DIR')), description: 'only those after this path' }),
}

const output = multioption({
  long: 'output',
  type: once({ ...oneOf(['json', 'transcript']), displayName: 'json|transcript' }),
  description: 'how results are shown; by default a transcript on a terminal, else JSON Lines',
})

const file = positional({
  displayName: 'FILE',
  type: optional(string),
  description: 'requests as JSON Lines; without it, or as -, they are read from stdin',
})

const run = command({
  name: 'run',
  description: 'Come up, serve requests in order, leave the mounts as they are',
  examples: [
    {
      description: 'Real mounts in a namespace of their own; nothing on the host changes',
      command: 'mountkeeper run --sandbox requests.jsonl',
    },
    {
      description: 'Try a request file out anywhere: nothing is mounted, no privilege is needed',
      command: 'mountkeeper run --host simulator --root /srv/mounts --allow nfs=*:/* requests.jsonl',
    },
    {
      description: 'Serve what another program writes',
      command: 'producer | mountkeeper run --root /srv/mounts --allow bind=/srv/exports/ > answers.jsonl',
    },
    {
      description: 'One request by hand',
      command: `echo '{"op":"attach","mountpoint":"/srv/mounts/a","filesystem":{"type":"tmpfs","source":"a","options":["size=1m"]},"volume":"v","consumer":"me"}' | mountkeeper run --root /srv/mounts`,
    },
  ],
  args: {
    file,
    sandbox: flag({
      long: 'sandbox',
      type: boolean,
      description:
        'in an own mount and pid namespace, with a tmpfs over /srv: mounts, state and source; source/example has a file to bind',
    }),
    concurrent: flag({
      long: 'concurrent',
      type: boolean,
      description:
        'submit requests as they are read, answer them as they end; for a service that feeds lines, which else wait for a slow one',
    }),
    output,
    ...place,
    trace: multioption({
      long: 'trace',
      type: once(named('FILE')),
      description: 'record every input and decision, for mountkeeper replay',
    }),
    host: multioption({
      long: 'host',
      type: once(host),
      description:
        'where effects are run: linux, this machine, or simulator, a host of its own with the roots as configured and empty, that ends with the run',
    }),
  },
  handler: ({ host: kind = 'linux', ...asked }): RunArguments => ({ _tag: 'Run', host: kind, ...asked }),
})

const plan = command({
  name: 'plan',
  description: 'Show what run would do now, and why; change nothing',
  examples: [
    { description: 'Look before anything happens', command: 'mountkeeper plan --root /srv/mounts requests.jsonl' },
  ],
  args: { file, output, ...place },
  handler: (asked): PlanArguments => ({ _tag: 'Plan', ...asked }),
})

const status = command({
  name: 'status',
  description: 'Show who holds what, as recorded and as it is on the host now; take no lock, change nothing',
  examples: [
    {
      description: 'Beside a manager that is running, or after it has ended',
      command: 'mountkeeper status --root /srv/mounts --state-dir /var/lib/mountkeeper',
    },
  ],
  args: { json: flag({ long: 'json', type: boolean, description: 'one JSON object' }), ...page, ...place },
  handler: (asked): StatusArguments => ({ _tag: 'Status', ...asked }),
})

const reconcile = command({
  name: 'reconcile',
  description: 'Show what differs between what is wanted, recorded and there; with --apply repair what can be repaired',
  examples: [
    {
      description: 'What is wrong?',
      command: 'mountkeeper reconcile --root /srv/mounts --state-dir /var/lib/mountkeeper',
    },
    {
      description: 'Mount again what was lost, remove what nobody holds; while no manager is running',
      command: 'mountkeeper reconcile --apply --root /srv/mounts --state-dir /var/lib/mountkeeper',
    },
  ],
  args: {
    apply: flag({ long: 'apply', type: boolean, description: 'repair; takes the locks, as run does' }),
    json: flag({ long: 'json', type: boolean, description: 'one JSON object' }),
    ...place,
  },
  handler: (asked): ReconcileArguments => ({ _tag: 'Reconcile', ...asked }),
})

const replay = command({
  name: 'replay',
  description: 'Decide every input of a trace again, and report the first line that differs',
  examples: [{ description: 'Does this version decide as that one did?', command: 'mountkeeper replay run.trace' }],
  args: { trace: positional({ displayName: 'TRACE', type: string, description: 'what run --trace has recorded' }) },
  handler: ({ trace }): Asked => ({ _tag: 'Replay', trace }),
})

const doctor = command({
  name: 'doctor',
  description: 'Check this host: tools, rights, namespace, roots; one line each, with the mend',
  examples: [
    {
      description: 'Before the first run',
      command: 'mountkeeper doctor --root /srv/mounts --state-dir /var/lib/mountkeeper',
    },
    { description: 'For a monitoring system', command: 'mountkeeper doctor --json' },
    {
      description: 'Let an ordinary user run the manager, with mountkeeper-exec for what only root may do',
      command: 'mountkeeper doctor --sudoers',
    },
    {
      description: 'When a run refuses to start with a damaged journal',
      command: 'mountkeeper doctor --state-dir /var/lib/mountkeeper --repair',
    },
    { description: 'Before the first start of a new version', command: 'mountkeeper doctor --upgrade' },
  ],
  args: {
    json: flag({ long: 'json', type: boolean, description: 'one JSON object a line' }),
    repair: flag({
      long: 'repair',
      type: boolean,
      description: 'rebuild a damaged journal from every line that can be read; the damaged one is kept beside it',
    }),
    upgrade: flag({
      long: 'upgrade',
      type: boolean,
      description: 'list every configured entry and every record that this version would refuse',
    }),
    sudoers: flag({
      long: 'sudoers',
      type: boolean,
      description: 'print the sudoers file that lets this user start mountkeeper-exec, and nothing else',
    }),
    exec: flag({
      long: 'exec',
      type: boolean,
      description: 'print the lists of mountkeeper-exec, /etc/mountkeeper/exec.json, from this configuration',
    }),
    ...place,
  },
  handler: (asked): DoctorArguments => ({ _tag: 'Doctor', ...asked }),
})

const simulate = command({
  name: 'simulate',
  description: 'Hold the laws against random runs on a simulated host, with faults and crashes',
  examples: [
    {
      description: 'A hundred thousand runs, the same ones every time',
      command: 'mountkeeper simulate --seed 1 --runs 100000',
    },
    {
      description: 'Only what a flaky server does',
      command: 'mountkeeper simulate --runs 5000 --faults hangs,late,fails',
    },
  ],
  args: {
    seed: multioption({
      long: 'seed',
      type: once(wholeNumber('N', 0, SEED_MAX)),
      description:
        'of the first run; the one after it has the next one; without it they are others every time, and told',
    }),
    runs: multioption({
      long: 'runs',
      type: once(wholeNumber('N', 1, RUNS_MAX)),
      description: `how many; ${RUNS_USUAL.toLocaleString('en')} without it`,
    }),
    faults: multioption({
      long: 'faults',
      type: once(faults),
      description: 'what may go wrong: none, or some of the kinds below; by default all of them',
    }),
    shrink: flag({
      long: 'shrink',
      type: boolean,
      defaultValue: () => true,
      description: 'make a run that breaks a law as small as it can be; on unless --shrink=false',
    }),
    trace: multioption({
      long: 'trace',
      type: once(named('FILE')),
      description: 'where such a run is written for mountkeeper replay; by default mountkeeper-SEED.trace here',
    }),
    json: flag({ long: 'json', type: boolean, description: 'the result as one JSON object' }),
  },
  handler: ({ runs = RUNS_USUAL, ...asked }): SimulateArguments => ({ _tag: 'Simulate', runs, ...asked }),
})

const help = command({
  name: 'help',
  description: 'Show this, or with config every key of the configuration file, its default and meaning',
  examples: [{ description: 'The table', command: 'mountkeeper help config' }],
  args: {
    topic: positional({ displayName: 'config', type: optional(oneOf(['config'])), description: 'the only topic' }),
  },
  handler: ({ topic }): Asked => ({ _tag: 'Help', topic: topic === 'config' ? topic : undefined }),
})

const commands = { run, plan, status, reconcile, replay, simulate, doctor, help }

const NAMES = Object.keys(commands)

const optionsOf = (name: string | undefined): readonly string[] => {
  const topics =
    Object.entries(commands)
      .find(([each]) => each === name)?.[1]
      .helpTopics() ?? []
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
    description: 'Mount shared filesystems once, for as many as use them',
    cmds: commands,
  })
  const parsed = await runSafely(table, [...argv])
  if (parsed._tag === 'ok') return { _tag: 'Asked', asked: parsed.value.value }
  const { exitCode, message } = parsed.error.config
  if (exitCode === 0) return { _tag: 'Print', text: message }
  // The parser's own report is a page; parsing again gives the mistakes as values.
  const again = await parse(table, [...argv])
  const [mistake] = again._tag === 'error' ? again.error.errors : []
  const name = argv.find((argument) => NAMES.includes(argument))
  const nodes = argv.slice(0, 1).map((raw) => ({ type: 'longOption', raw }))
  const first = name === undefined && mistake?.nodes.length === 0 ? { message: 'Unknown arguments', nodes } : mistake
  const what = first === undefined ? message : mistakeText(first, NAMES, optionsOf(name))
  return { _tag: 'Mistake', text: `${what} (see mountkeeper ${name === undefined ? '' : `${name} `}--help)` }
}
