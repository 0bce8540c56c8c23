// Which package may import what: the table behind the rules of dependency-cruiser. A package that is not listed may import
// nothing but itself. The manifests repeat the arrows, because npm insists on them, and a test compares both.
'use strict'

/** `packages`: ours. `types`: ours, types only. `modules`: of others. `node`: whether Node's own modules may be used. */
module.exports = {
  types: { packages: [], types: [], modules: [], node: false },
  core: { packages: ['types'], types: [], modules: [], node: false },
  border: { packages: ['types', 'core'], types: [], modules: [], node: false },
  plan: { packages: ['core'], types: [], modules: [], node: false },
  inspect: { packages: ['core'], types: [], modules: [], node: false },
  codec: { packages: ['types', 'core', 'border'], types: [], modules: ['fp-ts', 'io-ts'], node: false },
  runtime: { packages: ['core', 'border', 'plan'], types: [], modules: ['fp-ts'], node: false },
  exec: { packages: ['types'], types: [], modules: [], node: true },
  linux: {
    packages: ['types', 'core', 'codec', 'exec'],
    types: ['runtime'],
    modules: ['fp-ts', 'execa'],
    node: true,
  },
  journal: { packages: ['core', 'codec'], types: ['runtime'], modules: ['fp-ts'], node: true },
  libvirt: {
    packages: ['core'],
    types: ['runtime'],
    modules: ['fp-ts', 'execa', '@rgrove/parse-xml'],
    node: true,
  },
  simulator: {
    packages: ['types', 'core', 'border', 'inspect', 'runtime'],
    types: [],
    modules: ['fast-check'],
    node: false,
  },
  bench: { packages: ['core', 'border', 'runtime', 'linux'], types: [], modules: [], node: true },
  mountkeeper: {
    packages: ['types', 'core', 'border', 'plan', 'codec', 'runtime', 'linux', 'journal', 'libvirt', 'simulator'],
    types: [],
    modules: ['fp-ts'],
    node: true,
  },
  lab: {
    packages: ['types', 'core', 'border', 'codec', 'runtime', 'linux', 'simulator'],
    types: [],
    modules: ['fp-ts', 'fast-check', 'vitest'],
    node: true,
  },
  examples: { packages: ['mountkeeper'], types: [], modules: [], node: true },
  cli: {
    packages: [
      'core',
      'border',
      'plan',
      'codec',
      'runtime',
      'exec',
      'linux',
      'journal',
      'libvirt',
      'simulator',
      'mountkeeper',
    ],
    types: [],
    modules: ['fp-ts', 'cmd-ts', 'picocolors'],
    node: true,
  },
}
