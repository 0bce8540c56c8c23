// Calm: faults stop, third parties take back what is theirs, every consumer leaves, and time passes. What is left then is what
// was forgotten (L47).

import { unmount } from '../model/mount.js'
import type { ModelHost } from '../model/host.js'
import { inodeOf, mountOf } from '../model/host.js'
import { removeDirectory, removeFile, rename } from '../model/directory.js'
import { isLost, walk } from '../model/path.js'
import { directoryAt, stackAt } from '../model/look.js'
import { leave } from '../model/surroundings.js'
import { NO_FAULT } from '../fault.js'
import { act, pass } from './act.js'
import { CONSUMERS, MOUNTPOINTS } from './generate.js'
import type { Played, Run } from './play.js'
import type { Simulation } from './simulation.js'
import { ask, letOut } from './simulation.js'
import { EXPORTS, ROOT, TENANT } from '../settings.js'

const LAYERS_MAX = 40

/** Lazily, so that nothing keeps it; the lowest layer of ours stays, with what is below it. */
const uncover = (host: ModelHost, path: string): ModelHost => {
  let left = host
  for (let count = 0; count < LAYERS_MAX; count += 1) {
    const stack = stackAt(left, path).map((id) => mountOf(left, id).by)
    if (stack.length === 0 || stack.lastIndexOf('us') === 0) return left
    left = unmount(left, left.own, path, 'lazy').host
  }
  return left
}

/** Others take away what they put onto, into and in the place of a mountpoint. */
const tidy = (host: ModelHost, path: string): ModelHost => {
  const uncovered = uncover(host, path)
  const { host: emptied } = removeFile(uncovered, uncovered.own, `${path}/data`)
  return removeFile(emptied, emptied.own, path).host
}

/** The source that was renamed gets its name back, whatever has taken that meanwhile. */
const nameAgain = (host: ModelHost): ModelHost => {
  const renamed = `${EXPORTS}/h`
  const name = `${EXPORTS}/f`
  if (isLost(walk(host, host.own, renamed, { links: 'last stays', last: 'under' }))) return host
  const free = removeDirectory(removeFile(host, host.own, name).host, host.own, name).host
  return rename(free, host.own, renamed, name).host
}

/** What others mounted through a link in the place of a mountpoint can look like a layer of ours that has moved there. */
const uncoverAll = (host: ModelHost, path: string): ModelHost =>
  stackAt(host, path).reduce((left) => unmount(left, left.own, path, 'lazy').host, host)

const restore = (host: ModelHost): ModelHost => {
  const uncovered = [ROOT, `${EXPORTS}/f`, `${EXPORTS}/g`].reduce(uncoverAll, host)
  const superblocks = new Map([...uncovered.superblocks].map(([id, each]) => [id, { ...each, readOnly: false }]))
  const writable = { ...uncovered, superblocks }
  const named = nameAgain(writable)
  const servers = new Map([...named.servers].map(([name]) => [name, 'answers' as const]))
  const calm = { ...named, servers, orphans: [], obstructions: new Map(), uninstalled: new Set<string>() }
  return MOUNTPOINTS.reduce(tidy, [...calm.processes.keys()].reduce(leave, calm))
}

const ROUNDS = 12
const ENDS_MAX = 400

/** Everything that runs ends well. */
const endAll = (simulation: Simulation): void => {
  for (let count = 0; count < ENDS_MAX; count += 1) {
    letOut(simulation, simulation.parcels.length)
    if (simulation.flights.length === 0) return
    act(simulation, { _tag: 'End', which: 0, fault: NO_FAULT })
  }
}

const A_WHILE_MS = 700_000

/** A manager that was stopped makes room for another one. */
const succeedStopped = (simulation: Simulation): void => {
  if (!simulation.stopping) return
  act(simulation, { _tag: 'Crash', kept: simulation.parcels.length, fates: ['worked'], reboot: false })
}

/** Lets a simulation come to rest: several rounds, each longer than the longest delay, in which every consumer leaves. */
export const calm = (simulation: Simulation): void => {
  succeedStopped(simulation)
  while (simulation.model.orphans.length > 0) act(simulation, { _tag: 'OrphanEnds', which: 0 })
  for (let round = 0; round < ROUNDS; round += 1) {
    simulation.model = restore(simulation.model)
    endAll(simulation)
    simulation.model = restore(simulation.model)
    // What is in a directory comes back with it, which the history has to know.
    act(simulation, { _tag: 'ThirdParty', act: { _tag: 'Renames', from: `${ROOT}/renamed`, to: TENANT } })
    if (round < 2) ask(simulation, { op: 'host-up' })
    endAll(simulation)
    for (const consumer of CONSUMERS) ask(simulation, { op: 'release', consumer })
    endAll(simulation)
    for (let count = 0; count < ENDS_MAX && simulation.delays.length > 0; count += 1) {
      pass(simulation, undefined)
      endAll(simulation)
    }
    pass(simulation, A_WHILE_MS)
  }
}

/** What an observer outside still finds of the manager on the host. */
export const leftOver = (host: ModelHost): readonly string[] =>
  MOUNTPOINTS.flatMap((path) => {
    const directory = directoryAt(host, path)
    const layers = stackAt(host, path).filter((id) => mountOf(host, id).by === 'us')
    const isOurs = directory !== undefined && inodeOf(host, directory).owner === 'us'
    return [...layers.map((id) => `${path}: mount ${id}`), ...(isOurs ? [`${path}: directory`] : [])]
  })

/** What was forgotten by request has no record any more: nothing can be said about what is left of it. */
export const withoutForget = (run: Run): Run => ({
  ...run,
  actions: run.actions.filter((action) => action._tag !== 'Ask' || action.body.op !== 'forget'),
})

const recordsIn = ({ simulation, history }: Played): readonly string[] => {
  const request = ask(simulation, { op: 'status' })
  const answer = [...history.answered.values()].find((each) => each.request === request)
  if (answer?.ok !== true || answer.result._tag !== 'Status') return ['status: not answered']
  return answer.result.mountpoints.map(({ mountpoint, phase }) => `${mountpoint}: record, ${phase}`)
}

/**
 * Lets a played run come to rest, and says what is left then (L47) and who was not answered (L45). Nothing is asked of a run
 * whose laws broke before, or after which the owner of a layer is unknown.
 */
export const leftAfterCalm = (played: Played): readonly string[] => {
  const { simulation, history } = played
  succeedStopped(simulation)
  // A generation that begins while the root is covered takes what is below it for gone: no fact names the root.
  if (history.breaches.length > 0 || history.rootChanged || history.entangled) return []
  calm(simulation)
  const unanswered = [...history.open.keys()].map((request) => `request ${request}: not answered`)
  return [...recordsIn(played), ...leftOver(simulation.model), ...unanswered]
}
