// npm run explore [-- --ci] [--only TEXT] [--seconds N] [--states N] [--megabytes N] [--diagram]: explores every state that the
// core and a small model of a host reach together, breadth first, and says how far it came. Without --ci all of the deep run, each
// configuration to its fixed point, its depth, or the first limit: N seconds each (7,200), N states (40,000,000), N MB of memory
// (half of the machine's). --only: those whose names contain the text. --diagram: draws packages/core/docs/transitions.md again.
// A broken law ends it with the shortest trace there is, and exit status 1.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { top } from './prepare.mjs'
import { makeReady } from './ready.mjs'
import { red } from './report.mjs'

const { values } = parseArgs({
  options: {
    ci: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '7200' },
    states: { type: 'string', default: '40000000' },
    megabytes: { type: 'string', default: `${Math.floor(totalmem() / 2e6)}` },
    diagram: { type: 'boolean', default: false },
  },
})

const limits = { seconds: Number(values.seconds), states: Number(values.states), megabytes: Number(values.megabytes) }
if (Object.values(limits).some((limit) => !(limit > 0))) {
  process.stderr.write('--seconds, --states and --megabytes take a number above 0\n')
  process.exit(2)
}

// The heap is given once, at the start of a process: this one starts itself again with it, after the build.
if (process.env.MOUNTKEEPER_EXPLORES !== '1') {
  await makeReady()
  const flags = [`--max-old-space-size=${limits.megabytes + 1_000}`, '--max-semi-space-size=32']
  const child = spawnSync(process.execPath, [...flags, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, MOUNTKEEPER_EXPLORES: '1' },
  })
  process.exit(child.status ?? 1)
}

const { explorer } = await import('../packages/simulator/dist/index.js')

const count = (value) => value.toLocaleString('en')
const megabytes = () => Math.round(process.memoryUsage().rss / 1e6)
const terminal = process.stdout.isTTY === true
const SIGN_OF_LIFE_MS = terminal ? 500 : 30_000

const figures = ({ visited, transitions, depth, frontier, expanded, next }, seconds) => {
  const open = frontier.length - expanded + next.length
  const done = `${count(visited.size)} states, ${count(transitions)} transitions, depth ${depth}`
  return `${done}, ${count(open)} open, ${seconds.toFixed(0)} s, ${count(megabytes())} MB`
}

const limitReached = (exploration, seconds) => {
  if (seconds >= limits.seconds) return `${limits.seconds} s`
  if (exploration.visited.size >= limits.states) return `${count(limits.states)} states`
  return megabytes() >= limits.megabytes ? `${count(limits.megabytes)} MB` : undefined
}

const judge = (exploration) => {
  if (exploration.finding !== undefined) return explorer.tellFinding(exploration, exploration.finding)
  if (exploration.status !== 'fixed point') return undefined
  const stuck = explorer.findStuck(exploration)
  if (stuck === undefined) return undefined
  const { lines } = explorer.tellWay(exploration.explored, explorer.wayTo(exploration, stuck))
  return ['L47 is broken: nothing leads from here to a host with nothing left:', ...lines].join('\n')
}

const exploreOne = (configuration, diagram) => {
  process.stdout.write(`${configuration.name}\n`)
  const began = performance.now()
  const elapsed = () => (performance.now() - began) / 1_000
  const exploration = explorer.beginExploration(configuration, {
    progress: 'asked for',
    watch: explorer.drawInto(diagram),
  })
  let shown = began
  let limit
  while (limit === undefined && explorer.goOn(exploration, 5_000)) {
    limit = limitReached(exploration, elapsed())
    if (performance.now() - shown < SIGN_OF_LIFE_MS) continue
    shown = performance.now()
    process.stdout.write(
      terminal ? `\r\u001b[K  ${figures(exploration, elapsed())}` : `  ${figures(exploration, elapsed())}\n`,
    )
  }
  const status =
    limit === undefined ? exploration.status : `all states to depth ${exploration.depth}, stopped after ${limit}`
  process.stdout.write(`${terminal ? '\r\u001b[K' : ''}  ${figures(exploration, elapsed())}: ${status}\n`)
  const wrong = judge(exploration)
  if (wrong !== undefined) process.stdout.write(`${red(wrong)}\n`)
  return wrong === undefined
}

const all = values.diagram ? explorer.DRAWN : values.ci ? explorer.IN_CI : explorer.IN_DEPTH
const chosen = all.filter(({ name }) => name.includes(values.only))
if (chosen.length === 0)
  process.stderr.write(`no configuration is named like that: ${all.map(({ name }) => name).join('; ')}\n`)
const diagram = explorer.emptyDiagram()
const good = chosen.filter((configuration) => exploreOne(configuration, diagram))
process.exitCode = chosen.length > 0 && good.length === chosen.length ? 0 : 1
if (values.diagram && process.exitCode === 0) {
  writeFileSync(join(top, 'packages/core/docs/transitions.md'), explorer.showDiagram(diagram))
}
