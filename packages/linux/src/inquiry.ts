// Questions of people about mounts, managed or not: what is mounted at a path or from a source, and what keeps a mountpoint busy. Each is
// answered by a process of its own within its time, with what was found until then: nothing here waits for a filesystem.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { maskOption, maskSource } from '@mountkeeper/types'
import type { Capability } from './capabilities.js'
import { keeping } from './capabilities.js'
import { COMMAND_ENVIRONMENT } from './command-environment.js'
import type { Busy, Inquiry, InquiryLine, InspectQuestion, Inspected } from './inquiry-line.js'
import { lookModule } from './look-module.js'

/** Questions at once, those among them that hang in the kernel, where their process cannot be killed. */
export const LEFT_MAX = 8

const CAPABILITIES: Readonly<Record<Inquiry['op'], readonly Capability[]>> = {
  inspect: ['dac_read_search'],
  // Descriptors and namespaces of processes of others are shown to who could trace them.
  why: ['sys_ptrace', 'dac_read_search'],
}

/** Processes that have not ended. */
const running = new Set<number>()

/** The lines that came within the time; nothing where no more questions can be asked. */
const ask = (inquiry: Inquiry, deadlineMs: number): Promise<readonly InquiryLine[] | undefined> =>
  new Promise((settle) => {
    if (running.size >= LEFT_MAX) {
      settle(undefined)
      return
    }
    const vector = [...keeping(CAPABILITIES[inquiry.op]), process.execPath, lookModule(), JSON.stringify(inquiry)]
    const [file = '', ...args] = vector
    const child = spawn(file, args, {
      ...{ cwd: '/', env: COMMAND_ENVIRONMENT, detached: true },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const { pid } = child
    const lines: InquiryLine[] = []
    const over = (): void => {
      clearTimeout(timer)
      child.stdout.destroy()
      child.unref()
      settle(lines)
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      over()
    }, deadlineMs)
    if (pid !== undefined) running.add(pid)
    child.once('error', over)
    child.once('exit', () => running.delete(pid ?? 0))
    createInterface(child.stdout)
      .on('line', (line) => lines.push(JSON.parse(line) as InquiryLine))
      .once('close', over)
  })

/** What is mounted at a path or from a source. Nothing while `LEFT_MAX` questions have no answer: a server does not answer. */
export const inspectMounts = async (question: InspectQuestion, deadlineMs: number): Promise<Inspected | undefined> => {
  const lines = await ask({ op: 'inspect', ...question }, deadlineMs)
  if (lines === undefined) return undefined
  const spaces = new Map(lines.flatMap((line) => ('of' in line ? [[line.of, line.space]] : [])))
  const mounts = lines.flatMap((line) => ('mount' in line ? [line.mount] : []))
  return {
    mounts: mounts.map((mount, index) => ({
      ...{ ...mount, source: maskSource(mount.source), options: mount.options.map(maskOption) },
      space: spaces.get(index) ?? { _tag: 'NotResponding' },
    })),
    more: lines.some((line) => 'end' in line && line.end.more),
  }
}

/** What keeps a mountpoint busy. Nothing as for `inspectMounts`. */
export const whyBusy = async (mountpoint: string, deadlineMs: number): Promise<Busy | undefined> => {
  const lines = await ask({ op: 'why', mountpoint }, deadlineMs)
  if (lines === undefined) return undefined
  const end = lines.flatMap((line) => ('end' in line ? [line.end] : []))[0]
  return {
    mountpoint,
    isMounted: lines.some((line) => 'isMounted' in line && line.isMounted),
    users: lines.flatMap((line) => ('user' in line ? [line.user] : [])),
    unreadable: end?.unreadable ?? 0,
    isComplete: end?.more === false,
  }
}
