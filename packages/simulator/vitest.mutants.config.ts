import { join } from 'node:path'
import process from 'node:process'
import { defineConfig } from 'vitest/config'
import { SUITES } from './test/mutants/attempts.js'
import { MUTANTS } from './test/mutants/mutants.js'
import { planted, top } from './test/mutants/planted.js'

// MUTANT=name runs the law suites as they always are, with that mistake in the core: the counterexample is made smaller, and
// reported. Without it all mistakes are checked against the laws.
const conditions = ['@mountkeeper/source']
const name = process.env['MUTANT']
const mutant = MUTANTS.find((each) => each.name === name)
if (name !== undefined && mutant === undefined) {
  throw new Error(`there is no mutant ${name}; there are: ${MUTANTS.map((each) => each.name).join(', ')}`)
}

export default defineConfig({
  root: top,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  plugins: [planted(mutant)],
  test: {
    name: name ?? 'mutants',
    include: name === undefined ? ['packages/simulator/test/mutants/*.test.ts'] : [...SUITES],
    exclude: [join('**', 'node_modules', '**')],
  },
})
