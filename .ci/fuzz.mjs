// npm run fuzz [-- --inputs N] [--only NAME] [--seed N]: gives each parser of what comes from outside N inputs (1,000,000), valid
// ones and ones that were damaged by the tokens of their format. A parser answers or refuses with a reason: one that throws, takes
// more than 50 ms for an input, takes memory and keeps it, or does not read what it has written the same ends it with the shortest
// input that was found, and exit status 1. --only: those whose names contain the text. The same seed gives the same inputs.
import process from 'node:process'
import { parseArgs } from 'node:util'
import { makeReady, typesOf } from './ready.mjs'
import { red } from './report.mjs'

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
  },
})
const inputs = Number(values.inputs)
const seed = Number(values.seed)
if (!Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('--inputs takes a whole number above 0, --seed a whole number\n')
  process.exit(2)
}

await makeReady(typesOf('packages/codec'))
const { fuzz } = await import('./fuzz/fuzz.mjs')
const { parsers } = await import('./fuzz/parsers.mjs')

const terminal = process.stdout.isTTY === true
const SIGN_OF_LIFE_MS = terminal ? 500 : 30_000
const count = (value) => value.toLocaleString('en')
const label = (name) => name.padEnd(14)

const chosen = parsers.filter(({ name }) => name.includes(values.only))
if (chosen.length === 0) {
  process.stderr.write(`no parser is named like that: ${parsers.map(({ name }) => name).join(', ')}\n`)
  process.exit(2)
}

const began = performance.now()
const secondsSince = (since) => (performance.now() - since) / 1_000
let total = 0
let faults = 0
let slowest = { ms: 0, name: '' }

for (const { name } of chosen) {
  const beganOne = performance.now()
  let shownAt = beganOne
  const progress = (done) => {
    if (performance.now() - shownAt < SIGN_OF_LIFE_MS) return
    shownAt = performance.now()
    const text = `${label(name)} ${count(done)} of ${count(inputs)}, ${secondsSince(beganOne).toFixed(0)} s`
    process.stdout.write(terminal ? `\r\u001b[K${text}` : `${text}\n`)
  }
  const result = await fuzz({ name, inputs, seed, progress })
  if (terminal) process.stdout.write('\r\u001b[K')
  total += result.done
  const spent = `${secondsSince(beganOne).toFixed(1)} s`
  if (result._tag === 'Done') {
    if (result.slowestMs > slowest.ms) slowest = { ms: result.slowestMs, name }
    const share = `${((100 * result.accepted) / result.done).toFixed(0)} % accepted`
    const slow = `slowest ${result.slowestMs.toFixed(1)} ms (${count(result.slowest.length)} characters)`
    process.stdout.write(`${label(name)} ${count(result.done)} inputs, ${spent}, ${share}, ${slow}\n`)
  } else {
    faults += 1
    process.stdout.write(`${label(name)} ${red('FAILED')} after ${count(result.done)} inputs: ${result.why}\n`)
    process.stdout.write(`    with the input ${JSON.stringify(result.input).slice(0, 2_000)}\n`)
  }
}

const verdict = faults === 0 ? 'no parser failed' : red(`${faults} failed`)
const worst = `slowest input ${slowest.ms.toFixed(1)} ms (${slowest.name})`
process.stdout.write(
  `${chosen.length} parsers, ${count(total)} inputs, ${secondsSince(began).toFixed(0)} s, seed ${seed}, ${worst}: ${verdict}\n`,
)
process.exitCode = faults === 0 ? 0 : 1
