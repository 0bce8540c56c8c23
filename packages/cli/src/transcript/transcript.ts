// The transcript of a run: a block for each request with what was asked, the effects with their command lines, what was
// found, and the answer. In order, a block is written as it happens; concurrently, when its request is answered, so that
// blocks never mix.

import type { LineError } from '@mountkeeper/codec'
import { encodeRequest, invalidOf } from '@mountkeeper/codec'
import type {
  Answer,
  Decision,
  Discover,
  Effect,
  EffectId,
  Input,
  MountpointEffect,
  Request,
  RequestId,
  Warning,
} from '@mountkeeper/core'
import type { Observer, Report } from '@mountkeeper/runtime'
import {
  EFFECT_NAMES,
  answerWords,
  commandWords,
  counted,
  durationWords,
  endWords,
  foundWords,
  harmless,
  requestWords,
  word,
} from 'mountkeeper/parts'
import type { Ticket } from '../serve.js'
import type { Paint } from './paint.js'

/** What a transcript needs. */
export interface TranscriptOptions {
  readonly line: (text: string) => void
  readonly paint: Paint
  /** Blocks are written whole, when their request is answered. */
  readonly whole: boolean
  readonly now: () => number
  /** The first line: what comes up. */
  readonly hostTitle: string
  /** Warnings that are worth showing here. */
  readonly isTold: (warning: Warning) => boolean
}

/** What is said at the end. */
export interface Closing {
  readonly requests: number
  readonly refused: number
  /** One line about what is left. */
  readonly left: string
  readonly isNothingLeft: boolean
}

/** A transcript that is being written. */
export interface Transcript {
  readonly observer: Observer
  readonly asked: (ticket: Ticket) => void
  readonly answered: (ticket: Ticket, answer: Answer) => void
  readonly unreadable: (line: number, error: LineError) => void
  /** Lines of a block of its own. */
  readonly block: (title: string, lines: readonly string[]) => void
  readonly close: (closing: Closing) => void
}

/** What is shown together. */
interface Block {
  readonly title: string
  readonly startedAt: number
  /** It is about the host rather than about a mountpoint. */
  readonly ofHost: boolean
  /** What is not written yet. */
  lines: string[]
  begun: boolean
  closed: boolean
}

/** The blocks of requests that were asked and are not decided. */
interface Pending {
  readonly asked: (request: Request, block: Block) => void
  /** The block of a request that is decided: the oldest of those that ask for the same, for the manager makes copies. */
  readonly decided: (body: Request) => Block | undefined
  /** The block of a request that was answered without having been decided. */
  readonly withdrawn: (request: Request) => Block | undefined
}

const createPending = (): Pending => {
  const all = new Map<string, { readonly request: Request; readonly block: Block }[]>()
  const take = (key: string, isIt: (request: Request) => boolean): Block | undefined => {
    const same = all.get(key) ?? []
    const index = same.findIndex(({ request }) => isIt(request))
    const [found] = index < 0 ? [] : same.splice(index, 1)
    if (same.length === 0) all.delete(key)
    return found?.block
  }
  return {
    asked: (request, block) => {
      const key = encodeRequest(request)
      all.set(key, [...(all.get(key) ?? []), { request, block }])
    },
    decided: (body) => take(encodeRequest(body), () => true),
    withdrawn: (request) => take(encodeRequest(request), (each) => each === request),
  }
}

const TIME_WIDTH = 9
const NAME_WIDTH = 11
const MARGIN = ' '.repeat(TIME_WIDTH + 2)
const INNER = ' '.repeat(TIME_WIDTH + 2 + NAME_WIDTH + 2)

const pathOf = (effect: Effect): string =>
  'mountpoint' in effect && effect.mountpoint !== undefined ? effect.mountpoint : 'host'

/** Begins a transcript; it writes nothing until something happens. */
export const createTranscript = ({ line, paint, whole, now, hostTitle, isTold }: TranscriptOptions): Transcript => {
  const startedAt = now()
  const pending = createPending()
  const ofRequest = new Map<RequestId, Block>()
  const ofEffect = new Map<EffectId, Block>()
  let last: Block | undefined
  let mounts = 0
  let unmounts = 0

  const row = (time: string, name: string, text: string): string =>
    `${paint.quiet(time.padStart(TIME_WIDTH))}  ${name}${' '.repeat(Math.max(0, NAME_WIDTH - name.length))}  ${text}`

  const marked = (mark: string, durationMs: number, verb: string, text: string): string => {
    const gap = ' '.repeat(Math.max(1, NAME_WIDTH - verb.length))
    const paintVerb = mark === '✓' ? paint.good : paint.bad
    return `${paint.quiet(durationWords(durationMs).padStart(TIME_WIDTH))}  ${paintVerb(`${mark} ${verb}`)}${gap}${text}`
  }

  const write = (block: Block): void => {
    if (block.lines.length === 0) return
    if (last !== block) {
      if (last !== undefined) line('')
      line(paint.title(block.begun ? `${block.title} (continued)` : block.title))
    }
    last = block
    block.begun = true
    for (const text of block.lines) line(text)
    block.lines = []
  }

  const add = (block: Block, ...lines: readonly string[]): void => {
    block.lines.push(...lines)
    if (!whole || block.closed) write(block)
  }

  const open = (title: string, op?: Request['op']): Block => ({
    title,
    startedAt: now(),
    ofHost: op === 'host-up' || op === 'reconcile',
    lines: [],
    begun: false,
    closed: false,
  })

  const background = (path: string): Block => ({ ...open(`background  ${word(path)}`), closed: true })

  const show = (block: Block): void => {
    if (whole || last === block) return
    if (last !== undefined) line('')
    line(paint.title(block.title))
    last = block
    block.begun = true
  }

  const titleOf = ({ line: number, request }: Ticket): string => {
    const label = request.id === undefined ? `line ${number}` : word(request.id)
    return [`${label}  ${request.op}`, requestWords(request)].filter((part) => part !== '').join('  ')
  }

  const worth = <With extends { readonly warnings: readonly Warning[] }>(warned: With): With => ({
    ...warned,
    warnings: warned.warnings.filter(isTold),
  })

  const told = (answer: Answer): Answer => {
    if (!answer.ok) return answer
    const { result } = answer
    switch (result._tag) {
      case 'Up':
      case 'Detached':
        return { ...answer, result: worth(result) }
      case 'Released': {
        const attachments = result.attachments.map((each) => ({ ...each, answer: worth(each.answer) }))
        return { ...answer, result: { ...result, attachments } }
      }
      default:
        return answer
    }
  }

  const end = (block: Block, answer: Answer): void => {
    const { verb, text, more } = answerWords(told(answer))
    block.lines.push(
      marked(answer.ok ? '✓' : '✗', now() - block.startedAt, verb, text),
      ...more.map((each) => `${INNER}${paint.quiet(each)}`),
    )
    write(block)
    block.closed = true
  }

  /** The block of the request that an effect is for; effects without a request have their own. */
  const blockFor = (decision: Decision, effect: Effect): Block => {
    const path = pathOf(effect)
    for (const change of decision.changes) {
      if (change._tag !== 'Record' || change.path !== path) continue
      const request = change.record?.work?.request
      const block = request === undefined ? undefined : ofRequest.get(request)
      if (block !== undefined) return block
    }
    const host = effect._tag === 'Discover' ? [...ofRequest.values()].find(({ ofHost }) => ofHost) : undefined
    return host ?? background(path)
  }

  const onDecision = (input: Input, decision: Decision): void => {
    if (input._tag === 'Requested') {
      const block = pending.decided(input.body) ?? open(hostTitle, 'host-up')
      ofRequest.set(input.request, block)
      show(block)
    }
    for (const effect of decision.then.effects)
      if (effect._tag !== 'Wait') ofEffect.set(effect.effect, blockFor(decision, effect))
    for (const fact of decision.append) {
      if (fact._tag === 'Mounted') mounts += 1
      if (fact._tag === 'Unmounted' && fact.by === 'us') unmounts += 1
    }
  }

  const onReport = (effect: MountpointEffect | Discover, report: Report, from: number, to: number): void => {
    const block = ofEffect.get(effect.effect) ?? background(pathOf(effect))
    ofEffect.delete(effect.effect)
    const ran = report.ran ?? []
    const tookMs = ran.length === 0 ? to - from : Math.max(to - from, ...ran.map(({ durationMs }) => durationMs))
    const found = foundWords(report.found)
    const name = EFFECT_NAMES[effect._tag]
    const time = durationWords(tookMs)
    const [first, ...others] = ran
    const failures = report.error === undefined ? [] : [`${INNER}${paint.bad(endWords(report.error))}`]
    if (first === undefined) {
      add(block, row(time, name, found), ...failures)
      return
    }
    add(
      block,
      row(time, name, paint.command(`$ ${commandWords(first.command)}`)),
      ...others.map(({ command }) => `${INNER}${paint.command(`$ ${commandWords(command)}`)}`),
      ...failures,
      `${INNER}${found}`,
    )
  }

  return {
    observer: {
      onDecision,
      onReport,
      onAnswer: (answer) => {
        const block = ofRequest.get(answer.request)
        ofRequest.delete(answer.request)
        if (block !== undefined && !block.closed) end(block, answer)
      },
    },
    asked: (ticket) => {
      pending.asked(ticket.request, open(titleOf(ticket), ticket.request.op))
    },
    answered: (ticket, answer) => {
      // Turned away before anything was decided.
      const block = pending.withdrawn(ticket.request)
      if (block !== undefined) end(block, answer)
    },
    unreadable: (number, error) => {
      const { field, why } = invalidOf(error)
      const block = open(`line ${number}`)
      const place = field === 'line' ? '' : `${word(field)}: `
      block.lines.push(marked('✗', 0, 'refused', `Invalid: ${place}${harmless(why)}`))
      write(block)
    },
    block: (title, lines) => {
      const block = open(title)
      block.lines.push(...lines.map((each) => `${MARGIN}${each}`))
      write(block)
    },
    close: ({ requests, refused, left, isNothingLeft }) => {
      const ok = refused === 0 ? 'all ok' : `${requests - refused} ok, ${refused} refused`
      const all = requests === 0 ? 'no requests' : `${counted(requests, 'request')}, ${ok}`
      if (last !== undefined) line('')
      line(
        `${(refused === 0 ? paint.good : paint.bad)(all)}; ${counted(mounts, 'mount')}, ${counted(unmounts, 'unmount')}; ${durationWords(now() - startedAt)}`,
      )
      line((isNothingLeft ? paint.good : paint.title)(left))
    },
  }
}
