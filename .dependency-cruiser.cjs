// The arrows between packages, seen in the sources: static, dynamic and type-only imports alike.
'use strict'
const { builtinModules } = require('node:module')
const { readdirSync } = require('node:fs')
const table = require('./.ci/imports.cjs')

const NOTHING = { packages: [], types: [], modules: [], node: false }
const BUILTIN = `^(node:)?(${builtinModules.filter((name) => !name.startsWith('_')).join('|')})$`

const arrows = readdirSync(`${__dirname}/packages`).flatMap((name) => {
  const may = table[name] ?? NOTHING
  const from = { path: `^packages/${name}/src/` }
  const allowed = [
    `^packages/(${[name, ...may.packages, ...may.types].join('|')})/src/`,
    ...may.modules.map((module) => `node_modules/${module}/`),
    ...(may.node ? [BUILTIN] : []),
  ]
  return [
    {
      name: `${name}-imports`,
      comment: `${name} may import what .ci/imports.cjs lists for it, and nothing else`,
      severity: 'error',
      from,
      to: { pathNot: allowed },
    },
    ...may.types.map((other) => ({
      name: `${name}-needs-only-types-of-${other}`,
      severity: 'error',
      from,
      to: { path: `^packages/${other}/src/`, dependencyTypesNot: ['type-only'] },
    })),
  ]
})

module.exports = {
  forbidden: [...arrows, { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } }],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@mountkeeper/source', 'import', 'types', 'default'],
    },
  },
}
