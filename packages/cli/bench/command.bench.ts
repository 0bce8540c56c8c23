// How long the command takes to start, beside a Node process that does nothing: its help, and a run of one request. All of them
// in turn, and each ratio within one turn; processor time is that of the process and of what it has started and waited for.
//
//   npm run bench -- cli

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROUNDS = Number(process.env['ROUNDS'] ?? 21)
const COMMAND = join(
  dirname(createRequire(import.meta.url).resolve('@mountkeeper/cli/package.json')),
  'bin/mountkeeper',
)
const FOLDER = '/srv/bench'
const EMPTY = `${FOLDER}/empty.cjs`
const REQUESTS = `${FOLDER}/requests.jsonl`

const must = (file: string, args: readonly string[]): void => {
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${file}: ${error?.message ?? stderr}`)
}

/** Processor time of all children that have ended, in ticks of 10 ms: exact in the sum of many rounds. */
const childTicks = (): number => {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? []
  return Number(fields[13]) + Number(fields[14])
}

interface Cost {
  readonly wallMs: number
  readonly cpuMs: number
}

const cost = ([file = '', ...args]: readonly string[]): Cost => {
  const ticks = childTicks()
  const from = performance.now()
  must(file, args)
  return { wallMs: performance.now() - from, cpuMs: (childTicks() - ticks) * 10 }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
const sum = (values: readonly number[]): number => values.reduce((all, each) => all + each, 0)

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  'an empty Node process': [process.execPath, EMPTY],
  'mountkeeper --help': [COMMAND, '--help'],
  'mountkeeper run, one status': [COMMAND, 'run', '--root', FOLDER, REQUESTS],
  'the same, --host simulator': [COMMAND, 'run', '--host', 'simulator', '--root', FOLDER, REQUESTS],
}

const measure = (): void => {
  must('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'bench', '/srv'])
  mkdirSync(FOLDER)
  writeFileSync(EMPTY, '')
  writeFileSync(REQUESTS, '{"op":"status","id":"1"}\n')
  const names = Object.keys(COMMANDS)
  const costs = new Map(names.map((name): [string, Cost[]] => [name, []]))
  // The first round warms the page cache.
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [name, command] of Object.entries(COMMANDS)) {
      const one = cost(command)
      if (round >= 0) costs.get(name)?.push(one)
    }
  }
  const empty = costs.get(names[0] ?? '') ?? []
  console.log(`median of ${ROUNDS}; ratios to an empty Node ${process.version} process`)
  for (const [name, all] of costs) {
    const wallMs = median(all.map((each) => each.wallMs)).toFixed(0)
    const wall = median(all.map((each, index) => each.wallMs / (empty[index]?.wallMs ?? NaN))).toFixed(2)
    const cpu = (sum(all.map((each) => each.cpuMs)) / sum(empty.map((each) => each.cpuMs))).toFixed(2)
    console.log(`${name.padEnd(30)} ${wallMs.padStart(5)} ms, ${wall} times as long, ${cpu} times the processor time`)
  }
}

if (process.env['MOUNTKEEPER_NAMESPACE'] === undefined) {
  const inNamespace = fileURLToPath(new URL('../../../../../.ci/in-namespace.mjs', import.meta.url))
  const again = [inNamespace, process.execPath, fileURLToPath(import.meta.url)]
  process.exitCode = spawnSync(process.execPath, again, { stdio: 'inherit' }).status ?? 1
} else measure()
