// `mountkeeper plan`: what run would do now, and why. It takes no lock, needs no rights, and runs nothing but looks.

import type { LineError, RequestOrPlan } from '@mountkeeper/codec'
import {
  REQUEST_LINE_BYTES_MAX,
  decodeRequestLine,
  encodeUnreadable,
  invalidOf,
  isBlankLine,
  shownJson,
} from '@mountkeeper/codec'
import type { Fact, Request, Settings } from '@mountkeeper/core'
import { restore } from '@mountkeeper/core'
import type { PlannedRequest } from '@mountkeeper/plan'
import { planRequests } from '@mountkeeper/runtime'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure, Machine } from 'mountkeeper/parts'
import {
  configurationOf,
  counted,
  encodePlanned,
  harmless,
  linesOf,
  needsRoot,
  seeRoots,
  stopFailure,
  thisMachine,
  usageFailure,
  word,
  wouldServe,
} from 'mountkeeper/parts'
import type { OutputKind, PlanArguments } from './arguments.js'
import type { ExitCode } from './exit.js'
import { EXIT } from './exit.js'
import { openRequests, outputKind, requestStream } from './requests.js'
import type { Streams } from './streams.js'
import { fail, wantsColour } from './streams.js'
import { paintOf } from './transcript/paint.js'
import { planLines } from './transcript/plan-words.js'

/** Lines that one plan takes: all of them are folded together, and kept. */
const LINES_MAX = 65_536

interface Read {
  readonly line: number
  readonly requests: readonly Request[]
}

interface Bad {
  readonly line: number
  readonly error: LineError
}

const requestsIn = (read: RequestOrPlan): readonly Request[] => (read.op === 'plan' ? read.requests : [read])

interface AllRead {
  readonly good: readonly Read[]
  readonly bad: readonly Bad[]
}

const readAll = async (input: AsyncIterable<Uint8Array>): Promise<E.Either<Failure, AllRead>> => {
  const good: Read[] = []
  const bad: Bad[] = []
  for await (const line of linesOf(input, REQUEST_LINE_BYTES_MAX)) {
    if (good.length + bad.length >= LINES_MAX) {
      return E.left(usageFailure(`more than ${LINES_MAX.toLocaleString('en')} lines; plan them in parts`))
    }
    if (line._tag === 'Unreadable') bad.push({ line: line.number, error: line.error })
    else if (!isBlankLine(line.text)) {
      const read = decodeRequestLine(line.text)
      if (E.isLeft(read)) bad.push({ line: line.number, error: read.left })
      else good.push({ line: line.number, requests: requestsIn(read.right) })
    }
  }
  return E.right({ good, bad })
}

interface Shown {
  readonly line: number
  readonly text: string
}

const badText = ({ line, error }: Bad, output: OutputKind): string => {
  if (output === 'json') return encodeUnreadable(line, error)
  const { field, why } = invalidOf(error)
  return `line ${line}\n  ✗ refused  Invalid: ${field === 'line' ? '' : `${word(field)}: `}${harmless(why)}`
}

const goodText = (planned: PlannedRequest, line: number, output: OutputKind, streams: Streams): string => {
  if (output === 'json') return shownJson({ line, ...(encodePlanned(planned) as object) })
  const { id } = planned.request
  const paint = paintOf(wantsColour(streams) ? 'colour' : 'plain')
  return planLines(planned, id === undefined ? `line ${line}` : word(id), paint).join('\n')
}

/** What is planned with: a machine, and where the requests come from. */
export interface PlanSession {
  readonly machine: Pick<Machine, 'host'>
  readonly settings: Settings
  /** What is recorded. */
  readonly facts: readonly Fact[]
  readonly input: AsyncIterable<Uint8Array>
  readonly output: OutputKind
  readonly streams: Streams
}

/** Reads, looks, plans, and prints; gives the exit code. */
export const planSession = async (session: PlanSession): Promise<ExitCode> => {
  const { machine, input, output, streams } = session
  const host = restore(session.settings, session.facts)
  const read = await readAll(input)
  if (E.isLeft(read)) return fail(streams, read.left)
  const { good, bad } = read.right
  const roots = await seeRoots(host, machine.host)
  if (E.isLeft(roots)) return fail(streams, stopFailure(`cannot read the host: ${roots.left}`))
  const requests = good.flatMap(({ line, requests: all }) => all.map((request) => ({ line, request })))
  const planned = await planRequests(
    host,
    machine.host,
    requests.map(({ request }) => request),
    roots.right,
  )()
  const shown: readonly Shown[] = [
    ...planned.map((each, index) => {
      const line = requests[index]?.line ?? 0
      return { line, text: goodText(each, line, output, streams) }
    }),
    ...bad.map((each) => ({ line: each.line, text: badText(each, output) })),
  ].sort((a, b) => a.line - b.line)
  const served = wouldServe(planned) && bad.length === 0
  const refused = planned.filter(({ answer }) => answer?.ok === false).length + bad.length
  const summary = `${counted(planned.length + bad.length, 'request')} planned, nothing was changed; ${refused === 0 ? 'none' : refused} would be refused`
  const texts = shown.map(({ text }) => text)
  streams.stdout.write(
    output === 'json' ? texts.map((text) => `${text}\n`).join('') : `${[...texts, summary].join('\n\n')}\n`,
  )
  return served ? EXIT.ok : EXIT.refused
}

/** Plans what was asked for, on this machine. */
export const plan = async (asked: PlanArguments, streams: Streams): Promise<ExitCode> => {
  const configuration = await configurationOf(asked)
  if (E.isLeft(configuration)) return fail(streams, configuration.left)
  const unfit = needsRoot(configuration.right)
  if (unfit !== undefined) return fail(streams, unfit)
  const { stateDirectory } = configuration.right.adapter
  const { readJournal } = await import('@mountkeeper/journal')
  const facts = stateDirectory === undefined ? E.right([]) : await readJournal(stateDirectory)()
  if (E.isLeft(facts)) return fail(streams, stopFailure(facts.left.why))
  const requests = openRequests(asked.file)
  if (E.isLeft(requests)) return fail(streams, requests.left)
  return planSession({
    machine: await thisMachine(configuration.right),
    settings: configuration.right.settings,
    facts: facts.right,
    input: requestStream(requests.right, streams),
    output: outputKind(asked.output, streams),
    streams,
  })
}
