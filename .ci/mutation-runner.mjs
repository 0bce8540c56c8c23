// The test runner of `npm run mutation`: bundles the tests of a package, those of core with the law suites of the simulator, once for
// each process, and runs them in it, mutant after mutant, so that a mutant costs what its tests cost and no start. Cheap tests come first, and the first
// that fails ends the run of its mutant. A mutant that is at work while modules are loaded gets the bundle loaded again.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
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
// Some count what they have compared.
const PROPERTY_RUNS = { codec: 60, journal: 40 }

const FIRST = ['transcripts.test.ts', 'phase-input.test.ts', 'field-failures.test.ts']
const LAST = {
  core: ['model/laws.test.ts', 'recovery.test.ts'],
  journal: ['compaction.test.ts', 'two-damages.test.ts', 'second-life.test.ts', 'crash.test.ts'],
}
const LAWS = ['laws/membership.test.ts', 'laws/teardown.test.ts', 'calm.test.ts', 'mutants/suite/runs.ts']

const PACKAGE = process.env['MUTATION_PACKAGE'] ?? 'core'

// Some start many processes, or wait in real time: each mutant would take seconds. Others compare a text with the sources, or count
// what their process has open, or what the built package allocates.
const LEFT_OUT = {
  linux: ['prober.test.ts', 'recent-mounts.test.ts', 'type-table.test.ts'],
  runtime: ['readme.test.ts', 'cost.test.ts'],
}

/** `MUTATION_WITHOUT='crash.test.ts second-life.test.ts'` leaves these out too: then more mutants survive, in less time. */
const WITHOUT = (process.env['MUTATION_WITHOUT'] ?? '').split(' ')

/** The files with tests, in their order, as paths from the top. */
const suites = () => {
  const all = readdirSync(`packages/${PACKAGE}/test`, { recursive: true }).filter((name) => name.endsWith('.test.ts'))
  const found = all.filter((name) => ![...(LEFT_OUT[PACKAGE] ?? []), ...WITHOUT].includes(name))
  const first = PACKAGE === 'core' ? FIRST : []
  const last = (LAST[PACKAGE] ?? []).filter((name) => !WITHOUT.includes(name))
  const others = found.filter((name) => !first.includes(name) && !last.includes(name)).sort()
  return [
    ...[...first, ...others].map((name) => `packages/${PACKAGE}/test/${name}`),
    ...(PACKAGE === 'core' ? LAWS : []).map((name) => `packages/simulator/test/${name}`),
    ...last.map((name) => `packages/${PACKAGE}/test/${name}`),
  ]
}

// These judge the runs of `how it goes on` a second and a third time: whatever they see differs in its transcripts as well.
const REPEATED = ['every combination has a rule', 'L28 L30 L34: a start destroys nothing']
const isRepeated = (id) => REPEATED.some((name) => id.startsWith(`packages/core/test/recovery.test.ts > ${name}`))

const EXPORTED = ['afterAll', 'afterEach', 'beforeAll', 'beforeEach', 'describe', 'expect', 'it', 'test', 'vi']
const COLLECTOR = 'mountkeeperTests'
const ENTRY = 'suites'

/** Each suite becomes a function that is distinguished by its file; vitest is what `collector` makes of it. */
const gathered = (files) => ({
  name: 'gathered',
  enforce: 'pre',
  resolveId: (source) =>
    source === ENTRY || source === 'vitest' || source.startsWith('begin:') ? `\0${source}` : null,
  load: (id) => {
    if (id === '\0vitest') return `export const { ${EXPORTED.join(', ')} } = globalThis.${COLLECTOR}`
    if (id.startsWith('\0begin:'))
      return `globalThis.${COLLECTOR}.begin(${JSON.stringify(id.slice('\0begin:'.length))})`
    if (id !== `\0${ENTRY}`) return null
    return files
      .flatMap((file) => [`begin:${file}`, join(process.cwd(), file)].map((each) => `import '${each}'`))
      .join('\n')
  },
  transform: (code, id) =>
    code
      .replaceAll('import.meta.dirname', JSON.stringify(dirname(id)))
      .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)),
})

const sources = join(process.cwd(), `packages/${PACKAGE}/src`)

const bundle = async (file) => {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [gathered(suites())],
    // Through the link in node_modules the package would be the one that is not mutated.
    resolve: {
      alias: [
        { find: new RegExp(`^@mountkeeper/${PACKAGE}$`), replacement: join(sources, 'index.ts') },
        { find: new RegExp(`^@mountkeeper/${PACKAGE}/(\\w+)$`), replacement: join(sources, '$1.ts') },
      ],
    },
    ssr: { noExternal: true, resolve: { conditions: ['@mountkeeper/source'] } },
    build: {
      ssr: true,
      write: false,
      minify: false,
      target: 'node20',
      rolldownOptions: { input: ENTRY, external: [/^node:/, 'fast-check', 'execa'], treeshake: false },
    },
  })
  writeFileSync(file, built.output[0].code)
}

/** A name is the same after the suites were loaded again, though their directories have other names then. */
const withoutChance = (text) => text.replaceAll(/(mountkeeper-[\w-]*?)[A-Za-z0-9]{6}(?![A-Za-z0-9])/g, '$1*')

const titled = (name, row, index) => {
  const values = Array.isArray(row) ? row : [row]
  const told = name.replaceAll(/\$(\w+)/g, (_, key) => String(row?.[key]))
  const shown = format(told.replaceAll(/%[sdij]/g, '%s'), ...values.slice(0, (told.match(/%[sdij]/g) ?? []).length))
  return `${withoutChance(shown)} (${index})`
}

/** Timers that stand still, and move when a test says so: as much of vitest's `vi` as the suites use. */
const virtualTimers = () => {
  const real = {}
  let now = 0
  let due = []
  const fakes = {
    setTimeout: (run, delayMs = 0, ...args) => {
      const timer = { at: now + delayMs, run: () => run(...args), ref: () => timer, unref: () => timer }
      due.push(timer)
      return timer
    },
    clearTimeout: (timer) => {
      due = due.filter((other) => other !== timer)
    },
    performance: { now: () => now },
    Date: class extends Date {
      static now() {
        return now
      }
    },
  }
  return {
    useFakeTimers: ({ toFake = ['setTimeout', 'clearTimeout', 'performance', 'Date'] } = {}) => {
      for (const name of toFake) {
        real[name] ??= globalThis[name]
        globalThis[name] = fakes[name]
      }
      now = 0
      due = []
    },
    useRealTimers: () => {
      Object.assign(globalThis, real)
    },
    advanceTimersByTime: (delayMs) => {
      const end = now + delayMs
      for (;;) {
        const [next] = due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        due = due.filter((other) => other !== next)
        now = Math.max(now, next.at)
        next.run()
      }
      now = end
    },
    spyOn: (object, name) => {
      const before = object[name]
      const calls = []
      let works = before
      const spy = Object.assign(
        (...args) => {
          calls.push(args)
          return works.apply(object, args)
        },
        {
          _isMockFunction: true,
          getMockName: () => name,
          mock: {
            calls,
            results: [],
            get lastCall() {
              return calls.at(-1)
            },
          },
        },
      )
      object[name] = spy
      spy.mockImplementation = (own) => {
        works = own
        return spy
      }
      spy.mockRestore = () => {
        object[name] = before
      }
      return spy
    },
  }
}

/** The file of the test that runs. */
const running = { file: '' }

/** Vitest's, but for the one matcher that wants a worker of vitest. */
const expecting = new Proxy(expect, {
  apply: (target, self, [value, ...more]) => {
    const matchesFile = async (name) => {
      const file = resolve(dirname(running.file), name)
      if (value !== readFileSync(file, 'utf8')) throw new Error(`it is not what ${file} shows`)
    }
    return Object.defineProperty(Reflect.apply(target, self, [value, ...more]), 'toMatchFileSnapshot', {
      value: matchesFile,
    })
  },
})

/** What the suites import as vitest: it keeps their tests, with names that are each other's only by mistake. */
const collector = () => {
  const tests = new Map()
  const newScope = (outer, name) => ({ outer, name, beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] })
  let scope = newScope(undefined, '')
  const pathOf = ({ outer, name }) => (outer === undefined ? [] : [...pathOf(outer), name])
  const within = (name, second, third) => {
    scope = newScope(scope, name)
    ;(typeof second === 'function' ? second : third)()
    scope = scope.outer
  }
  const test = (name, second, third) => {
    const run = typeof second === 'function' ? second : third
    const id = [...pathOf(scope), name].join(' > ')
    if (tests.has(id)) throw new Error(`there are two tests with the name ${id}`)
    if (!isRepeated(id)) tests.set(id, { run: () => run({ task: { meta: {} } }), scope })
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
  const skipIf = (define) => (isSkipped) => (isSkipped ? () => undefined : define)
  const hook = (kind) => (run) => scope[kind].push(run)
  const testing = Object.assign(test, { each: each(test), for: over, skipIf: skipIf(test) })
  return {
    tests,
    begin: (file) => {
      while (scope.outer !== undefined) scope = scope.outer
      scope = newScope(scope, file)
    },
    ...Object.fromEntries(['beforeAll', 'afterAll', 'beforeEach', 'afterEach'].map((kind) => [kind, hook(kind)])),
    describe: Object.assign(within, { each: each(within), skipIf: skipIf(within) }),
    expect: expecting,
    it: testing,
    test: testing,
    vi: virtualTimers(),
  }
}

/** A scope with those around it, the outermost first. */
const around = (scope) => (scope === undefined ? [] : [...around(scope.outer), scope])

const callAll = async (hooks) => {
  for (const hook of hooks) await hook()
}

/** Runs the hooks of scopes as their first test begins, and as a test of another scope follows. */
const entrance = () => {
  const inside = []
  const leave = async (outermost) => {
    for (const scope of inside.splice(outermost).reverse()) await callAll(scope.afterAll)
  }
  return {
    enter: async (scope) => {
      const next = around(scope)
      const common = next.findIndex((each, index) => inside[index] !== each)
      await leave(common < 0 ? next.length : common)
      for (const each of next.slice(inside.length)) {
        inside.push(each)
        await callAll(each.beforeAll)
      }
    },
    leave: () => leave(0),
  }
}

/**
 * A test that has waited so long for nothing, ms, hangs because of its mutant. What counts is the time in which the process has nothing
 * to do, so that a test on a busy machine does not seem to hang; one that is busy for ever is ended by Stryker's own limit.
 */
const HANGS_MS = { runtime: 2_000, linux: 20_000, journal: 20_000 }[PACKAGE] ?? 5_000
const ASKED_EACH_MS = 100

const unlessItHangs = async (run) => {
  let timer
  const before = performance.eventLoopUtilization()
  const hung = new Promise((_, reject) => {
    timer = nativeSetInterval(() => {
      if (performance.eventLoopUtilization(before).idle > HANGS_MS) reject(new Error('it hangs'))
    }, ASKED_EACH_MS)
  })
  try {
    await Promise.race([run(), hung])
  } finally {
    nativeClearInterval(timer)
  }
}
// A suite may put its own in their place.
const nativeSetInterval = setInterval
const nativeClearInterval = clearInterval

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

  // What is thrown where no test waits for it fails the test that runs.
  let stray
  const strayed = (error) => {
    stray ??= error ?? new Error('a promise was rejected')
  }

  const runOne = async ([id, { run, scope }], entered) => {
    const began = Date.now()
    stray = undefined
    running.file = id.split(' > ')[0]
    mutation.currentTestId = id
    const told = (status, failureMessage) => ({
      id,
      name: id,
      status,
      timeSpentMs: Date.now() - began,
      ...(failureMessage === undefined ? {} : { failureMessage }),
    })
    try {
      await unlessItHangs(async () => {
        await entered.enter(scope)
        try {
          for (const each of around(scope)) await callAll(each.beforeEach)
          await run()
        } finally {
          for (const each of around(scope).reverse()) await callAll(each.afterEach)
        }
      })
      if (stray !== undefined) throw stray
      return told(TestStatus.Success)
    } catch (error) {
      return told(TestStatus.Failed, error instanceof Error ? error.message : String(error))
    } finally {
      mutation.currentTestId = undefined
    }
  }

  const runAll = async (ids, bails) => {
    const results = []
    const entered = entrance()
    for (const test of tests) {
      if (ids !== undefined && !ids.has(test[0])) continue
      const result = await runOne(test, entered)
      results.push(result)
      if (bails && result.status === TestStatus.Failed) break
    }
    await entered.leave().catch(() => undefined)
    if (results.length === 0) throw new Error('no test was run: the sources have changed since the first run')
    return { status: DryRunStatus.Complete, tests: results }
  }

  return {
    capabilities: () => ({ reloadEnvironment: true }),
    init: async () => {
      process.on('uncaughtException', strayed)
      process.on('unhandledRejection', strayed)
      const numRuns = PROPERTY_RUNS[PACKAGE] ?? LAW_RUNS
      process.env.FC_NUM_RUNS = String(numRuns)
      fc.configureGlobal({ seed: 1, numRuns, endOnFailure: true })
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
