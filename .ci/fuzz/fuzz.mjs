// Fuzzes one parser and says how it went: in a thread that is ended where it does not come back or takes too much memory.
import { Worker } from 'node:worker_threads'

const MODULE = new URL('parsers.mjs', import.meta.url).href
const WORKER = new URL('worker.mjs', import.meta.url)

/** No input may take longer, ms of a processor. */
export const LIMIT_MS = 50
/** An input that has not come back after this is a hang, ms; far more than any takes on a machine that has much to do. */
const HANG_MS = 20_000
const ROUND_MS = 500
const HEAP_MEGABYTES = 1_024
/** What the heap may grow by between a fifth of the inputs and all. */
const GROWTH_MEGABYTES = 32

/**
 * Gives a parser of a module so many inputs; the same seed gives the same. Resolves with `Done` and figures, or with `Fault`, why,
 * and the input. `progress` hears how many were tried.
 */
export const fuzz = ({ name, inputs, seed, module = MODULE, hangMs = HANG_MS, progress = () => undefined, ...more }) =>
  new Promise((resolve) => {
    const shared = new Int32Array(new SharedArrayBuffer(5 * Int32Array.BYTES_PER_ELEMENT))
    const { growthMegabytes = GROWTH_MEGABYTES, limitMs = LIMIT_MS } = more
    const worker = new Worker(WORKER, {
      workerData: { module, name, inputs, seed, limitMs, growthMegabytes, shared },
      // The stack is that of the main thread.
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES, stackSizeMb: 1 },
    })
    let seen = -1
    let seenAt = performance.now()
    const where = () => `batch ${shared[2]}, text ${shared[3]}, damage ${shared[4]}, ${shared[1]} characters`
    const end = (result) => {
      clearInterval(timer)
      resolve({ ...result, done: shared[0] })
      void worker.terminate()
    }
    const timer = setInterval(() => {
      const now = performance.now()
      if (shared[0] !== seen) [seen, seenAt] = [shared[0], now]
      progress(shared[0])
      // Before the first input the thread still loads.
      if (now - seenAt > hangMs * (seen === 0 ? 3 : 1))
        end({ _tag: 'Fault', why: `does not come back: ${where()}`, input: '' })
    }, ROUND_MS)
    worker.once('message', end)
    worker.once('error', (error) => end({ _tag: 'Fault', why: `${error.message} (${where()})`, input: '' }))
  })
