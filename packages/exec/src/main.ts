// mountkeeper-exec: the only part of mountkeeper that runs as root, where it is configured so. Started once by the manager, by
// sudo, without arguments. Reads changes from stdin, one a line, and carries out those that root's own lists allow.

import { readLists } from './lists.js'
import { Refused, openRoot } from './places.js'
import type { Answer } from './protocol.js'
import { LINE_BYTES_MAX } from './protocol.js'
import { createServer } from './serve.js'

const answer = (one: Answer): void => {
  process.stdout.write(`${JSON.stringify(one)}\n`)
}

const leave = (why: string): never => {
  process.stderr.write(`mountkeeper-exec: ${why}\n`)
  process.exit(1)
}

const begin = (): ((text: string) => void) => {
  if (process.argv.length > 2) leave('it takes no arguments')
  if (process.getuid?.() !== 0) leave('it has to be started as root, by the prefix of the manager')
  process.umask(0o077)
  process.chdir('/')
  const lists = readLists()
  const roots = lists.roots.map(openRoot)
  answer({ _tag: 'ready', pid: process.pid, roots: lists.roots })
  return createServer(lists, roots, answer)
}

const started = (): ((text: string) => void) => {
  try {
    return begin()
  } catch (error) {
    return leave(error instanceof Refused ? error.message : String(error))
  }
}

// Commands outlive the manager: where that has ended, no process reads, and this process just ends.
process.stdout.on('error', () => process.exit(1))
for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => undefined)

const serve = started()
let rest = ''
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  const lines = (rest + text).split('\n')
  rest = lines.pop() ?? ''
  if (Buffer.byteLength(rest) > LINE_BYTES_MAX) leave('a line is too long')
  for (const line of lines) {
    if (Buffer.byteLength(line) > LINE_BYTES_MAX) leave('a line is too long')
    serve(line)
  }
})
process.stdin.on('end', () => process.exit(0))
