// Where the repository is, and how its tests run a tool in a folder of their own.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const top = dirname(dirname(import.meta.dirname))

export const temporaryFolder = (name: string): string =>
  realpathSync(mkdtempSync(join(tmpdir(), `mountkeeper-${name}-`)))

export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly output: string
}

/** Runs a JavaScript tool with this Node, as `node FILE ARGUMENT...`, without the colours and conditions of a test run. */
export const node = (cwd: string, ...args: readonly string[]): Ended => command(cwd, process.execPath, ...args)

export const command = (cwd: string, file: string, ...args: readonly string[]): Ended => {
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    NO_COLOR: '1',
    DO_NOT_TRACK: '1',
    TURBO_TELEMETRY_DISABLED: '1',
  }
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd, env, encoding: 'utf8', maxBuffer: 64 << 20 })
  if (error !== undefined) throw error
  return { status, stdout, output: stdout + stderr }
}
