// `mountkeeper serve` as a process: many clients at once, SIGKILL between their requests, a reload, and clients in Python.

import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { connectMountkeeper } from 'mountkeeper'
import type { Keeper } from 'mountkeeper'
import { afterEach, expect, test } from 'vitest'
import { MAIN, ROOT, STATE, mounted, prepareWorld, until } from './world.js'

prepareWorld()

const SOCKET = '/srv/keeper.sock'
const PYTHON_CLIENT = fileURLToPath(new URL('../../mountkeeper/examples/mountkeeper_client.py', import.meta.url))
const CLIENTS = Number(process.env['MOUNTKEEPER_CLIENTS'] ?? 200)
/** However slow the machine is. */
const ROUNDS_MIN = 2
const SECONDS = Number(process.env['MOUNTKEEPER_SECONDS'] ?? 4)

interface Server {
  readonly process: ChildProcess
  readonly stderr: () => string
  readonly ended: Promise<number | null>
}

const servers: Server[] = []
const clients: Keeper[] = []
afterEach(async () => {
  for (const keeper of clients.splice(0)) await keeper.close()
  for (const { process: server, ended } of servers.splice(0)) {
    server.kill('SIGKILL')
    await ended
  }
})

const start = async (...more: readonly string[]): Promise<Server> => {
  const server = spawn(
    process.execPath,
    [MAIN, 'serve', '--root', ROOT, '--state-dir', STATE, '--socket', SOCKET, ...more],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let text = ''
  server.stderr.on('data', (chunk) => {
    text += String(chunk)
  })
  const ended = new Promise<number | null>((resolve) => server.once('close', resolve))
  const started = { process: server, stderr: () => text, ended }
  servers.push(started)
  await until(() => text.includes('serving ') || server.exitCode !== null)
  if (!text.includes('serving ')) throw new Error(text)
  return started
}

const client = async (): Promise<Keeper> => {
  const keeper = await connectMountkeeper(SOCKET, { patienceMs: 120_000 })
  clients.push(keeper)
  return keeper
}

const scratch = (name: string, consumer: string) => ({
  mountpoint: `${ROOT}/${name}`,
  filesystem: { type: 'tmpfs', source: 'scratch', options: [] },
  volume: 'vol-1',
  consumer,
})

test('a manager that is stopped leaves its mounts, and the next one has its holders', async () => {
  const server = await start()
  const keeper = await client()
  expect(await keeper.attach(scratch('a', 'vm-1'))).toMatchObject({ holder: 'added', mount: 'mounted' })
  server.process.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  expect(server.stderr()).toContain(`stays, in use: ${ROOT}/a mounted, 1 holder`)
  expect(mounted()).toHaveLength(1)
  const next = keeper.attach(scratch('a', 'vm-2'))
  await start()
  expect(await next).toMatchObject({ holder: 'added', mount: 'shared' })
  await keeper.release({ consumer: 'vm-1' })
  await keeper.release({ consumer: 'vm-2' })
  expect(mounted()).toEqual([])
})

test('SIGHUP adds, changes and removes sockets', async () => {
  const config = '/srv/sockets.json'
  const other = '/srv/other.sock'
  const write = (sockets: readonly unknown[]): void =>
    writeFileSync(config, JSON.stringify({ sockets }), { mode: 0o600 })
  write([{ path: other, operations: ['status'] }])
  const server = await start('--config', config)
  const reloaded = async (words: string): Promise<void> => {
    server.process.kill('SIGHUP')
    await until(() => server.stderr().includes(words))
  }
  const keeper = await connectMountkeeper(other)
  clients.push(keeper)
  await expect(keeper.attach(scratch('a', 'vm-1'))).rejects.toMatchObject({ code: 'Invalid' })
  write([{ path: other, operations: ['status', 'attach', 'detach'] }])
  await reloaded(`reloaded; sockets: changed ${other}`)
  expect(await keeper.attach(scratch('a', 'vm-1'))).toMatchObject({ holder: 'added' })
  expect(await keeper.detach(scratch('a', 'vm-1'))).toMatchObject({ mount: 'unmounted' })
  write([{ path: `${other}.2` }, { path: '/srv/missing/x.sock' }])
  await reloaded('not reloaded, the configuration of before stays: the socket /srv/missing/x.sock')
  expect(existsSync(other)).toBe(true)
  expect(existsSync(`${other}.2`)).toBe(false)
  write([{ path: `${other}.2` }])
  await reloaded(`reloaded; sockets: added ${other}.2; removed ${other}`)
  expect(existsSync(other)).toBe(false)
  const next = await connectMountkeeper(`${other}.2`)
  clients.push(next)
  expect((await next.status()).phase).toBe('up')
})

/** Sends lines on one connection, and resolves with as many answers. */
const exchange = (lines: readonly unknown[]): Promise<readonly { readonly result?: unknown }[]> =>
  new Promise((resolve, reject) => {
    const socket = connect(SOCKET)
    let text = ''
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      text += String(chunk)
      const answers = text.split('\n').slice(0, -1)
      if (answers.length < lines.length) return
      socket.destroy()
      resolve(answers.map((line) => JSON.parse(line) as { readonly result?: unknown }))
    })
    socket.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  })

test('an attach that is repeated after the server was killed is answered as the first one', async () => {
  const hello = { op: 'hello', format: 1, client: 'agent' }
  const ask = (id: string) => ({ op: 'attach', id, ...scratch('a', 'vm-1') })
  const first = await start()
  expect((await exchange([hello, ask('1')]))[1]?.result).toMatchObject({ holder: 'added', mount: 'mounted' })
  first.process.kill('SIGKILL')
  await first.ended
  await start()
  expect((await exchange([hello, ask('1')]))[1]?.result).toMatchObject({ holder: 'added', mount: 'shared' })
  expect((await exchange([hello, ask('2')]))[1]?.result).toMatchObject({ holder: 'already-held' })
  expect((await exchange([{ ...hello, client: 'other' }, ask('1')]))[1]?.result).toMatchObject({
    holder: 'already-held',
  })
  expect((await exchange([ask('1')]))[0]?.result).toMatchObject({ holder: 'already-held' })
  await (await client()).release({ consumer: 'vm-1' })
  expect(mounted()).toEqual([])
})

test('SIGHUP takes a new configuration with its clients connected, and refuses a wrong one', async () => {
  const config = '/srv/config.json'
  const write = (value: unknown): void => writeFileSync(config, JSON.stringify(value), { mode: 0o600 })
  write({})
  const server = await start('--config', config)
  const keeper = await client()
  const slow = { ...scratch('s', 'vm-1'), filesystem: { type: 'tmpfs', source: 'other', options: [] } }
  await keeper.attach(slow)
  write({ types: { tmpfs: { sources: ['scratch'] } } })
  server.process.kill('SIGHUP')
  await until(() => server.stderr().includes('reloaded; the sockets are the same'))
  expect(server.stderr()).toContain(
    `warning: ${ROOT}/s (1 holder): filesystem.source other is not allowed for type tmpfs; allowed: scratch; it stays recorded`,
  )
  await expect(keeper.attach({ ...slow, mountpoint: `${ROOT}/t` })).rejects.toMatchObject({ code: 'Invalid' })
  expect(await keeper.attach(scratch('u', 'vm-1'))).toMatchObject({ holder: 'added' })
  write({ types: 7 })
  server.process.kill('SIGHUP')
  await until(() => server.stderr().includes('not reloaded, the configuration of before stays'))
  await keeper.release({ consumer: 'vm-1' })
  expect(mounted()).toEqual([])
  server.process.kill('SIGTERM')
  expect(await server.ended).toBe(0)
})

test(
  `nothing is lost with ${CLIENTS} clients for ${SECONDS} s while the server is killed`,
  async () => {
    let server = await start()
    const all: Keeper[] = []
    for (let n = 0; n < CLIENTS; n += 1) all.push(await client())
    const end = Date.now() + SECONDS * 1_000
    let asked = 0
    const live = async (keeper: Keeper, index: number): Promise<void> => {
      const own = scratch(`m${index % 20}`, `vm-${index}`)
      for (let round = 1; ; round += 1) {
        await keeper.attach(own)
        asked += 1
        if (Date.now() >= end && round > ROUNDS_MIN) return
        await keeper.detach(own)
        asked += 1
      }
    }
    const lives = Promise.all(all.map(live))
    let kills = 0
    for (; Date.now() < end; kills += 1) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(1_500, SECONDS * 300)))
      server.process.kill('SIGKILL')
      await server.ended
      server = await start()
    }
    await lives
    expect(kills).toBeGreaterThan(0)
    const { mountpoints } = await all[0]!.status()
    expect(mountpoints.reduce((sum, { holders }) => sum + holders.length, 0)).toBe(CLIENTS)
    expect(mounted()).toHaveLength(Math.min(20, CLIENTS))
    await Promise.all(all.map((keeper, index) => keeper.release({ consumer: `vm-${index}` })))
    expect(mounted()).toEqual([])
    process.stdout.write(`serve: ${CLIENTS} clients, ${asked} requests, ${kills} kills, nothing lost\n`)
  },
  SECONDS * 1_000 + 180_000,
)

const hasPython = spawnSync('python3', ['--version']).status === 0

test.runIf(hasPython)('the example in Python mounts and unmounts, and hears why it may not', async () => {
  expect(existsSync(PYTHON_CLIENT)).toBe(true)
  await start()
  const python = (...args: readonly string[]) =>
    spawnSync('python3', [PYTHON_CLIENT, SOCKET, ...args], { encoding: 'utf8', timeout: 60_000 })
  const at = `${ROOT}/p`
  const first = python('mount', at, 'tmpfs', 'scratch', 'vol-1', 'vm-1')
  expect(first.stderr).toBe('')
  expect(JSON.parse(first.stdout)).toMatchObject({ _tag: 'Attached', holder: 'added', mount: 'mounted' })
  const refused = python('mount', at, 'tmpfs', 'other', 'vol-1', 'vm-2')
  expect(refused.status).toBe(1)
  expect(refused.stderr).toContain('Conflict')
  expect(JSON.parse(python('umount', at, 'vol-1', 'vm-1').stdout)).toMatchObject({ mount: 'unmounted' })
  expect(mounted()).toEqual([])
})
