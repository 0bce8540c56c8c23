// One life of the command: started, asked, killed. Every line that it wrote before its end is heard.

import { spawn } from 'node:child_process'
import type { AnswerLine } from '@mountkeeper/codec'
import { decodeAnswerLine, encodeRequest } from '@mountkeeper/codec'
import type { Request } from '@mountkeeper/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import { MAIN } from './ground.js'

/** How a life ended. */
export interface LifeEnd {
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
}

/** A line of its answers. */
export type Heard = AnswerLine | { readonly unreadable: string }

/** A manager that runs. */
export interface Manager {
  readonly send: (request: Request) => void
  /** The input ends: it answers what it was asked, and leaves. */
  readonly finish: () => void
  readonly signal: (name: NodeJS.Signals) => void
  /** All that it wrote was heard. */
  readonly ended: Promise<LifeEnd>
}

const STDERR_MAX = 16_384

/** Starts the command; `hear` is called with each line it answers, or with why it is none. */
export const startManager = (configuration: string, hear: (heard: Heard) => void): Manager => {
  const args = [MAIN, 'run', '--config', configuration, '--concurrent', '--output', 'json']
  const child = spawn(process.execPath, args, { stdio: 'pipe' })
  let rest = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n')
    // No answer depends on a torn line.
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const answer = decodeAnswerLine(line)
      hear(isLeft(answer) ? { unreadable: line } : answer.right)
    }
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < STDERR_MAX) stderr += text
  })
  // It is killed with lines unread.
  child.stdin.on('error', () => undefined)
  const ended = new Promise<LifeEnd>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stderr }))
  })
  return {
    send: (request) => void child.stdin.write(`${encodeRequest(request)}\n`),
    finish: () => void child.stdin.end(),
    signal: (name) => void child.kill(name),
    ended,
  }
}
