// The answers that callers got: the only knowledge of holders that the judge has. For each attachment the requests that concern it in
// the order of their arrival; a request that has no answer, because the manager was killed, may have been served or not.

import type { AnswerLine } from '@mountkeeper/codec'
import type { Request } from '@mountkeeper/core'

/** An attachment; the mountpoint by its path. */
export interface Attachment {
  readonly mountpoint: string
  readonly volume: string
  readonly consumer: string
}

/** What an attachment may be, as far as its caller can know. */
export type Known = 'held' | 'free' | 'either'

interface Step {
  readonly id: string
  readonly kind: 'attach' | 'leave'
  /** `may`: unanswered, now or for ever. */
  state: 'may' | 'done'
}

interface Entry {
  readonly attachment: Attachment
  base: Known
  steps: Step[]
}

/** The memory of the callers. */
export interface Told {
  readonly sent: (id: string, request: Request) => void
  readonly answered: (id: string, answer: AnswerLine) => void
  /** The manager is gone: what is unanswered stays so. */
  readonly ended: () => void
  /** `status` says who holds at all; what may be either is that from now on. */
  readonly shown: (holders: readonly Attachment[]) => void
  readonly known: (attachment: Attachment) => Known
  readonly all: () => readonly Attachment[]
  readonly isOpen: (id: string) => boolean
  /** Unanswered requests that may attach something at this mountpoint. */
  readonly attaching: (mountpoint: string) => boolean
  readonly open: () => readonly string[]
}

export const keyOf = ({ mountpoint, volume, consumer }: Attachment): string => `${mountpoint} ${volume} ${consumer}`

const after = (known: Known, { kind, state }: Step): Known => {
  const goal = kind === 'attach' ? 'held' : 'free'
  return state === 'done' || known === goal ? goal : 'either'
}

export const createTold = (): Told => {
  const entries = new Map<string, Entry>()
  const open = new Map<string, { readonly request: Request; readonly steps: readonly (readonly [Entry, Step])[] }>()

  const entryOf = (attachment: Attachment): Entry => {
    const key = keyOf(attachment)
    const known = entries.get(key)
    if (known !== undefined) return known
    const entry: Entry = { attachment, base: 'free', steps: [] }
    entries.set(key, entry)
    return entry
  }
  const knownOf = ({ base, steps }: Entry): Known => steps.reduce(after, base)

  /** Steps before the first unanswered one never change any more. */
  const settle = (entry: Entry): void => {
    const first = entry.steps.findIndex(({ id, state }) => state === 'may' && open.has(id))
    const done = first < 0 ? entry.steps : entry.steps.slice(0, first)
    entry.base = done.reduce(after, entry.base)
    entry.steps = entry.steps.slice(done.length)
  }

  const stepsOf = (id: string, request: Request): readonly (readonly [Entry, Step])[] => {
    switch (request.op) {
      case 'attach':
        return [[entryOf(request), { id, kind: 'attach', state: 'may' }]]
      case 'detach':
        return [[entryOf(request), { id, kind: 'leave', state: 'may' }]]
      case 'release':
        return [...entries.values()]
          .filter((entry) => entry.attachment.consumer === request.consumer && knownOf(entry) !== 'free')
          .map((entry) => [entry, { id, kind: 'leave', state: 'may' }])
      default:
        return []
    }
  }

  /** What a request did, by its answer; absent where that says that nothing may be known. */
  const verdict = (answer: AnswerLine): 'done' | 'nothing' | 'may' => {
    if (answer.ok) return 'done'
    return answer.error._tag === 'Stopped' ? 'may' : 'nothing'
  }

  return {
    sent: (id, request) => {
      const steps = stepsOf(id, request)
      for (const [entry, step] of steps) entry.steps.push(step)
      open.set(id, { request, steps })
    },
    answered: (id, answer) => {
      const asked = open.get(id)
      if (asked === undefined) return
      open.delete(id)
      const what = verdict(answer)
      for (const [entry, step] of asked.steps) {
        if (what === 'done') step.state = 'done'
        if (what === 'nothing') entry.steps.splice(entry.steps.indexOf(step), 1)
        settle(entry)
      }
    },
    ended: () => {
      open.clear()
      for (const entry of entries.values()) settle(entry)
    },
    shown: (holders) => {
      const held = new Set(holders.map(keyOf))
      for (const [key, entry] of entries) if (entry.base === 'either') entry.base = held.has(key) ? 'held' : 'free'
    },
    known: (attachment) => {
      const entry = entries.get(keyOf(attachment))
      return entry === undefined ? 'free' : knownOf(entry)
    },
    all: () => [...entries.values()].map(({ attachment }) => attachment),
    isOpen: (id) => open.has(id),
    attaching: (mountpoint) =>
      [...open.values()].some(({ request }) => request.op === 'attach' && request.mountpoint === mountpoint),
    open: () => [...open.keys()],
  }
}
