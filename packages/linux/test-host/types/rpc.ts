// What mount.nfs asks a server of version 3 before mount(2): a portmapper, and NULL calls to its programs (RFC 5531, RFC 1833).

import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { createSocket } from 'node:dgram'

const PORTMAPPER = { program: 100_000, version: 2, port: 111 }
/** Ports of NFS and of mountd. */
const PORTS: Readonly<Record<number, number>> = { 100_003: 2_049, 100_005: 20_048 }
const GETPORT = 3
const LAST_FRAGMENT = 0x8000_0000

const wordsOf = (words: readonly number[]): Buffer => {
  const buffer = Buffer.alloc(words.length * 4)
  words.forEach((word, index) => buffer.writeUInt32BE(word >>> 0, index * 4))
  return buffer
}

/** An accepted reply: the port for GETPORT, nothing for any other call. */
const replyTo = (call: Buffer): Buffer => {
  const [id, program, version, procedure] = [0, 12, 16, 20].map((at) => call.readUInt32BE(at)) as [
    number,
    number,
    number,
    number,
  ]
  const accepted = [id, 1, 0, 0, 0]
  if (program === PORTMAPPER.program && version !== PORTMAPPER.version) {
    return wordsOf([...accepted, 2, PORTMAPPER.version, PORTMAPPER.version])
  }
  if (program !== PORTMAPPER.program || procedure !== GETPORT) return wordsOf([...accepted, 0])
  return wordsOf([...accepted, 0, PORTS[call.readUInt32BE(call.length - 16)] ?? 0])
}

const serve = (connection: Socket): void => {
  let rest: Buffer = Buffer.alloc(0)
  connection.on('error', () => undefined)
  connection.on('data', (data: Buffer) => {
    rest = Buffer.concat([rest, data])
    while (rest.length >= 4) {
      const length = rest.readUInt32BE(0) % LAST_FRAGMENT
      if (rest.length < 4 + length) return
      const reply = replyTo(rest.subarray(4, 4 + length))
      rest = rest.subarray(4 + length)
      connection.write(Buffer.concat([wordsOf([LAST_FRAGMENT + reply.length]), reply]))
    }
  })
}

/** Listens on an address until it is stopped. */
export const startRpc = async (address: string): Promise<() => void> => {
  const stops = await Promise.all(
    [PORTMAPPER.port, ...Object.values(PORTS)].map(async (port) => {
      const tcp = createServer(serve)
      const udp = createSocket('udp4')
      udp.on('message', (call, from) => udp.send(replyTo(call), from.port, from.address))
      await new Promise<void>((listening) => tcp.listen(port, address, listening))
      await new Promise<void>((bound) => udp.bind(port, address, bound))
      return () => {
        tcp.close()
        udp.close()
      }
    }),
  )
  return () => {
    for (const stop of stops) stop()
  }
}
