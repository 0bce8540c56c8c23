// Plans: the effects that requests would lead to now, and why, with every effect succeeding. The very transitions that would
// decide do the planning, on a copy of the host; nothing is touched but by looks that were made before.

import type {
  Answer,
  Effect,
  EffectFound,
  Entry,
  Filesystem,
  Found,
  Host,
  Identity,
  Input,
  Request,
  Settings,
  SourceSeen,
  WaitWhy,
} from '@mountkeeper/core'
import { apply, decide, emptyHost, grantable, layersOf, optionName, requestId } from '@mountkeeper/core'
import { allHolders, applyChanges, mountingOf, ruleOf } from '@mountkeeper/core/state'

/** One effect of a plan. */
export interface PlannedStep {
  readonly effect: Effect
  /** Why it is there: one sentence. */
  readonly why: string
  /** What a failure of it would lead to: one sentence. */
  readonly onFailure: string
}

/** What one request would lead to. The answer is missing where it depends on something that a plan cannot see the end of. */
export interface PlannedRequest {
  readonly request: Request
  readonly steps: readonly PlannedStep[]
  readonly answer: Answer | undefined
}

/** What a look has found at a mountpoint before the plan is made. */
export interface Looked {
  readonly found: Found
  readonly source?: SourceSeen
  /** Where the recorded layer is mounted now, if it is not at its path. */
  readonly elsewhere?: string
  /** The first of the mounts below the source of a bind. */
  readonly submounts?: readonly string[]
  /** Where the program that mounts the filesystem is expected, and not installed. */
  readonly missingHelper?: string
}

/** Where a plan has to look before it is made: every mountpoint that the requests name or may come to. */
export const plannedMountpoints = (
  host: Host,
  requests: readonly Request[],
): readonly { readonly mountpoint: string; readonly filesystem: Filesystem | undefined }[] => {
  const known = [...host.mountpoints].map(([path, { record }]) => [path, record.filesystem] as const)
  const left = requests.flatMap((body) => (body.op === 'detach' ? [[body.mountpoint, undefined] as const] : []))
  const asked = requests.flatMap((body) => (body.op === 'attach' ? [[body.mountpoint, body.filesystem] as const] : []))
  // The later of two entries wins: what an attach asks for says what to resolve.
  const wanted = new Map<string, Filesystem | undefined>([...left, ...known, ...asked])
  return [...wanted].map(([mountpoint, filesystem]) => ({ mountpoint, filesystem }))
}

/** A host of its own with the same records and holders, up, and with nothing under way. */
const copyOf = (host: Host): Host => {
  const copy = emptyHost(host.settings)
  const generation = Math.max(1, host.generation)
  applyChanges(copy, [{ _tag: 'Host', patch: { phase: 'up', generation } }])
  const changes = [...host.mountpoints].flatMap(([path, { record, holders }]: [string, Entry]) => [
    {
      _tag: 'Record' as const,
      path,
      record: { ...record, waiting: [], work: undefined, inFlight: undefined, wait: undefined, slot: 'none' as const },
    },
    ...allHolders(holders).map((holder) => ({ _tag: 'HolderAdded' as const, path, holder })),
  ])
  applyChanges(copy, changes)
  return copy
}

const PLANNED_MOUNT_ID = 0

/** The options that the table shows as flags of a mount; the others are its filesystem's own. */
const MOUNT_FLAGS: ReadonlySet<string> = new Set([
  'ro',
  'rw',
  'nosuid',
  'nodev',
  'noexec',
  'noatime',
  'nodiratime',
  'relatime',
])

const UNRESOLVED = { root: '/', device: '0:0' }

/** The layer that a mount would add, as the table would show it. */
const plannedLayer = (
  settings: Settings,
  filesystem: Filesystem,
  options: Filesystem['options'],
  asked: SourceSeen['asked'] | undefined,
): Identity => {
  const { appears } = ruleOf(settings, filesystem.type)
  const at = asked?._tag === 'At' ? asked : UNRESOLVED
  const [fstype = filesystem.type] = 'fstypes' in appears ? appears.fstypes : []
  return {
    mountId: PLANNED_MOUNT_ID,
    device: at.device,
    fstype,
    source: filesystem.source,
    root: at.root,
    flags: options.map(optionName).filter((name) => MOUNT_FLAGS.has(name)),
  }
}

/** What ends by itself: a plan does not wait, and sees no discovery. */
type Run = Exclude<Effect, { readonly _tag: 'Wait' | 'Discover' }>

const isRun = (effect: Effect): effect is Run => effect._tag !== 'Wait' && effect._tag !== 'Discover'

/** What the host would look like after an effect that succeeds. */
const performed = (settings: Settings, effect: Run, was: Looked): Looked => {
  switch (effect._tag) {
    case 'MakeDirectory':
      return { ...was, found: { _tag: 'Directory' } }
    case 'Mount': {
      const asked = was.source?.asked
      const layer = plannedLayer(settings, effect.filesystem, effect.options, asked)
      const found: Found = { _tag: 'Mounted', layers: [layer, ...layersOf(was.found)] }
      return asked === undefined ? { ...was, found } : { ...was, found, source: { asked, shown: asked } }
    }
    case 'Unmount': {
      const layers = layersOf(was.found).slice(1)
      return { ...was, found: layers.length > 0 ? { _tag: 'Mounted', layers } : { _tag: 'Directory' } }
    }
    case 'RemoveDirectory':
      return { ...was, found: { _tag: 'NoDirectory' } }
    case 'Look':
    case 'Probe':
      return was
  }
}

const REASONS: Readonly<Record<Effect['_tag'], Omit<PlannedStep, 'effect'>>> = {
  Look: {
    why: 'the current state is checked before any change',
    onFailure: 'the mountpoint becomes uncertain; it is examined again until the request ends, and nothing is removed',
  },
  MakeDirectory: {
    why: 'the directory does not exist; the first attach creates it',
    onFailure: 'the claim ends and the attach is refused MountFailed (step directory)',
  },
  Mount: {
    why: 'nothing is mounted there; the first attach mounts',
    onFailure:
      'a directory created for it is removed; the attach, and all that wait for the same filesystem, are refused MountFailed',
  },
  Unmount: {
    why: 'our layer is on top and has no holders left',
    onFailure: 'retried; then the layer stays vacant, the detach reports it, and later detaches and looks retry',
  },
  RemoveDirectory: {
    why: 'we created the directory, and nothing is mounted on it',
    onFailure: 'the detach has succeeded; the directory stays and is removed later',
  },
  Probe: {
    why: 'the type can hang, so the filesystem is checked first',
    onFailure:
      'refused Broken or remounted, by policy; if the probe times out, attached with the warning NotResponding',
  },
  Wait: { why: 'the next step is not due yet', onFailure: 'does not fail' },
  Discover: { why: 'a generation begins with the current mounts', onFailure: 'the host stays down' },
}

/** Why a plan ends with a delay. */
const WAITS: Readonly<Record<WaitWhy, string>> = {
  settle: 'the effect of the command may become visible after its end',
  'unmount-retry': 'the unmount failed and will be retried',
  'back-off': 'the state is unknown, or something of ours remains; it will be examined again later',
  'keep-mounted': 'policy keeps the layer mounted for a while',
  'discovery-retry': 'discovery failed and will be retried',
}

const REPLACING = 'a vacant layer of another filesystem is replaced'

const stepOf = (host: Host, effect: Effect): PlannedStep => {
  const { why, onFailure } = REASONS[effect._tag]
  if (effect._tag === 'Wait') return { effect, why: WAITS[effect.why], onFailure }
  if (effect._tag !== 'Unmount') return { effect, why, onFailure }
  const work = host.mountpoints.get(effect.mountpoint)?.record.work
  return { effect, why: mountingOf(work)?.replacing === 'vacant' ? REPLACING : why, onFailure }
}

interface Planning {
  readonly host: Host
  /** What is where now, for all requests of the plan; each effect that succeeds changes it in place. */
  readonly looked: Map<string, Looked>
  readonly steps: readonly PlannedStep[]
  readonly answers: readonly Answer[]
  readonly open: readonly Run[]
}

const NOWHERE: Looked = { found: { _tag: 'NoDirectory' } }

const fed = (planning: Planning, input: Input): Planning => {
  const { host } = planning
  const decision = decide(host, input)
  apply(host, decision)
  const steps = [...planning.steps, ...decision.then.effects.map((effect) => stepOf(host, effect))]
  const after: Planning = {
    ...planning,
    steps,
    answers: [...planning.answers, ...decision.then.answers],
    open: [...planning.open, ...decision.then.effects.filter(isRun)],
  }
  const next = grantable(host)
  return next === undefined ? after : fed(after, { _tag: 'Granted', at: input.at, mountpoint: next })
}

const STEPS_MAX = 1_000

/** Lets every effect succeed until nothing is under way. */
const settled = (planning: Planning, at: number): Planning => {
  const [effect, ...open] = planning.open
  if (effect === undefined || planning.steps.length > STEPS_MAX) return planning
  const { mountpoint } = effect
  const was = planning.looked.get(mountpoint) ?? NOWHERE
  const is = performed(planning.host.settings, effect, was)
  const found: EffectFound = effect._tag === 'Probe' ? { _tag: 'Alive' } : is.found
  const source = is.source === undefined ? {} : { source: is.source }
  const elsewhere = is.elsewhere === undefined || effect._tag !== 'Look' ? {} : { elsewhere: is.elsewhere }
  const submounts = is.submounts === undefined ? {} : { submounts: is.submounts }
  const helper = is.missingHelper === undefined || effect._tag !== 'Look' ? {} : { missingHelper: is.missingHelper }
  planning.looked.set(mountpoint, is)
  const input: Input = {
    _tag: 'Outcome',
    at,
    effect: effect.effect,
    mountpoint,
    found,
    ...source,
    ...elsewhere,
    ...submounts,
    ...helper,
  }
  return settled(fed({ ...planning, open }, input), at)
}

/**
 * What these requests would lead to if they came one after the other now. Pure: `host` is not changed. `looked` is what looks
 * at `plannedMountpoints` have found.
 */
export const plan = (
  host: Host,
  requests: readonly Request[],
  looked: ReadonlyMap<string, Looked>,
): readonly PlannedRequest[] => {
  const copy = copyOf(host)
  const now = new Map(looked)
  return requests.map((body, index) => {
    const request = requestId(index + 1)
    const begin: Planning = { host: copy, looked: now, steps: [], answers: [], open: [] }
    const end = settled(fed(begin, { _tag: 'Requested', at: 0, request, body }), 0)
    return { request: body, steps: end.steps, answer: end.answers.find((each) => each.request === request) }
  })
}
