// A manager on one of the two hosts, and how a script is played on it.

import type { Answer, Effect, Fact, Request, Settings } from '@mountkeeper/core'
import type { MountManager, Observer } from '@mountkeeper/runtime'
import type { ThirdPartyAct } from '@mountkeeper/simulator'
import { plain } from './plain.js'
import type { Planted } from './planted.js'
import type { Faulty, Step } from './step.js'

/** What the host shows below the root: directories, and mounts in the order of their paths, lowest layer first. */
export interface Shown {
  readonly tree: readonly string[]
  readonly mounts: readonly string[]
}

/** One side. */
export interface Side {
  readonly start: (observer: Observer) => Promise<MountManager>
  /** Ends the manager as a crash would. */
  readonly kill: (manager: MountManager) => Promise<void>
  readonly interfere: (act: ThirdPartyAct) => Promise<void>
  readonly fault: (effect: Faulty, planted: Planted, times: number) => void
  readonly pass: (ms: number) => Promise<void>
  /** Resolves when the program of the last fault, one that waits, has begun; `goOn` lets it go on. */
  readonly begun: () => Promise<void>
  readonly goOn: () => void
  /** Lets time pass until then. */
  readonly until: (promise: Promise<unknown>) => Promise<void>
  readonly shown: () => Promise<Shown>
  readonly facts: () => readonly Fact[]
  /** Ends everything and leaves nothing. */
  readonly end: () => Promise<void>
}

/** How to make a side. */
export type NewSide = (settings: Settings) => Promise<Side>

/** What a script came to on one side. */
export interface Played {
  readonly answers: readonly (Pick<Answer, 'ok'> & { readonly asked: string | undefined })[]
  /** Of each mountpoint, in order; looks left out, whose number depends on time. */
  readonly effects: Readonly<Record<string, readonly string[]>>
  readonly facts: () => readonly unknown[]
  /** What is there, asked again each time. */
  readonly state: () => Promise<unknown>
}

const outlineOf = ({ op, id }: Request): string => (id === undefined ? op : `${op} ${id}`)

/** Lets time pass until the manager shows no uncertain mountpoint. */
const certain = async (side: Side, manager: MountManager): Promise<void> => {
  for (;;) {
    const status = manager.submit({ op: 'status' })
    await side.until(status)
    if (!JSON.stringify(plain(await status)).includes('"uncertain"')) return
    await side.pass(POLL_MS)
  }
}

const POLL_MS = 20

/** Plays a script from a manager that has just come up. */
export const playOn = async (side: Side, steps: readonly Step[]): Promise<Played> => {
  const effects: Record<string, string[]> = {}
  let running = 0
  const onEffectStarted = (effect: Effect): void => {
    if (effect._tag !== 'Wait') running += 1
    if (effect._tag === 'Wait' || effect._tag === 'Look' || effect._tag === 'Discover') return
    ;(effects[effect.mountpoint] ??= []).push(effect._tag)
  }
  const observer: Observer = {
    onEffectStarted,
    onReport: () => {
      running -= 1
    },
  }
  /** Nothing runs, and nothing that has ended leads to anything that does. */
  const rests = async (): Promise<void> => {
    for (let quiet = 0; quiet < 3; quiet = running === 0 ? quiet + 1 : 0) {
      await new Promise((next) => setTimeout(next, 2))
    }
  }
  let manager = await side.start(observer)
  const asked: Promise<Answer>[] = []
  const outline: string[] = []
  const answered = async (): Promise<readonly Answer[]> => {
    const all = Promise.all(asked)
    await side.until(all)
    return all
  }
  for (const step of steps) {
    switch (step._tag) {
      case 'Ask': {
        const answer = manager.submit(step.body)
        asked.push(answer)
        outline.push(outlineOf(step.body))
        if (step.then !== 'goes on') await side.until(answer)
        if (step.then === 'rests') await side.until(rests())
        break
      }
      case 'Answered':
        await answered()
        await side.until(rests())
        break
      case 'Interfere':
        await side.interfere(step.act)
        break
      case 'Fault':
        side.fault(step.effect, step.planted, step.times)
        break
      case 'Pass':
        await side.pass(step.ms)
        break
      case 'Begun':
        await side.begun()
        break
      case 'GoOn':
        side.goOn()
        break
      case 'Certain':
        await certain(side, manager)
        break
      case 'Observe':
        manager.observed(step.mountpoint)
        break
      case 'Restart':
        await side.kill(manager)
        running = 0
        manager = await side.start(observer)
        break
    }
  }
  const answers = (await answered()).map((answer, index) => ({
    asked: outline[index],
    ...(plain(answer) as object),
    ok: answer.ok,
  }))
  return {
    answers,
    effects,
    facts: () => side.facts().map(plain),
    state: async () => {
      const status = manager.submit({ op: 'status' })
      await side.until(status)
      return { status: plain(await status), ...(await side.shown()) }
    },
  }
}
