// The public names of @mountkeeper/linux.

export * from './checks.js'
export type { Clock } from './clock.js'
export * from './command-runner.js'
export * from './effects.js'
export { LOCK_FILE } from './lock-file.js'
export * from './locks.js'
export type { Looker } from './gathering.js'
export { createLooker } from './gathering.js'
export type { LookRequest, Seen } from './look.js'
export * from './mount-watch.js'
export * from './mountinfo.js'
export type { SourceAllowed } from './tools.js'
