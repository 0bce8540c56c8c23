// A keeper behind sockets: the same answers, what a socket may ask, and clients that are hostile, slow, or gone.

import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SocketSettings } from '@mountkeeper/codec'
import { decodeConfiguration, socketOf } from '@mountkeeper/codec'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectMountkeeper, isMountkeeperError } from '../src/index.js'
import type { Keeper, OpenKeeper } from '../src/index.js'
import { CONNECTIONS_MAX, UNREADABLE_MAX, notifySystemd, openOn, serveKeeper } from '../src/parts.js'
import type { SocketServer } from '../src/parts.js'
import { simulatedMachine } from '../src/simulated.js'
import { hold } from './examples/hold.js'

const ROOT = '/data/volumes'

let folder: string
let ends: (() => unknown)[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mountkeeper-socket-'))
  ends = []
})
afterEach(async () => {
  for (const end of ends.reverse()) await end()
  rmSync(folder, { recursive: true })
})

const openKeeper = async (): Promise<OpenKeeper> => {
  const decoded = decodeConfiguration({ roots: [ROOT] })
  if (decoded._tag === 'Left') throw new Error('the configuration is wrong')
  return openOn(simulatedMachine(decoded.right), decoded.right, { log: () => undefined })
}

const serve = async (
  own: Partial<SocketSettings> = {},
): Promise<{ readonly path: string; readonly server: SocketServer }> => {
  const path = join(folder, 'all.sock')
  const server = await serveKeeper(await openKeeper(), [{ ...socketOf({ path }), ...own }])
  ends.push(() => server.close())
  return { path, server }
}

const client = async (path: string): Promise<Keeper> => {
  const keeper = await connectMountkeeper(path)
  ends.push(() => keeper.close())
  return keeper
}

const scratch = (name = 'a', consumer = 'vm-1') => ({
  mountpoint: `${ROOT}/${name}`,
  filesystem: { type: 'tmpfs', source: 'scratch', options: [] },
  volume: 'vol-1',
  consumer,
})

/** A connection that says what it likes. */
const raw = async (path: string): Promise<{ readonly socket: Socket; readonly lines: () => readonly string[] }> => {
  const socket = connect({ path, allowHalfOpen: true })
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  socket.on('error', () => undefined)
  ends.push(() => void socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  return { socket, lines: () => text.split('\n').slice(0, -1) }
}

const ended = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) =>
    socket.destroyed || socket.readableEnded ? resolve(undefined) : socket.once('end', resolve).once('close', resolve),
  )

const until = async (holds: () => boolean): Promise<void> => {
  for (const from = Date.now(); !holds();) {
    if (Date.now() - from > 30_000) throw new Error(`not within 30 s: ${holds.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('a change of the sockets', () => {
  test('gives open connections what they may ask now', async () => {
    const { path, server } = await serve()
    const keeper = await client(path)
    expect(await server.listen([{ ...socketOf({ path }), operations: ['status'] }])).toMatchObject({
      right: { added: [], changed: [path], removed: [] },
    })
    await expect(keeper.attach(scratch())).rejects.toMatchObject({ code: 'Invalid' })
    expect((await keeper.status()).phase).toBe('up')
  })

  test('ends the connections of a socket that others may open now, when they have their answers', async () => {
    const { path, server } = await serve()
    const { socket, lines } = await raw(path)
    const end = ended(socket)
    socket.write(`${JSON.stringify({ op: 'attach', ...scratch() })}\n`)
    await until(() => lines().length === 1)
    expect(await server.listen([{ ...socketOf({ path }), mode: 0o660 }])).toMatchObject({ right: { changed: [path] } })
    await end
    expect(statSync(path).mode & 0o777).toBe(0o660)
    expect((await (await client(path)).status()).phase).toBe('up')
  })

  test('ends the connections of a socket that is removed, and its clients find no server', async () => {
    const { path, server } = await serve()
    const next = join(folder, 'next.sock')
    const keeper = await connectMountkeeper(path, { patienceMs: 300 })
    ends.push(() => keeper.close())
    expect(await server.listen([socketOf({ path: next })])).toMatchObject({ right: { added: [next], removed: [path] } })
    expect(existsSync(path)).toBe(false)
    await expect(keeper.status()).rejects.toMatchObject({ code: 'Unreachable' })
    expect((await (await client(next)).status()).phase).toBe('up')
  })

  test('that cannot be made changes nothing', async () => {
    const { path, server } = await serve()
    const keeper = await client(path)
    const next = join(folder, 'next.sock')
    const wrong = join(folder, 'missing', 'x.sock')
    expect(await server.listen([socketOf({ path: next }), socketOf({ path: wrong })])).toMatchObject({ _tag: 'Left' })
    expect(existsSync(next)).toBe(false)
    expect(await keeper.attach(scratch())).toMatchObject({ holder: 'added' })
  })

  test('with an owner that may not be given changes nothing', async () => {
    const { path, server } = await serve()
    const keeper = await client(path)
    chmodSync(path, 0o640)
    rmSync(path)
    const owned = { ...socketOf({ path }), owner: 1 }
    expect(await server.listen([owned])).toMatchObject({ left: { text: `the socket ${path} does not exist` } })
    expect(await keeper.attach(scratch())).toMatchObject({ holder: 'added' })
  })
})

describe('a client', () => {
  test('is answered as a keeper in this process is', async () => {
    const { path } = await serve()
    const keeper = await client(path)
    expect(await keeper.attach(scratch())).toMatchObject({ holder: 'added', mount: 'mounted' })
    expect(await keeper.task.attach(scratch('a', 'vm-2'))()).toMatchObject({ right: { mount: 'shared' } })
    const other = { ...scratch('a', 'vm-3'), filesystem: { type: 'tmpfs', source: 'other', options: [] } }
    const error: unknown = await keeper.attach(other).catch((reason: unknown) => reason)
    if (!isMountkeeperError(error, 'Conflict')) throw error
    expect(error.refusal.mounted?.source).toBe('scratch')
    expect((await keeper.status()).mountpoints[0]?.holders).toHaveLength(2)
    const [planned] = await keeper.plan([{ op: 'detach', mountpoint: `${ROOT}/a`, volume: 'vol-1', consumer: 'vm-1' }])
    expect(planned?.answer).toMatchObject({ ok: true, result: { mount: 'held' } })
    expect(await keeper.detach(scratch())).toMatchObject({ mount: 'held' })
    expect(await keeper.release({ consumer: 'vm-2' })).toMatchObject({
      attachments: [{ answer: { mount: 'unmounted' } }],
    })
  })

  test('of the README holds a disk when it has gone', async () => {
    const { path } = await serve()
    expect(await hold(path, scratch())).toMatchObject({ holder: 'added' })
    expect(await (await client(path)).attach(scratch())).toMatchObject({ holder: 'already-held' })
  })

  test('asks under ids that no other client has', async () => {
    const { path } = await serve()
    const clients = await Promise.all(Array.from({ length: 20 }, () => client(path)))
    const answers = await Promise.all(
      clients.map((keeper, index) => keeper.attach({ ...scratch('a', `vm-${index}`), id: '1' })),
    )
    expect(answers.every(({ holder }) => holder === 'added')).toBe(true)
  })

  test('is refused at once where there is no server', async () => {
    await expect(connectMountkeeper(join(folder, 'none.sock'))).rejects.toMatchObject({ code: 'NotOpened' })
  })

  test('refuses a malformed request by itself, and goes on', async () => {
    const { path } = await serve()
    const keeper = await client(path)
    await expect(keeper.attach({} as never)).rejects.toMatchObject({ code: 'Invalid' })
    expect(await keeper.attach(scratch())).toMatchObject({ holder: 'added' })
  })

  test('goes on with the next keeper after an exchange', async () => {
    const { path, server } = await serve()
    const keeper = await client(path)
    await keeper.attach(scratch())
    const exchanged = server.exchange(openKeeper)
    const answer = keeper.attach(scratch('b'))
    await exchanged
    expect(await answer).toMatchObject({ holder: 'added' })
  })

  test('connects again when its server is another one, and repeats what has no answer', async () => {
    const path = join(folder, 'all.sock')
    const silent = createServer((socket) => {
      socket.on('error', () => undefined)
      silentSockets.push(socket)
    })
    const silentSockets: Socket[] = []
    await new Promise<void>((resolve) => silent.listen(path, resolve))
    const keeper = await client(path)
    const answer = keeper.attach(scratch())
    await until(() => silentSockets.length === 1)
    await new Promise((resolve) => {
      silent.close(resolve)
      for (const socket of silentSockets) socket.destroy()
    })
    await serve()
    expect(await answer).toMatchObject({ holder: 'added', mount: 'mounted' })
  })

  test('gives up a server that does not come back', async () => {
    const { path, server } = await serve()
    const keeper = await connectMountkeeper(path, { patienceMs: 100 })
    ends.push(() => keeper.close())
    await server.close()
    const error: unknown = await keeper.attach(scratch()).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'Unreachable', retryable: true })
  })
})

describe('a socket', () => {
  test('has its mode, and is gone after the end', async () => {
    const { path, server } = await serve({ mode: 0o660 })
    expect(statSync(path).mode & 0o777).toBe(0o660)
    await server.close()
    expect(existsSync(path)).toBe(false)
  })

  test('accepts the operations and the consumers that are configured', async () => {
    const { path } = await serve({ operations: ['attach', 'detach', 'plan'], consumers: ['vm-*', 'backup'] })
    const keeper = await client(path)
    await keeper.attach(scratch('a', 'vm-1'))
    await keeper.attach(scratch('a', 'backup'))
    for (const consumer of ['vm', 'xvm-1', 'backup-1', 'VM-1']) {
      await expect(keeper.attach(scratch('a', consumer))).rejects.toMatchObject({ refusal: { field: 'consumer' } })
    }
    await expect(keeper.status()).rejects.toMatchObject({ refusal: { field: 'op' } })
    const foreign = keeper.plan([{ op: 'attach', ...scratch('a', 'other') }])
    await expect(foreign).rejects.toMatchObject({ refusal: { field: 'requests[0].consumer' } })
    await expect(keeper.plan([{ op: 'status' }])).rejects.toMatchObject({ refusal: { field: 'requests[0].op' } })
  })

  test('takes the place of one whose server was killed, and of nothing else', async () => {
    const path = join(folder, 'all.sock')
    const keeper = await openKeeper()
    ends.push(() => keeper.close())
    writeFileSync(path, '')
    await expect(serveKeeper(keeper, [socketOf({ path })])).rejects.toThrow('is no socket')
    rmSync(path)
    const { server } = await serve()
    await expect(serveKeeper(keeper, [socketOf({ path })])).rejects.toThrow('is answered by another process')
    await server.close()
    await expect(serveKeeper(keeper, [socketOf({ path: join(folder, 'x'.repeat(120)) })])).rejects.toThrow(
      'longer than',
    )
    chmodSync(folder, 0o777)
    await expect(serveKeeper(keeper, [socketOf({ path })])).rejects.toThrow('is not safe')
  })
})

describe('a hostile client', () => {
  test('that sends what is no request has an answer for each line, and is ended after a hundred', async () => {
    const { path } = await serve()
    const { socket, lines } = await raw(path)
    socket.write(`${'x'.repeat(1_000_000)}\n{"op":"mount"}\n\xff\n{"op":"hello","format":2}\n`)
    await until(() => lines().length === 4)
    expect(lines()[0]).toContain('longer than')
    expect(lines()[1]).toContain('"line":2')
    expect(lines()[3]).toContain('"field":"hello"')
    socket.write('garbage\n'.repeat(1_000))
    await ended(socket)
    expect(lines().length).toBe(UNREADABLE_MAX)
    expect(await (await client(path)).attach(scratch())).toMatchObject({ holder: 'added' })
  })

  test('that ends its side still has its answers', async () => {
    const { path } = await serve()
    const { socket, lines } = await raw(path)
    socket.end(`${JSON.stringify({ op: 'attach', id: '7', ...scratch() })}\n`)
    await ended(socket)
    expect(lines().map((line) => JSON.parse(line) as unknown)).toMatchObject([{ id: '7', ok: true }])
  })

  test('that does not read costs no more than its connection', async () => {
    const { path } = await serve()
    const { socket } = await raw(path)
    socket.pause()
    const ask = `${JSON.stringify({ op: 'status' })}\n`
    let sent = 0
    // Nothing of it is read once the answers are not: the kernel's buffers fill, and then this side waits.
    while (socket.write(ask.repeat(1_000)) && sent < 1_000) {
      sent += 1
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await (await client(path)).attach(scratch())).toMatchObject({ holder: 'added' })
    expect(socket.writableNeedDrain).toBe(true)
  })

  test('that goes away withdraws nothing, and harms no other', async () => {
    const { path } = await serve()
    for (let n = 0; n < 20; n += 1) {
      const { socket } = await raw(path)
      socket.write(`${JSON.stringify({ op: 'attach', id: '7', ...scratch(`m${n}`) })}\n{"op":`)
      socket.destroy()
    }
    const keeper = await client(path)
    await keeper.attach(scratch())
    expect((await keeper.status()).mountpoints.length).toBeGreaterThan(0)
  })

  test('with more connections than there may be is refused the last ones', async () => {
    const { path } = await serve()
    const opened: Socket[] = []
    while (opened.length < CONNECTIONS_MAX) {
      opened.push((await raw(path)).socket)
      // The server takes one in each turn of its loop.
      await new Promise((resolve) => setImmediate(resolve))
    }
    const last = await raw(path)
    await ended(last.socket)
    expect(last.lines().join()).toContain('Overloaded')
    for (const socket of opened) socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await (await client(path)).attach(scratch())).toMatchObject({ holder: 'added' })
  })
})

describe('systemd', () => {
  const program = (script: string): string => {
    const path = join(folder, 'notify')
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return path
  }

  test('hears of a state through systemd-notify, where it listens', async () => {
    const seen = join(folder, 'seen')
    const notify = program(`echo "$NOTIFY_SOCKET $*" > ${seen}`)
    expect(await notifySystemd('ready', { socket: undefined, program: notify })).toBeUndefined()
    expect(existsSync(seen)).toBe(false)
    expect(await notifySystemd('ready', { socket: '/run/notify', program: notify })).toBeUndefined()
    expect(existsSync(seen)).toBe(true)
  })

  test('that cannot hear it is a warning', async () => {
    expect(await notifySystemd('ready', { socket: '/x', program: program('exit 3') })).toContain('exit status 3')
    expect(await notifySystemd('ready', { socket: '/x', program: join(folder, 'none') })).toContain('could not be run')
  })
})
