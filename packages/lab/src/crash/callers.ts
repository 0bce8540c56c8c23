// The callers of one lane: they ask whatever manager there is, remember the answers, and use what is mounted for them.

import { writeFileSync } from 'node:fs'
import type { AnswerLine } from '@mountkeeper/codec'
import type { Filesystem, Request, Status } from '@mountkeeper/core'
import type { Layer, Place } from './ground.js'
import { isForeign, layersBelow, stackAt } from './ground.js'
import type { Judge, Others } from './judge.js'
import type { Heard } from './manager.js'
import { shows } from './requests.js'
import type { Told } from './told.js'
import type { Witness } from './witness.js'

/** What they need. */
export interface CallersOptions {
  readonly name: string
  readonly place: Place
  readonly told: Told
  readonly others: Others
  readonly judge: Judge
  readonly witness: Witness
  readonly tally: { requests: number; answers: number }
}

/** The callers. */
export interface Callers {
  /** Asks by way of `send`. */
  readonly ask: (request: Request, send: (request: Request) => void) => void
  readonly hear: (heard: Heard) => void
  /** Requests so far. */
  readonly asked: () => number
  /** Unanswered requests that may change something at this mountpoint. */
  readonly touches: (mountpoint: string) => boolean
  /** Called with each answer that was right, until it is set again. */
  onAnswer: (() => void) | undefined
  /** The next status. */
  onStatus: ((status: Status) => void) | undefined
}

interface Sent {
  readonly order: number
  readonly request: Request
}

export const createCallers = (options: CallersOptions): Callers => {
  const { name, place, told, others, judge, witness, tally } = options
  const sent = new Map<string, Sent>()
  let asked = 0

  const stackOf = (path: string): readonly Layer[] => stackAt(layersBelow(place.root), path)

  /** Its consumer writes into the mount that it was answered; that the file is not on the bare directory, the judge sees. */
  const use = (path: string, filesystem: Filesystem, file: string): void => {
    if (!judge.relies(path)) return
    const stack = stackOf(path)
    const ours = stack.find((layer) => !isForeign(layer))
    if (ours !== undefined && !shows(filesystem, ours)) {
      witness.check([`answered Attached to ${filesystem.source}: ${path} has ${ours.source}`])
    }
    try {
      if (stack[0] === ours) writeFileSync(`${path}/${file}`, file)
    } catch (error) {
      witness.check([`answered Attached, and ${path} cannot be written: ${String(error)}`])
    }
  }

  const isUnmounted = (mountpoint: string): boolean => {
    const isFree = told.all().every((one) => one.mountpoint !== mountpoint || told.known(one) === 'free')
    // Who attaches meanwhile mounts again.
    return !isFree || told.attaching(mountpoint) || stackOf(mountpoint).every(isForeign)
  }

  const learn = ({ request, order }: Sent, answer: AnswerLine): void => {
    if (!answer.ok) return
    const { result } = answer
    if (result._tag === 'Status') callers.onStatus?.(result)
    if (result._tag === 'Attached' && request.op === 'attach') {
      const { mountpoint, filesystem, volume, consumer } = request
      if ((others.gone.get(mountpoint) ?? order) < order) others.gone.delete(mountpoint)
      use(mountpoint, filesystem, `${volume}.${consumer}`)
    }
    if (result._tag === 'Detached' && result.mount === 'unmounted' && request.op === 'detach') {
      if (!isUnmounted(request.mountpoint))
        witness.check([`answered unmounted, and it is there: ${JSON.stringify(answer)}`])
    }
  }

  const callers: Callers = {
    ask: (request, send) => {
      asked += 1
      const id = `${name}.${asked}`
      told.sent(id, request)
      sent.set(id, { order: asked, request })
      witness.note(`> ${JSON.stringify({ ...request, id })}`)
      tally.requests += 1
      send({ ...request, id })
    },
    hear: (heard) => {
      if ('unreadable' in heard) {
        witness.check([`a line that is no answer: ${heard.unreadable}`])
        return
      }
      witness.note(`< ${JSON.stringify(heard)}`)
      const { id } = heard
      const asking = id === undefined ? undefined : sent.get(id)
      if (id === undefined || asking === undefined || !told.isOpen(id)) {
        witness.check([`an answer that no request waits for: ${JSON.stringify(heard)}`])
        return
      }
      tally.answers += 1
      sent.delete(id)
      told.answered(id, heard)
      learn(asking, heard)
      callers.onAnswer?.()
    },
    asked: () => asked,
    touches: (mountpoint) =>
      told.open().some((id) => {
        const request = sent.get(id)?.request
        if (request === undefined) return false
        if ('mountpoint' in request) return request.mountpoint === mountpoint
        return request.op !== 'status' && request.op !== 'cancel'
      }),
    onAnswer: undefined,
    onStatus: undefined,
  }
  return callers
}
