// Which questions are asked together, and which are asked apart because one of them may hang or end its process. No question is
// searched for among the others: a queue is left from its front, and what was answered meanwhile is passed over.

import type { Question, QuestionAnswer } from './question.js'

/** What came of a question. */
export type JobEnd = QuestionAnswer | 'late' | { readonly failed: string }

/** A question, and who waits for its answer. */
export interface Job {
  readonly question: Question
  /** What hangs together: a server, or a path alone. */
  readonly group: string
  readonly tell: (end: JobEnd) => void
  timer: NodeJS.Timeout | undefined
  state: 'waiting' | 'asked' | 'ended'
  /** Its deadline has passed while it was asked. */
  overdue: boolean
  /** How often a process ended that was asked this alone. */
  deaths: number
  /** A process that had answered before did not answer this: it was asked elsewhere, once. */
  moved: boolean
}

/** Questions for one process. `suspect`: one of them may hang, so that few such batches are asked at a time. */
export interface Batch {
  readonly jobs: readonly Job[]
  readonly suspect: boolean
}

/** Questions that are asked together, and share one reading of the mount table. */
export const BATCH_MAX = 1_024
/** A batch that was late is asked in so many parts, and a part that was late one by one. */
const PARTS_MAX = 32

/** The questions that wait. */
export interface Batches {
  readonly add: (job: Job) => void
  /** Its process ended: it is asked again in halves. */
  readonly addHalves: (jobs: readonly Job[]) => void
  /** It was late: which of them hangs shows when they are asked apart. */
  readonly addSuspects: (jobs: readonly Job[]) => void
  /** The next batch of all callers; what `isHanging` is put with the suspects. `beside`: another one is being asked. */
  readonly nextShared: (isHanging: (group: string) => boolean, beside: boolean) => Batch | undefined
  /** The next suspects; a single one only where its group `mayBeAsked`. */
  readonly nextSuspect: (mayBeAsked: (group: string) => boolean) => Batch | undefined
  /** Whether anything may wait. */
  readonly isEmpty: () => boolean
  /** Takes all that wait, for the case that none can be asked any more. */
  readonly takeAll: () => readonly Job[]
}

const isWaiting = ({ state }: Job): boolean => state === 'waiting'

const partsOf = (jobs: readonly Job[], count: number): readonly (readonly Job[])[] => {
  const size = Math.ceil(jobs.length / count)
  return Array.from({ length: Math.ceil(jobs.length / size) }, (_, part) => jobs.slice(part * size, (part + 1) * size))
}

/** Makes an empty queue. */
export const createBatches = (): Batches => {
  let fresh: Job[] = []
  let first = 0
  /** Of a batch whose process ended; asked before what is fresh. */
  let halves: (readonly Job[])[] = []
  let parts: (readonly Job[])[] = []
  const singles = new Map<string, { readonly jobs: Job[]; first: number }>()

  const addSingle = (job: Job): void => {
    const others = singles.get(job.group)
    if (others === undefined) singles.set(job.group, { jobs: [job], first: 0 })
    else others.jobs.push(job)
  }

  const nextFresh = (): readonly Job[] => {
    const jobs: Job[] = []
    for (; first < fresh.length && jobs.length < BATCH_MAX; first += 1) {
      const job = fresh[first]
      if (job !== undefined && isWaiting(job)) jobs.push(job)
    }
    if (first === fresh.length || first > BATCH_MAX) {
      fresh = fresh.slice(first)
      first = 0
    }
    return jobs
  }

  /** The first of a group that still waits. */
  const nextOf = (group: string): Job | undefined => {
    const queue = singles.get(group)
    while (queue !== undefined && queue.first < queue.jobs.length) {
      const job = queue.jobs[queue.first]
      queue.first += 1
      if (job !== undefined && isWaiting(job)) return job
    }
    singles.delete(group)
    return undefined
  }

  return {
    add: (job) => fresh.push(job),
    addHalves: (jobs) => {
      const owed = jobs.filter(isWaiting)
      if (owed.length === 1) owed.forEach(addSingle)
      else if (owed.length > 1) halves.unshift(...partsOf(owed, 2))
    },
    addSuspects: (jobs) => {
      const owed = jobs.filter(isWaiting)
      if (owed.length <= PARTS_MAX) owed.forEach(addSingle)
      else parts.push(...partsOf(owed, PARTS_MAX))
    },
    nextShared: (isHanging, beside) => {
      for (;;) {
        // Two halves are asked at once: the start of a process takes as long as some hundred looks.
        const half = halves.shift()
        if (half === undefined && (beside || fresh.length === 0)) return undefined
        const some = half?.filter(isWaiting) ?? nextFresh()
        const jobs = some.filter((job) => !isHanging(job.group))
        if (jobs.length < some.length) for (const job of some) if (isHanging(job.group)) addSingle(job)
        if (jobs.length > 0) return { jobs, suspect: false }
      }
    },
    nextSuspect: (mayBeAsked) => {
      for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
        const jobs = part.filter(isWaiting)
        if (jobs.length > 0) return { jobs, suspect: true }
      }
      for (const group of singles.keys()) {
        // Few groups may not be asked: those that keep processes busy.
        const job = mayBeAsked(group) ? nextOf(group) : undefined
        if (job !== undefined) return { jobs: [job], suspect: true }
      }
      return undefined
    },
    isEmpty: () => first === fresh.length && halves.length === 0 && parts.length === 0 && singles.size === 0,
    takeAll: () => {
      const all = [
        ...fresh.slice(first),
        ...halves.flat(),
        ...parts.flat(),
        ...[...singles.values()].flatMap(({ jobs }) => jobs),
      ]
      fresh = []
      first = 0
      halves = []
      parts = []
      singles.clear()
      return all.filter(isWaiting)
    },
  }
}
