// Fuzzes one parser in a thread of its own, so that one that does not come back or that takes all memory can be ended. Counts what
// it does in shared memory; a fault is sent with the shortest input that was found for it.
import { readFileSync } from 'node:fs'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import fc from 'fast-check'
import { damaged } from './damage.mjs'

const { module, name, inputs, seed, limitMs, growthMegabytes, shared } = workerData
const { parsers } = await import(module)
const parser = parsers.find((each) => each.name === name)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
const heapBytes = () => {
  collect()
  return getHeapStatistics().used_heap_size
}

/** Texts that are made at a time, and damages of each; the first of these is none. */
const TEXTS = 200
const DAMAGES = 20
const REPEATS = 4
const SHORTER_MS = 10_000
/** Below that nothing counts as slow, and is not measured again. */
const NOTABLE_MS = 1

const timed = (text) => {
  const began = performance.now()
  const parsed = parser.parse(text)
  const ms = performance.now() - began
  return { isAccepted: parser.check(parsed, text), ms }
}

/** Time of this thread on a processor, ms: the first figure of schedstat (proc(5)), in ns. */
const ownMs = () => Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6

/** The least of some measurements: the collector makes a single one longer, and so does what else the machine has to do. */
const leastMs = (text) => {
  let least = Infinity
  let leastOwn = Infinity
  for (let time = 0; time < REPEATS; time += 1) {
    const [began, beganOwn] = [performance.now(), ownMs()]
    parser.parse(text)
    least = Math.min(least, performance.now() - began)
    leastOwn = Math.min(leastOwn, ownMs() - beganOwn)
  }
  return least > limitMs ? Math.min(least, leastOwn) : least
}

const faultOf = (text) => {
  try {
    const { ms } = timed(text)
    return ms > limitMs && leastMs(text) > limitMs ? 'slow' : undefined
  } catch (error) {
    return error instanceof Error ? error.constructor.name : String(error)
  }
}

/** Leaves parts out as long as the fault is of the same kind. */
const shortest = (text, kind) => {
  let best = text
  const until = performance.now() + SHORTER_MS
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best.length && performance.now() < until;) {
      const shorter = best.slice(0, from) + best.slice(from + size)
      if (faultOf(shorter) === kind) best = shorter
      else from += size
    }
  }
  return best
}

const say = (found) => parentPort.postMessage(found)
const fault = (why, text) => {
  const kind = faultOf(text)
  const input = kind === undefined ? text : shortest(text, kind)
  say({ _tag: 'Fault', why, input })
}

let slowestMs = 0
let slowest = ''
let accepted = 0

const tryOne = (text) => {
  Atomics.store(shared, 1, Math.min(text.length, 2 ** 31 - 1))
  let seen
  try {
    seen = timed(text)
  } catch (error) {
    fault(error instanceof Error ? (error.stack ?? error.message) : String(error), text)
    return false
  }
  if (seen.isAccepted) accepted += 1
  if (seen.ms <= Math.max(slowestMs, NOTABLE_MS)) return true
  const ms = leastMs(text)
  if (ms > slowestMs) [slowestMs, slowest] = [ms, text]
  if (ms <= limitMs) return true
  fault(`takes ${ms.toFixed(1)} ms, more than ${limitMs}`, text)
  return false
}

const seedOf = (batch, index, damage) =>
  damage === 0
    ? 0
    : (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(batch * TEXTS * DAMAGES + index * DAMAGES + damage, 0x85ebca6b)) | 1

const runBatch = (batch, begun) => {
  let done = begun
  const texts = fc.sample(parser.valid, { numRuns: TEXTS, seed: seed * 1_000_003 + batch })
  for (const [index, text] of texts.entries()) {
    for (let damage = 0; damage < DAMAGES && done < inputs; damage += 1) {
      const damageSeed = seedOf(batch, index, damage)
      Atomics.store(shared, 2, batch)
      Atomics.store(shared, 3, index)
      Atomics.store(shared, 4, damage)
      if (!tryOne(damaged(parser.format, text, damageSeed))) return undefined
      done += 1
      Atomics.store(shared, 0, done)
    }
  }
  return done
}

const runAll = () => {
  let done = 0
  let early
  for (let batch = 0; done < inputs; batch += 1) {
    const after = runBatch(batch, done)
    if (after === undefined) return
    done = after
    if (early === undefined && done >= inputs / 5) early = heapBytes()
  }
  const growth = (heapBytes() - (early ?? 0)) / 1e6
  if (growth > growthMegabytes) say({ _tag: 'Fault', why: `the heap grew by ${growth.toFixed(0)} MB`, input: '' })
  else say({ _tag: 'Done', inputs: done, accepted, slowestMs, slowest, growth })
}

runAll()
