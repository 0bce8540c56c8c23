// Makes a clone ready for a script, stage by stage; the first one that fails is quoted, and ends the process.
import process from 'node:process'
import { preparation, run } from './prepare.mjs'
import { quote, stage } from './report.mjs'

/** Compiles the tests and benchmarks of packages, which a build leaves out; `paths` from the top. */
export const typesOf = (...paths) => ({ name: 'types', command: ['node', 'node_modules/ts7/bin/tsc', '-b', ...paths] })

/** Installs where that is needed, builds, and then passes these stages. */
export const makeReady = async (...stages) => {
  for (const { name, command } of [...preparation(), ...stages]) {
    const { ok, output } = await stage(name, () => run(command))
    if (ok) continue
    quote(output)
    process.exit(1)
  }
}
