// What `npm run mutation -- PACKAGE` changes and runs: the sources of one package, and its tests (`.ci/mutation-runner.mjs`).
import process from 'node:process'

const name = process.env['MUTATION_PACKAGE'] ?? 'core'
const report = (ending) => `node_modules/.stryker/${name}.${ending}`

export default {
  testRunner: 'bundled-tests',
  plugins: ['./.ci/mutation-runner.mjs'],
  mutate: [`packages/${name}/src/**/*.ts`, '!packages/inspect/src/law.ts'],
  // The built look process is what the tests of `linux` start.
  ignorePatterns: [...(name === 'linux' ? [] : ['dist']), 'coverage', '.turbo'],
  reporters: ['clear-text', 'progress', 'html', 'json'],
  clearTextReporter: { allowColor: false, reportTests: false, reportMutants: true },
  htmlReporter: { fileName: report('html') },
  jsonReporter: { fileName: report('json') },
  // Codecs are made while modules are loaded: there is little else to change in them.
  ignoreStatic: name !== 'codec',
  incremental: true,
  incrementalFile: report('incremental.json'),
  timeoutMS: 10_000,
  timeoutFactor: 2,
  concurrency: 2,
  tempDirName: '.stryker-tmp',
}
