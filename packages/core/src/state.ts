// The state behind a decision, as an entry of its own (`@mountkeeper/core/state`): for what inspects a host, copies it or walks through
// its states, which are the laws, the renderings, plans and the explorer. It may change with every change of the core; a driver needs none of it.

export { mountOptions, ruleOf } from './agree.js'
export { addRequest, ancestorsOf, applyChanges } from './apply.js'
export { discoverEffect } from './decide/host.js'
export type { Durable } from './durable.js'
export { NOTHING_DURABLE, isNothingLeft } from './durable.js'
export type { Fifo } from './fifo.js'
export { namesOf, push, remove } from './fifo.js'
export { GOAL_WORDS, isUnmounting, mountingOf, refusalOf, rollingBack } from './goal.js'
export type { Holder } from './holders.js'
export { addHolder, allHolders, countHolders, findHolder, noHolders } from './holders.js'
export type { Delay, EffectInFlight, Mountpoint, Reconcile, Surveyed, Unanswered, Waiting, Work } from './host.js'
export { absentMountpoint } from './host.js'
export { DEFAULT_STREAM, LOCAL_LANE } from './lane.js'
export { phaseOf } from './phase-of.js'
export { shareMax, streamMax } from './slots.js'
export { statusOfHost } from './status.js'
