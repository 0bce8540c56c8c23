// One aligned line for each stage: what, how long, how it went. Colours and a running clock only on a terminal.
import process from 'node:process'

const terminal = process.stdout.isTTY === true
const coloured = terminal && (process.env.NO_COLOR ?? '') === ''
const paint = (code) => (text) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)

export const red = paint(31)
export const green = paint(32)
export const yellow = paint(33)
export const dim = paint(2)

const WIDTH = 20
const SIGN_OF_LIFE_MS = terminal ? 1_000 : 30_000

const say = (text) => process.stdout.write(text)
const seconds = (ms) => `${(ms / 1_000).toFixed(1)} s`.padStart(8)

/** Shows that a stage runs, and one line when it has ended. `work` says how it went; `shown`: it prints by itself. */
export const stage = async (name, work, { shown = false } = {}) => {
  const began = performance.now()
  const elapsed = () => seconds(performance.now() - began)
  const label = name.padEnd(WIDTH)
  const signOfLife = () => say(terminal ? `\r${label} ${dim(elapsed())}` : `${label} ${elapsed()}  running\n`)
  if (shown) say(`\n${label}\n`)
  else if (terminal) signOfLife()
  const timer = shown ? undefined : setInterval(signOfLife, SIGN_OF_LIFE_MS)
  const result = await work()
  clearInterval(timer)
  const verdict = result.ok ? green('ok    ') : red('FAILED')
  const note = result.note === undefined ? '' : `  ${result.note}`
  say(`${terminal && !shown ? '\r\u001b[K' : ''}${label} ${elapsed()}  ${verdict}${note}\n`)
  return result
}

/** What a failed stage printed, indented so that it stands apart from the lines of the stages. */
export const quote = (output) => {
  const lines = output.trimEnd().split('\n')
  say(`${lines.map((line) => (line === '' ? '' : `    ${line}`)).join('\n')}\n`)
}
