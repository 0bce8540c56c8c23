// Looks in processes of their own, so that neither the event loop nor the thread pool ever waits for a filesystem (L24). One
// process does all looks while none hangs. One that is late is left alone with the look it hangs in, and another goes on with
// the rest. Not a worker thread: one that hangs in the kernel keeps its whole process from exiting (measured).

import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Unknown } from '@mountkeeper/core'
import { COMMAND_ENVIRONMENT } from './command-runner.js'
import { TIMED_OUT } from './evidence.js'
import type { LookRequest, Seen } from './look.js'
import type { Question, QuestionAnswer } from './question.js'
import type { SeenDirectory } from './roots.js'

/** How a prober is set up; tests make it impatient. */
export interface ProberOptions {
  /** The module that a look process runs; by default the one of this package. */
  readonly module?: string
  /** A process that has not answered within this time, ms, is left alone with what it was asked; 500 by default. */
  readonly patienceMs?: number
  /** An idle process is ended after this time, ms; 30,000 by default. */
  readonly idleMs?: number
}

/** Looks in processes of their own. */
export interface Prober {
  /** Resolves at the deadline at the earliest and, if then it hangs, when its process has ended, which may be never. */
  readonly look: (request: LookRequest) => Promise<Seen>
  /** `seeDirectory`; nothing if that took longer than `deadlineMs`. */
  readonly directory: (
    role: string,
    path: string,
    uid: number,
    deadlineMs: number,
  ) => Promise<SeenDirectory | undefined>
  /** The processes there are: those that can be asked, and those that were killed and have not ended. */
  readonly processes: () => { readonly asked: readonly number[]; readonly left: readonly number[] }
}

/** Questions that are asked together, and share one reading of the mount table. */
const BATCH_MAX = 1_024
/** Twenty times what a look takes among 10,000 mounts: well below the deadline of a look for a whole batch. */
const PATIENCE_PER_QUESTION_MS = 4
const PATIENCE_MS = 500
const IDLE_MS = 30_000
/** Questions that were in a late batch are asked alone, so many at a time. */
const ALONE_MAX = 4
/** Processes that may hang because of one server; more questions about it wait for their deadline. */
export const HUNG_PER_SERVER_MAX = 2
/** Processes in all, those that were killed and have not ended among them. */
export const LOOK_PROCESSES_MAX = 32
/** How often a question is asked again whose process ended by itself. */
const TRIES_MAX = 2

/** Small: looks leave little garbage, and there may be several of them. */
const NODE_OPTIONS = ['--max-semi-space-size=1', '--max-old-space-size=256']

interface Job {
  readonly question: Question
  /** What hangs together: a server, or a path alone. */
  readonly group: string
  readonly tell: (answer: QuestionAnswer | 'late' | { readonly failed: string }) => void
  timer: NodeJS.Timeout | undefined
  /** It was in a batch that was late, or its group hangs: it is asked by itself. */
  alone: boolean
  overdue: boolean
  tries: number
}

type Child = ChildProcessByStdio<Writable, Readable, null>

interface Helper {
  readonly child: Child
  jobs: readonly Job[]
  /** Nobody waits for it any more but those whose look hangs in it. */
  hung: boolean
  timer: NodeJS.Timeout | undefined
  text: string
}

/** From sources, in tests, the built one is run: Node 20 runs no TypeScript. */
const ownModule = (): string =>
  fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? '../dist/look-process.js' : 'look-process.js', import.meta.url),
  )

const start = (module: string): Child => {
  const child = spawn(process.execPath, [...NODE_OPTIONS, module], {
    cwd: '/',
    env: COMMAND_ENVIRONMENT,
    // Out of reach of the terminal's signals: it ends when its input does.
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.unref()
  for (const stream of [child.stdin, child.stdout]) if ('unref' in stream) (stream.unref as () => void)()
  // A process that has ended is seen by its exit.
  child.stdin.on('error', () => undefined)
  child.stdout.on('error', () => undefined)
  child.stdout.setEncoding('utf8')
  return child
}

const groupOf = (question: Question): string => {
  if (question._tag === 'Directory') return question.path
  const { server, mountpoint } = question.request
  return server === '' ? mountpoint : server
}

/** At most so many of those that are right, in their order. */
const firstOf = <A>(all: readonly A[], most: number, isRight: (one: A) => boolean): readonly A[] => {
  const first: A[] = []
  for (const one of all) {
    if (first.length >= most) break
    if (isRight(one)) first.push(one)
  }
  return first
}

/** Makes a prober; its first process is started by the first question, and none keeps this process running. */
export const createProber = (options: ProberOptions = {}): Prober => {
  const module = options.module ?? ownModule()
  const patienceMs = options.patienceMs ?? PATIENCE_MS
  const helpers = new Set<Helper>()
  /** Killed, and not ended: in the kernel, waiting for somebody else. */
  const left = new Set<Helper>()
  let waiting: Job[] = []
  let pumping = false

  const end = (job: Job, answer: Parameters<Job['tell']>[0]): void => {
    clearTimeout(job.timer)
    job.tell(answer)
  }

  /** Asks once more, alone, unless nobody waits for it any longer. */
  const again = (jobs: readonly Job[]): void => {
    for (const job of jobs) job.alone = true
    waiting = [...jobs, ...waiting]
  }

  const abandon = (helper: Helper): void => {
    clearTimeout(helper.timer)
    helpers.delete(helper)
    left.add(helper)
    helper.hung = true
    helper.child.kill('SIGKILL')
  }

  const late = (helper: Helper): void => {
    helper.hung = true
    if (helper.jobs.length > 1) {
      // Which of them hangs shows when each is asked alone.
      const { jobs } = helper
      helper.jobs = jobs.filter(({ overdue }) => overdue)
      abandon(helper)
      again(jobs.filter(({ overdue }) => !overdue))
    }
    pump()
  }

  const rest = (helper: Helper): void => {
    clearTimeout(helper.timer)
    helper.jobs = []
    helper.hung = false
    const spare = [...helpers].some((other) => other !== helper && other.jobs.length === 0)
    // One is kept for the next question.
    if (spare) dismiss(helper)
    else helper.timer = setTimeout(() => dismiss(helper), options.idleMs ?? IDLE_MS).unref()
  }

  const dismiss = (helper: Helper): void => {
    helpers.delete(helper)
    helper.child.stdin.end()
  }

  const heard = (helper: Helper, text: string): void => {
    helper.text += text
    if (!helper.text.endsWith('\n')) return
    const line = helper.text
    const { jobs } = helper
    helper.text = ''
    if (left.has(helper)) return
    const answers = JSON.parse(line) as readonly QuestionAnswer[] | { readonly failed: string }
    rest(helper)
    jobs.forEach((job, index) => {
      end(job, 'failed' in answers ? answers : (answers[index] ?? { failed: 'no answer' }))
    })
    pump()
  }

  const gone = (helper: Helper, why: string): void => {
    clearTimeout(helper.timer)
    helpers.delete(helper)
    left.delete(helper)
    const { jobs } = helper
    helper.jobs = []
    for (const job of jobs) job.tries += 1
    jobs.filter(({ overdue }) => overdue).forEach((job) => end(job, 'late'))
    const owed = jobs.filter(({ overdue }) => !overdue)
    owed.filter(({ tries }) => tries > TRIES_MAX).forEach((job) => end(job, { failed: why }))
    again(owed.filter(({ tries }) => tries <= TRIES_MAX))
    pump()
  }

  const startHelper = (): Helper => {
    const helper: Helper = { child: start(module), jobs: [], hung: false, timer: undefined, text: '' }
    helpers.add(helper)
    helper.child.stdout.on('data', (text: string) => heard(helper, text))
    helper.child.once('exit', (status, signal) => {
      gone(helper, `the look process ended (${signal ?? status ?? 'unknown'})`)
    })
    helper.child.once('error', ({ message }) => {
      for (const job of helper.jobs) job.tries = TRIES_MAX
      gone(helper, `the look process could not be started: ${message}`)
    })
    return helper
  }

  const about = (group: string): readonly Helper[] =>
    [...helpers, ...left].filter(({ jobs }) => jobs.some((job) => job.group === group))

  const hangs = (group: string): boolean => about(group).some(({ hung }) => hung)

  /** Any of these may turn out to hang. */
  const aloneIn = (group: string): number => about(group).filter(({ jobs }) => jobs.length === 1).length

  const busy = (isAlone: boolean): number =>
    [...helpers].filter(({ hung, jobs }) => !hung && jobs.length > 0 && (jobs[0]?.alone ?? false) === isAlone).length

  const nextBatch = (): readonly Job[] => {
    // With thousands that wait, what is asked of each of them is what a discovery takes.
    if ([...helpers, ...left].some(({ hung }) => hung)) for (const job of waiting) job.alone ||= hangs(job.group)
    const together = busy(false) === 0 ? firstOf(waiting, BATCH_MAX, ({ alone }) => !alone) : []
    if (together.length > 0) return together
    if (busy(true) >= ALONE_MAX) return []
    return firstOf(waiting, 1, ({ alone, group }) => alone && aloneIn(group) < HUNG_PER_SERVER_MAX)
  }

  const ask = (helper: Helper, batch: readonly Job[]): void => {
    clearTimeout(helper.timer)
    helper.jobs = batch
    helper.child.stdin.write(`${JSON.stringify(batch.map(({ question }) => question))}\n`)
    const patience = patienceMs + PATIENCE_PER_QUESTION_MS * batch.length
    helper.timer = setTimeout(() => late(helper), patience)
  }

  const pump = (): void => {
    if (pumping) return
    pumping = true
    queueMicrotask(() => {
      pumping = false
      for (let batch = nextBatch(); batch.length > 0; batch = nextBatch()) {
        const free = [...helpers].find(({ jobs }) => jobs.length === 0)
        if (free === undefined && helpers.size + left.size >= LOOK_PROCESSES_MAX) return
        const taken = new Set(batch)
        waiting = waiting.filter((job) => !taken.has(job))
        ask(free ?? startHelper(), batch)
      }
    })
  }

  const expired = (job: Job): void => {
    job.overdue = true
    if (waiting.includes(job)) {
      waiting = waiting.filter((other) => other !== job)
      end(job, 'late')
      return
    }
    const helper = [...helpers].find(({ jobs }) => jobs.includes(job))
    // In a batch that may still be answered it only waits for that.
    if (helper?.jobs.length === 1) abandon(helper)
    pump()
  }

  const put = (question: Question, deadlineMs: number): Promise<Parameters<Job['tell']>[0]> =>
    new Promise((tell) => {
      const job: Job = {
        question,
        group: groupOf(question),
        tell,
        timer: undefined,
        alone: false,
        overdue: false,
        tries: 0,
      }
      job.timer = setTimeout(() => expired(job), deadlineMs)
      waiting.push(job)
      pump()
    })

  const unreadable = (detail: string): Unknown => ({ _tag: 'Unknown', why: 'Unreadable', detail })
  const pidsOf = (some: ReadonlySet<Helper>): readonly number[] => [...some].flatMap(({ child }) => child.pid ?? [])

  return {
    look: async (request) => {
      const answer = await put({ _tag: 'Look', request }, request.deadlineMs)
      if (answer === 'late') return { found: TIMED_OUT }
      return 'failed' in answer ? { found: unreadable(answer.failed) } : (answer as Seen)
    },
    directory: async (role, path, uid, deadlineMs) => {
      const answer = await put({ _tag: 'Directory', role, path, uid }, deadlineMs)
      if (answer === 'late') return undefined
      if (!('failed' in answer)) return answer as SeenDirectory
      return { _tag: 'Left', left: { text: `${role} ${path}: ${answer.failed}`, mend: 'start the manager again' } }
    },
    processes: () => ({ asked: pidsOf(helpers), left: pidsOf(left) }),
  }
}
