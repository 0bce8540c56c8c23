// How dear a decision is, and that neither mountpoints nor holders make it dearer. Plain loops over decide, apply and
// grantable with fresh strings on every input, as a driver would feed them; medians of rounds in one process, so that the
// ratios hold even where the machine is noisy. A request counts once, a decision each time something is decided.

import { DEFAULT_LIMITS, defaultSettings } from '@mountkeeper/border'
import type { Found, Host, Identity, Input, Settings } from '../src/index.js'
import { apply, decide, emptyHost, grantable, requestId } from '../src/index.js'

/** As by default, but for so many tmpfs that their sizes would be too much for a host. */
const settings: Settings = {
  ...defaultSettings('/srv/mounts'),
  limits: { ...DEFAULT_LIMITS, memoryBytes: Number.MAX_SAFE_INTEGER },
}

interface Bench {
  readonly host: Host
  readonly mounted: Map<string, readonly Identity[]>
  readonly directories: Set<string>
  decisions: number
  requests: number
}

const feed = (bench: Bench, first: Input): void => {
  const inputs: Input[] = [first]
  for (let input = inputs.pop(); input !== undefined; input = inputs.pop()) {
    const decision = decide(bench.host, input)
    apply(bench.host, decision)
    bench.decisions += 1
    for (const effect of decision.then.effects) {
      if (effect._tag === 'Wait' || effect._tag === 'Discover') continue
      inputs.push({
        _tag: 'Outcome',
        at: 1,
        effect: effect.effect,
        mountpoint: effect.mountpoint,
        found: run(bench, effect),
      })
    }
    const next = inputs.length > 0 ? undefined : grantable(bench.host)
    if (next !== undefined) inputs.push({ _tag: 'Granted', at: 1, mountpoint: next })
  }
}

const found = (bench: Bench, path: string): Found => {
  const layers = bench.mounted.get(path)
  if (layers !== undefined) return { _tag: 'Mounted', layers }
  return { _tag: bench.directories.has(path) ? 'Directory' : 'NoDirectory' }
}

const FLAGS = ['rw', 'nosuid', 'nodev']
let mounts = 0

const run = (bench: Bench, effect: { readonly _tag: string; readonly mountpoint: string }): Found => {
  const path = effect.mountpoint
  if (effect._tag === 'MakeDirectory') bench.directories.add(path)
  else if (effect._tag === 'RemoveDirectory') bench.directories.delete(path)
  else if (effect._tag === 'Unmount') bench.mounted.delete(path)
  else if (effect._tag === 'Mount') {
    mounts += 1
    bench.mounted.set(path, [
      { mountId: mounts, device: '0:7', fstype: 'tmpfs', source: 'share', root: '/', flags: FLAGS },
    ])
  }
  return found(bench, path)
}

const fresh = (prefix: string, index: number, length: number): string =>
  // Joined through an array, so that no two inputs share a string object.
  [prefix, String(index).padStart(length - prefix.length, '0')].join('')

const pathOf = (index: number): string => fresh('/srv/mounts/', index, 44)
const volumeOf = (index: number): string => fresh('volume-', index, 44)
const consumerOf = (index: number): string => fresh('vm-', index, 36)

const ask = (bench: Bench, op: 'attach' | 'detach', mountpoint: number, holder: number): void => {
  bench.requests += 1
  const request = requestId(bench.requests)
  const common = { mountpoint: pathOf(mountpoint), volume: volumeOf(holder), consumer: consumerOf(holder) }
  const body =
    op === 'attach' ? { op, ...common, filesystem: { type: 'tmpfs', source: 'share', options: [] } } : { op, ...common }
  feed(bench, { _tag: 'Requested', at: 1, request, body })
}

const prepare = (mountpoints: number, holders: number): Bench => {
  const bench: Bench = {
    host: emptyHost(settings),
    mounted: new Map(),
    directories: new Set(),
    decisions: 0,
    requests: 0,
  }
  apply(bench.host, {
    changes: [{ _tag: 'Host', patch: { phase: 'up', generation: 1 } }],
    append: [],
    then: { answers: [], effects: [] },
  })
  for (let mountpoint = 0; mountpoint < mountpoints; mountpoint += 1) {
    for (let holder = 0; holder < holders; holder += 1) ask(bench, 'attach', mountpoint, holder)
  }
  return bench
}

interface Rate {
  readonly decisions: number
  readonly requests: number
}

const ROUNDS = 7

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** Decisions and requests a second, medians of rounds of `once`. */
const measure = (bench: Bench, count: number, once: (round: number) => void): Rate => {
  const rates = Array.from({ length: ROUNDS }, () => {
    bench.decisions = 0
    const before = bench.requests
    const begun = process.hrtime.bigint()
    for (let round = 0; round < count; round += 1) once(round)
    const seconds = Number(process.hrtime.bigint() - begun) / 1e9
    return { decisions: bench.decisions / seconds, requests: (bench.requests - before) / seconds }
  })
  return {
    decisions: median(rates.map((rate) => rate.decisions)),
    requests: median(rates.map((rate) => rate.requests)),
  }
}

let seed = 1
const random = (below: number): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return seed % below
}

const COUNT = 60_000

/** A newcomer joins a mounted mountpoint and leaves it again, at random ones. */
const joins = (mountpoints: number, holders: number): Rate => {
  const bench = prepare(mountpoints, holders)
  return measure(bench, COUNT, () => {
    const mountpoint = random(mountpoints)
    ask(bench, 'attach', mountpoint, 999_999)
    ask(bench, 'detach', mountpoint, 999_999)
  })
}

/** The oldest holder leaves, a new one joins. */
const turnover = (holders: number): Rate => {
  const bench = prepare(1, holders)
  let oldest = 0
  return measure(bench, COUNT, () => {
    ask(bench, 'attach', 0, oldest + holders)
    ask(bench, 'detach', 0, oldest)
    oldest += 1
  })
}

/** First in, last out: directory, mount, unmount, directory, on every request. */
const cycles = (mountpoints: number): Rate => {
  const bench = prepare(0, 0)
  for (let mountpoint = 0; mountpoint < mountpoints; mountpoint += 1) bench.host.mountpoints.has(pathOf(mountpoint))
  return measure(bench, COUNT / 4, () => {
    const mountpoint = random(mountpoints)
    ask(bench, 'attach', mountpoint, 1)
    ask(bench, 'detach', mountpoint, 1)
  })
}

const thousands = (value: number): string => `${Math.round(value / 1000)} k`.padStart(9)

const show = (name: string, rate: Rate): void => {
  process.stdout.write(
    `  ${name.padEnd(46)}${thousands(rate.decisions)} decisions/s${thousands(rate.requests)} requests/s\n`,
  )
}

const collect = (globalThis as { readonly gc?: () => void }).gc

const heap = (): number => {
  collect?.()
  return process.memoryUsage().heapUsed
}

const memory = (name: string, mountpoints: number, holders: number): void => {
  if (collect === undefined) return
  const before = heap()
  const bench = prepare(mountpoints, holders)
  bench.mounted.clear()
  const bytes = heap() - before
  const each = holders > 1 ? bytes / holders : bytes / mountpoints
  process.stdout.write(`  ${name.padEnd(46)}${String(Math.round(each)).padStart(9)} bytes each\n`)
}

show('join and leave, 1,000 mountpoints x 4', joins(1_000, 4))
show('join and leave, 100,000 mountpoints x 1', joins(100_000, 1))
show('whole cycles, 1,000 mountpoints', cycles(1_000))
show('whole cycles, 100,000 mountpoints', cycles(100_000))
for (const holders of [1, 10, 100, 1_000, 10_000, 100_000]) {
  show(`oldest leaves, new one joins, ${holders.toLocaleString('en')} holders`, turnover(holders))
}
memory('one holder of 100,000 on one mountpoint', 1, 100_000)
memory('one mountpoint of 100,000 with one holder', 100_000, 1)
