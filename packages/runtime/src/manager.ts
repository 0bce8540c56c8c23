// The manager that services embed: the loop, with one typed operation for each request. TaskEither is the outermost skin
// only (one `.then` a request): a pipeline inside the loop was measured at a fifth of the speed.

import { readRequest } from '@mountkeeper/border'
import type {
  Answer,
  Fact,
  Host,
  Invalid,
  RecordedLayers,
  RecordedMountpoint,
  Request,
  Settings,
} from '@mountkeeper/core'
import { isAtWork, recordedLayers, recordedMountpoints, restore } from '@mountkeeper/core'
import type { PlannedRequest } from '@mountkeeper/plan'
import type { Either } from 'fp-ts/lib/Either.js'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { hearAttached } from './attached.js'
import { readOptions, readPlan, readStop, readStream } from './border.js'
import type { HostEvent } from './events.js'
import { downUnlessUp } from './first-up.js'
import { followInventory } from './follow.js'
import type { Complain } from './guard.js'
import { withInventory } from './inventory.js'
import type { Defect, Ending } from './life.js'
import type { Loop, StopOptions, StopReport } from './loop.js'
import { createLoop } from './loop.js'
import type { Observer } from './observer.js'
import type { Asks, Operation, Refusals, Results } from './operations.js'
import { planRequests } from './plan.js'
import type { HostPort, InventoryPort, Journal, JournalFailed, Timers } from './ports.js'
import { createSystemTimers } from './timers.js'

/** What a manager is made of. */
export interface MountManagerOptions {
  readonly settings: Settings
  /** Where effects run. */
  readonly host: HostPort
  readonly journal: Journal
  /**
   * The authority on who uses what: asked at each discovery, and followed, down when it is lost and up when it is back.
   * Without one, holders are known by their requests alone.
   */
  readonly inventory?: InventoryPort
  /**
   * What becomes of a manager whose first host-up fails. By default it stays down until it is asked again, so that one whose
   * owner has given it up does not come up by itself. `true`: it tries again by itself, each `nextTryMs`. One that has been up
   * once always does.
   */
  readonly keepTrying?: boolean
  /** By default those of the operating system. */
  readonly timers?: Timers
  readonly observer?: Observer
  /**
   * Hears of each broken promise. Only one `of: 'manager'` has ended the manager, after all unanswered were refused. By default
   * that one is thrown, a crash, and any other is a warning of the process.
   */
  readonly onDefect?: (defect: Defect) => void
}

/** Something that can be asked: lazy, never rejects, asked again each time it is run. */
type Ask<Op extends Operation> = (request: Asks[Op]) => TaskEither<Refusals[Op], Results[Op]>
/** The same for what needs no words. */
type AskPlainly<Op extends Operation> = (request?: Asks[Op]) => TaskEither<Refusals[Op], Results[Op]>

/**
 * What a sender may ask, in the name of one stream. Every accepted request gets exactly one answer, at its deadline at the
 * latest; a request is accepted when the task is run, not when it is made.
 */
export interface Requests {
  readonly attach: Ask<'attach'>
  readonly detach: Ask<'detach'>
  /** Ends all that a consumer has at the moment of arrival. */
  readonly release: Ask<'release'>
  /** Withdraws a request of the same stream that waits, by the `id` its caller gave it. */
  readonly cancel: Ask<'cancel'>
  readonly hostUp: AskPlainly<'host-up'>
  readonly hostDown: AskPlainly<'host-down'>
  readonly reconcile: Ask<'reconcile'>
  readonly status: AskPlainly<'status'>
  readonly retry: Ask<'retry'>
  readonly forget: Ask<'forget'>
  /** Maintenance: attaches of a mountpoint, or of a server, are refused until `allowNew`. Not durable. */
  readonly refuseNew: Ask<'refuse-new'>
  readonly allowNew: Ask<'allow-new'>
  /**
   * For drivers that pass on requests as they come: any value, its one answer. What is no request is answered `Invalid` with the
   * field that is wrong. The value is copied, so that it may be changed afterwards. Never rejects.
   */
  readonly submit: (request: unknown) => Promise<Answer>
}

/**
 * One owner of the mountpoints below its roots. Starts down: `hostUp` first. Its own requests are those of the default stream:
 * the embedder's.
 */
export interface MountManager extends Requests {
  /**
   * The same requests in the name of a stream: a domain of trust, such as one socket or one tenant. Streams share the slots
   * fairly, and each has `id`s of its own. Only the embedder names streams; a request cannot. What a stream may ask is not
   * limited here: a sender that must not end what others hold has to be checked before. The name is 1 to 255 bytes without
   * control characters; any other is a `TypeError`. Nothing has to be ended.
   */
  readonly stream: (name: string) => Requests
  /** What requests would lead to now, and why; looks, and changes nothing. Refused if one of them is malformed. */
  readonly plan: (requests: readonly Request[]) => TaskEither<Invalid, readonly PlannedRequest[]>
  /** Something was seen at a mountpoint without being asked for, such as a change of the mount table. */
  readonly observed: (mountpoint: string) => void
  /** The mountpoints that there is a record of. */
  readonly mountpoints: () => Iterable<string>
  /** What is recorded of the layers at a mountpoint, for who compares it with the mount table. */
  readonly recorded: (mountpoint: string) => RecordedLayers | undefined
  /** All mountpoints that have a record. */
  readonly records: () => readonly RecordedMountpoint[]
  /** Whether work is under way at any mountpoint: a reconcile answers before the repairs that it begins have ended. */
  readonly isAtWork: () => boolean
  /**
   * Hears of each mountpoint at which an attach was answered `Attached`, after its caller; the returned function ends that. A
   * listener that throws is heard no more. For who looks again a moment later: see `watchMounts` of the Linux adapter.
   */
  readonly onAttached: (listener: (mountpoint: string) => void) => () => void
  /** Ends the manager; every mount stays. Drains by default; again with `hard` it ends at once. */
  readonly stop: (options?: StopOptions) => Promise<StopReport>
  /** Resolves when the manager has ended, whatever ended it: a stop, its journal, a defect. */
  readonly ended: Promise<Ending>
  readonly events: {
    /** Hears what happens from now on, each change once it is durable; the returned function ends that. */
    readonly subscribe: (listener: (event: HostEvent) => void) => () => void
  }
  /** The state as it is now, ahead of the disk, for those who only read (a trace's first line). */
  readonly state: Host
}

const toEither = <Op extends Operation>(answer: Answer): Either<Refusals[Op], Results[Op]> =>
  // The core answers each operation in its own words; `operations.ts` is the table.
  answer.ok ? right(answer.result as Results[Op]) : left(answer.error as Refusals[Op])

/** Any value as a request: of an operation, or, without one, of the operation that it names. */
type Submit = (value: unknown, op?: Operation) => Promise<Answer>

const asking =
  <Op extends Operation>(submit: Submit, op: Op): Ask<Op> =>
  (request) =>
  () =>
    submit(request, op).then<Either<Refusals[Op], Results[Op]>>(toEither)

const plainly =
  <Op extends Operation>(submit: Submit, op: Op): AskPlainly<Op> =>
  (request) =>
  () =>
    submit(request === undefined ? {} : request, op).then<Either<Refusals[Op], Results[Op]>>(toEither)

/** The gate: each value is read once, here, and goes on as a request of our own or back as a refusal. */
const gated =
  (submit: Loop['submit'], turnAway: Loop['turnAway'], stream?: string): Submit =>
  (value, op) => {
    const read = readRequest(value, op)
    return read.ok ? submit(read.request, stream) : Promise.resolve(turnAway(read, read.error))
  }

const requestsOf = (submit: Submit): Requests => ({
  attach: asking(submit, 'attach'),
  detach: asking(submit, 'detach'),
  release: asking(submit, 'release'),
  cancel: asking(submit, 'cancel'),
  hostUp: plainly(submit, 'host-up'),
  hostDown: plainly(submit, 'host-down'),
  reconcile: asking(submit, 'reconcile'),
  status: plainly(submit, 'status'),
  retry: asking(submit, 'retry'),
  forget: asking(submit, 'forget'),
  refuseNew: asking(submit, 'refuse-new'),
  allowNew: asking(submit, 'allow-new'),
  submit: (request) => submit(request),
})

const start = (options: MountManagerOptions, host: Host): MountManager => {
  const { journal, inventory, timers = createSystemTimers(), observer, onDefect } = options
  // The loop hears of all defects; what stands in front of it complains to it.
  const complain: Complain = (...all) => loop.complain(...all)
  const port = inventory === undefined ? options.host : withInventory(options.host, inventory, timers, complain)
  const loop: Loop = createLoop({ host, port, journal, timers, observer, onDefect })
  const { observed, ended, subscribe } = loop
  const follower =
    inventory && followInventory({ inventory, submit: loop.submit, host, observer: loop.observer, complain })
  const asked = follower?.submit ?? loop.submit
  const kept = options.keepTrying === true ? asked : downUnlessUp(asked, host)
  const heard = hearAttached(kept, complain)
  const stop: MountManager['stop'] = (how) => {
    follower?.stop()
    return loop.stop(readStop(how))
  }
  void ended.then(follower?.stop)
  return {
    ...requestsOf(gated(heard.submit, loop.turnAway)),
    stream: (name) => requestsOf(gated(heard.submit, loop.turnAway, readStream(name))),
    plan: (requests) => async () => {
      const read = readPlan(requests)
      return read._tag === 'Left' ? read : right(await planRequests(host, port, read.right)())
    },
    observed: (mountpoint: unknown) => {
      if (typeof mountpoint === 'string') observed(mountpoint)
    },
    mountpoints: () => host.mountpoints.keys(),
    recorded: (mountpoint) => recordedLayers(host, mountpoint),
    records: () => recordedMountpoints(host),
    isAtWork: () => isAtWork(host),
    onAttached: heard.onAttached,
    stop,
    ended,
    events: { subscribe },
    state: host,
  }
}

/**
 * Reads the journal and starts a manager that knows what it knew before. Nothing is touched on the host before the first
 * `hostUp`; locks are the business of the caller (`Locks`).
 */
export const createMountManager =
  (options: MountManagerOptions): TaskEither<JournalFailed | Invalid, MountManager> =>
  async () => {
    const settings = readOptions(options)
    if (settings._tag === 'Left') return settings
    const facts = await factsOf(options.journal)
    return facts._tag === 'Left' ? facts : right(start(options, restore(settings.right, facts.right)))
  }

const factsOf = async (journal: Journal): Promise<Either<JournalFailed, readonly Fact[]>> => {
  try {
    return await journal.read()
  } catch (error) {
    return left({ _tag: 'JournalFailed', why: `the journal threw: ${String(error)}` })
  }
}
