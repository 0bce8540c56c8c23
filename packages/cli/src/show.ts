// How a run is shown: as JSON Lines for programs, or as a transcript for people. Both see everything and change nothing.

import type { Configuration, PlanRequest } from '@mountkeeper/codec'
import { encodeAnswer, encodeUnreadable, shownJson } from '@mountkeeper/codec'
import type { Warning } from '@mountkeeper/core'
import type { PlannedRequest } from '@mountkeeper/plan'
import type { Observer, StopReport, Timers } from '@mountkeeper/runtime'
import { encodePlanned, leftSummary, word } from 'mountkeeper/parts'
import type { OutputKind } from './arguments.js'
import type { Output } from './output.js'
import type { Reporter, Tally } from './serve.js'
import type { Streams } from './streams.js'
import { wantsColour } from './streams.js'
import { paintOf } from './transcript/paint.js'
import { planLines } from './transcript/plan-words.js'
import { createTranscript } from './transcript/transcript.js'

/** What of a session matters to how it is shown. */
export interface Shown {
  readonly configuration: Configuration
  readonly machine: { readonly timers: Pick<Timers, 'now'> }
  readonly streams: Streams
  readonly output: OutputKind
  readonly concurrent: boolean
  readonly isSandbox: boolean
}

/** How what happens is shown: as JSON Lines, or as a transcript. */
export interface Show {
  readonly reporter: (plan: Plan) => Reporter
  readonly observer: Observer
  readonly close: (tally: Tally, report: StopReport) => void
}

/** A plan that is asked for on a line is made of the host as this run knows it. */
export type Plan = (request: PlanRequest) => Promise<readonly PlannedRequest[]>

const planAnswer = ({ id }: PlanRequest, planned: readonly PlannedRequest[]): string =>
  shownJson({
    ...(id === undefined ? {} : { id }),
    op: 'plan',
    ok: true,
    result: { _tag: 'Planned', requests: planned.map(encodePlanned) },
  })

const jsonShow = (output: Output): Show => ({
  observer: {},
  reporter: (plan) => ({
    asked: () => undefined,
    answered: (_, answer) => output.line(encodeAnswer(answer)),
    unreadable: (line, error) => output.line(encodeUnreadable(line, error)),
    planned: async (_, request) => output.line(planAnswer(request, await plan(request))),
  }),
  close: () => undefined,
})

/** Propagation is that of the sandbox only. */
export const isWorthTelling = ({ _tag }: Warning, isSandbox: boolean): boolean =>
  !(isSandbox && _tag === 'PropagationNotShared')

const hostTitle = ({ configuration, isSandbox }: Shown): string => {
  const roots = configuration.settings.roots.map(({ path }) => word(path)).join('  ')
  return `host-up  ${roots}${isSandbox ? '  in a sandbox' : ''}`
}

const transcriptShow = (session: Shown, output: Output): Show => {
  const paint = paintOf(wantsColour(session.streams) ? 'colour' : 'plain')
  const transcript = createTranscript({
    line: output.line,
    paint,
    whole: session.concurrent,
    now: session.machine.timers.now,
    hostTitle: hostTitle(session),
    isTold: (warning) => isWorthTelling(warning, session.isSandbox),
  })
  return {
    observer: transcript.observer,
    reporter: (plan) => ({
      ...transcript,
      planned: async (line, request) => {
        const planned = await plan(request)
        const lines = planned.flatMap((each, index) => planLines(each, String(index + 1), paint))
        transcript.block(`${request.id === undefined ? `line ${line}` : word(request.id)}  plan`, lines)
      },
    }),
    close: ({ requests, refused }, { leftBehind }) =>
      transcript.close({
        requests,
        refused,
        left: leftSummary(leftBehind, session.isSandbox),
        isNothingLeft: leftBehind.length === 0,
      }),
  }
}

/** The way that was asked for. */
export const showOf = (session: Shown, output: Output): Show =>
  session.output === 'json' ? jsonShow(output) : transcriptShow(session, output)
