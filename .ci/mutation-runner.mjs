// The test runner of `npm run mutation`: bundles the tests of core with the law suites of the simulator, once for each process, and
// runs them in it, mutant after mutant, so that a mutant costs what its tests cost and no start. Cheap tests come first, and the first
// that fails ends the run of its mutant. A mutant that is at work while modules are loaded gets the bundle loaded anew.
import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { format } from 'node:util'
import { INSTRUMENTER_CONSTANTS } from '@stryker-mutator/api/core'
import { PluginKind, declareFactoryPlugin } from '@stryker-mutator/api/plugin'
import { DryRunStatus, TestStatus, determineHitLimitReached, toMutantRunResult } from '@stryker-mutator/api/test-runner'
import fc from 'fast-check'
import { build } from 'vite'
import { expect } from 'vitest'

// Few runs of each law: what only many find out, the planted mistakes of the simulator do. A failure is not made smaller.
const LAW_RUNS = 15

const FIRST = ['transcripts.test.ts', 'phase-input.test.ts', 'field-failures.test.ts']
const LAST = ['model/laws.test.ts', 'recovery.test.ts']
const LAWS = ['laws/membership.test.ts', 'laws/teardown.test.ts', 'calm.test.ts', 'mutants/suite/runs.ts']

/** The files with tests, in their order, as paths from the top. */
const suites = () => {
  const found = readdirSync('packages/core/test', { recursive: true }).filter((name) => name.endsWith('.test.ts'))
  const others = found.filter((name) => !FIRST.includes(name) && !LAST.includes(name)).sort()
  return [
    ...[...FIRST, ...others].map((name) => `packages/core/test/${name}`),
    ...LAWS.map((name) => `packages/simulator/test/${name}`),
    ...LAST.map((name) => `packages/core/test/${name}`),
  ]
}

// These judge the runs of `how it goes on` a second and a third time: whatever they see differs in its transcripts as well.
const REPEATED = ['every combination has a rule', 'L28 L30 L34: a start destroys nothing']
const isRepeated = (id) => REPEATED.some((name) => id.startsWith(`packages/core/test/recovery.test.ts > ${name}`))

const COLLECTOR = 'mountkeeperTests'
const ENTRY = 'suites'

/** Each suite becomes a function that is told apart by its file; vitest is what `collector` makes of it. */
const gathered = (files) => ({
  name: 'gathered',
  enforce: 'pre',
  resolveId: (source) =>
    source === ENTRY || source === 'vitest' || source.startsWith('begin:') ? `\0${source}` : null,
  load: (id) => {
    if (id === '\0vitest') return `export const { afterAll, describe, expect, it, test } = globalThis.${COLLECTOR}`
    if (id.startsWith('\0begin:'))
      return `globalThis.${COLLECTOR}.begin(${JSON.stringify(id.slice('\0begin:'.length))})`
    if (id !== `\0${ENTRY}`) return null
    return files
      .flatMap((file) => [`begin:${file}`, join(process.cwd(), file)].map((each) => `import '${each}'`))
      .join('\n')
  },
  transform: (code, id) => code.replaceAll('import.meta.dirname', JSON.stringify(dirname(id))),
})

const bundle = async (file) => {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [gathered(suites())],
    // Through the link in node_modules the core would be the one that is not mutated.
    resolve: { alias: { '@mountkeeper/core': join(process.cwd(), 'packages/core/src/index.ts') } },
    ssr: { noExternal: true, resolve: { conditions: ['@mountkeeper/source'] } },
    build: {
      ssr: true,
      write: false,
      minify: false,
      target: 'node20',
      rolldownOptions: { input: ENTRY, external: [/^node:/, 'fast-check'], treeshake: false },
    },
  })
  writeFileSync(file, built.output[0].code)
}

const titled = (name, row, index) => {
  const values = Array.isArray(row) ? row : [row]
  const told = name.replaceAll(/\$(\w+)/g, (_, key) => String(row?.[key]))
  return `${format(told.replaceAll(/%[sdij]/g, '%s'), ...values.slice(0, (told.match(/%[sdij]/g) ?? []).length))} (${index})`
}

/** What the suites import as vitest: it keeps their tests, with names that are each other's only by mistake. */
const collector = () => {
  const tests = new Map()
  let place = []
  const within = (name, define) => {
    const before = place
    place = [...place, name]
    define()
    place = before
  }
  const test = (name, second, third) => {
    const run = typeof second === 'function' ? second : third
    const id = [...place, name].join(' > ')
    if (tests.has(id)) throw new Error(`there are two tests with the name ${id}`)
    if (!isRepeated(id)) tests.set(id, () => run({ task: { meta: {} } }))
  }
  const spread = (rows, row) => (Array.isArray(row) ? row : [row])
  const each = (define) => (rows) => (name, second, third) => {
    const run = typeof second === 'function' ? second : third
    rows.forEach((row, index) => define(titled(name, row, index), () => run(...spread(rows, row))))
  }
  const over = (rows) => (name, second, third) => {
    const run = typeof second === 'function' ? second : third
    rows.forEach((row, index) => test(titled(name, row, index), (context) => run(row, context)))
  }
  return {
    tests,
    begin: (file) => {
      place = [file]
    },
    afterAll: () => undefined,
    describe: Object.assign(within, { each: each(within) }),
    expect,
    it: Object.assign(test, { each: each(test), for: over }),
    test: Object.assign(test, { each: each(test), for: over }),
  }
}

const bundledTests = () => {
  const mutation = (globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {})
  const file = join(process.cwd(), `.mutation-${process.pid}.mjs`)
  let loads = 0
  let tests = new Map()

  const load = async () => {
    const collected = collector()
    globalThis[COLLECTOR] = collected
    loads += 1
    await import(`${pathToFileURL(file)}?${loads}`)
    tests = collected.tests
  }

  const runOne = async ([id, run]) => {
    const began = performance.now()
    mutation.currentTestId = id
    const told = (status, failureMessage) => ({
      id,
      name: id,
      status,
      timeSpentMs: Math.round(performance.now() - began),
      ...(failureMessage === undefined ? {} : { failureMessage }),
    })
    try {
      await run()
      return told(TestStatus.Success)
    } catch (error) {
      return told(TestStatus.Failed, error instanceof Error ? error.message : String(error))
    } finally {
      mutation.currentTestId = undefined
    }
  }

  const runAll = async (ids, bails) => {
    const results = []
    for (const test of tests) {
      if (ids !== undefined && !ids.has(test[0])) continue
      const result = await runOne(test)
      results.push(result)
      if (bails && result.status === TestStatus.Failed) break
    }
    return { status: DryRunStatus.Complete, tests: results }
  }

  return {
    capabilities: () => ({ reloadEnvironment: true }),
    init: async () => {
      process.env.FC_NUM_RUNS = String(LAW_RUNS)
      fc.configureGlobal({ seed: 1, numRuns: LAW_RUNS, endOnFailure: true })
      await bundle(file)
    },
    dryRun: async () => {
      mutation.activeMutant = undefined
      await load()
      return { ...(await runAll(undefined, false)), mutantCoverage: mutation.mutantCoverage }
    },
    mutantRun: async ({ activeMutant, disableBail, hitLimit, mutantActivation, testFilter }) => {
      mutation.activeMutant = undefined
      if (tests.size === 0 && mutantActivation !== 'static') await load()
      Object.assign(mutation, {
        activeMutant: activeMutant.id,
        hitLimit,
        hitCount: hitLimit === undefined ? undefined : 0,
      })
      const ids = testFilter === undefined ? undefined : new Set(testFilter)
      if (mutantActivation !== 'static') {
        const result = await runAll(ids, !disableBail)
        return toMutantRunResult(determineHitLimitReached(mutation.hitCount, hitLimit) ?? result)
      }
      try {
        await load()
        return toMutantRunResult(await runAll(ids, !disableBail))
      } catch (error) {
        // Vitest would count a suite that cannot be loaded as failed.
        const failed = {
          id: ENTRY,
          name: ENTRY,
          status: TestStatus.Failed,
          timeSpentMs: 0,
          failureMessage: String(error),
        }
        return toMutantRunResult({ status: DryRunStatus.Complete, tests: [failed] })
      } finally {
        tests = new Map()
      }
    },
  }
}

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'bundled-tests', bundledTests)]
