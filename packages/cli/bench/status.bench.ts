// Memory of `run` with a slow reader: 300 status over 20,000 holders, some 2 MB each, in the order of the lines and concurrently.
//
//   npm run bench -- cli

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const HOLDERS = 20_000
const MOUNTPOINTS = 20
const STATUS = 300
const MAIN = join(dirname(createRequire(import.meta.url).resolve('@mountkeeper/cli/package.json')), 'bundle/main.js')

const attach = (index: number): string =>
  JSON.stringify({
    op: 'attach',
    mountpoint: `/srv/mounts/m${index % MOUNTPOINTS}`,
    filesystem: { type: 'tmpfs', source: 't', options: [] },
    volume: `volume-${index}`,
    consumer: `consumer-${index}`,
  })

/** The most memory that a process has had, MB. */
const peakOf = (pid: number | undefined): number => {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid ?? 0}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    return 0
  }
}

const measure = async (...flags: readonly string[]): Promise<string> => {
  const child = spawn(process.execPath, [MAIN, 'run', '--host', 'simulator', '--root', '/srv/mounts', ...flags], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let bytes = 0
  let lines = 0
  let before = 0
  let peak = 0
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    for (const byte of chunk) if (byte === 10) lines += 1
    peak = Math.max(peak, peakOf(child.pid))
    if (lines < HOLDERS) return
    if (before === 0) {
      before = peak
      child.stdin.end('{"op":"status"}\n'.repeat(STATUS))
    }
    // The reader takes a piece, and does something else.
    child.stdout.pause()
    setTimeout(() => child.stdout.resume(), 1)
  })
  const ended = once(child, 'exit')
  for (let index = 0; index < HOLDERS; index += 1) {
    if (!child.stdin.write(`${attach(index)}\n`)) await once(child.stdin, 'drain')
  }
  await ended
  return `${(bytes / 1e6).toFixed(0)} MB of answers; at most ${peak.toFixed(0)} MB of memory, ${before.toFixed(0)} before`
}

process.stdout.write(`in order:     ${await measure()}\n`)
process.stdout.write(`concurrently: ${await measure('--concurrent')}\n`)
