// `mountkeeper simulate`: random runs of the core on a simulated host, each judged by the laws. The same seeds are the same
// runs; only how far it came depends on the clock. A run that breaks a law is made smaller, reported, and written as a trace.

import { randomInt } from 'node:crypto'
import { closeSync, existsSync, fstatSync, ftruncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { encodeTraceHeader, encodeTraceLine, shownJson, traceDecision } from '@mountkeeper/codec'
import * as E from 'fp-ts/lib/Either.js'
import type { Campaign, Counterexample } from '@mountkeeper/simulator'
import {
  SEEDS,
  STATEMENTS,
  beginCampaign,
  goOnWith,
  recordOf,
  shrink,
  tellCounterexample,
} from '@mountkeeper/simulator'
import { ignoresHangUp } from './hang-up.js'
import type { SimulateArguments } from './arguments.js'
import type { Failure } from 'mountkeeper/parts'
import type { ExitCode } from './exit.js'
import {
  counted,
  createStopping,
  fileProblem,
  harmless,
  openTrace,
  stopFailure,
  stopOnSignals,
} from 'mountkeeper/parts'
import { EXIT } from './exit.js'
import type { Streams } from './streams.js'
import { complain, fail } from './streams.js'

/** Played in one go, before signals are heard and progress is shown. */
const AT_ONCE = 100
const TOLD_EVERY_MS = 10_000
const SHOWN_EVERY_MS = 200

const number = (value: number): string => value.toLocaleString('en')

const judgedIn = ({ tested }: Campaign): number => [...tested.values()].reduce((sum, times) => sum + times, 0)

const figures = (campaign: Campaign, seconds: number): string => {
  const { runs, actions, decisions, tested } = campaign
  const played = `${counted(runs, 'run').replace(String(runs), number(runs))}, ${number(actions)} actions, ${number(decisions)} decisions`
  return `${played}; ${tested.size} laws checked ${number(judgedIn(campaign))} times; ${seconds.toFixed(1)} s`
}

/** Shows how far it is: on a terminal in place, elsewhere a line every so often. */
const createProgress = ({ stderr }: Streams, campaign: Campaign, elapsedMs: () => number) => {
  const isTerminal = 'isTTY' in stderr && stderr.isTTY === true
  let shown = 0
  return {
    clear: (): void => {
      if (isTerminal && shown > 0) stderr.write('\r\u001b[K')
    },
    show: (): void => {
      const now = elapsedMs()
      if (now - shown < (isTerminal ? SHOWN_EVERY_MS : TOLD_EVERY_MS)) return
      shown = now
      const { runs, wanted } = campaign
      const text = `${number(runs)} of ${number(wanted)} runs, ${(now / 1_000).toFixed(0)} s`
      stderr.write(isTerminal ? `\r\u001b[K${text}` : `mountkeeper: ${text}\n`)
    },
  }
}

const turn = (): Promise<void> => new Promise((next) => void setImmediate(next))

/** A name that can be written to, found out before anything is played; a file that this creates is taken away again. */
const unwritable = (path: string): Failure | undefined => {
  const isThere = existsSync(path)
  const opened = openTrace(path)
  if (E.isLeft(opened)) return opened.left
  closeSync(opened.right)
  if (!isThere) unlinkSync(path)
  return undefined
}

const write = (path: string, text: string): Failure | undefined => {
  const opened = openTrace(path)
  if (E.isLeft(opened)) return opened.left
  const fd = opened.right
  try {
    if (fstatSync(fd).isFile()) ftruncateSync(fd)
    writeFileSync(fd, text)
    return undefined
  } catch (error) {
    return stopFailure(`the trace ${path} ${fileProblem(error)}; give another path with --trace FILE`)
  } finally {
    closeSync(fd)
  }
}

const traceText = (found: Counterexample): string => {
  const { settings, facts, decided } = recordOf(found)
  const lines = decided.map(({ input, decision }, index) =>
    encodeTraceLine({ n: index + 1, input, decision: traceDecision(decision) }),
  )
  return `${[encodeTraceHeader({ format: 1, settings, facts }), ...lines].join('\n')}\n`
}

/** What is reported of a run that broke a law, for people and for machines. */
interface Told {
  readonly found: Counterexample
  /** Actions before it was made smaller. */
  readonly from: number
  readonly repeat: string
  readonly trace: string
}

const repeatOf = ({ faults, shrink: shrinks }: SimulateArguments, { seed }: Counterexample): string => {
  const only = faults === undefined ? '' : ` --faults ${faults.length === 0 ? 'none' : faults.join(',')}`
  return `mountkeeper simulate --seed ${seed} --runs 1${only}${shrinks ? '' : ' --shrink=false'}`
}

const statementOf = (law: string): string =>
  law === 'defect'
    ? 'the core failed one of its own assertions'
    : (STATEMENTS[law] ?? 'after all holders have left, no mount and no directory remains')

const transcript = ({ found, from, repeat, trace }: Told): string => {
  const { law, run } = found
  const actions = counted(run.actions.length, 'action')
  const size = run.actions.length < from ? `${actions}, shrunk from ${from}` : actions
  return [
    tellCounterexample(found),
    '',
    `${law} is broken: ${statementOf(law)} (${size})`,
    `  again:  ${repeat}`,
    `  trace:  mountkeeper replay ${trace}`,
    '',
  ].join('\n')
}

const machineReadable = (campaign: Campaign, seconds: number, told: Told | undefined): string => {
  const { seed, runs, actions, decisions, tested } = campaign
  const broken = told && {
    law: told.found.law,
    statement: statementOf(told.found.law),
    why: told.found.why,
    seed: told.found.seed,
    repeat: told.repeat,
    trace: told.trace,
    actionsFound: told.from,
    run: told.found.run,
    transcript: tellCounterexample(told.found).split('\n'),
  }
  return shownJson({
    seed,
    runs,
    actions,
    decisions,
    laws: tested.size,
    judged: Object.fromEntries(tested),
    seconds: Math.round(seconds * 10) / 10,
    broken: broken ?? null,
  })
}

const tell = (asked: SimulateArguments, campaign: Campaign, broken: Counterexample): Told => {
  const found = asked.shrink ? shrink(campaign, broken) : broken
  const trace = asked.trace ?? `mountkeeper-${found.seed}.trace`
  return { found, from: broken.run.actions.length, repeat: repeatOf(asked, found), trace: harmless(trace) }
}

/** Plays runs until one breaks a law or all are played; gives the exit code. */
export const simulate = async (asked: SimulateArguments, streams: Streams): Promise<ExitCode> => {
  const wrong = asked.trace === undefined ? undefined : unwritable(asked.trace)
  if (wrong !== undefined) return fail(streams, wrong)
  const campaign = beginCampaign({
    seed: asked.seed ?? randomInt(SEEDS),
    runs: asked.runs,
    ...(asked.faults === undefined ? {} : { faults: new Set(asked.faults) }),
  })
  const began = performance.now()
  const elapsedMs = (): number => performance.now() - began
  const progress = createProgress(streams, campaign, elapsedMs)
  const stopping = createStopping()
  const deaf = stopOnSignals(stopping, ignoresHangUp(streams.environment))
  while (goOnWith(campaign, AT_ONCE) && !stopping.drain.aborted) {
    progress.show()
    await turn()
  }
  progress.clear()
  const seconds = elapsedMs() / 1_000
  deaf()
  const { broken } = campaign
  const told = broken && tell(asked, campaign, broken)
  if (asked.json) streams.stdout.write(`${machineReadable(campaign, seconds, told)}\n`)
  else {
    if (told !== undefined) streams.stdout.write(transcript(told))
    const verdict = told === undefined ? 'no law was broken' : `${told.found.law} was broken`
    streams.stdout.write(`${figures(campaign, seconds)}; seed ${campaign.seed}: ${verdict}\n`)
  }
  if (told !== undefined) {
    const unwritten = write(asked.trace ?? told.trace, traceText(told.found))
    if (unwritten !== undefined) complain(streams, unwritten.text)
    return EXIT.refused
  }
  const reason = stopping.reason()
  if (reason?._tag !== 'Signal' || campaign.runs === campaign.wanted) return EXIT.ok
  return fail(streams, stopFailure(`stopped by ${reason.name} after ${number(campaign.runs)} runs`))
}
