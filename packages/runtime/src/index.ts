// The loop around the core, and the ports through which it reaches a host, a journal and a clock.

export * from './events.js'
export * from './inventory.js'
export * from './left-behind.js'
export * from './loop.js'
export * from './manager.js'
export * from './memory-journal.js'
export * from './observer.js'
export * from './operations.js'
export * from './plan.js'
export * from './ports.js'
export type { Running } from './runner.js'
export * from './timers.js'
