// Campaigns: many random runs, one after the other, each judged by every law, until one breaks. Run number k of seed N is the
// first run of seed N + k: whatever broke can be repeated alone.

import type { Decision, Fact, Input, Request, Settings } from '@mountkeeper/core'
import fc from 'fast-check'
import type { Breach, History } from '../oracle/history.js'
import { NO_FAULT } from '../fault.js'
import { simulatedSettings } from '../settings.js'
import type { Action } from './action.js'
import { leftAfterCalm, withoutForget } from './calm.js'
import type { FaultKind } from './generate.js'
import { ALL_FAULTS, runOf } from './generate.js'
import type { Run } from './play.js'
import { play } from './play.js'
import type { Watch } from './simulation.js'
import { transcriptOf } from './transcript.js'

/** What a campaign is made of. */
export interface CampaignOptions {
  /** Of the first run, 0 to 4,294,967,295; beyond it begins at 0 again. */
  readonly seed: number
  readonly runs: number
  /** What may go wrong; by default everything. */
  readonly faults?: ReadonlySet<FaultKind>
}

/** A run that broke a law, as it was found or made smaller. */
export interface Counterexample extends Breach {
  /** Repeats it, with one run. */
  readonly seed: number
  readonly run: Run
  /** Whether everything was to come to rest after it (L47). */
  readonly isCalmed: boolean
}

/** A campaign; it belongs to the caller that began it, and `goOn` changes it in place. */
export interface Campaign {
  readonly seed: number
  readonly wanted: number
  readonly drawn: fc.Arbitrary<Run>
  runs: number
  actions: number
  decisions: number
  /** How often each law was put to the test. */
  readonly tested: Map<string, number>
  broken: Counterexample | undefined
}

/** Nothing has been played yet. */
export const beginCampaign = ({ seed, runs, faults = ALL_FAULTS }: CampaignOptions): Campaign => ({
  seed,
  wanted: runs,
  drawn: runOf(faults),
  runs: 0,
  actions: 0,
  decisions: 0,
  tested: new Map(),
  broken: undefined,
})

/** So many seeds there are. */
export const SEEDS = 0x1_0000_0000

/** Spreads neighbouring seeds: the last step of MurmurHash3, a bijection. */
const spread = (seed: number): number => {
  const first = Math.imul(seed ^ (seed >>> 16), 0x85eb_ca6b)
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2_ae35)
  return (second ^ (second >>> 16)) | 0
}

/** Coming to rest takes longer than the run before it: every eighth does. */
const CALMED_EVERY = 8

/** What a run came to. */
interface Judged {
  readonly breach: Breach | undefined
  readonly history: History | undefined
}

/** Plays a run, lets it come to rest if it is to, and says which law broke first. A defect of the core is a broken law, too. */
const judge = (run: Run, isCalmed: boolean, also?: Watch): Judged => {
  let history: History | undefined
  try {
    const played = play(run, also)
    history = played.history
    const left = isCalmed ? leftAfterCalm(played) : []
    if (isCalmed) history.tested.set('L47', 1)
    const [breach] = history.breaches
    if (breach === undefined && left.length > 0) return { history, breach: { law: 'L47', why: left.join('; ') } }
    return { history, breach }
  } catch (error) {
    return { history, breach: { law: 'defect', why: error instanceof Error ? error.message : String(error) } }
  }
}

/** The one run of a seed, checked against a predicate; made smaller while that is false. */
const drawOne = (
  campaign: Campaign,
  seed: number,
  endOnFailure: boolean,
  holds: (run: Run) => boolean,
): Run | undefined => {
  const { counterexample } = fc.check(fc.property(campaign.drawn, holds), {
    seed: spread(seed),
    numRuns: 1,
    unbiased: true,
    endOnFailure,
  })
  return counterexample?.[0]
}

const playNext = (campaign: Campaign): void => {
  const seed = (campaign.seed + campaign.runs) % SEEDS
  const isCalmed = seed % CALMED_EVERY === 0
  const counts: Watch = (happening) => {
    if (happening._tag === 'Decided') campaign.decisions += 1
  }
  drawOne(campaign, seed, true, (drawn) => {
    const run = isCalmed ? withoutForget(drawn) : drawn
    const { breach, history } = judge(run, isCalmed, counts)
    campaign.runs += 1
    campaign.actions += run.actions.length
    for (const [law, times] of history?.tested ?? []) {
      campaign.tested.set(law, (campaign.tested.get(law) ?? 0) + times)
    }
    if (breach !== undefined) campaign.broken = { ...breach, seed, run, isCalmed }
    return true
  })
}

/** Plays the next runs, at most so many; whether there is more to play: no law has broken, and not all runs are played. */
export const goOnWith = (campaign: Campaign, count: number): boolean => {
  const isOver = (): boolean => campaign.broken !== undefined || campaign.runs >= campaign.wanted
  for (let played = 0; played < count && !isOver(); played += 1) playNext(campaign)
  return !isOver()
}

const simpler = (body: Request): Request => {
  const { deadlineMs: _given, ...rest } = body
  return rest.op === 'attach' ? { ...rest, filesystem: { type: 'tmpfs', source: 'f', options: [] } } : rest
}

/** An action that does less of what is unusual, if there is one. */
const plainer = (action: Action): Action | undefined => {
  if (action._tag === 'End' && action.fault._tag !== 'None') return { ...action, fault: NO_FAULT }
  return action._tag === 'Ask' ? { ...action, body: simpler(action.body) } : undefined
}

type Breaks = (run: Run) => boolean

/** One action after the other left out, or made plainer, as long as the law stays broken. */
const eachAction = (run: Run, breaks: Breaks): Run => {
  let smallest = run
  for (let index = smallest.actions.length - 1; index >= 0; index -= 1) {
    const action = smallest.actions[index]
    const other = action === undefined ? undefined : plainer(action)
    const ways = [
      smallest.actions.filter((_, each) => each !== index),
      ...(other === undefined ? [] : [smallest.actions.map((each, at) => (at === index ? other : each))]),
    ]
    const actions = ways.find((way) => breaks({ ...smallest, actions: way }))
    if (actions !== undefined) smallest = { ...smallest, actions }
  }
  return smallest
}

/** Usual settings, as far as the law stays broken with them. */
const usualSettings = (run: Run, breaks: Breaks): Run => {
  const settings = Object.keys(run.settings).reduce<Run['settings']>((left, key) => {
    const without = Object.fromEntries(Object.entries(left).filter(([each]) => each !== key))
    return breaks({ ...run, settings: without }) ? without : left
  }, run.settings)
  const atOnce: Run = { ...run, settings, journal: 'at once' }
  return breaks(atOnce) ? atOnce : { ...run, settings }
}

const PASSES_MAX = 20

/** The smallest run that breaks the same law: fewer actions, smaller numbers, fewer faults, usual settings. */
export const shrink = (campaign: Campaign, found: Counterexample): Counterexample => {
  const { seed, law, isCalmed } = found
  const prepare = (run: Run): Run => (isCalmed ? withoutForget(run) : run)
  const breaks: Breaks = (run) => judge(run, isCalmed).breach?.law === law
  const drawn = drawOne(campaign, seed, false, (run) => !breaks(prepare(run)))
  let smallest = drawn === undefined ? found.run : prepare(drawn)
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    const smaller = eachAction(usualSettings(smallest, breaks), breaks)
    if (JSON.stringify(smaller) === JSON.stringify(smallest)) break
    smallest = smaller
  }
  return { ...found, ...judge(smallest, isCalmed).breach, run: smallest }
}

/** The last life of the manager in a run: what it began from, and what it decided. */
export interface LastLife {
  readonly settings: Settings
  readonly facts: readonly Fact[]
  readonly decided: readonly { readonly input: Input; readonly decision: Decision }[]
}

/** Plays a counterexample again and records it, as a trace is recorded. */
export const recordOf = ({ run, isCalmed }: Counterexample): LastLife => {
  let facts: readonly Fact[] = []
  let decided: { readonly input: Input; readonly decision: Decision }[] = []
  judge(run, isCalmed, (happening, simulation) => {
    if (happening._tag === 'Decided') decided.push({ input: happening.input, decision: happening.decision })
    if (happening._tag !== 'Crashed') return
    facts = [...simulation.durable]
    decided = []
  })
  return { settings: simulatedSettings(run.settings), facts, decided }
}

/** A counterexample as a transcript; its last line is the broken law. */
export const tellCounterexample = ({ run, law, why, isCalmed }: Counterexample): string => {
  const told = transcriptOf(run)
  const verdict = `${law}: ${why}`
  if (told.includes(verdict)) return told
  return [told, ...(isCalmed ? ['> faults stop, every consumer leaves, time passes'] : []), verdict].join('\n')
}
