// A new user: the tarballs in an empty folder, the README's first lines typed as they are, a service on real mounts that is stopped by
// SIGTERM and killed, and its tests on the simulator with four faults. Nothing is within reach but what the manifests declare.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT, STATE, mounted, prepareWorld } from './world.js'

prepareWorld()

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const top = join(import.meta.dirname, '../../..')
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mountkeeper-user-')))
const manifestIn = (place: string): Manifest =>
  JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as Manifest

beforeAll(() => {
  const names = readdirSync(join(top, 'packages'))
    .map((name) => manifestIn(join(top, 'packages', name)))
    .filter((manifest) => manifest.private !== true && manifest.name !== '@mountkeeper/cli')
    .map(({ name }) => name)
  const packed = spawnSync(
    'npm',
    ['pack', '--silent', '--pack-destination', folder, ...names.map((name) => `--workspace=${name}`)],
    { cwd: top, encoding: 'utf8' },
  )
  expect(packed.status, packed.stderr).toBe(0)
  for (const name of names) {
    const place = join(folder, 'node_modules', name)
    mkdirSync(place, { recursive: true })
    const tarball = join(folder, `${name.replace('@', '').replace('/', '-')}-0.1.0.tgz`)
    expect(spawnSync('tar', ['-xzf', tarball, '-C', place, '--strip-components=1']).status).toBe(0)
    // Instead of an install, which would need a network.
    const { dependencies = {}, peerDependencies = {} } = manifestIn(place)
    for (const other of Object.keys({ ...dependencies, ...peerDependencies })) {
      if (names.includes(other)) continue
      mkdirSync(dirname(join(place, 'node_modules', other)), { recursive: true })
      symlinkSync(join(top, 'node_modules', other), join(place, 'node_modules', other))
    }
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SERVICE = `
import { openMountkeeper } from 'mountkeeper'
const keeper = await openMountkeeper({ root: '${ROOT}', stateDirectory: '${STATE}' })
process.once('SIGTERM', () => void keeper.close())
const [, , name, consumer] = process.argv
const filesystem = { type: 'tmpfs', source: name, options: ['size=1m'] }
const { holder, mount } = await keeper.attach({ mountpoint: '${ROOT}/' + name, filesystem, volume: name, consumer })
const { mountpoints } = await keeper.status()
console.log(JSON.stringify({ holder, mount, holders: mountpoints.map(({ holders }) => holders.length) }))
const alive = setInterval(() => undefined, 1_000) // as the server of a service would
await keeper.ended
clearInterval(alive)
`

const TESTS = `
import assert from 'node:assert'
import { test } from 'node:test'
import { openSimulatedMountkeeper } from 'mountkeeper/simulated'
const disk = { mountpoint: '/srv/mounts/a', filesystem: { type: 'tmpfs', source: 'a', options: [] }, volume: 'a', consumer: 'vm-1' }
const code = (asked) => asked.then(({ mount }) => mount, (error) => error.code)
const faulty = (name, expected, fault, pass = 0) =>
  test(name, async () => {
    const keeper = await openSimulatedMountkeeper({ root: '/srv/mounts' })
    keeper.host.inject({ effect: 'Mount', fault })
    const asked = code(keeper.attach(disk))
    if (pass > 0) await keeper.host.timers.pass(pass)
    assert.strictEqual(await asked, expected)
  })
faulty('a command that fails', 'MountFailed', { _tag: 'Fails', worked: false })
faulty('a command that fails and has mounted', 'mounted', { _tag: 'Fails', worked: true })
faulty('a command that exits with 0 and mounts nothing', 'MountFailed', { _tag: 'DoesNothing' }, 10_000)
faulty('a command that never ends', 'Uncertain', { _tag: 'Hangs', worked: false }, 200_000)
`

interface Running {
  readonly child: ChildProcess
  readonly said: Promise<unknown>
  readonly ended: Promise<number | null>
}

const serve = (name: string, consumer: string): Running => {
  const child = spawn(process.execPath, ['service.js', name, consumer], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  let text = ''
  let wrong = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (wrong += chunk))
  const said = new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\n')) resolve(JSON.parse(text))
    })
    void ended.then(() => reject(new Error(wrong)))
  })
  return { child, said, ended }
}

describe('a new user', () => {
  test('types the first lines of the README: they mount and unmount', () => {
    const readme = readFileSync(join(folder, 'node_modules/mountkeeper/README.md'), 'utf8')
    const first = /^```ts\n(.*?)^```/ms.exec(readme)![1]!
    writeFileSync(join(folder, 'first.js'), first.replace('/var/lib/mountkeeper', STATE))
    const { status, stderr } = spawnSync(process.execPath, ['first.js'], { cwd: folder, encoding: 'utf8' })
    expect(status, stderr).toBe(0)
    expect(mounted()).toEqual([])
  })

  test('stops the service by SIGTERM, kills the next one, and the third knows all holders', async () => {
    writeFileSync(join(folder, 'service.js'), SERVICE)
    const first = serve('a', 'vm-1')
    expect(await first.said).toEqual({ holder: 'added', mount: 'mounted', holders: [1] })
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)
    expect(mounted()).toEqual([`${ROOT}/a`])

    const second = serve('a', 'vm-2')
    expect(await second.said).toEqual({ holder: 'added', mount: 'shared', holders: [2] })
    second.child.kill('SIGKILL')
    await second.ended

    const third = serve('a', 'vm-1')
    expect(await third.said).toEqual({ holder: 'already-held', mount: 'shared', holders: [2] })
    third.child.kill('SIGTERM')
    expect(await third.ended).toBe(0)
    expect(mounted()).toEqual([`${ROOT}/a`])
  })

  test('tests the service on the simulator with four faults', () => {
    writeFileSync(join(folder, 'faults.js'), TESTS)
    const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', 'faults.js'], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(stdout).toContain('# pass 4\n')
    expect(status).toBe(0)
  })
})
