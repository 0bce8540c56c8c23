// Looks in processes of their own, so that neither the event loop nor the thread pool ever waits for a filesystem (L24). One
// process does all looks while none hangs. One that is late is left alone with the look it hangs in, and another goes on with
// the rest; one that ends is replaced. Not a worker thread: one that hangs in the kernel keeps its whole process from exiting
// (measured).

import type { Unknown } from '@mountkeeper/core'
import type { Batch, Job, JobEnd } from './batches.js'
import { createBatches } from './batches.js'
import { TIMED_OUT } from './evidence.js'
import type { LookRequest, Seen } from './look.js'
import type { LookChild, StartLookChild } from './look-child.js'
import { lookModule } from './look-module.js'
import { startLookChild } from './look-child.js'
import type { Question, QuestionAnswer } from './question.js'
import { GREETING } from './question.js'
import type { SeenDirectory } from './roots.js'
import type { Trust } from './trust.js'

/** How a prober is set up; tests make it impatient. */
export interface ProberOptions {
  /** The module that a look process runs; by default the one of this package. */
  readonly module?: string
  /** Starts a look process; by default Node with the module. */
  readonly start?: StartLookChild
  /** A process that has not answered within this time, ms, is left alone with what it was asked; 500 by default. */
  readonly patienceMs?: number
  /** An idle process is ended after this time, ms; 30,000 by default. */
  readonly idleMs?: number
}

/** Looks in processes of their own. */
export interface Prober {
  /** Resolves at the deadline at the earliest and, if then it hangs, when its process has ended, which may be never. */
  readonly look: (request: LookRequest) => Promise<Seen>
  /** `seeDirectory`; nothing if that took longer than `deadlineMs`, also where it hangs beyond the end of its process. */
  readonly directory: (
    role: string,
    path: string,
    trust: Trust,
    deadlineMs: number,
  ) => Promise<SeenDirectory | undefined>
  /** The processes there are: those that can be asked, and those that were killed and have not ended. */
  readonly processes: () => { readonly asked: readonly number[]; readonly left: readonly number[] }
}

/** Twenty times what a look takes among 10,000 mounts: well below the deadline of a look for a whole batch. */
const PATIENCE_PER_QUESTION_MS = 4
const PATIENCE_MS = 500
/** Until its greeting a process has so many times the patience: it is being started, and asks no server yet. */
const PATIENCES_TO_START = 20
const IDLE_MS = 30_000
/** Batches that are not suspect, where they are the halves of one whose process ended; else one at a time. */
const SHARED_MAX = 2
/** Batches that may hang are asked so many at a time. */
const SUSPECTS_MAX = 4
/** Processes that may hang because of one server; more questions about it wait for their deadline. */
export const HUNG_PER_SERVER_MAX = 2
/** Processes in all, those that were killed and have not ended among them. */
export const LOOK_PROCESSES_MAX = 32
/** How often a question is asked again whose process ended while it was asked this alone. */
const DEATHS_MAX = 2
/** Processes in a row that ended before their greeting: then none can be started, and what waits is answered so, until one greets. */
const STARTS_FAILED_MAX = 8

interface Helper {
  child: LookChild | undefined
  jobs: readonly Job[]
  suspect: boolean
  greeted: boolean
  /** It has answered before: if it does not now, it may be the process and not what it was asked. */
  proven: boolean
  /** No caller waits for it any more but those whose look hangs in it. */
  hung: boolean
  /** The group that it was asked about alone. */
  single: string | undefined
  /** The groups that are said to hang because of it. */
  hanging: readonly string[]
  timer: NodeJS.Timeout | undefined
}

const groupOf = (question: Question): string => {
  if (question._tag === 'Directory') return question.path
  const { server, mountpoint } = question.request
  return server === '' ? mountpoint : server
}

/** Counts by name. */
const createCounts = (): {
  readonly of: (name: string) => number
  readonly add: (name: string, by: 1 | -1) => void
} => {
  const counts = new Map<string, number>()
  return {
    of: (name) => counts.get(name) ?? 0,
    add: (name, by) => {
      const count = (counts.get(name) ?? 0) + by
      if (count === 0) counts.delete(name)
      else counts.set(name, count)
    },
  }
}

/** Makes a prober; its first process is started by the first question, and none keeps this process running. */
export const createProber = (options: ProberOptions = {}): Prober => {
  const startChild = options.start ?? startLookChild(options.module ?? lookModule())
  const patienceMs = options.patienceMs ?? PATIENCE_MS
  const helpers = new Set<Helper>()
  /** Killed, and not ended: in the kernel, waiting for a server. */
  const left = new Set<Helper>()
  /** Helpers without a question, the one that rested last at the end. */
  const idle: Helper[] = []
  const askedBy = new Map<Job, Helper>()
  const batches = createBatches()
  /** By group: the helpers that were asked about it alone, and those in which a look at it hangs. */
  const alone = createCounts()
  const hanging = createCounts()
  const busy = { shared: 0, suspect: 0 }
  let startsFailed = 0
  let pumping = false

  const end = (job: Job, answer: JobEnd): void => {
    if (job.state === 'ended') return
    clearTimeout(job.timer)
    job.state = 'ended'
    askedBy.delete(job)
    job.tell(answer)
  }

  const give = (helper: Helper, { jobs, suspect }: Batch): void => {
    helper.jobs = jobs
    helper.suspect = suspect
    busy[suspect ? 'suspect' : 'shared'] += 1
    helper.single = jobs.length === 1 ? jobs[0]?.group : undefined
    if (helper.single !== undefined) alone.add(helper.single, 1)
    for (const job of jobs) {
      job.state = 'asked'
      askedBy.set(job, helper)
    }
  }

  /** What it was asked is no longer waited for here, or only by those who know that it hangs. */
  const markHung = (helper: Helper): void => {
    if (helper.hung) return
    helper.hung = true
    busy[helper.suspect ? 'suspect' : 'shared'] -= 1
    helper.hanging = helper.jobs.map(({ group }) => group)
    for (const group of helper.hanging) hanging.add(group, 1)
  }

  const takeBack = (helper: Helper): readonly Job[] => {
    const { jobs } = helper
    if (jobs.length > 0 && !helper.hung) busy[helper.suspect ? 'suspect' : 'shared'] -= 1
    if (helper.single !== undefined) alone.add(helper.single, -1)
    for (const group of helper.hanging) hanging.add(group, -1)
    helper.jobs = []
    helper.single = undefined
    helper.hanging = []
    helper.hung = false
    return jobs.filter(({ state }) => state !== 'ended')
  }

  const release = (jobs: readonly Job[]): readonly Job[] => {
    for (const job of jobs) {
      job.state = 'waiting'
      askedBy.delete(job)
    }
    return jobs
  }

  /** Kills a helper, which keeps the questions whose deadline has passed: they are answered when it has ended. */
  const abandon = (helper: Helper): readonly Job[] => {
    clearTimeout(helper.timer)
    helpers.delete(helper)
    left.add(helper)
    // It counts for its group until it has ended: what hangs in the kernel is not ended by a kill.
    const { single } = helper
    const jobs = takeBack(helper)
    helper.jobs = jobs.filter(({ overdue }) => overdue)
    helper.single = single
    if (helper.single !== undefined) alone.add(helper.single, 1)
    helper.hung = true
    helper.hanging = helper.jobs.map(({ group }) => group)
    for (const group of helper.hanging) hanging.add(group, 1)
    helper.child?.kill()
    return release(jobs.filter(({ overdue }) => !overdue))
  }

  const late = (helper: Helper): void => {
    const [job] = helper.jobs
    if (helper.jobs.length > 1) batches.addSuspects(abandon(helper))
    else if (job !== undefined && helper.proven && !job.moved) {
      // It may have been stopped from outside: the same look is asked elsewhere, and if it hangs there too it is the look.
      job.moved = true
      batches.addSuspects(abandon(helper))
    } else markHung(helper)
    pump()
  }

  const beginPatience = (helper: Helper): void => {
    clearTimeout(helper.timer)
    const patience = patienceMs + PATIENCE_PER_QUESTION_MS * helper.jobs.length
    const limitMs = helper.greeted ? patience : patience + PATIENCES_TO_START * patienceMs
    helper.timer = setTimeout(() => late(helper), limitMs)
  }

  const rest = (helper: Helper): void => {
    clearTimeout(helper.timer)
    idle.push(helper)
    helper.timer = setTimeout(() => dismiss(helper), options.idleMs ?? IDLE_MS).unref()
  }

  const leaveIdle = (helper: Helper): void => {
    const at = idle.indexOf(helper)
    if (at >= 0) idle.splice(at, 1)
  }

  const dismiss = (helper: Helper): void => {
    clearTimeout(helper.timer)
    leaveIdle(helper)
    helpers.delete(helper)
    helper.child?.dismiss()
  }

  const heard = (helper: Helper, line: string): void => {
    startsFailed = 0
    const isFirst = !helper.greeted
    helper.greeted = true
    if (isFirst && line === GREETING) {
      if (helper.jobs.length > 0 && helpers.has(helper) && !helper.hung) beginPatience(helper)
      return
    }
    // One that was killed may have answered just before: its questions are asked elsewhere by now.
    if (left.has(helper) || helper.jobs.length === 0) return
    const answers = JSON.parse(line) as readonly QuestionAnswer[] | { readonly failed: string }
    const { jobs } = helper
    takeBack(helper)
    helper.proven = true
    rest(helper)
    jobs.forEach((job, index) => {
      end(job, 'failed' in answers ? answers : (answers[index] ?? { failed: 'no answer' }))
    })
    pump()
  }

  const gone = (helper: Helper, why: string, mayAskAgain: boolean): void => {
    clearTimeout(helper.timer)
    if (!helper.greeted && helpers.has(helper)) startsFailed += 1
    helpers.delete(helper)
    left.delete(helper)
    leaveIdle(helper)
    const jobs = takeBack(helper)
    jobs.filter(({ overdue }) => overdue).forEach((job) => end(job, 'late'))
    const owed = release(jobs.filter(({ overdue }) => !overdue))
    const [only] = owed
    if (owed.length === 1 && only !== undefined) only.deaths += 1
    if (startsFailed >= STARTS_FAILED_MAX) {
      for (const job of [...owed, ...batches.takeAll()]) end(job, { failed: why })
    } else if (!mayAskAgain || (only !== undefined && only.deaths > DEATHS_MAX)) {
      for (const job of owed) end(job, { failed: why })
    } else batches.addHalves(owed)
    pump()
  }

  const startHelper = (): Helper => {
    const helper: Helper = {
      child: undefined,
      jobs: [],
      suspect: false,
      greeted: false,
      proven: false,
      hung: false,
      single: undefined,
      hanging: [],
      timer: undefined,
    }
    helpers.add(helper)
    helper.child = startChild({
      line: (text) => heard(helper, text),
      ended: (why) => gone(helper, why, true),
      failed: (why) => gone(helper, why, false),
    })
    return helper
  }

  const nextBatch = (): Batch | undefined =>
    (busy.shared < SHARED_MAX ? batches.nextShared((group) => hanging.of(group) > 0, busy.shared > 0) : undefined) ??
    (busy.suspect < SUSPECTS_MAX ? batches.nextSuspect((group) => alone.of(group) < HUNG_PER_SERVER_MAX) : undefined)

  const ask = (helper: Helper, batch: Batch): void => {
    give(helper, batch)
    beginPatience(helper)
    helper.child?.ask(JSON.stringify(batch.jobs.map(({ question }) => question)))
  }

  const pumpNow = (): void => {
    while (idle.length > 0 || helpers.size + left.size < LOOK_PROCESSES_MAX) {
      const batch = nextBatch()
      if (batch === undefined) break
      ask(idle.pop() ?? startHelper(), batch)
    }
    // One is kept for the next question, and all of them while anything waits.
    if (batches.isEmpty()) for (const spare of idle.slice(0, -1)) dismiss(spare)
  }

  const pump = (): void => {
    if (pumping) return
    pumping = true
    queueMicrotask(() => {
      pumping = false
      pumpNow()
    })
  }

  const expired = (job: Job): void => {
    job.overdue = true
    const helper = askedBy.get(job)
    if (helper === undefined) end(job, 'late')
    // In a batch that may still be answered it only waits for that.
    else if (helper.jobs.length === 1) abandon(helper)
    pump()
  }

  const put = (question: Question, deadlineMs: number): Promise<JobEnd> =>
    new Promise((tell) => {
      const job: Job = {
        question,
        group: groupOf(question),
        tell,
        timer: undefined,
        state: 'waiting',
        overdue: false,
        deaths: 0,
        moved: false,
      }
      job.timer = setTimeout(() => expired(job), deadlineMs)
      batches.add(job)
      pump()
    })

  const unreadable = (detail: string): Unknown => ({ _tag: 'Unknown', why: 'Unreadable', detail })
  const pidsOf = (some: ReadonlySet<Helper>): readonly number[] => [...some].flatMap(({ child }) => child?.pid ?? [])

  return {
    look: async (request) => {
      const answer = await put({ _tag: 'Look', request }, request.deadlineMs)
      if (answer === 'late') return { found: TIMED_OUT }
      return 'failed' in answer ? { found: unreadable(answer.failed) } : (answer as Seen)
    },
    directory: async (role, path, trust, deadlineMs) => {
      const answer = await withinDeadline(put({ _tag: 'Directory', role, path, trust }, deadlineMs), deadlineMs)
      if (answer === 'late') return undefined
      if (!('failed' in answer)) return answer as SeenDirectory
      return { _tag: 'Left', left: { text: `${role} ${path}: ${answer.failed}`, mend: 'start the manager again' } }
    },
    processes: () => ({ asked: pidsOf(helpers), left: pidsOf(left) }),
  }
}

/** Late at the deadline, also where the end of the process does not come. The timer keeps this process running until then. */
const withinDeadline = async (answer: Promise<JobEnd>, deadlineMs: number): Promise<JobEnd> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<JobEnd>((settle) => {
    timer = setTimeout(() => settle('late'), deadlineMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
