// Scripted surroundings for a loop: a core whose decisions the test writes, a port, a journal and a clock that do nothing
// until the test says so. `log` shows what left the loop, and what became durable, in order.

import { left, right } from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'
import { effectId, emptyHost } from '@mountkeeper/core'
import type { Answer, Decision, Effect, Fact, Host, Input, Request, RequestId, WaitWhy } from '@mountkeeper/core'
import { createLoop } from '../src/index.js'
import { SETTINGS } from './settings.js'
import type { Core, Defect, HostPort, Journal, JournalFailed, Loop, Observer, Report, Timers } from '../src/index.js'

/** Lets everything run that has been promised; long enough for chains of promises. */
export const settled = async (): Promise<void> => {
  for (let hops = 0; hops < 3; hops += 1) await new Promise<void>((resolve) => void setImmediate(resolve))
}

export interface VirtualTimers extends Timers {
  readonly advance: (byMs: number) => Promise<void>
  readonly waiting: () => number
  readonly held: () => number
}

export const virtualTimers = (): VirtualTimers => {
  let now = 1_000_000
  let held = 0
  const timers = new Set<{ readonly due: number; readonly call: () => void }>()
  return {
    now: () => now,
    after: (delayMs, call) => {
      const timer = { due: now + delayMs, call }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    hold: () => {
      held += 1
      return () => {
        held -= 1
      }
    },
    advance: async (byMs) => {
      const until = now + byMs
      await settled()
      for (;;) {
        const [first] = [...timers].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due)
        if (first === undefined) break
        timers.delete(first)
        now = first.due
        first.call()
        await settled()
      }
      now = until
    },
    waiting: () => timers.size,
    held: () => held,
  }
}

export interface ScriptedJournal extends Pick<Journal, 'append'> {
  /** Appends that the test has not ended yet, oldest first. */
  readonly open: { readonly facts: readonly Fact[]; readonly end: (result: Either<JournalFailed, void>) => void }[]
  readonly durable: Fact[]
  readonly keep: () => Promise<void>
  readonly fail: () => Promise<void>
}

/** `at once`: every append is durable in its own microtask; `by hand`: the test ends each. */
export const scriptedJournal = (log: string[], how: 'at once' | 'by hand'): ScriptedJournal => {
  const open: ScriptedJournal['open'] = []
  const durable: Fact[] = []
  return {
    open,
    durable,
    append: (facts) => () =>
      new Promise((resolve) => {
        const end = (result: Either<JournalFailed, void>): void => {
          if (result._tag === 'Right') {
            durable.push(...facts)
            log.push(`durable ${facts.map((fact) => ('mountpoint' in fact ? fact.mountpoint : fact._tag)).join(' ')}`)
          }
          resolve(result)
        }
        if (how === 'at once') end(right(undefined))
        else open.push({ facts: [...facts], end })
      }),
    keep: async () => {
      open.shift()!.end(right(undefined))
      await settled()
    },
    fail: async () => {
      open.shift()!.end(left({ _tag: 'JournalFailed', why: 'the disk is full' }))
      await settled()
    },
  }
}

export interface ScriptedPort extends HostPort {
  /** Effects that run, by id; calling gives the report. */
  readonly running: Map<
    number,
    {
      readonly report: (report: Report) => void
      readonly reject: (why: Error) => void
      readonly started: (pid: number) => void
    }
  >
}

export const scriptedPort = (): ScriptedPort => {
  const running: ScriptedPort['running'] = new Map()
  return {
    running,
    run: (effect, started = () => undefined) =>
      new Promise((report, reject) => {
        running.set(effect.effect, { report, reject, started })
      }),
  }
}

export interface Part {
  readonly facts?: readonly string[]
  readonly effects?: readonly Effect[]
  readonly answers?: readonly Answer[]
}

/** A core that does what the script says, and a record of what it was asked. */
export const scriptedCore = (script: (input: Input) => Part): Core & { readonly inputs: Input[] } => {
  const inputs: Input[] = []
  return {
    inputs,
    decide: (_host, input): Decision => {
      inputs.push(input)
      const { facts = [], effects = [], answers = [] } = script(input)
      return { changes: [], append: facts.map(factOf), then: { answers, effects } }
    },
    apply: () => undefined,
    grantable: () => undefined,
  }
}

export const factOf = (mountpoint: string): Fact => ({ _tag: 'DirectoryMade', at: 0, mountpoint })

export const look = (effect: number, mountpoint = '/srv/mounts/a'): Effect => ({
  _tag: 'Look',
  effect: effectId(effect),
  mountpoint,
  filesystem: undefined,
  root: undefined,
  deadlineMs: 10_000,
})

export const delay = (
  effect: number,
  delayMs: number,
  mountpoint: string | undefined,
  why: WaitWhy = 'back-off',
): Effect => ({
  _tag: 'Wait',
  effect: effectId(effect),
  mountpoint,
  why,
  delayMs,
})

export const good = (request: RequestId): Answer => ({ request, op: 'retry', ok: true, result: { _tag: 'Retried' } })

/** A request whose id is what the script goes by. */
export const ask = (id: string): Request => ({ op: 'retry', id, mountpoint: '/srv/mounts/a' })

export const nameOf = (input: Input): string => (input._tag === 'Requested' ? (input.body.id ?? '') : input._tag)

export interface World {
  readonly loop: Loop
  readonly host: Host
  readonly log: string[]
  readonly core: ReturnType<typeof scriptedCore>
  readonly port: ScriptedPort
  readonly journal: ScriptedJournal
  readonly timers: VirtualTimers
  readonly defects: Defect[]
  /** Submits, and logs the answer when its caller gets it. */
  readonly submit: (id: string) => Promise<Answer>
}

export interface WorldOptions {
  readonly journal?: 'at once' | 'by hand'
  readonly observer?: Observer
  readonly core?: Partial<Core>
  readonly waitingPerHost?: number
}

export const world = (script: (input: Input) => Part, options: WorldOptions = {}): World => {
  const log: string[] = []
  const core = { ...scriptedCore(script), ...options.core }
  const port = scriptedPort()
  const journal = scriptedJournal(log, options.journal ?? 'at once')
  const timers = virtualTimers()
  const defects: Defect[] = []
  const waitingPerHost = options.waitingPerHost ?? SETTINGS.limits.waitingPerHost
  const host = emptyHost({ ...SETTINGS, limits: { ...SETTINGS.limits, waitingPerHost } })
  const observer: Observer = {
    ...options.observer,
    onEffectStarted: (effect) => {
      options.observer?.onEffectStarted?.(effect)
      log.push(`start ${effect._tag} ${effect.effect}`)
    },
  }
  const loop = createLoop({
    host,
    port,
    journal,
    timers,
    observer,
    core,
    onDefect: (defect) => void defects.push(defect),
  })
  const submit = async (id: string): Promise<Answer> => {
    const answer = await loop.submit(ask(id))
    log.push(`answer ${id} ${answer.ok ? answer.result._tag : answer.error._tag}`)
    return answer
  }
  return { loop, host, log, core, port, journal, timers, defects, submit }
}
