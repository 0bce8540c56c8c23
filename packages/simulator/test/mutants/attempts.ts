// Attempts: each mutant becomes a bundle of its own, core and law suites together, that runs in a worker thread.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Plugin } from 'vite'
import { build } from 'vite'
import type { Mutant } from './mutant.js'
import { planted, top } from './planted.js'
import type { Rounds, Verdict } from './suite/attempt.js'
import type { Explored } from './suite/explore.js'
import type { Simulated } from './suite/simulate.js'

/** The law suites of the repository. */
export const SUITES: readonly string[] = [
  'packages/core/test/model/laws.test.ts',
  'packages/simulator/test/laws.test.ts',
  'packages/simulator/test/calm.test.ts',
]

// As they are, but that all laws over random runs of the simulator are judged over the same runs.
const ATTEMPTED: readonly string[] = SUITES.map((path) =>
  path === 'packages/simulator/test/laws.test.ts' ? 'packages/simulator/test/mutants/suite/runs.ts' : path,
)

const suite = join(import.meta.dirname, 'suite')
const ENTRY = 'attempt'

/** Some modules, and what stands in for the runner of suites. */
const gathered = (modules: readonly string[], runs: 'counted' | 'as they are'): Plugin => ({
  name: 'gathered',
  enforce: 'pre',
  resolveId: (source, importer) => {
    if (source === ENTRY) return `\0${ENTRY}`
    if (source === 'vitest') return join(suite, 'vitest.ts')
    const isOurs = runs === 'as they are' || importer?.startsWith(join(suite, 'fast-check')) === true
    if (source === 'fast-check') return isOurs ? { id: source, external: true } : join(suite, 'fast-check.ts')
    return undefined
  },
  load: (id) => (id === `\0${ENTRY}` ? modules.map((path) => `import ${JSON.stringify(path)}`).join('\n') : undefined),
})

const conditions = ['@mountkeeper/source']

type Gathered = Parameters<typeof gathered>

const bundle = async (mutant: Mutant | undefined, ...modules: Gathered): Promise<string> => {
  const built = await build({
    root: top,
    configFile: false,
    logLevel: 'silent',
    plugins: [gathered(...modules), planted(mutant)],
    ssr: { noExternal: true, resolve: { conditions } },
    build: {
      ssr: true,
      write: false,
      minify: false,
      target: 'node20',
      rolldownOptions: { input: ENTRY, external: [/^node:/], treeshake: false },
    },
  })
  if (!('output' in built)) throw new Error('nothing was built')
  return built.output[0].code
}

// A mutant that never comes to an end has been found out as well.
const LIMIT_MS = 180_000

const attemptOnce = async (file: string, rounds: Rounds): Promise<Verdict> => {
  const worker = new Worker(pathToFileURL(file), { workerData: rounds, stdout: true, stderr: true, env: {} })
  let limit: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<readonly Verdict[]>((resolve) => {
    limit = setTimeout(() => {
      resolve([{ law: 'L25', why: 'it never comes to an end', test: '', runs: 0, ms: LIMIT_MS }])
    }, LIMIT_MS)
  })
  const mute = once(worker, 'exit').then(() => {
    throw new Error('the law suites ended without a verdict')
  })
  mute.catch(() => undefined)
  try {
    const [verdict] = (await Promise.race([once(worker, 'message'), late, mute])) as readonly [Verdict]
    return verdict
  } finally {
    clearTimeout(limit)
    await worker.terminate()
  }
}

/** Somewhere for bundles where Node finds fast-check from. */
export interface Folder {
  readonly path: string
  readonly remove: () => void
}

export const newFolder = (): Folder => {
  const above = join(import.meta.dirname, '../../node_modules/.mutants')
  mkdirSync(above, { recursive: true })
  const path = mkdtempSync(join(above, 'run-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Plants a mutant (or none) and holds the law suites against it. */
export const attempt = async (folder: Folder, mutant: Mutant | undefined, rounds: Rounds): Promise<Verdict> => {
  const file = join(folder.path, `${mutant?.name ?? 'core'}.mjs`)
  const suites = ATTEMPTED.map((path) => join(top, path))
  writeFileSync(file, await bundle(mutant, [...suites, join(suite, 'attempt.ts')], 'counted'))
  return attemptOnce(file, rounds)
}

const posted = async <Message>(folder: Folder, mutant: Mutant, module: string, data?: string): Promise<Message> => {
  const file = join(folder.path, `${mutant.name}-${module}.mjs`)
  writeFileSync(file, await bundle(mutant, [join(suite, `${module}.ts`)], 'as they are'))
  const worker = new Worker(pathToFileURL(file), { workerData: data, env: {} })
  const [message] = (await once(worker, 'message')) as unknown as readonly [Message]
  await worker.terminate()
  return message
}

/** Plants a mutant and simulates, as `mountkeeper simulate` does. */
export const simulate = (folder: Folder, mutant: Mutant): Promise<Simulated> => posted(folder, mutant, 'simulate')

/** Plants a mutant and explores one of the explorer's configurations. */
export const exploreMutant = (folder: Folder, mutant: Mutant, configuration: 'TWIN' | 'ODD'): Promise<Explored> =>
  posted(folder, mutant, 'explore', configuration)
