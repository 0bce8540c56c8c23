// A bare clone becomes a built one: what npm start and npm test do before anything else.
import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

export const top = dirname(dirname(fileURLToPath(import.meta.url)))

const STAGE_LIMIT_MS = 45 * 60_000
const GRACE_MS = 5_000
const CLOCK_SLACK_MS = 2_000

/** No tool may call home, and `node_modules/.bin` is found as under `npm run`. */
const environment = {
  ...process.env,
  DO_NOT_TRACK: '1',
  TURBO_TELEMETRY_DISABLED: '1',
  npm_config_update_notifier: 'false',
  PATH: `${join(top, 'node_modules/.bin')}:${process.env.PATH ?? ''}`,
}

// Each command is a process group, so that what it started ends with it.
const running = new Set()
const endAll = (signal) => {
  for (const group of running) {
    if (group === undefined) continue
    try {
      process.kill(-group, signal)
    } catch {
      // It has just ended.
    }
  }
}

const interrupted = (signal) => {
  endAll('SIGTERM')
  process.exit(128 + constants.signals[signal])
}

const started = (group) => {
  running.add(group)
  if (running.size === 1) for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, interrupted)
}

const ended = (group) => {
  running.delete(group)
  if (running.size === 0) for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupted)
}

/** Runs a command to its end; `output` is what it printed, unless it was shown. Never rejects. */
export const run = (command, { show = false, env = {}, cwd = top } = {}) =>
  new Promise((resolve) => {
    const [file, ...args] = command
    const out = show ? 'inherit' : 'pipe'
    const quiet = show ? {} : { NO_COLOR: '1' }
    const options = { cwd, env: { ...environment, ...quiet, ...env }, stdio: ['ignore', out, out], detached: true }
    const child = spawn(file, args, options)
    started(child.pid)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => (output += text))
    }
    let overdue = false
    let kill
    const limit = setTimeout(() => {
      overdue = true
      output += `${file} did not end within ${STAGE_LIMIT_MS / 60_000} minutes\n`
      endAll('SIGTERM')
      kill = setTimeout(() => endAll('SIGKILL'), GRACE_MS).unref()
    }, STAGE_LIMIT_MS)
    const end = (ok, last) => {
      clearTimeout(limit)
      // Left to run, it would kill the stage that comes next.
      clearTimeout(kill)
      ended(child.pid)
      // turbo ends with 0 when it is asked to end.
      resolve({ ok: ok && !overdue, output: output + last })
    }
    child.on('error', (error) => end(false, `${error.message}\n`))
    child.on('close', (code, signal) => end(code === 0, signal === null ? '' : `${file} was ended by ${signal}\n`))
  })

// npm writes this file when an install is complete, at about the time when it writes the lock.
const installed = () => {
  const mark = join(top, 'node_modules/.package-lock.json')
  return existsSync(mark) && statSync(mark).mtimeMs + CLOCK_SLACK_MS >= statSync(join(top, 'package-lock.json')).mtimeMs
}

/** The stages that turn a clone into something that runs; installing only when it is needed. */
export const preparation = () => [
  ...(installed() ? [] : [{ name: 'install', command: ['npm', 'ci', '--no-audit', '--no-fund'] }]),
  { name: 'build', command: ['turbo', 'run', 'build', '--output-logs=errors-only', '--ui=stream'] },
]
