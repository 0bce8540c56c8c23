// The public names of @mountkeeper/linux.

export * from './command-runner.js'
export type { LookRequest, Looker, Seen } from './look.js'
export { createLooker } from './look.js'
export * from './mountinfo.js'
