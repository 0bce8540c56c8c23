// The driver of a scenario: owns the host, decides and applies one input at a time, grants slots, keeps the duties of a
// driver and fails where the core breaks its part of the contract. It knows nothing about mountpoints.

import { defaultSettings } from '@mountkeeper/border'
import type { Cells, Watched } from '@mountkeeper/inspect'
import { breaches, noteCells, showAnswer, showEffect, showFact, showHost, showPhase } from '@mountkeeper/inspect'
import type { Decision, Effect, Fact, Found, Host, Input, RequestId, Settings } from '../../src/index.js'
import { apply, decide, emptyHost, grantable } from '../../src/index.js'
import type { Layers } from './layers.js'
import { noLayers } from './layers.js'
import { ruleOfStory } from './setting.js'
import { fail } from './words.js'

/** An effect that was emitted, and what was reported about it. */
export interface Emitted {
  readonly effect: Effect
  /** `replaced`: a delay that a newer one took the place of. */
  state: 'open' | 'replaced' | 'overdue' | 'ended'
}

export interface Story {
  settings: Settings
  host: Host | undefined
  readonly layers: Layers
  /** All facts since the beginning, over crashes. */
  readonly facts: Fact[]
  readonly emitted: Map<number, Emitted>
  readonly unanswered: Set<number>
  /** What is at each mountpoint, as the last outcome or the scenario says. */
  readonly there: Map<string, Found>
  boot: string
  namespace: string
  at: number
  stepMs: number
  lastRequest: number
  grants: boolean
  auto: boolean
  /** Only answers are shown. */
  quiet: boolean
  /** The lines that the directive produced so far. */
  output: string[]
  /** The last line shown of each mountpoint and of the host. */
  readonly shown: Map<string, string>
}

const DEFAULT_SETTINGS: Settings = { ...defaultSettings('/srv/mounts'), types: { tmpfs: ruleOfStory('tmpfs', ['*']) } }

const STEP_MS = 1_000
const GRANTS_MAX = 1_000

/** A story that has not begun: time 0, nothing known. */
export const newStory = (): Story => ({
  settings: DEFAULT_SETTINGS,
  host: undefined,
  layers: noLayers(),
  facts: [],
  emitted: new Map(),
  unanswered: new Set(),
  there: new Map(),
  boot: 'boot-1',
  namespace: 'namespace-1',
  at: 0,
  stepMs: STEP_MS,
  lastRequest: 0,
  grants: true,
  auto: false,
  quiet: false,
  output: [],
  shown: new Map(),
})

/** The host, made with the settings at the first input. */
export const hostOf = (story: Story): Host => {
  story.host ??= emptyHost(story.settings)
  if (!story.shown.has('host')) story.shown.set('host', showHost(story.host))
  return story.host
}

export const print = (story: Story, text: string): void => {
  story.output.push(`  ${text}`)
}

const keep = (story: Story, effect: Effect): void => {
  const before = Math.max(0, ...story.emitted.keys())
  if (effect.effect <= before) fail(`effect #${effect.effect} comes after #${before}`)
  if (effect._tag === 'Wait') {
    for (const each of story.emitted.values()) {
      const same = each.effect._tag === 'Wait' && each.effect.mountpoint === effect.mountpoint
      if (same && each.state === 'open') each.state = 'replaced'
    }
  }
  story.emitted.set(effect.effect, { effect, state: 'open' })
}

const showChanged = (story: Story, host: Host): void => {
  const lines = new Map([['host', showHost(host)]])
  for (const [path, entry] of host.mountpoints) lines.set(path, showPhase(entry))
  for (const path of story.shown.keys()) if (!lines.has(path)) lines.set(path, `${path}: no record`)
  for (const [path, line] of lines) {
    if (story.shown.get(path) === line) continue
    story.shown.set(path, line)
    print(story, line)
  }
  for (const path of story.shown.keys()) {
    if (path !== 'host' && !host.mountpoints.has(path)) story.shown.delete(path)
  }
}

/** A field that is there and has no value, at any depth; what is not there has no field, but the error of a `Refused`. */
const emptyField = (value: unknown): string | undefined => {
  if (typeof value !== 'object' || value === null || ('_tag' in value && value._tag === 'Refused')) return undefined
  return Object.entries(value)
    .map(([name, each]) => (each === undefined ? name : emptyField(each)))
    .find((each) => each !== undefined)
}

const deliver = (story: Story, decision: Decision): void => {
  for (const fact of decision.append) {
    story.facts.push(fact)
    print(story, `fact ${showFact(fact)}`)
  }
  for (const effect of decision.then.effects) {
    keep(story, effect)
    print(story, `effect ${showEffect(effect)}`)
  }
  for (const answer of decision.then.answers) {
    print(story, showAnswer(answer))
    const empty = emptyField(answer)
    if (empty !== undefined) fail(`${empty} of answer ${answer.request} is there without a value`)
    if (!story.unanswered.delete(answer.request)) fail(`request ${answer.request} has no answer to come`)
  }
}

/** The requests that the host remembers anywhere but in its list of them. */
const remembered = (host: Host): readonly RequestId[] => [
  ...host.hostUps,
  ...host.reconciles.map(({ request }) => request),
  ...host.surveyed.map(({ request }) => request),
  ...host.ids.values(),
]

/** Holds the laws against the host; and what was answered is remembered nowhere. */
const judge = (host: Host): void => {
  for (const { law, at, text } of breaches(host)) fail(`${law} at ${at}: ${text}`)
  const answered = remembered(host).filter((request) => !host.requests.has(request))
  if (answered.length > 0) fail(`request ${answered.join(', ')} was answered, and is remembered`)
}

/** The cells of the table that the stories of this process went through. */
export const CELLS: Cells = new Map()

const watched = (host: Host, paths: Iterable<string>): Watched => ({
  host: host.phase,
  records: [...paths].map((path) => ({ path, record: host.mountpoints.get(path)?.record })),
})

const pathsIn = (host: Host, input: Input): readonly string[] =>
  input._tag === 'Requested' && 'mountpoint' in input.body
    ? [...new Set([...host.mountpoints.keys(), input.body.mountpoint])]
    : [...host.mountpoints.keys()]

const step = (story: Story, input: Input): void => {
  const host = hostOf(story)
  const paths = pathsIn(host, input)
  const before = watched(host, paths)
  // A story may grant what is not free, to show that this changes nothing else.
  const isFair = input._tag !== 'Granted' || grantable(host) === input.mountpoint
  const decision = decide(host, input)
  apply(host, decision)
  noteCells(CELLS, input, before, watched(host, paths))
  deliver(story, decision)
  if (isFair && host.stopping !== 'hard') judge(host)
  showChanged(story, host)
}

/** Gives slots until none is wanted or free. */
export const grantAll = (story: Story): void => {
  for (let count = 0; count < GRANTS_MAX; count += 1) {
    const next = grantable(hostOf(story))
    if (next === undefined) return
    print(story, `granted ${next}`)
    step(story, { _tag: 'Granted', at: story.at, mountpoint: next })
  }
  fail(`slots are granted for ever, the last one to ${grantable(hostOf(story)) ?? 'none'}`)
}

/** The time of the next input. */
export const tick = (story: Story): number => {
  story.at += story.stepMs
  story.stepMs = STEP_MS
  return story.at
}

/** Decides one input, and the grants that follow from it. */
export const feed = (story: Story, input: Input): void => {
  step(story, input)
  if (story.grants) grantAll(story)
}
