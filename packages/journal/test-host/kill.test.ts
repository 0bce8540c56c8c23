// A process that appends to a real journal is killed at any moment, compactions included: every fact that it said was durable
// is there, and of each append all facts or none are.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultSettings } from '@mountkeeper/border'
import { restore } from '@mountkeeper/core'
import { expect, test } from 'vitest'
import { readJournal } from '../src/index.js'
import { CHILD } from './child.js'

const MODULE = fileURLToPath(new URL('../dist/index.js', import.meta.url))
const KILLS = 12

/** Starts it, kills it after so long, and gives what it had said. */
const life = (directory: string, first: number, afterMs: number): Promise<readonly number[]> =>
  new Promise((resolve) => {
    const args = ['--input-type=module', '-e', CHILD, MODULE, directory, String(first)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    let isBegun = false
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (!isBegun) setTimeout(() => child.kill('SIGKILL'), afterMs)
      isBegun = true
    })
    child.on('close', () => resolve(said.split('\n').slice(0, -1).map(Number)))
  })

test(`after ${KILLS} kills every fact that was durable is there`, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mountkeeper-kill-'))
  try {
    const told = new Set<number>()
    let shortest = Number.POSITIVE_INFINITY
    for (let kill = 0; kill < KILLS; kill += 1) {
      for (const index of await life(directory, kill * 1_000_000, 20 + kill * 40)) told.add(index)
      const read = await readJournal(directory)()
      if (read._tag === 'Left') throw new Error(read.left.why)
      shortest = Math.min(shortest, read.right.length / (told.size * 1.6))
      const entry = restore(defaultSettings('/srv/mounts'), read.right).consumers.has('vm')
      expect(entry || told.size === 0).toBe(true)
      const held = new Set(read.right.flatMap((fact) => (fact._tag === 'Held' ? [fact.volume] : [])))
      const left = new Set(read.right.flatMap((fact) => (fact._tag === 'Left' ? [fact.volume] : [])))
      const stays = [...held].filter((volume) => !left.has(volume)).map((volume) => Number(volume.slice('vol-'.length)))
      // Who leaves in the same append is never there without having left.
      expect(stays.filter((index) => index % 3 > 0)).toEqual([])
      const lost = [...told].filter((index) => index % 3 === 0 && !held.has(`vol-${index}`))
      expect(lost, `after kill ${kill + 1}`).toEqual([])
    }
    expect(told.size).toBeGreaterThan(100)
    expect(shortest, 'it was never made shorter').toBeLessThan(1)
  } finally {
    rmSync(directory, { recursive: true })
  }
}, 120_000)
