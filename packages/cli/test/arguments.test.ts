import { describe, expect, test } from 'vitest'
import { readArguments } from '../src/arguments.js'
import { commandLine } from '../src/command-line.js'
import { streamsWith } from './drive.js'

const read = (...argv: readonly string[]) => readArguments(argv, '9.8.7')

const RUN = {
  _tag: 'Run',
  file: undefined,
  sandbox: false,
  host: 'linux',
  concurrent: false,
  output: undefined,
  roots: [],
  stateDirectory: undefined,
  config: undefined,
  allow: [],
  trace: undefined,
}

describe('what was asked for', () => {
  test.each([
    ['nothing but run', ['run'], RUN],
    ['stdin', ['run', '-'], { ...RUN, file: '-' }],
    ['a file that begins with a dash', ['run', '--', '-f'], { ...RUN, file: '-f' }],
    [
      'everything',
      [
        ...['run', '--sandbox', '--concurrent', '--output', 'json', '--root', '/a', '--root=/b', '--state-dir', '/s'],
        ...['--config', '/c', '--allow', 'bind=/x/', '--allow=nfs=h:/x', '--trace', '/t', '--host', 'linux', 'f.jsonl'],
      ],
      {
        ...RUN,
        file: 'f.jsonl',
        sandbox: true,
        concurrent: true,
        output: 'json',
        roots: ['/a', '/b'],
        stateDirectory: '/s',
        config: '/c',
        allow: ['bind=/x/', 'nfs=h:/x'],
        trace: '/t',
      },
    ],
    ['a simulated host', ['run', '--host', 'simulator'], { ...RUN, host: 'simulator' }],
    ['a trace', ['replay', 't'], { _tag: 'Replay', trace: 't' }],
    ['a page of a trace', ['trace', 'view', 't', '--output', 'p'], { _tag: 'TraceView', trace: 't', output: 'p' }],
    ['the table of keys', ['help', 'config'], { _tag: 'Help', topic: 'config' }],
  ])('%s', async (_, argv, asked) => {
    expect(await read(...argv)).toMatchObject({ _tag: 'Asked', asked })
  })
})

describe('mistakes are one line that says what was probably meant', () => {
  test.each([
    [['run', '--sandbx'], '--sandbx: unknown option; did you mean --sandbox? (see mountkeeper run --help)'],
    [['run', '--stat', '/x'], '--stat: unknown option; did you mean --state-dir? (see mountkeeper run --help)'],
    [['run', '--zzz=3'], '--zzz: unknown option (see mountkeeper run --help)'],
    [['run', '-x'], '-x: unknown option (see mountkeeper run --help)'],
    [['-x'], '-x: unknown option (see mountkeeper --help)'],
    [['rum'], 'rum: unknown command; did you mean run? (see mountkeeper --help)'],
    [['mount'], 'mount: unknown command (see mountkeeper --help)'],
    [['run', 'a', 'b'], 'b: unexpected argument (see mountkeeper run --help)'],
    [['run', '--config'], '--config: needs a value (see mountkeeper run --help)'],
    [['run', '--root'], '--root: needs a value (see mountkeeper run --help)'],
    [
      ['run', '--trace', 'a', '--trace', 'b'],
      '--trace a: is given more than once; give it once (see mountkeeper run --help)',
    ],
    [['run', '--output', 'xml'], "--output xml: expected one of: 'json', 'transcript' (see mountkeeper run --help)"],
    [
      ['run', '--host', 'mainframe'],
      '--host mainframe: unknown host; use linux or simulator (see mountkeeper run --help)',
    ],
    [['replay'], 'TRACE is missing (see mountkeeper replay --help)'],
    [['trace', 'view'], 'TRACE is missing (see mountkeeper trace view --help)'],
    [['trace', 'vieww'], 'vieww: unknown command; did you mean view? (see mountkeeper trace --help)'],
    [
      ['trace', 'view', 't', '--outptu'],
      '--outptu: unknown option; did you mean --output? (see mountkeeper trace view --help)',
    ],
  ])('%j', async (argv, text) => {
    expect(await read(...argv)).toEqual({ _tag: 'Mistake', text })
  })

  test('they end with 2', async () => {
    const streams = streamsWith()
    expect(await commandLine(['run', '--sandbx'], streams)).toBe(2)
    expect(streams.stderr.text()).toMatch(/^mountkeeper: --sandbx: .*\n$/)
    expect(streams.stdout.text()).toBe('')
  })
})

describe('help', () => {
  test.each(['run', 'plan', 'replay', 'simulate', 'doctor', 'help'])('of %s shows an example', async (name) => {
    const streams = streamsWith()
    expect(await commandLine([name, '--help'], streams)).toBe(0)
    expect(streams.stdout.text()).toContain(
      `\n  mountkeeper ${name}`.replace('mountkeeper run', 'mountkeeper run --sandbox'),
    )
  })

  test('fits a terminal of 100 columns, but for what is to be copied', async () => {
    const streams = streamsWith()
    for (const name of ['run', 'plan', 'replay', 'doctor', 'help']) await commandLine([name, '--help'], streams)
    const long = streams.stdout
      .text()
      .split('\n')
      .filter((line) => line.length > 100 && !line.includes('mountkeeper run --root'))
    expect(long).toEqual([])
  })

  test('without a command it is the overview', async () => {
    const [none, asked] = [streamsWith(), streamsWith()]
    expect(await commandLine([], none)).toBe(0)
    expect(await commandLine(['help'], asked)).toBe(0)
    expect(none.stdout.text()).toContain('Usage: mountkeeper COMMAND')
    expect(asked.stdout.text()).toBe(none.stdout.text())
  })

  test('the configuration keys have their table', async () => {
    const streams = streamsWith()
    expect(await commandLine(['help', 'config'], streams)).toBe(0)
    expect(streams.stdout.text()).toContain('\ndeadlines.requestMs\n')
  })

  test('the version is that of the package', async () => {
    const streams = streamsWith()
    expect(await commandLine(['--version'], streams)).toBe(0)
    expect(streams.stdout.text()).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
