// npm run crash: kills as many managers as it is asked to, shows progress and the result. It is started in a
// namespace of its own.

import { parseArgs } from 'node:util'
import { crash } from './run.js'
import { summary } from './summary.js'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '5000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    lanes: { type: 'string', default: '4' },
  },
})
const [kills, seed, lanes] = [Number(values.kills), Number(values.seed), Number(values.lanes)]
if (![kills, seed, lanes].every((number) => Number.isSafeInteger(number)) || kills < 1 || lanes < 1) {
  process.stderr.write('--kills and --lanes take a whole number above 0, --seed a whole number\n')
  process.exit(2)
}

const terminal = process.stdout.isTTY
const SIGN_OF_LIFE_MS = terminal ? 500 : 60_000
const began = performance.now()
let shown = began

process.stdout.write(`seed ${seed}: ${kills} kills, ${lanes} managers side by side\n`)
const report = await crash({
  kills,
  seed,
  lanes,
  progress: (done) => {
    if (performance.now() - shown < SIGN_OF_LIFE_MS) return
    shown = performance.now()
    const line = `${done} of ${kills} kills, ${((shown - began) / 1_000).toFixed(0)} s`
    process.stdout.write(terminal ? `\r\u001b[K${line}` : `${line}\n`)
  },
})
if (terminal) process.stdout.write('\r\u001b[K')
process.stdout.write(`${summary(report)}\n`)
process.exit(report.violation === undefined ? 0 : 1)
