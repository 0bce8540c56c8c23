// One life of a manager after the other, each a process of its own that may be killed at any time. The disk of its journal is this
// process: a fact is durable when it has arrived here.

import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Answer, Fact, Request, Settings } from '@mountkeeper/core'

/** What a life is born with. */
export interface Birth {
  readonly settings: Settings
  readonly facts: readonly Fact[]
  /** Where its trace goes. */
  readonly trace: string
}

/** To the manager: its birth first, then requests, and that facts are kept. */
export type ToLife =
  | { readonly _tag: 'Birth'; readonly birth: Birth }
  | { readonly _tag: 'Ask'; readonly n: number; readonly request: Request }
  | { readonly _tag: 'Kept'; readonly n: number }

/** From the manager. */
export type FromLife =
  | { readonly _tag: 'Answered'; readonly n: number; readonly answer: Answer }
  | { readonly _tag: 'Append'; readonly n: number; readonly facts: readonly Fact[] }
  | { readonly _tag: 'Defect'; readonly why: string }

/** The manager of the soak, through all its lives. */
export interface Lives {
  /** The answer; nothing if the manager was killed before it came. */
  readonly ask: (request: Request) => Promise<Answer | undefined>
  /** Kills it, and begins the next life with what was durable; resolves when that is up. */
  readonly kill: () => Promise<void>
  readonly pid: () => number
  readonly count: () => number
  readonly facts: () => readonly Fact[]
  readonly traces: () => readonly string[]
  readonly end: () => Promise<void>
}

const TRACES_MAX = 3

/** Begins the first life. `broken` is called with a defect, or of an end that no request asked for. */
export const beginLives = async (
  settings: Settings,
  traceOf: (life: number) => string,
  broken: (why: string) => void,
): Promise<Lives> => {
  const facts: Fact[] = []
  const unanswered = new Map<number, (answer: Answer | undefined) => void>()
  const traces: string[] = []
  let asked = 0
  let lives = 0
  let child: ChildProcess
  let isUp: Promise<void>
  const killed = new Set<ChildProcess>()

  const send = (message: ToLife): void => {
    if (child.connected) child.send(message)
  }
  const askNow = (request: Request): Promise<Answer | undefined> =>
    new Promise((resolve) => {
      asked += 1
      unanswered.set(asked, resolve)
      send({ _tag: 'Ask', n: asked, request })
      if (!child.connected) {
        unanswered.delete(asked)
        resolve(undefined)
      }
    })
  const take = (message: FromLife): void => {
    switch (message._tag) {
      case 'Answered': {
        const told = unanswered.get(message.n)
        if (told === undefined) broken(`L45: a second answer: ${JSON.stringify(message.answer)}`)
        unanswered.delete(message.n)
        told?.(message.answer)
        return
      }
      case 'Append':
        facts.push(...message.facts)
        send({ _tag: 'Kept', n: message.n })
        return
      case 'Defect':
        broken(`a defect: ${message.why}`)
    }
  }
  const begin = async (): Promise<void> => {
    lives += 1
    const trace = traceOf(lives)
    traces.push(trace)
    while (traces.length > TRACES_MAX) rmSync(traces.shift()!, { force: true })
    child = fork(fileURLToPath(new URL('./child.js', import.meta.url)), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    child.on('message', (message) => {
      take(message as FromLife)
    })
    const born = child
    born.once('exit', (code, signal) => {
      if (!killed.delete(born)) broken(`the manager ended by itself: ${signal ?? code}`)
    })
    send({ _tag: 'Birth', birth: { settings, facts: [...facts], trace } })
    const answer = await askNow({ op: 'host-up', deadlineMs: 60_000 })
    if (answer?.ok !== true) broken(`the host did not come up: ${JSON.stringify(answer)}`)
  }
  const die = async (): Promise<void> => {
    killed.add(child)
    // What it had said is still delivered; only then is the rest lost.
    const over = new Promise((resolve) => child.once('disconnect', resolve))
    child.kill('SIGKILL')
    await over
    for (const lost of unanswered.values()) lost(undefined)
    unanswered.clear()
  }
  isUp = begin()
  await isUp
  return {
    ask: async (request) => {
      await isUp
      return askNow(request)
    },
    kill: async () => {
      isUp = die().then(begin)
      await isUp
    },
    pid: () => child.pid ?? -1,
    count: () => lives,
    facts: () => facts,
    traces: () => traces,
    end: die,
  }
}
